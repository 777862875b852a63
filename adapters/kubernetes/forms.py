"""Pods in the forms that some projects have for them, as plain pod specifications.

Where a project divides a pod among several places, they are put together here; what the project
adds of its own, such as helpers without accelerators, is left out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from adapters.kubernetes.kinds import Form
from adapters.kubernetes.payload import mapping, objects

_PREDICTORS = (
    "model",
    "huggingface",
    "triton",
    "pytorch",
    "tensorflow",
    "onnx",
    "sklearn",
    "xgboost",
    "lightgbm",
    "paddle",
    "pmml",
    "art",
)
"""Keys under which a component of an InferenceService has its container
(kserve/kserve pkg/apis/serving/v1beta1/predictor.go, explainer.go)."""

_OF_PODS = ("affinity", "hostNetwork", "nodeSelector", "runtimeClassName", "tolerations")
_LOOPS = ("withItems", "withParam", "withSequence")


_Passed = tuple[dict[str, Any], ...]


class Pod(NamedTuple):
    """A pod's metadata and specification; ``is_looped`` where it may run many times at once."""

    metadata: dict[str, Any]
    spec: dict[str, Any]
    is_looped: bool = False


def read_pod(form: Form, value: dict[str, Any], passed: _Passed) -> Pod | None:
    """The pod that *value* describes in *form*; *passed* are the objects around it.

    ``None`` where it makes no pod of its own.

    Raises:
        RequestRefused: A part has another type than its API has there.
    """
    if form is Form.TEMPLATE:
        return Pod(mapping(value, "metadata"), mapping(value, "spec"))
    return _FORMS[form](value, passed)


def _pod(value: dict[str, Any], _passed: _Passed) -> Pod:
    return Pod({}, value)


def _trainer(value: dict[str, Any], _passed: _Passed) -> Pod:
    """A node of a TrainJob: one container, whose resources are those of the node."""
    return Pod({}, {"containers": [{**value, "resources": mapping(value, "resourcesPerNode")}]})


def _argo(template: dict[str, Any], passed: _Passed) -> Pod | None:
    """A step of a workflow: one main container, or a set, with helpers beside it."""
    spec = passed[-1]
    containers = [found for key in ("container", "script") if (found := mapping(template, key))]
    containers += objects(mapping(template, "containerSet"), "containers")
    if not containers:
        return None
    pod = {key: template[key] for key in _OF_PODS if template.get(key) is not None}
    for key in _OF_PODS:
        if spec.get(key) is not None:
            pod.setdefault(key, spec[key])
    pod["containers"] = [*containers, *objects(template, "sidecars")]
    pod["initContainers"] = objects(template, "initContainers")
    pod["volumes"] = [*objects(spec, "volumes"), *objects(template, "volumes")]
    claims = [*objects(spec, "resourceClaims"), *objects(template, "resourceClaims")]
    if claims:
        pod["resourceClaims"] = claims
    return Pod(mapping(template, "metadata"), pod, _is_looped(spec))


def _is_looped(spec: dict[str, Any]) -> bool:
    """Whether any step of the workflow is made for each item of a list."""
    for template in objects(spec, "templates"):
        steps = template.get("steps")
        rows = steps if type(steps) is list else []
        found = [step for row in rows for step in (row if type(row) is list else [row])]
        found += objects(mapping(template, "dag"), "tasks")
        if any(type(step) is dict and any(step.get(key) for key in _LOOPS) for step in found):
            return True
    return False


def _kserve(component: dict[str, Any], _passed: _Passed) -> Pod:
    """A component of an InferenceService: a pod specification, and the container of a framework."""
    found = [container for key in _PREDICTORS if (container := mapping(component, key))]
    return Pod(
        _described(component),
        {**component, "containers": [*objects(component, "containers"), *found]},
    )


def _spark(role: dict[str, Any], passed: _Passed) -> Pod:
    """The driver or the executors of a Spark application; its accelerators stand in ``gpu``."""
    spec = passed[-1]
    template = mapping(role, "template")
    pod = dict(mapping(template, "spec"))
    for key in _OF_PODS:
        if role.get(key) is not None:
            pod[key] = role[key]
    if spec.get("nodeSelector") is not None:
        pod.setdefault("nodeSelector", spec["nodeSelector"])
    gpu = mapping(role, "gpu")
    limits = {gpu["name"]: gpu.get("quantity")} if type(gpu.get("name")) is str else {}
    main = {
        "image": role.get("image") or spec.get("image"),
        "env": objects(role, "env"),
        "securityContext": mapping(role, "securityContext"),
        "volumeMounts": objects(role, "volumeMounts"),
        "resources": {"limits": limits},
    }
    pod["containers"] = [*objects(pod, "containers"), main, *objects(role, "sidecars")]
    pod["initContainers"] = [*objects(pod, "initContainers"), *objects(role, "initContainers")]
    pod["volumes"] = [*objects(pod, "volumes"), *objects(spec, "volumes")]
    return Pod({**mapping(template, "metadata"), **_described(role)}, pod)


def _described(owner: dict[str, Any]) -> dict[str, Any]:
    """Labels and annotations that stand in *owner* itself, as metadata."""
    return {key: value for key, value in owner.items() if key in ("annotations", "labels")}


def _tekton(task: dict[str, Any], passed: _Passed) -> Pod:
    """The one pod of a task: its steps are containers, which reserve their resources together."""
    common = mapping(task, "stepTemplate")
    steps = [_step({**common, **step}) for step in objects(task, "steps")]
    steps += [_step(sidecar) for sidecar in objects(task, "sidecars")]
    spec = mapping(passed[0], "spec")
    template = mapping(spec, "podTemplate")
    template = template or mapping(mapping(spec, "taskRunTemplate"), "podTemplate")
    pod = {key: template[key] for key in _OF_PODS if template.get(key) is not None}
    pod["containers"] = steps
    pod["volumes"] = [*objects(task, "volumes"), *objects(template, "volumes")]
    for owner in (spec, passed[-1]):
        if resources := mapping(owner, "computeResources"):
            pod["resources"] = resources
    return Pod(mapping(task, "metadata"), pod, bool(passed[-1].get("matrix")))


def _step(step: dict[str, Any]) -> dict[str, Any]:
    """A step as a container; the first API version calls its resources ``resources``."""
    resources = mapping(step, "computeResources") or mapping(step, "resources")
    return {**step, "resources": resources}


_FORMS: dict[Form, Callable[[dict[str, Any], _Passed], Pod | None]] = {
    Form.POD: _pod,
    Form.ARGO: _argo,
    Form.KSERVE: _kserve,
    Form.SPARK: _spark,
    Form.TEKTON: _tekton,
    Form.TRAINER: _trainer,
}
