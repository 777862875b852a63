"""Accelerators that are reached without asking for them: each way is refused, and named."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from guarded import TEAM_NAMESPACE, Guarded
from objects import deployment_object, pod, pod_object

pytestmark = [pytest.mark.system, pytest.mark.enable_socket, pytest.mark.timeout(300)]

_AFFINITY = "requiredDuringSchedulingIgnoredDuringExecution"
_PRIVILEGED = {"securityContext": {"privileged": True}}
_SHOWN = {"env": [{"name": "NVIDIA_VISIBLE_DEVICES", "value": "all"}]}


def _variable(name: str, value: str = "all") -> dict[str, Any]:
    return pod(container={"env": [{"name": name, "value": value}]})


def _host_path(path: str) -> dict[str, Any]:
    return pod(volumes=[{"name": "device", "hostPath": {"path": path}}])


def _selecting(label: str) -> dict[str, Any]:
    terms = [{"matchExpressions": [{"key": label, "operator": "Exists"}]}]
    return {"nodeAffinity": {_AFFINITY: {"nodeSelectorTerms": terms}}}


def _ways() -> dict[str, tuple[dict[str, Any], str]]:
    """Templates of pods, and what the refusal calls the way."""
    variables = ("NVIDIA", "AMD", "HABANA", "ASCEND", "MTHREADS")
    files = (
        *("/dev/nvidia0", "/dev/nvidiactl", "/dev/kfd", "/dev/dri", "/dev/dri/renderD128"),
        *("/dev/accel/accel0", "/dev/habanalabs", "/dev/hl0", "/dev/neuron0", "/dev/davinci0"),
        "/dev/vfio/1",
    )
    source = {"configMapKeyRef": {"name": "settings", "key": "devices"}}
    elsewhere = {"env": [{"name": "NVIDIA_VISIBLE_DEVICES", "valueFrom": source}]}
    mounts = [
        {"name": "v", "mountPath": f"{start}var/run/nvidia-container-devices/all"}
        for start in ("/", "//")
    ]
    tolerated = [{"key": "nvidia.com/gpu", "operator": "Exists"}]
    affinity = _selecting("cloud.google.com/gke-accelerator")
    return {
        **{
            f"{maker} variable": (_variable(f"{maker}_VISIBLE_DEVICES"), f"{maker}_VISIBLE_DEVICES")
            for maker in variables
        },
        **{f"file {path}": (_host_path(path), path) for path in files},
        "file with more slashes": (_host_path("//dev//kfd"), "/dev/kfd"),
        "file with dots": (_host_path("/dev/./nvidia0"), "/dev/nvidia0"),
        "variable with one index": (_variable("NVIDIA_VISIBLE_DEVICES", "0"), "NVIDIA_VISIBLE"),
        "variable from elsewhere": (pod(container=elsewhere), "NVIDIA_VISIBLE_DEVICES"),
        "variable of an init container": (
            pod(initContainers=[{"name": "i", "image": "busybox:1.37", **_SHOWN}]),
            "NVIDIA_VISIBLE_DEVICES",
        ),
        **{
            f"names mounted at {mount['mountPath']}": (
                pod(container={"volumeMounts": [mount]}, volumes=[{"name": "v", "emptyDir": {}}]),
                "/var/run/nvidia-container-devices",
            )
            for mount in mounts
        },
        "annotation": (pod(annotations={"cdi.k8s.io/gpu": "nvidia.com/gpu=all"}), "cdi.k8s.io/gpu"),
        "runtime class": (pod(runtimeClassName="nvidia"), "runtimeClassName"),
        "privileged on selected nodes": (
            pod(container=_PRIVILEGED, nodeSelector={"nvidia.com/gpu.present": "true"}),
            "securityContext.privileged",
        ),
        "privileged by affinity": (
            pod(container=_PRIVILEGED, affinity=affinity),
            "securityContext.privileged",
        ),
        "privileged where accelerators are tolerated": (
            pod(container=_PRIVILEGED, tolerations=tolerated),
            "securityContext.privileged",
        ),
        "monitoring": (
            pod(container={"resources": {"limits": {"gpu.intel.com/i915_monitoring": "1"}}}),
            "gpu.intel.com/i915_monitoring",
        ),
    }


@pytest.mark.parametrize("way", _ways())
def test_a_way_past_the_scheduler_is_refused(guarded_cluster: Guarded, way: str) -> None:
    template, named = _ways()[way]

    alone = guarded_cluster.create(pod_object("unasked", template))
    many = guarded_cluster.create(deployment_object("unasked", template))

    for done, kind in ((alone, "Pod"), (many, "Deployment")):
        assert done.returncode != 0, done.stdout
        said = f"HYG-011: `{kind} {TEAM_NAMESPACE}/unasked` takes accelerators past the scheduler"
        assert said in done.stderr
        assert named in done.stderr


@pytest.mark.parametrize("value", ["", "none", "void"])
def test_a_variable_that_shows_nothing_is_admitted(guarded_cluster: Guarded, value: str) -> None:
    hidden = pod_object("hidden", _variable("NVIDIA_VISIBLE_DEVICES", value))

    done = guarded_cluster.create(hidden, "--dry-run=server")

    assert done.returncode == 0, done.stderr


def test_a_toleration_alone_is_warned_of(guarded_cluster: Guarded) -> None:
    tolerated = pod(tolerations=[{"key": "nvidia.com/gpu", "operator": "Exists"}])

    done = guarded_cluster.create(pod_object("tolerating", tolerated), "--dry-run=server")

    assert done.returncode == 0, done.stderr
    assert "GPU-017: `Pod vision-cameras/tolerating` asks for no accelerators" in done.stderr


def test_an_update_to_a_way_past_is_refused(guarded_cluster: Guarded) -> None:
    guarded_cluster.must("create", "-f", "-", stdin=json.dumps(deployment_object("plain", pod())))
    template = copy.deepcopy(pod(container=_SHOWN))

    done = guarded_cluster.cluster.kubectl(
        "apply", "-f", "-", stdin=json.dumps(deployment_object("plain", template))
    )

    assert done.returncode != 0
    assert "HYG-011: " in done.stderr


def test_an_ephemeral_container_is_shown_nothing(guarded_cluster: Guarded) -> None:
    guarded_cluster.must("create", "-f", "-", stdin=json.dumps(pod_object("debugged", pod())))
    added = {"name": "debug", "image": "busybox:1.37"}

    def debug(container: dict[str, Any]) -> Any:
        patch = json.dumps({"spec": {"ephemeralContainers": [container]}})
        return guarded_cluster.cluster.kubectl(
            *("-n", TEAM_NAMESPACE, "patch", "pod", "debugged"),
            *("--subresource=ephemeralcontainers", "--type=strategic", "-p", patch),
        )

    refused, admitted = debug({**added, **_SHOWN}), debug(added)

    assert refused.returncode != 0
    assert "HYG-011: " in refused.stderr
    assert "NVIDIA_VISIBLE_DEVICES" in refused.stderr
    assert admitted.returncode == 0, admitted.stderr
