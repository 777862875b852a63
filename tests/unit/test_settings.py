from pathlib import Path

import pytest

from service.errors import SettingsRefused
from service.report.settings import table
from service.settings import default_log, read_settings

ROOT = Path(__file__).resolve().parents[2]


def test_the_page_of_settings_is_up_to_date() -> None:
    assert (ROOT / "docs" / "settings.md").read_text() == table()


def test_every_setting_has_a_meaning() -> None:
    assert "None |" not in table()


def test_an_option_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORTREEVE_PORT", "9000")

    assert read_settings().port == 9000
    assert read_settings(port=9001).port == 9001
    assert read_settings(port=None).port == 9000


def test_a_malformed_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORTREEVE_PORT", "many")

    with pytest.raises(SettingsRefused, match="setting `port` is `many`") as caught:
        read_settings()

    assert "PORTREEVE_PORT" in caught.value.hint


def test_without_credentials_only_loopback_is_served() -> None:
    with pytest.raises(SettingsRefused, match="without credentials only loopback"):
        read_settings(host="0.0.0.0").check()  # noqa: S104  # the point of the test

    read_settings(host="127.0.0.1").check()
    read_settings(host="localhost").check()
    read_settings(host="::1").check()


def test_a_host_name_is_not_taken_for_loopback() -> None:
    with pytest.raises(SettingsRefused, match="only loopback"):
        read_settings(host="portreeve.example").check()


def test_a_certificate_without_its_key_is_refused() -> None:
    with pytest.raises(SettingsRefused, match="belong together"):
        read_settings(tls_certificate="tls.crt").check()


@pytest.mark.parametrize("state", ["", "relative/path"])
def test_the_log_lies_in_the_home_folder_without_a_usable_state_folder(
    monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", state)

    assert default_log() == Path.home() / ".local/state/portreeve/decisions.db"


def test_the_log_lies_in_the_state_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/var/state")

    assert read_settings().log == Path("/var/state/portreeve/decisions.db")
