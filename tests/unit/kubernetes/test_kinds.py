"""Every kind of the table takes what its own documentation says that it takes."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from adapters.kubernetes.kinds import Kinds, Takes, extended, group_of, shipped
from adapters.kubernetes.normalise import normalise_manifests
from adapters.kubernetes.paths import parse_count, parse_path
from service.errors import RequestRefused, SettingsRefused
from service.model.base import Reason, Role, Scope
from service.model.resource import Purpose, Resource

GPU = "nvidia.com/gpu"


def pod(number: int = 1, **more: Any) -> dict[str, Any]:
    limits = {"limits": {GPU: number}} if number else {}
    return {"containers": [{"name": "c", "image": "i", "resources": limits}], **more}


def template(number: int = 1, **more: Any) -> dict[str, Any]:
    return {"spec": pod(number, **more)}


def replicas(number: int | None, of: dict[str, Any]) -> dict[str, Any]:
    return {"template": of} if number is None else {"replicas": number, "template": of}


def read(
    version: str, kind: str, kinds: Kinds | None = None, metadata: Any = None, **parts: Any
) -> Resource:
    document = {
        "apiVersion": version,
        "kind": kind,
        "metadata": {"name": "x", **(metadata or {})},
        **parts,
    }
    request = normalise_manifests([document], scope=Scope(), caller="t", key="k", kinds=kinds)
    assert not request.not_covered
    return request.resources[0]


def spec(text: str) -> dict[str, Any]:
    """A specification in YAML, where ``POD 8`` and ``TEMPLATE 8`` stand for a pod of 8 cards."""

    def filled(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: filled(item) for key, item in value.items()}
        if isinstance(value, list):
            return [filled(item) for item in value]
        if isinstance(value, str) and value.startswith("POD "):
            return pod(int(value[4:]))
        if isinstance(value, str) and value.startswith("TEMPLATE "):
            return template(int(value[9:]))
        return value

    found: dict[str, Any] = filled(yaml.safe_load(text))
    return found


RAY = "{headGroupSpec: {template: TEMPLATE 0}, workerGroupSpecs: [%s]}"
GROUP = "{replicas: 2, minReplicas: 1, maxReplicas: 6, numOfHosts: 2, template: TEMPLATE 4}"
SCALING = "{headGroupSpec: {template: TEMPLATE 0}, enableInTreeAutoscaling: true, %s}"

CASES = [
    # version, kind, specification, copies, workers of a copy, accelerators at least and at most
    (
        "jobset.x-k8s.io/v1alpha2",
        "JobSet",
        """
      replicatedJobs:
      - {replicas: 2, template: {spec: {parallelism: 4, completions: 3, template: TEMPLATE 8}}}
      - {template: {spec: {template: TEMPLATE 0}}}""",
        (1, 1),
        6,
        (48, 48),
    ),
    (
        "leaderworkerset.x-k8s.io/v1",
        "LeaderWorkerSet",
        "{replicas: 2, leaderWorkerTemplate: {size: 4, workerTemplate: TEMPLATE 8}}",
        (2, 2),
        4,
        (64, 64),
    ),
    (
        "leaderworkerset.x-k8s.io/v1",
        "LeaderWorkerSet",
        "{leaderWorkerTemplate: {size: 4, leaderTemplate: TEMPLATE 0, workerTemplate: TEMPLATE 8}}",
        (1, 1),
        3,
        (24, 24),
    ),
    (
        "kubeflow.org/v1",
        "PyTorchJob",
        """
      pytorchReplicaSpecs:
        Master: {template: TEMPLATE 8}
        Worker: {replicas: 3, template: TEMPLATE 8}""",
        (1, 1),
        4,
        (32, 32),
    ),
    (
        "kubeflow.org/v1",
        "PyTorchJob",
        """
      elasticPolicy: {minReplicas: 1, maxReplicas: 5}
      pytorchReplicaSpecs: {Worker: {replicas: 2, template: TEMPLATE 8}}""",
        (1, 1),
        5,
        (8, 40),
    ),
    (
        "kubeflow.org/v1",
        "TFJob",
        (
            "{tfReplicaSpecs: {PS: {template: TEMPLATE 0}, "
            "Worker: {replicas: 2, template: TEMPLATE 1}}}"
        ),
        (1, 1),
        2,
        (2, 2),
    ),
    (
        "kubeflow.org/v2beta1",
        "MPIJob",
        (
            "{mpiReplicaSpecs: {Launcher: {template: TEMPLATE 0}, "
            "Worker: {replicas: 2, template: TEMPLATE 8}}}"
        ),
        (1, 1),
        2,
        (16, 16),
    ),
    (
        "kubeflow.org/v1",
        "XGBoostJob",
        (
            "{xgbReplicaSpecs: {Master: {template: TEMPLATE 1}, "
            "Worker: {replicas: 2, template: TEMPLATE 1}}}"
        ),
        (1, 1),
        3,
        (3, 3),
    ),
    (
        "kubeflow.org/v1",
        "PaddleJob",
        "{paddleReplicaSpecs: {Worker: {replicas: 2, template: TEMPLATE 2}}}",
        (1, 1),
        2,
        (4, 4),
    ),
    (
        "kubeflow.org/v1",
        "JAXJob",
        "{jaxReplicaSpecs: {Worker: {replicas: 4, template: TEMPLATE 4}}}",
        (1, 1),
        4,
        (16, 16),
    ),
    (
        "trainer.kubeflow.org/v1alpha1",
        "TrainJob",
        "{trainer: {numNodes: 4, resourcesPerNode: {limits: {nvidia.com/gpu: 8}}}}",
        (1, 1),
        4,
        (32, 32),
    ),
    (
        "kubeflow.org/v1beta1",
        "Experiment",
        """
      trialTemplate:
        trialSpec: {apiVersion: batch/v1, kind: Job, spec: {template: TEMPLATE 2}}""",
        (3, 3),
        1,
        (6, 6),
    ),
    (
        "batch.volcano.sh/v1alpha1",
        "Job",
        "{tasks: [{replicas: 1, template: TEMPLATE 0}, {replicas: 3, template: TEMPLATE 8}]}",
        (1, 1),
        3,
        (24, 24),
    ),
    (
        "workload.codeflare.dev/v1beta2",
        "AppWrapper",
        """
      components:
      - template: {apiVersion: batch/v1, kind: Job, spec: {parallelism: 2, template: TEMPLATE 4}}
      - template: {apiVersion: v1, kind: Service, spec: {}}""",
        (2, 2),
        1,
        (8, 8),
    ),
    (
        "workload.codeflare.dev/v1beta2",
        "AppWrapper",
        """
      components:
      - template: {apiVersion: x.org/v1, kind: Odd, spec: {replicas: 3, on: POD 1}}""",
        (3, 3),
        1,
        (3, 3),
    ),
    (
        "sparkoperator.k8s.io/v1beta2",
        "SparkApplication",
        """
      driver: {}
      executor: {instances: 4, gpu: {name: nvidia.com/gpu, quantity: 2}}""",
        (4, 4),
        1,
        (8, 8),
    ),
    (
        "sparkoperator.k8s.io/v1beta2",
        "SparkApplication",
        """
      dynamicAllocation: {enabled: true, maxExecutors: 9}
      executor: {gpu: {name: nvidia.com/gpu, quantity: 1}}""",
        (0, 9),
        1,
        (0, 9),
    ),
    ("ray.io/v1", "RayJob", "{rayClusterSpec: %s}" % (RAY % GROUP), (1, 1), 4, (16, 16)),
    (
        "ray.io/v1",
        "RayJob",
        "{rayClusterSpec: %s}" % (SCALING % f"workerGroupSpecs: [{GROUP}]"),
        (1, 1),
        12,
        (8, 48),
    ),
    ("ray.io/v1", "RayCluster", RAY % "{replicas: 1, template: TEMPLATE 8}", (1, 1), 1, (8, 8)),
    ("ray.io/v1", "RayCluster", RAY % GROUP, (None, None), None, (16, 16)),
    (
        "ray.io/v1",
        "RayService",
        "{rayClusterConfig: %s}" % (RAY % "{replicas: 1, template: TEMPLATE 2}"),
        (1, 1),
        1,
        (2, 2),
    ),
    (
        "serving.kserve.io/v1beta1",
        "InferenceService",
        """
      predictor:
        maxReplicas: 4
        model: {resources: {limits: {nvidia.com/gpu: 2}}}""",
        (1, 4),
        1,
        (2, 8),
    ),
    (
        "serving.kserve.io/v1beta1",
        "InferenceService",
        (
            "{predictor: {maxReplicas: 1, containers: "
            "[{name: c, image: i, resources: {limits: {nvidia.com/gpu: 1}}}]}}"
        ),
        (1, 1),
        1,
        (1, 1),
    ),
    (
        "serving.kserve.io/v1alpha2",
        "LLMInferenceService",
        """
      replicas: 2
      parallelism: {data: 16, dataLocal: 8}
      template: POD 8
      worker: POD 8
      router: {scheduler: {template: POD 0}}""",
        (2, 2),
        2,
        (32, 32),
    ),
    (
        "serving.kserve.io/v1alpha2",
        "LLMInferenceService",
        """
      scaling: {minReplicas: 1, maxReplicas: 3}
      template: POD 4
      prefill: {replicas: 2, template: POD 4}""",
        (3, 5),
        1,
        (12, 20),
    ),
    (
        "serving.knative.dev/v1",
        "Service",
        (
            "{template: {metadata: {annotations: {autoscaling.knative.dev/max-scale: '3'}}, "
            "spec: POD 1}}"
        ),
        (0, 3),
        1,
        (0, 3),
    ),
    ("kubeflow.org/v1", "Notebook", "{template: TEMPLATE 1}", (1, 1), 1, (1, 1)),
    (
        "orchestration.aibrix.ai/v1alpha1",
        "StormService",
        """
      replicas: 2
      template: {spec: {roles: [{replicas: 3, template: TEMPLATE 1}]}}""",
        (6, 6),
        1,
        (6, 6),
    ),
    (
        "keda.sh/v1alpha1",
        "ScaledJob",
        "{jobTargetRef: {template: TEMPLATE 2}}",
        (0, 100),
        1,
        (0, 200),
    ),
    (
        "argoproj.io/v1alpha1",
        "Workflow",
        """
      nodeSelector: {a: b}
      templates:
      - {name: main, steps: [[{name: a, template: one}]]}
      - {name: one, container: {image: i, resources: {limits: {nvidia.com/gpu: 2}}}}""",
        (1, 1),
        1,
        (2, 2),
    ),
    (
        "argoproj.io/v1alpha1",
        "CronWorkflow",
        """
      workflowSpec:
        templates: [{name: one, script: {image: i, resources: {limits: {nvidia.com/gpu: 2}}}}]""",
        (1, 1),
        1,
        (2, 2),
    ),
    (
        "tekton.dev/v1",
        "TaskRun",
        """
      podTemplate: {nodeSelector: {a: b}}
      taskSpec: {steps: [{image: i, computeResources: {limits: {nvidia.com/gpu: 1}}}]}""",
        (1, 1),
        1,
        (1, 1),
    ),
    (
        "tekton.dev/v1",
        "PipelineRun",
        """
      pipelineSpec:
        tasks:
        - taskSpec: {steps: [{image: i, computeResources: {limits: {nvidia.com/gpu: 1}}}]}
        finally: [{name: b, taskSpec: {steps: [{image: i}]}}]""",
        (1, 1),
        1,
        (1, 1),
    ),
]


@pytest.mark.parametrize(("version", "kind", "text", "copies", "workers", "total"), CASES)
def test_a_kind_takes_what_its_templates_take_together(
    version: str,
    kind: str,
    text: str,
    copies: tuple[int | None, int | None],
    workers: int | None,
    total: tuple[int, int],
) -> None:
    resource = read(version, kind, spec=spec(text))

    assert (resource.copies.min, resource.copies.max) == copies
    assert resource.workers_per_copy == workers
    assert resource.role is Role.WORKLOAD
    found = resource.accelerators or ()
    assert {item.resource for item in found} == {GPU}
    assert (sum(item.total.min or 0 for item in found), found[0].total.max) == total


def test_every_kind_that_takes_something_is_tried() -> None:
    tried = {(group_of(version), kind) for version, kind, *_ in CASES}
    tried |= {(group_of(version), kind) for version, kind, *_ in POOLS}
    with_like = {"CronJob", "ScheduledSparkApplication", "RayCronJob", "Revision", "Rollout"}
    built_in = {"", "apps", "batch", "autoscaling"}

    missing = [
        (group, name)
        for (group, name), row in shipped().rows.items()
        if row.takes is not Takes.NOTHING and group not in built_in and name not in with_like
        if row.capacity is None or row.capacity.managed is None  # test_managed.py
    ]

    assert set(missing) - tried == {("keda.sh", "ScaledObject")}


def test_every_kind_names_its_source() -> None:
    assert all(len(row.source) > 10 for row in shipped().rows.values())


def test_templates_of_different_sizes_have_no_single_number_of_workers() -> None:
    resource = read(
        "serving.kserve.io/v1alpha2",
        "LLMInferenceService",
        spec=spec("{template: POD 8, prefill: {template: POD 4}}"),
    )

    assert [item.total.max for item in resource.accelerators or ()] == [8, 4]
    assert resource.workers_per_copy is None
    assert resource.unknown["/workers_per_copy"] is Reason.UNDECLARED


@pytest.mark.parametrize(
    ("version", "kind", "text"),
    [
        ("trainer.kubeflow.org/v1alpha1", "TrainJob", "{runtimeRef: {name: torch}}"),
        (
            "trainer.kubeflow.org/v1alpha1",
            "TrainJob",
            "{runtimeRef: {name: torch}, trainer: {image: i}}",
        ),
        ("argoproj.io/v1alpha1", "Workflow", "{workflowTemplateRef: {name: a}}"),
        ("tekton.dev/v1", "TaskRun", "{taskRef: {name: a}}"),
        ("serving.kserve.io/v1alpha2", "LLMInferenceService", "{model: {uri: 'hf://a/b'}}"),
        ("serving.kserve.io/v1beta1", "InferenceService", "{predictor: {minReplicas: 1}}"),
        ("autoscaling/v2", "HorizontalPodAutoscaler", "{maxReplicas: 8}"),
        ("keda.sh/v1alpha1", "ScaledObject", "{scaleTargetRef: {name: x}}"),
    ],
)
def test_what_another_object_says_is_not_known_and_never_none(
    version: str, kind: str, text: str
) -> None:
    resource = read(version, kind, spec=spec(text))

    assert resource.accelerators is None
    assert resource.unknown["/accelerators"] is Reason.ELSEWHERE


def test_an_autoscaler_states_its_bounds() -> None:
    keda = read("keda.sh/v1alpha1", "ScaledObject", spec={"scaleTargetRef": {"name": "x"}})
    hpa = read("autoscaling/v2", "HorizontalPodAutoscaler", spec={"maxReplicas": 8})
    none = read("autoscaling/v1", "Scale", spec={})
    broken = read("autoscaling/v2", "HorizontalPodAutoscaler", spec={"maxReplicas": "$MOST"})

    assert (keda.copies.min, keda.copies.max) == (0, 100)
    assert (hpa.copies.min, hpa.copies.max) == (1, 8)
    assert (none.accelerators, none.copies.max) == ((), 0)
    assert broken.copies.max is None
    assert "/copies" in broken.unknown


@pytest.mark.parametrize(
    ("version", "kind", "text"),
    [
        ("serving.knative.dev/v1", "Service", "{template: {spec: POD 1}}"),
        (
            "serving.kserve.io/v1beta1",
            "InferenceService",
            "{predictor: {maxReplicas: 0, model: {resources: {limits: {nvidia.com/gpu: 1}}}}}",
        ),
        (
            "argoproj.io/v1alpha1",
            "Workflow",
            """
          templates:
          - {name: main, dag: {tasks: [{name: a, template: one, withParam: x}]}}
          - {name: one, container: {image: i, resources: {limits: {nvidia.com/gpu: 2}}}}""",
        ),
    ],
)
def test_what_has_no_bound_has_no_largest_number(version: str, kind: str, text: str) -> None:
    resource = read(version, kind, spec=spec(text))

    assert (resource.accelerators or ())[0].total.max is None
    assert resource.unknown["/accelerators/0/total"] is Reason.UNDECLARED


def test_a_kind_says_what_it_is_for_and_which_model_it_serves() -> None:
    served = read(
        "serving.kserve.io/v1alpha2",
        "LLMInferenceService",
        spec={
            "model": {"uri": "hf://org/model:main"},
            "parallelism": {"tensor": 4},
            "template": pod(4),
        },
    )
    bucket = read(
        "serving.kserve.io/v1beta1",
        "InferenceService",
        spec={"predictor": {"model": {"storageUri": "s3://bucket/model"}}},
    )

    assert (served.purpose, served.model.id, served.model.tensor_parallel) == (
        Purpose.INFERENCE,
        "org/model",
        4,
    )
    assert bucket.model.id is None


@pytest.mark.parametrize(
    ("timeout", "minutes", "bounded"),
    [("1h30m", 90, True), ("90s", 2, True), ("0s", None, False), ("soon", None, False)],
)
def test_a_deadline_may_be_a_duration(timeout: str, minutes: int | None, bounded: bool) -> None:  # noqa: FBT001
    resource = read("tekton.dev/v1", "TaskRun", spec={"timeout": timeout, "taskSpec": {}})

    assert (resource.lifetime.minutes, resource.lifetime.bounded) == (minutes, bounded)


def test_parts_must_all_require_what_the_object_requires() -> None:
    region = "topology.kubernetes.io/region"
    both = [template(1, nodeSelector={region: name}) for name in ("eu-a", "eu-b")]
    one = [both[0], template(1)]

    def job(templates: list[Any]) -> Resource:
        tasks = [{"replicas": 1, "template": each} for each in templates]
        return read("batch.volcano.sh/v1alpha1", "Job", spec={"tasks": tasks})

    assert job(both).region_constraint.required == ("eu-a", "eu-b")
    assert job(one).region_constraint.required == ()


def test_pods_in_an_unknown_kind_are_found_by_their_structure() -> None:
    inner = {"maxReplicas": 5, "pod": {"metadata": {"labels": {}}, "spec": pod(2)}}
    resource = read("example.org/v1", "Farm", spec={"replicas": 2, "workers": [inner]})

    assert [(item.total.min, item.total.max) for item in resource.accelerators or ()] == [(4, 20)]
    assert resource.provenance["/accelerators"] == "inferred:structure"


def test_a_number_that_nobody_filled_in_is_not_known_in_an_unknown_kind() -> None:
    resource = read("example.org/v1", "Farm", spec={"replicas": "$N", "template": template(2)})

    assert resource.unknown["/accelerators/0/total"] is Reason.UNDECLARED


def test_an_unknown_kind_without_pods_is_not_covered() -> None:
    document = {"apiVersion": "example.org/v1", "kind": "Odd", "spec": {"containers": ["a"]}}
    request = normalise_manifests([document], scope=Scope(), caller="t", key="k")

    assert [item.kind for item in request.not_covered] == ["Odd.example.org"]


POOLS = [
    # version, kind, other parts, instance type, nodes, accelerators or why they are not known
    (
        "compute.coreweave.com/v1alpha1",
        "NodePool",
        {"spec": {"instanceType": "gd-8xh100ib-i128", "targetNodes": 2}},
        "gd-8xh100ib-i128",
        (2, 2),
        (),
    ),
    (
        "compute.coreweave.com/v1alpha1",
        "NodePool",
        {
            "spec": {
                "instanceType": "a",
                "targetNodes": 2,
                "autoscaling": True,
                "minNodes": 1,
                "maxNodes": 4,
            }
        },
        "a",
        (1, 4),
        (),
    ),
    (
        "kaito.sh/v1beta1",
        "Workspace",
        {
            "resource": {"instanceType": "Standard_NC24ads_A100_v4", "count": 2},
            "inference": {"preset": {"name": "phi-4"}},
        },
        "Standard_NC24ads_A100_v4",
        (2, 2),
        (),
    ),
    (
        "kaito.sh/v1beta1",
        "InferenceSet",
        {"spec": {"replicas": 3, "template": {"resource": {"instanceType": "t"}}}},
        "t",
        (3, 3),
        (),
    ),
    (
        "kaito.sh/v1beta1",
        "RAGEngine",
        {"spec": {"compute": {"instanceType": "t"}}},
        "t",
        (1, 1),
        (),
    ),
    (
        "cluster.x-k8s.io/v1beta2",
        "MachineDeployment",
        {"spec": {"replicas": 2, "template": {"spec": {"infrastructureRef": {"name": "a"}}}}},
        None,
        (2, 2),
        Reason.ELSEWHERE,
    ),
    (
        "cluster.x-k8s.io/v1beta2",
        "MachineSet",
        {"spec": {"template": {"spec": {"infrastructureRef": {"name": "a"}}}}},
        None,
        (1, 1),
        Reason.ELSEWHERE,
    ),
    (
        "cluster.x-k8s.io/v1beta2",
        "MachinePool",
        {"spec": {"replicas": 2, "template": {"spec": {"infrastructureRef": {"name": "a"}}}}},
        None,
        (2, 2),
        Reason.ELSEWHERE,
    ),
    (
        "karpenter.sh/v1",
        "NodePool",
        {"spec": {"limits": {GPU: 8, "cpu": "1k", "rdma/ib": 1}}},
        None,
        (0, None),
        (8,),
    ),
    ("karpenter.sh/v1", "NodePool", {"spec": {"limits": {GPU: "$N"}}}, None, (0, None), (None,)),
    ("karpenter.sh/v1", "NodePool", {"spec": {}}, None, (0, None), Reason.UNDECLARED),
    (
        "karpenter.sh/v1",
        "NodePool",
        {
            "spec": {
                "template": {
                    "spec": {
                        "requirements": [
                            {
                                "key": "karpenter.k8s.aws/instance-category",
                                "operator": "In",
                                "values": ["c", "m"],
                            },
                            {
                                "key": "topology.kubernetes.io/region",
                                "operator": "In",
                                "values": ["eu-west-1"],
                            },
                        ]
                    }
                }
            }
        },
        None,
        (0, None),
        (),
    ),
    (
        "karpenter.sh/v1",
        "NodePool",
        {
            "spec": {
                "replicas": 2,
                "template": {
                    "spec": {
                        "requirements": [
                            {
                                "key": "node.kubernetes.io/instance-type",
                                "operator": "In",
                                "values": ["p5.48xlarge"],
                            }
                        ]
                    }
                },
            }
        },
        "p5.48xlarge",
        (2, 2),
        (),
    ),
]


@pytest.mark.parametrize(("version", "kind", "parts", "instance", "nodes", "taken"), POOLS)
def test_a_pool_is_capacity(
    version: str,
    kind: str,
    parts: dict[str, Any],
    instance: str | None,
    nodes: tuple[int | None, int | None],
    taken: Any,
) -> None:
    resource = read(version, kind, **parts)

    assert resource.role is Role.CAPACITY
    assert (resource.instance_type, resource.nodes.min, resource.nodes.max) == (instance, *nodes)
    if isinstance(taken, Reason):
        assert resource.accelerators is None
        assert resource.unknown["/accelerators"] is taken
    else:
        assert tuple(item.total.max for item in resource.accelerators or ()) == taken


def test_a_pool_says_where_and_how_it_is_bought() -> None:
    aws = [
        {"key": "karpenter.k8s.aws/instance-gpu-name", "operator": "In", "values": ["h100"]},
        {"key": "topology.kubernetes.io/region", "operator": "In", "values": ["eu-west-1"]},
        {"key": "karpenter.sh/capacity-type", "operator": "In", "values": ["spot"]},
    ]
    azure = [{"key": "karpenter.azure.com/sku-family", "operator": "In", "values": ["N"]}]
    found = read(
        "karpenter.sh/v1",
        "NodePool",
        metadata={"labels": {"portreeve.dev/team": "vision"}},
        spec={"limits": {GPU: 8}, "template": {"spec": {"requirements": aws}}},
    )
    other = read(
        "karpenter.sh/v1", "NodePool", spec={"template": {"spec": {"requirements": azure}}}
    )

    assert (found.vendor, found.region, found.price_kind) == ("aws", "eu-west-1", "spot")
    assert (found.accelerators or ())[0].model == "h100"
    assert found.ownership.team == "vision"
    assert other.vendor == "azure"


def test_an_autoscaled_pool_is_as_large_as_it_may_become() -> None:
    name = "cluster.x-k8s.io/cluster-api-autoscaler-node-group-max-size"
    pool = read(
        "cluster.x-k8s.io/v1beta2",
        "MachineDeployment",
        metadata={"annotations": {name: "7"}},
        spec={"replicas": 2},
    )

    assert (pool.nodes.min, pool.nodes.max) == (2, 7)


OWN = """
kinds:
  - group: example.org
    kind: Farm
    templates: [{pods: "spec.fields[].pod", copies: ["spec.fields[].rows=2"]}]
    source: our own documentation of farms
  - {group: apps, kind: Deployment, takes: nothing, source: a cluster without deployments}
  - {group: odd.example.org, takes: nothing, source: our own documentation}
"""


def test_a_file_adds_kinds_and_replaces_some() -> None:
    kinds = extended(OWN.encode(), name="own.yaml")

    farm = read("example.org/v1", "Farm", kinds, spec={"fields": [{"pod": template(1)}]})

    assert (farm.accelerators or ())[0].total.max == 2
    for group, name in (("apps", "Deployment"), ("odd.example.org", "Any")):
        found = kinds.find(group, name)
        assert found is not None
        assert found.takes is Takes.NOTHING


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [", "`own.yaml`"),
        ("[]", "`own.yaml` is no table of kinds"),
        ("kinds: {}", "`kinds` of `own.yaml` is no list"),
        ("kinds: [1]", "`own.yaml`: kind 1: Input should be"),
        (
            "kinds: [{group: a, kind: B, takes: nothing}]",
            "`own.yaml`: kind 1 (`B`): `source`: Field",
        ),
        (
            "kinds: [{group: a, takes: accelerators, source: s}]",
            "`own.yaml`: kind 1: Value error, only",
        ),
        (
            "kinds: [{group: a, kind: B, source: s}]",
            "`own.yaml`: kind 1 (`B`): Value error, `templates`",
        ),
        (
            "kinds: [{group: a, kind: B, takes: capacity, source: s}]",
            "`own.yaml`: kind 1 (`B`): Value error, `capacity`",
        ),
        (
            "kinds: [{group: a, kind: B, source: s, templates: [{pods: 'a..b'}]}]",
            "`own.yaml`: kind 1 (`B`): `a..b` is no path",
        ),
        (
            "kinds: [{group: a, kind: B, source: s, templates: [{pods: a, copies: ['=3']}]}]",
            "`own.yaml`: kind 1 (`B`): `=3` is no count",
        ),
        (
            "kinds: [{group: a, kind: B, source: s, templates: [{pods: a, copies: ['b[].c']}]}]",
            "`own.yaml`: kind 1 (`B`): `b[].c` passes a list",
        ),
    ],
)
def test_a_file_that_is_no_table_is_refused(text: str, message: str) -> None:
    with pytest.raises(SettingsRefused) as refused:
        extended(text.encode(), name="own.yaml")

    assert refused.value.message.startswith(message)


def test_an_empty_path_is_refused() -> None:
    with pytest.raises(ValueError, match="the path is empty"):
        parse_path("")
    with pytest.raises(ValueError, match="passes a list"):
        parse_count("a[].b[]", parse_path("a[].c"))


@pytest.mark.parametrize(
    "parts",
    [
        {"spec": {"tasks": [[]]}},
        {"spec": {"tasks": [{}] * 1001}},
        {"spec": []},
    ],
)
def test_an_object_that_its_api_would_not_take_is_refused(parts: dict[str, Any]) -> None:
    with pytest.raises(RequestRefused):
        read("batch.volcano.sh/v1alpha1", "Job", **parts)
