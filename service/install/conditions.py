"""Match conditions: what the API server looks at before it asks us (CEL).

An object whose pods can take no accelerators never waits for us. What is sent is wider than what is
judged: a condition must never be true too seldom. Conditions hold for old and new object, so that
what gives accelerators back is seen too. An absent or empty field makes no error: an error in a
condition is a refusal under ``failurePolicy: Fail``.

The API server stops a condition that costs more than it grants (``PerCallLimit`` in
k8s.io/apiserver/pkg/apis/cel), which is an error too. Lists that are too long to look at are
therefore a reason to send; a test holds the largest that are looked at against a real API server.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from importlib import resources

import adapters.kubernetes
from adapters.kubernetes.paths import Path, Segment

_NOT_ACCELERATORS = frozenset({"network", "other"})
_WORDS = (
    "accelerator",
    "ascend",
    "dcu",
    "gaudi",
    "gcu",
    "gpu",
    "habana",
    "ipu",
    "mlu",
    "neuron",
    "npu",
    "nvidia",
    "tpu",
    "xpu",
)
_DEVICE_FILES = (
    "accel",
    "davinci",
    "dri",
    "habanalabs",
    "hl[0-9]",
    "kfd",
    "neuron",
    "nvidia",
    "vfio",
)
_MOST = 32
_MOST_CONTAINERS = 20
_LONGEST_PATH = 256
_AGENTS = "system:serviceaccount:kube-system:daemon-set-controller"


def changes_something() -> str:
    """False for an update that leaves alone what is read of an object, or that ends it."""
    parts = [f"object.metadata.?{part} != oldObject.metadata.?{part}" for part in _READ]
    parts.append("object.?spec != oldObject.?spec")
    return (
        "request.operation != 'UPDATE' || (!has(object.metadata.deletionTimestamp) && ("
        + " || ".join(parts)
        + "))"
    )


_READ = ("labels", "annotations")


def is_asked_by(accounts: Sequence[str], *, negated: bool = False) -> str:
    """Whether one of *accounts* asks, or, *negated*, whether none of them does; empty for none."""
    if not accounts:
        return ""
    names = ", ".join(_text(account) for account in accounts)
    condition = f"request.userInfo.?username.orValue('') in [{names}]"
    return f"!({condition})" if negated else condition


def takes_accelerators(paths: Iterable[tuple[Path, bool]]) -> str:
    """Whether pods at one of *paths* may take accelerators, in the new or the old object.

    Args:
        paths: Each with whether it leads to a pod specification alone, and not to a template.

    Raises:
        ValueError: A path passes more than one list or map.
    """
    found = ",\n".join(dict.fromkeys(_templates(path, bare=bare) for path, bare in paths))
    return (
        f"[object, oldObject].exists(o, o != null && [{found}]"
        f".exists(ts, ts.exists(t, t != null && ({_template()}))))"
    )


def can_be_written(path: Path) -> bool:
    """Whether a condition can follow *path*: it passes one list or map at the most."""
    return sum(bool(segment.each) for segment in path) <= 1


def _templates(path: Path, *, bare: bool) -> str:
    """The list of templates at *path* of the object ``o``; a bare specification is put into one."""
    before = _until_each(path)
    rest = path[len(before) :]
    head = "o" + "".join(_key(segment) for segment in before)
    if not (before and before[-1].each):
        return f"[{_wrapped(head, bare=bare, whole=not path)}]"
    if not can_be_written(path):
        raise ValueError("a condition follows one list or map at the most")
    value = "o" + "".join(_plain(segment) for segment in before)
    entry = "e" if before[-1].each == "[]" else f"{value}[e]"
    inner = entry + "".join(_key(segment) for segment in rest)
    body = _wrapped(inner, bare=bare, whole=not rest)
    return f"({head}.orValue(null) != null ? {value}.map(e, {body}) : [])"


def _until_each(path: Path) -> Sequence[Segment]:
    for index, segment in enumerate(path):
        if segment.each:
            return path[: index + 1]
    return path


def _wrapped(value: str, *, bare: bool, whole: bool) -> str:
    read = value if whole else f"{value}.orValue(null)"
    return f"dyn({{'spec': {read}}})" if bare else read


def _key(segment: Segment) -> str:
    return f".?{segment.key}" if _is_plain(segment.key) else f"[?{_text(segment.key)}]"


def _plain(segment: Segment) -> str:
    return f".{segment.key}" if _is_plain(segment.key) else f"[{_text(segment.key)}]"


def _is_plain(key: str) -> bool:
    return re.fullmatch(r"[A-Za-z][A-Za-z0-9]*", key) is not None


def _text(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _template() -> str:
    """Of the template ``t``: devices named in annotations, or a pod that takes some."""
    annotations = _any("t.?metadata.?annotations", "t.metadata.annotations", "a", _IS_CDI)
    return f"{annotations}\n|| [t.?spec.orValue(null)].exists(p, p != null && ({_pod()}))"


_IS_CDI = "a.startsWith('cdi.k8s.io/')"


def _pod() -> str:
    """Of the pod specification ``p``: every way to an accelerator that it can state."""
    path = "v.?hostPath.?path.orValue('')"
    files = f"{path}.size() > {_LONGEST_PATH} || {path}.matches({_text(_device_files())})"
    privileged = "c.?securityContext.?privileged.orValue(false) == true"
    return "\n|| ".join(
        [
            "(p.?resourceClaims.orValue(null) != null && p.resourceClaims != [])",
            # Its name is the administrator's choice, and few pods have one.
            "p.?runtimeClassName.orValue('') != ''",
            _resources("p"),
            _containers(_container()),
            f"({_containers(privileged)} && ({_selected()}))",
            _any("p.?volumes", "p.volumes", "v", files, most=100),
            _any("p.?tolerations", "p.tolerations", "x", _tolerated()),
        ]
    )


def _containers(condition: str) -> str:
    """Whether *condition* holds of a container ``c``; also where there are too many to look at."""
    lists = "[p.?containers, p.?initContainers, p.?ephemeralContainers]"
    some = f"cs.value().size() > {_MOST_CONTAINERS} || cs.value().exists(c, {condition})"
    return f"{lists}.exists(cs, cs.orValue(null) != null && ({some}))"


def _container() -> str:
    named = "v.?name.orValue('').endsWith('_VISIBLE_DEVICES')"
    mounted = "m.?mountPath.orValue('').contains('nvidia-container-devices')"
    return "\n|| ".join(
        [
            _resources("c"),
            _any("c.?env", "c.env", "v", named, most=256),
            _any("c.?volumeMounts", "c.volumeMounts", "m", mounted, most=100),
        ]
    )


def _selected() -> str:
    """Whether the pod ``p`` is kept to nodes that have accelerators."""
    names = _text(names_accelerators())
    required = "requiredDuringSchedulingIgnoredDuringExecution"
    terms = f"p.?affinity.?nodeAffinity.?{required}.?nodeSelectorTerms"
    expressions = _any("y.?matchExpressions", "y.matchExpressions", "z", f"z.key.matches({names})")
    return " || ".join(
        [
            _any("p.?nodeSelector", "p.nodeSelector", "y", f"y.matches({names})"),
            _any(terms, terms.replace("?", ""), "y", expressions),
            _any("p.?tolerations", "p.tolerations", "y", f"y.?key.orValue('').matches({names})"),
        ]
    )


def _resources(owner: str) -> str:
    """Any extended resource, known or not, but those that are known to be something else."""
    known = _text(_other_resources())
    named = f"r.contains('/') && !r.matches({known})"
    return " || ".join(
        _any(f"{owner}.?resources.?{part}", f"{owner}.resources.{part}", "r", named, most=16)
        for part in ("limits", "requests")
    )


def _tolerated() -> str:
    """A taint of accelerators, or every taint.

    Agents of all nodes tolerate every taint. Their pods are not sent for that where the DaemonSet
    controller makes them: the network must come up while we are away.
    """
    names = _text(names_accelerators())
    return (
        f"x.?key.orValue('') == '' ? request.userInfo.?username.orValue('') != '{_AGENTS}' : "
        f"(x.key.matches({names}) || x.?value.orValue('').matches({names}))"
    )


def _any(maybe: str, value: str, name: str, condition: str, *, most: int = _MOST) -> str:
    """Whether *condition* holds of an entry (*name*) of a list, or of a key of a map.

    Either may be absent or null. One with more than *most* entries is not looked at but sent: to
    look would cost more than the API server grants, and end in an error.
    """
    some = f"{value}.size() > {most} || {value}.exists({name}, {condition})"
    return f"({maybe}.orValue(null) != null && ({some}))"


@lru_cache(maxsize=1)
def names_accelerators() -> str:
    """The pattern (RE2) of taints and node labels that are about accelerators."""
    words = f"(?i)(^|[^a-z])[psv]?({'|'.join(_WORDS)})"
    unnamed = {
        row["resource"].partition("/")[0]
        for row in _rows()
        if row["counts"] == "device" and re.search(words, row["resource"]) is None
    }
    return f"{words}|^({'|'.join(map(_literal, sorted(unnamed)))})/"


def _device_files() -> str:
    # A kernel passes over doubled slashes and `/./`, and the API server keeps them as written.
    return f"/dev/[./]*({'|'.join(_DEVICE_FILES)})"


def _other_resources() -> str:
    """Resources, by their domain, that are known to be no accelerators."""
    domains = {
        row["resource"].partition("/")[0]
        for row in _rows()
        if row["counts"] in _NOT_ACCELERATORS and row["resource"].endswith("/*")
    }
    return f"^({'|'.join(map(_literal, sorted(domains)))})/"


def _literal(domain: str) -> str:
    return domain.replace(".", "[.]")


@lru_cache(maxsize=1)
def _rows() -> tuple[dict[str, str], ...]:
    table = resources.files(adapters.kubernetes).joinpath("resources.csv").read_text("utf-8")
    return tuple(csv.DictReader(table.splitlines()))


__all__ = [
    "can_be_written",
    "changes_something",
    "is_asked_by",
    "names_accelerators",
    "takes_accelerators",
]
