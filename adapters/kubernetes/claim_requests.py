"""What one claim for devices takes: the ``spec`` of a ResourceClaim, or of a template's claims.

Read as ``DeviceClaim`` in k8s.io/api/resource/v1 and v1beta2, where a request says ``exactly`` or
``firstAvailable``, and as in v1beta1, where it says the former without the word. A request that is
neither takes something that cannot be counted: never nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple, Protocol

from adapters.kubernetes.device_classes import describe_devices
from adapters.kubernetes.devices import DEVICE, NETWORK, Device
from adapters.kubernetes.payload import CODE, count, mapping, objects, text
from adapters.kubernetes.selectors import Facts, read_selectors
from service.errors import RequestRefused
from service.model.base import Reason

FIRST_AVAILABLE = "inferred:first_available"
MOST_REQUESTS = 32
"""``DeviceRequestsMaxSize``; no request of a claim has more alternatives than that either."""

_LONGEST_NAME = 253
_UNREADABLE = "resourceclaims"


class Classes(Protocol):
    """Where definitions of device classes are looked up."""

    def facts_of(self, name: str) -> Facts:
        """What the selectors of the class *name* say; nothing where it is not at hand."""
        ...


class Wanted(NamedTuple):
    """Devices of one kind that a claim takes.

    Attributes:
        resource: Their class; several with commas where the scheduler chooses.
        device: What each is.
        least: How many it takes at least; ``None`` where nobody can say.
        most: How many it takes at most.
        reason: Why the number is not known.
        source: How the number was read, if not off the request's own count.
    """

    resource: str
    device: Device
    least: int | None
    most: int | None
    reason: Reason | None = None
    source: str | None = None


class Claim(NamedTuple):
    """What one claim takes.

    Attributes:
        wanted: Accelerators, those of the same kind together.
        networks: Classes of network devices.
        privileged: Classes to all of whose devices it has administrative access, which takes none
            of them away from anybody.
        unlisted: Classes that nothing is known of, counted as accelerators.
    """

    wanted: tuple[Wanted, ...] = ()
    networks: tuple[str, ...] = ()
    privileged: tuple[str, ...] = ()
    unlisted: tuple[str, ...] = ()


class _Request(NamedTuple):
    """One request, or one alternative of it, as it is read."""

    wanted: Wanted
    is_listed: bool = True
    is_privileged: bool = False


def read_claim(spec: dict[str, Any], classes: Classes) -> Claim:
    """What a claim with the specification *spec* takes.

    Raises:
        RequestRefused: A part has another type than the API has there, or there are too many.
    """
    requests = [
        _read_request(request, classes)
        for request in _bounded(mapping(spec, "devices"), "requests")
    ]
    if old := text(spec, "resourceClassName"):
        # Before v1alpha3 another object said how many devices of the class are wanted.
        device = Device(DEVICE)
        requests.append(_Request(Wanted(_shown(old), device, None, None, Reason.ELSEWHERE)))
    taken = [request for request in requests if not request.is_privileged]
    return Claim(
        merged(one.wanted for one in taken if one.wanted.device.counts == DEVICE),
        _names(one for one in taken if one.wanted.device.counts == NETWORK),
        _names(one for one in requests if one.is_privileged),
        _names(one for one in requests if not one.is_listed),
    )


def merged(wanted: Iterable[Wanted]) -> tuple[Wanted, ...]:
    """*wanted* with all of one kind added up."""
    sums: dict[tuple[str, Device, str | None], Wanted] = {}
    for one in wanted:
        key = (one.resource, one.device, one.source)
        other = sums.get(key)
        sums[key] = one if other is None else _together(other, one)
    return tuple(sums.values())


def _together(one: Wanted, other: Wanted) -> Wanted:
    least = None if one.least is None or other.least is None else one.least + other.least
    most = None if one.most is None or other.most is None else one.most + other.most
    return one._replace(least=least, most=most, reason=one.reason or other.reason)


def _names(requests: Iterable[_Request]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(request.wanted.resource for request in requests))


def _read_request(request: dict[str, Any], classes: Classes) -> _Request:
    alternatives = _bounded(request, "firstAvailable")
    if alternatives:
        return _worst([_read_exact(one, classes) for one in alternatives])
    exactly = mapping(request, "exactly") or request
    found = _read_exact(exactly, classes)
    return found._replace(is_privileged=exactly.get("adminAccess") is True)


def _read_exact(request: dict[str, Any], classes: Classes) -> _Request:
    name = text(request, "deviceClassName")
    if name is None:
        return _Request(Wanted(_UNREADABLE, Device(DEVICE), None, None, Reason.UNDECLARED))
    facts = classes.facts_of(name).and_also(read_selectors(request))
    device, is_listed = describe_devices(name, facts, request)
    number, reason = _count(request)
    return _Request(Wanted(_shown(name), device, number, number, reason), is_listed)


def _count(request: dict[str, Any]) -> tuple[int | None, Reason | None]:
    """How many devices are asked for.

    ``All`` takes as many as fit on the node that is chosen, which only the drivers' slices say;
    a mode that is not known takes who knows how many.
    """
    mode = text(request, "allocationMode") or "ExactCount"
    if mode == "All":
        return None, Reason.ELSEWHERE
    number = 1 if request.get("count") is None else count(request, "count")
    if mode != "ExactCount" or number is None:
        return None, Reason.UNDECLARED
    return number, None


def _worst(alternatives: list[_Request]) -> _Request:
    """The largest of *alternatives*, one of which the scheduler chooses.

    What a device is stays open where the alternatives differ about it. Alternatives without
    accelerators make the least that is taken nothing.
    """
    of_devices = [one for one in alternatives if one.wanted.device.counts == DEVICE]
    chosen = of_devices or alternatives
    names = ",".join(dict.fromkeys(one.wanted.resource for one in chosen))
    leasts = [one.wanted.least for one in chosen]
    mosts = [one.wanted.most for one in chosen]
    known = [most for most in mosts if most is not None]
    most = max(known) if len(known) == len(mosts) else None
    least = None if None in leasts else min(number for number in leasts if number is not None)
    reason = next((one.wanted.reason for one in chosen if one.wanted.reason is not None), None)
    wanted = Wanted(
        _shown(names),
        _agreed([one.wanted.device for one in chosen]),
        least if len(chosen) == len(alternatives) else 0,
        most,
        reason,
        FIRST_AVAILABLE if len(alternatives) > 1 else None,
    )
    return _Request(wanted, is_listed=all(one.is_listed for one in alternatives))


def _agreed(devices: list[Device]) -> Device:
    """What all of *devices* are; the rest is not known."""
    first, *others = devices
    differ: dict[str, Any] = {
        field: None
        for field in Device._fields
        if field != "counts" and any(getattr(one, field) != getattr(first, field) for one in others)
    }
    return first._replace(**differ)


def _bounded(owner: dict[str, Any], key: str) -> list[dict[str, Any]]:
    found = objects(owner, key)
    if len(found) > MOST_REQUESTS:
        raise RequestRefused(
            f"`{key}` of the claim has {len(found)} entries, the API has at most {MOST_REQUESTS}",
            hint="Send the object as the API server would take it.",
            code=CODE,
        )
    return found


def _shown(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 1] + "…"
