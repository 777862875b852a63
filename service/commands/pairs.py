"""Options of the form NAME=VALUE."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from service.errors import SettingsRefused


def read_pairs(option: str, pairs: Iterable[str], names: Sequence[str]) -> dict[str, str]:
    """What *pairs* state, by name.

    Raises:
        SettingsRefused: One has another form, a name that is not among *names*, or a name twice.
    """
    values: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not value or name not in names:
            raise SettingsRefused(
                f"{option} is `{pair}`, and NAME=VALUE is expected",
                hint=f"Names are {', '.join(names)}.",
            )
        if name in values:
            raise SettingsRefused(f"{option} states `{name}` twice")
        values[name] = value
    return values
