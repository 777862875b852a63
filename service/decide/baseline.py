"""Whether something that the baseline accepted still takes no more than it did."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from service.bundle.baseline import Taken, TakenAccelerators
from service.bundle.waivers import ends_at
from service.decide.builtin import BASELINE_ENDED
from service.model.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from service.bundle.baseline import BaselineRow
    from service.model.resource import Resource

_Kind = tuple[str | None, str | None]
_OF_NODES = "inferred:cluster"


class Lapsed(NamedTuple):
    """A row that no longer covers a finding: of what, until when it held, and why not now."""

    subject: str
    until: str
    why: str


class Kept(NamedTuple):
    """What the baseline says of a finding: until when it is covered, or what covers it no longer.

    ``until`` is ``None`` where it is not covered.
    """

    until: str | None
    lapsed: Sequence[Lapsed] = ()


class Baseline:
    """The organisation's baseline as it stands at one moment."""

    def __init__(self, rows: Mapping[str, Sequence[BaselineRow]], now: str | None) -> None:
        """*rows* are by subject; *now* is RFC 3339, and without it no row holds."""
        self._rows = rows if now else {}
        self._now = now

    def __bool__(self) -> bool:
        """Whether there is any."""
        return bool(self._rows)

    def keeps(self, code: str, resources: Sequence[Resource]) -> Kept:
        """What is said of *code* about *resources*: it is covered if it is for each of them."""
        ends: list[str] = []
        lapsed: list[Lapsed] = []
        moment = datetime.fromisoformat(self._now or "")
        for resource in resources:
            rows = [row for row in self._rows.get(resource.subject, ()) if code in row.codes]
            holding = _holding(rows, taken_by(resource), moment) if rows else []
            good = [row.until for row, why in holding if not why]
            if good:
                ends.append(max(good, key=ends_at))
            else:
                lapsed += [Lapsed(resource.address, row.until, why) for row, why in holding]
        is_covered = bool(resources) and len(ends) == len(resources)
        return Kept(min(ends, key=ends_at) if is_covered else None, lapsed)


def ended(lapsed: Lapsed, finding: Finding) -> Finding:
    """What is reported of a row that no longer covers *finding*."""
    return Finding(
        code=BASELINE_ENDED,
        resource=finding.resource,
        facts={
            "code": finding.code,
            "of": lapsed.subject,
            "until": lapsed.until,
            "why": lapsed.why,
        },
    )


def taken_by(resource: Resource) -> Taken:
    """What the resolved *resource* takes, as far as it or the organisation says so.

    What only the nodes of its cluster tell is left out: it changes when nodes are added, and nobody
    has asked for more then.
    """
    price = resource.cost.micros_per_hour.max
    return Taken(
        accelerators=_accelerators(resource),
        nodes=resource.nodes.max,
        micros_per_hour=price,
        currency=resource.cost.currency if price is not None else None,
        vendor=None if _is_of_nodes(resource, "/vendor") else resource.vendor,
        region=None if _is_of_nodes(resource, "/region") else resource.region,
        instance_type=resource.instance_type,
        price_kind=resource.price_kind,
        data=tuple(sorted({item.data_class for item in resource.data})),
    )


def growth(then: Taken, now: Taken) -> str:
    """Why *now* is more than *then*, or not known to be no more; empty where it is not.

    A price that rises while the same is bought in the same place is no growth.
    """
    return (
        _more_accelerators(then.accelerators, now.accelerators)
        or _more_nodes(then.nodes, now.nodes)
        or _elsewhere(then, now)
        or _more_data(then.data, now.data)
        or ("" if _is_same_purchase(then, now) else _dearer(then, now))
    )


def _holding(
    rows: Iterable[BaselineRow], now: Taken, moment: datetime
) -> list[tuple[BaselineRow, str]]:
    """Each of *rows* with why it does not hold at *moment* of what is taken *now*."""
    return [
        (row, f"it held until {row.until}" if row.is_over(moment) else growth(row, now))
        for row in rows
    ]


def _accelerators(resource: Resource) -> tuple[TakenAccelerators, ...] | None:
    """Those of each kind together, the ones whose number nobody knows apart from the others."""
    if resource.accelerators is None:
        return None
    counted: Counter[_Kind] = Counter()
    uncounted: dict[_Kind, int | None] = {}
    for index, item in enumerate(resource.accelerators):
        # The label of a node says of which model its devices are, and which part of one each is.
        of_nodes = _is_of_nodes(resource, f"/accelerators/{index}/model")
        kind = (None, None) if of_nodes else (item.model, item.slice)
        if item.total.max is not None:
            counted[kind] += item.total.max
            continue
        before = uncounted.get(kind, 0)
        each = item.per_worker
        uncounted[kind] = None if before is None or each is None else before + each
    return tuple(
        [
            TakenAccelerators(model=model, slice=part, most=most)
            for (model, part), most in sorted(counted.items(), key=_named)
        ]
        + [
            TakenAccelerators(model=model, slice=part, per_worker=each)
            for (model, part), each in sorted(uncounted.items(), key=_named)
        ]
    )


def _is_of_nodes(resource: Resource, pointer: str) -> bool:
    return resource.provenance.get(pointer) == _OF_NODES


def _named(item: tuple[_Kind, object]) -> tuple[str, str]:
    (model, part), _ = item
    return model or "", part or ""


def _more_accelerators(
    then: Sequence[TakenAccelerators] | None, now: Sequence[TakenAccelerators] | None
) -> str:
    if now is None or then is None:
        return "it is not known which accelerators it takes"
    counted: Counter[_Kind] = Counter()
    per_worker: Counter[_Kind] = Counter()
    for item in then:
        counted[item.model, item.slice] += item.most or 0
        per_worker[item.model, item.slice] += item.per_worker or 0
    for item in now:
        left, asked = (counted, item.most) if item.most is not None else (per_worker, None)
        if asked is None:
            asked = item.per_worker
        if asked is None:
            return f"it is not known how many {_name(item)} it takes"
        each = "" if item.most is not None else " per worker"
        accepted = left[item.model, item.slice]
        any_model = left[None, item.slice] if item.model is not None else 0
        if asked > accepted + any_model:
            allowed = accepted + any_model
            return f"it takes {asked} x {_name(item)}{each}, {allowed} were accepted"
        left[item.model, item.slice] -= min(asked, accepted)
        left[None, item.slice] -= max(0, asked - accepted)
    return ""


def _name(item: TakenAccelerators) -> str:
    name = item.model or "accelerators of a model that is not known"
    return f"{name} ({item.slice})" if item.slice else name


def _more_nodes(then: int | None, now: int | None) -> str:
    if then is None or (now is not None and now <= then):
        return ""
    if now is None:
        return "it is not known how many nodes it has"
    return f"it has {now} nodes, {then} were accepted"


def _elsewhere(then: Taken, now: Taken) -> str:
    for name in ("vendor", "region"):
        accepted, found = getattr(then, name), getattr(now, name)
        if accepted is not None and found != accepted:
            return f"its {name} is {found or 'not known'}, {accepted} was accepted"
    return ""


def _more_data(then: Sequence[str], now: Sequence[str]) -> str:
    more = [name for name in now if name not in then]
    return f"it has data of class {', '.join(more)} now" if more else ""


def _is_same_purchase(then: Taken, now: Taken) -> bool:
    """Whether what is bought is the same, so that another cost can only be another price.

    Something that names neither accelerators nor nodes has nothing but its cost to go by.
    """
    same = ("vendor", "region", "instance_type", "price_kind", "nodes", "accelerators")
    return bool(then.accelerators or then.nodes) and all(
        getattr(then, name) == getattr(now, name) for name in same
    )


def _dearer(then: Taken, now: Taken) -> str:
    if then.micros_per_hour is None:
        return ""
    if now.micros_per_hour is None or now.currency != then.currency:
        return f"it is not known what it costs in {then.currency}"
    if now.micros_per_hour > then.micros_per_hour:
        return (
            f"it costs {_money(now.micros_per_hour)} {now.currency} per hour, "
            f"{_money(then.micros_per_hour)} were accepted"
        )
    return ""


def _money(micros: int) -> str:
    return f"{micros // 1_000_000:,}.{micros % 1_000_000 // 10_000:02}"
