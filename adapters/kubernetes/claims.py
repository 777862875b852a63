"""Claims for devices: what a ResourceClaim takes, and what pods take by naming claims.

A pod says what it takes by the name of a ResourceClaim, or of a ResourceClaimTemplate of which each
pod gets a claim of its own. One object alone does not tell what either asks for. Among several, as
in the output of ``helm template``, they are looked up by namespace and name. What a pod shares
with others by the name of one claim is counted once, at the claim.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import Any, NamedTuple, Protocol

from adapters.kubernetes import declared
from adapters.kubernetes.claim_requests import Claim, Wanted, merged, read_claim
from adapters.kubernetes.device_classes import describe_devices
from adapters.kubernetes.devices import CLOUDS, DEVICE_CLASS_PREFIX, Device, device_of
from adapters.kubernetes.payload import count, mapping, objects, text
from adapters.kubernetes.selectors import NOTHING, Facts, read_selectors
from adapters.kubernetes.state import State
from service.model.base import LARGEST_EXACT, Reason
from service.model.resource import Sharing

GROUP = "resource.k8s.io"
CLAIM, TEMPLATE, CLASS = "ResourceClaim", "ResourceClaimTemplate", "DeviceClass"
NVIDIA_GROUP, COMPUTE_DOMAIN = "resource.nvidia.com", "ComputeDomain"
_CHANNELS = "compute-domain-default-channel.nvidia.com"
_DEFAULT_NAMESPACE = "default"
_SELECTED = "inferred:device_selectors"
_TEMPLATE = "inferred:claim_template"
_SHARED = "inferred:shared_claim"
_ADMIN = "inferred:claims"

_DIVIDED = frozenset({Sharing.MIG, Sharing.FRACTION})


class Bounds(Protocol):
    """How many pods there are, at least and at most; ``None`` where another object says it."""

    @property
    def least(self) -> int | None:
        """The smallest number."""
        ...

    @property
    def most(self) -> int | None:
        """The largest number."""
        ...

    @property
    def reason(self) -> Reason | None:
        """Why a number is not known."""
        ...


class _Pods(NamedTuple):
    least: int
    most: int
    reason: Reason | None = None


_NO_PODS, _ONE_POD = _Pods(0, 0), _Pods(1, 1)

Describe = Callable[[str, Device], dict[str, Any]]
"""Makes the fields of an accelerator, but for its numbers, from a class and a device."""

_Key = tuple[str, str]


class Form(StrEnum):
    """Objects about claims that are resources of a request."""

    CLAIM = "claim"
    DOMAIN = "domain"


FORMS = {(GROUP, CLAIM): Form.CLAIM, (NVIDIA_GROUP, COMPUTE_DOMAIN): Form.DOMAIN}
TAKE_NOTHING = frozenset(
    {
        (GROUP, TEMPLATE),
        (GROUP, CLASS),
        (GROUP, "DeviceTaintRule"),
        (GROUP, "ResourceSlice"),
    }
)
"""Kinds about claims that take nothing: what claims and classes refer to, by group and kind."""


class ClaimIndex:
    """Claims, templates and device classes among the objects of one request, by name.

    A name that two objects have who do not say the same is not known. What a set of objects does
    not hold is looked for in the one *beside* it.
    """

    def __init__(
        self,
        documents: Iterable[dict[str, Any]],
        *,
        namespace: str | None = None,
        beside: ClaimIndex | None = None,
    ) -> None:
        """Read *documents*; an object that states no namespace is in *namespace*.

        Raises:
            RequestRefused: A claim, a template or a class is not what the API has there.
        """
        self._namespace = namespace
        self._beside = beside
        self._specs: dict[tuple[str, _Key], dict[str, Any] | None] = {}
        self._channels: set[_Key] = set()
        self._classes: dict[str, Facts | None] = {}
        self._extended: dict[str, set[str]] = {}
        found = [document for document in documents if _is_about_claims(document)]
        for document in found:
            self._add(document)
        for document in found:
            validate(document["kind"], document)

    def near(self, document: dict[str, Any]) -> Near:
        """What *document* finds by name in its namespace."""
        stated = text(mapping(document, "metadata"), "namespace")
        return Near(self, stated or self._namespace or _DEFAULT_NAMESPACE)

    def claim_of(self, kind: str, namespace: str, name: str) -> Claim | None:
        """The claim that the object *name* of *kind* is, or makes; ``None`` if it is not here."""
        key = (namespace, name)
        if kind == TEMPLATE and key in self._channels:
            return Claim(networks=(_CHANNELS,))
        if (kind, key) in self._specs:
            spec = self._specs[kind, key]
            return read_claim(spec, self) if spec is not None else None
        return self._beside.claim_of(kind, namespace, name) if self._beside is not None else None

    def facts_of(self, name: str) -> Facts:
        """What the selectors of the device class *name* say; nothing where it is not here."""
        if name in self._classes:
            return self._classes[name] or NOTHING
        return self._beside.facts_of(name) if self._beside is not None else NOTHING

    def device_of(self, resource: str) -> Device | None:
        """What the extended *resource* counts; the device class that it stands for says.

        Where several classes have the same resource, one of them is chosen by its age.
        """
        names = self.classes_of(resource)
        found = {describe_devices(name, self.facts_of(name), {}) for name in names}
        only = found.pop() if len(found) == 1 else None
        return only.device if only is not None and only.is_listed else device_of(resource)

    def classes_of(self, resource: str) -> set[str]:
        """The device classes that the extended *resource* stands for."""
        if resource.startswith(DEVICE_CLASS_PREFIX):
            return {resource[len(DEVICE_CLASS_PREFIX) :]}
        found = self._extended.get(resource)
        if found is None and self._beside is not None:
            return self._beside.classes_of(resource)
        return found or set()

    def _add(self, document: dict[str, Any]) -> None:
        kind, name = document["kind"], text(mapping(document, "metadata"), "name")
        if name is None:
            return
        spec = mapping(document, "spec")
        if kind == CLASS:
            facts = read_selectors(spec)
            known = self._classes.setdefault(name, facts)
            self._classes[name] = facts if facts == known else None
            if resource := text(spec, "extendedResourceName"):
                self._extended.setdefault(resource, set()).add(name)
            return
        namespace = self.near(document).namespace
        if kind == COMPUTE_DOMAIN:
            if (template := _channel_of(spec)) is not None:
                self._channels.add((namespace, template))
            return
        wanted = mapping(spec, "spec") if kind == TEMPLATE else spec
        key = (kind, (namespace, name))
        known_spec = self._specs.setdefault(key, wanted)
        self._specs[key] = wanted if wanted == known_spec else None


class Near(NamedTuple):
    """An index as the objects of one namespace see it."""

    claims: ClaimIndex
    namespace: str


NOWHERE = ClaimIndex(())
"""The index of a single object: everything that it names is elsewhere."""


class Claimed(NamedTuple):
    """What a pod takes by claims.

    Attributes:
        own: Accelerators of claims that each pod gets.
        shared: Accelerators of claims that exist once, whatever the number of pods.
        networks: Classes of network devices.
        privileged: Classes to all of whose devices it has administrative access.
        unlisted: Classes that nothing is known of.
        is_complete: Whether every claim that the pod names was found.
    """

    own: tuple[Wanted, ...] = ()
    shared: tuple[Wanted, ...] = ()
    networks: tuple[str, ...] = ()
    privileged: tuple[str, ...] = ()
    unlisted: tuple[str, ...] = ()
    is_complete: bool = True

    @property
    def takes(self) -> bool:
        """Whether it takes accelerators, as far as can be told."""
        return bool(self.own or self.shared) or not self.is_complete


_NOTHING = Claimed()


def read_claimed(pod: dict[str, Any], near: Near | None) -> Claimed:
    """What *pod* takes by claims, as far as they are *near*.

    Every claim of a pod is allocated, whether a container uses it or not, and once, however many
    containers use it. The same claim by two names is one claim.

    Raises:
        RequestRefused: References or claims are not what the API has there.
    """
    references = objects(pod, "resourceClaims")
    if not references:
        return _NOTHING
    own: list[Claim] = []
    shared: dict[str, Claim] = {}
    is_complete = True
    for reference in references:
        source = mapping(reference, "source") or reference  # until v1.30
        kind, name = TEMPLATE, text(source, "resourceClaimTemplateName")
        if name is None:
            kind, name = CLAIM, text(source, "resourceClaimName")
        found = near.claims.claim_of(kind, near.namespace, name) if near and name else None
        if found is None or name is None:
            is_complete = False
        elif kind == TEMPLATE:
            own.append(found)
        else:
            shared[name] = found
    every = [*own, *shared.values()]
    return Claimed(
        merged(wanted for claim in own for wanted in claim.wanted),
        merged(wanted for claim in shared.values() for wanted in claim.wanted),
        _distinct(claim.networks for claim in every),
        _distinct(claim.privileged for claim in every),
        _distinct(claim.unlisted for claim in every),
        is_complete,
    )


def put_claimed(
    state: State,
    entries: list[dict[str, Any]],
    claimed: Claimed,
    described: Describe,
    pods: Bounds,
) -> None:
    """Add what each of *pods* takes by claims to *entries*, the accelerators of *state*."""
    if claimed is _NOTHING:
        return  # as nearly always
    for wanted in claimed.own:
        state.provenance[f"/accelerators/{len(entries)}"] = _TEMPLATE
        _put_wanted(state, entries, wanted, described, pods)
    for wanted in claimed.shared:
        state.provenance[f"/accelerators/{len(entries)}"] = _SHARED
        _put_wanted(state, entries, wanted, described, _NO_PODS)
    if claimed.privileged:
        state.provenance["/placement/admin_access"] = _ADMIN
    _put_instance_type(state, (*claimed.own, *claimed.shared))


def _put_instance_type(state: State, wanted: Iterable[Wanted]) -> None:
    """The instance type that every device is on, unless the pod says so itself."""
    types = {one.device.instance_type for one in wanted}
    found = types.pop() if len(types) == 1 else None
    if found is not None and state.fields.get("instance_type") is None:
        state.put("/instance_type", found, _SELECTED)


def _put_wanted(
    state: State,
    entries: list[dict[str, Any]],
    wanted: Wanted,
    described: Describe,
    pods: Bounds,
) -> None:
    at = f"/accelerators/{len(entries)}"
    device = wanted.device
    entry = described(wanted.resource, device)
    entry["per_worker"] = wanted.most
    if device.product is not None:
        state.provenance[f"{at}/model"] = _SELECTED
    if entry["slice"] is None and entry["sharing"] in _DIVIDED:
        state.hide(f"{at}/slice", Reason.UNDECLARED)
    if wanted.most is None:
        state.hide(f"{at}/per_worker", wanted.reason or Reason.UNDECLARED)
    elif wanted.source is not None:
        state.provenance[f"{at}/per_worker"] = wanted.source
    if pods.most == 0:
        entry["total"] = {"min": 0, "max": 0}
    elif wanted.most is None:
        state.hide(f"{at}/total", wanted.reason or Reason.UNDECLARED)
    else:
        least = wanted.most if wanted.least is None else wanted.least
        entry["total"] = {"min": _times(least, pods.least), "max": _times(wanted.most, pods.most)}
        if pods.most is None:
            state.hide(f"{at}/total", pods.reason or Reason.ELSEWHERE)
    entries.append(entry)


def describe_object(
    document: dict[str, Any], form: Form, near: Near | None = None
) -> tuple[State, tuple[str, ...]]:
    """The state of *document*, an object of *form*, and device classes that nothing is known of.

    Raises:
        RequestRefused: It is not what the API has there.
    """
    if form is Form.DOMAIN:
        return _describe_domain(document), ()
    return _describe_claim(document, near)


def _describe_claim(document: dict[str, Any], near: Near | None) -> tuple[State, tuple[str, ...]]:
    """The state of a ResourceClaim, and device classes that nothing is known of.

    A claim may exist before the pods that use it, and outlives them where nothing owns it.
    """
    metadata = mapping(document, "metadata")
    classes = near.claims if near is not None else NOWHERE
    claim = read_claim(mapping(document, "spec"), classes)
    state = State()
    declared.apply(declared.read_declarations([metadata]), state)
    fields = state.fields
    fields["copies"] = {"min": 1, "max": 1}
    fields["workers_per_copy"] = 1
    if claim.networks or claim.privileged:
        fields["placement"] = {
            "fabric": ",".join(claim.networks) or None,
            "admin_access": claim.privileged,
        }
    entries: list[dict[str, Any]] = []
    for wanted in claim.wanted:
        _put_wanted(state, entries, wanted, _described, _ONE_POD)
    _put_instance_type(state, claim.wanted)
    makers = {wanted.device.manufacturer or "" for wanted in claim.wanted}
    if len(makers) == 1 and (vendor := CLOUDS.get(makers.pop())) is not None:
        state.put("/vendor", vendor, "inferred:accelerators")
    if entries:
        fields["accelerators"] = entries
    fields.setdefault("lifetime", {})["bounded"] = False
    if shown := declared.shown_labels(metadata):
        fields["labels"] = shown
    return state, claim.unlisted


def _describe_domain(document: dict[str, Any]) -> State:
    """The state of a ComputeDomain, which joins the cards of several nodes and takes none."""
    metadata, spec = mapping(document, "metadata"), mapping(document, "spec")
    state = State()
    declared.apply(declared.read_declarations([metadata]), state)
    state.fields["placement"] = {"fabric": _CHANNELS}
    if nodes := count(spec, "numNodes"):
        state.fields["nodes"] = {"min": nodes, "max": nodes}
    if shown := declared.shown_labels(metadata):
        state.fields["labels"] = shown
    return state


def validate(kind: str, document: dict[str, Any]) -> None:
    """Read *document*, an object of *kind* about claims, as it is read where it is used.

    Raises:
        RequestRefused: It is not what the API has there.
    """
    spec = mapping(document, "spec")
    if kind == CLAIM:
        read_claim(spec, NOWHERE)
    elif kind == TEMPLATE:
        read_claim(mapping(spec, "spec"), NOWHERE)
    elif kind == CLASS:
        read_selectors(spec)
        text(spec, "extendedResourceName")
    elif kind == COMPUTE_DOMAIN:
        _channel_of(spec)


def _channel_of(spec: dict[str, Any]) -> str | None:
    """The name of the template that makes claims for channels of a ComputeDomain."""
    return text(mapping(mapping(spec, "channel"), "resourceClaimTemplate"), "name")


def _is_about_claims(document: dict[str, Any]) -> bool:
    kind, version = document.get("kind"), document.get("apiVersion")
    if type(version) is not str or type(kind) is not str:
        return False
    group = version.partition("/")[0]
    return (group, kind) in FORMS or (group, kind) in TAKE_NOTHING


def _described(resource: str, device: Device) -> dict[str, Any]:
    return {
        "resource": resource,
        "manufacturer": device.manufacturer,
        "model": device.product,
        "slice": device.slice,
        "sharing": device.sharing,
    }


def _distinct(groups: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for group in groups for name in group))


def _times(each: int, pods: int | None) -> int | None:
    return None if pods is None else min(each * pods, LARGEST_EXACT)
