"""What an organisation adds, from the facts of its bundle."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from patching import patched
from payloads import deployment, review

from adapters.kubernetes.additions import COST_BASIS, MONTHLY_COST, NOTHING, Additions, additions
from adapters.kubernetes.mutate import Patch, patch
from adapters.kubernetes.normalise import normalise_review
from adapters.kubernetes.review import read_review
from service.bundle.load import load
from service.bundle.parameters.hygiene import ClusterFacts
from service.bundle.parameters.mutation import MutationParameters
from service.bundle.shipped import shipped
from service.bundle.values import Bundle, Org
from service.model.resource import Purpose
from service.resolve.resolver import Resolver

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
EVERYTHING = MutationParameters(
    enabled=True,
    region_affinity=("personal",),
    tolerations=True,
    runtime_class=True,
    shared_memory=True,
    job_minutes={Purpose.INFERENCE: 60, "*": 120},
)


class Added:
    """What the example organisation adds with parameters that a test states."""

    def __init__(self, bundle: Bundle) -> None:
        self._bundle = bundle
        self._resolver = Resolver(bundle)

    def org(self, wanted: MutationParameters) -> Org:
        hygiene = self._bundle.org.hygiene
        lab = hygiene.clusters["lab"]
        clusters = {**hygiene.clusters, "prod-eu": lab}
        changed = {
            "mutation": wanted,
            "hygiene": hygiene.model_copy(update={"clusters": clusters}),
        }
        return self._bundle.org.model_copy(update=changed)

    def of(
        self,
        document: dict[str, Any],
        wanted: MutationParameters = EVERYTHING,
        *,
        cluster: str = "prod-eu",
        **org: Any,
    ) -> Additions:
        asked = normalise_review(review(document), cluster=cluster, caller="c")
        changed = self.org(wanted).model_copy(update=org)
        return additions(self._resolver.resolve(asked, now=NOW), changed)


@pytest.fixture(scope="module")
def added() -> Added:
    return Added(load(shipped("example")))


def vision(**more: Any) -> dict[str, Any]:
    """A Deployment where camera pictures are processed."""
    document = deployment(**more)
    document["metadata"]["namespace"] = "vision-cameras"
    return document


def job(**annotations: str) -> dict[str, Any]:
    """A Job that takes accelerators."""
    document = deployment(gpus=8, product="NVIDIA-H100-80GB-HBM3", model=False)
    document |= {"apiVersion": "batch/v1", "kind": "Job"}
    document["metadata"]["annotations"] = annotations
    return document


def test_nothing_is_added_unless_the_organisation_says_so(added: Added) -> None:
    assert Org(name="x").mutation == MutationParameters()
    assert added.of(vision(), MutationParameters()) == NOTHING


def test_each_addition_is_switched_by_itself(added: Added) -> None:
    off = MutationParameters(enabled=True, cost_annotations=False)
    two = vision(gpus=2)

    def only(**more: Any) -> Additions:
        return added.of(two, off.model_copy(update=more))

    assert only() == NOTHING
    assert only(region_affinity=("personal",)) == Additions(region="europe-west4")
    assert only(tolerations=True) == Additions(taints=("nvidia.com/gpu",))
    assert only(runtime_class=True) == Additions(runtime_class="nvidia")
    assert only(shared_memory=True) == Additions(shm_mib=1024)
    assert only(job_minutes={"*": 5}) == Additions(deadline_seconds=300)
    assert set(only(cost_annotations=True).annotations) == {MONTHLY_COST, COST_BASIS}


def test_the_cost_is_that_of_a_month_at_the_largest_size(added: Added) -> None:
    one = added.of(deployment(gpus=8, product="NVIDIA-H100-80GB-HBM3")).annotations
    two = added.of(deployment(gpus=8, product="NVIDIA-H100-80GB-HBM3", replicas=2)).annotations

    amount, _, currency = (one[MONTHLY_COST] or "").partition(" ")
    assert currency == "USD"
    assert float((two[MONTHLY_COST] or "").partition(" ")[0]) == pytest.approx(2 * float(amount))
    assert len(amount.partition(".")[2]) == 2
    assert one[COST_BASIS] in {"contract", "list", "list_unconfirmed", "internal_rate"}


def test_a_cost_that_is_not_known_is_not_claimed(added: Added) -> None:
    without = deployment()
    without["spec"]["template"]["spec"]["containers"] = [{"name": "a"}]

    assert added.of(without).annotations == {MONTHLY_COST: None, COST_BASIS: None}


def test_the_region_is_that_of_the_scope_and_only_for_the_classes_that_are_named(
    added: Added,
) -> None:
    elsewhere = MutationParameters(enabled=True, region_affinity=("health",))

    assert added.of(vision()).region == "europe-west4"
    assert added.of(vision(), elsewhere).region is None
    assert added.of(deployment()).region is None
    assert added.of(vision(), cluster="unheard").region is None
    declared = deployment()
    declared["metadata"]["annotations"] = {"portreeve.dev/data-class": "personal"}
    assert added.of(declared).region == "europe-west4"


def test_a_region_that_only_the_object_names_is_no_fact_about_the_place(added: Added) -> None:
    document = vision()
    document["spec"]["template"]["spec"]["nodeSelector"]["topology.kubernetes.io/region"] = "x"
    document["metadata"]["annotations"] = {"portreeve.dev/data-class": "personal"}

    assert added.of(document, cluster="unheard").region is None


def test_a_cluster_of_which_nothing_is_said_gets_no_tolerations(added: Added) -> None:
    found = added.of(vision(), cluster="dev")

    assert (found.taints, found.runtime_class) == ((), None)


def test_makers_who_need_different_runtime_classes_get_none(added: Added) -> None:
    document = vision(gpus=2)
    limits = document["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"]
    limits["amd.com/gpu"] = "1"
    facts = ClusterFacts(
        taints={"nvidia": ("a", "b"), "amd": ("b", "c")},
        runtime_class={"nvidia": "n", "amd": "a"},
    )
    hygiene = added.org(EVERYTHING).hygiene.model_copy(update={"clusters": {"prod-eu": facts}})

    found = added.of(document, hygiene=hygiene)

    assert (found.taints, found.runtime_class) == (("a", "b", "c"), None)


def test_only_pods_with_several_accelerators_share_memory(added: Added) -> None:
    assert added.of(vision(gpus=1)).shm_mib is None
    assert added.of(vision(gpus=2)).shm_mib == 1024


def test_a_job_ends_after_the_minutes_of_its_purpose(added: Added) -> None:
    purposes = MutationParameters(enabled=True, job_minutes={Purpose.FINETUNING: 60, "*": 120})
    training = {"portreeve.dev/purpose": "finetuning"}

    assert added.of(job(**training), purposes).deadline_seconds == 3600
    assert added.of(job(), purposes).deadline_seconds == 7200
    batch = {"portreeve.dev/purpose": "batch"}
    assert added.of(job(**batch), purposes).deadline_seconds == 7200
    bound = MutationParameters(enabled=True, job_minutes={Purpose.FINETUNING: 60})
    assert added.of(job(), bound).deadline_seconds is None


def test_a_job_that_means_to_end_sooner_does(added: Added) -> None:
    purposes = MutationParameters(enabled=True, job_minutes={"*": 120})

    sooner = added.of(job(**{"portreeve.dev/max-minutes": "30"}), purposes)
    later = added.of(job(**{"portreeve.dev/max-minutes": "3000"}), purposes)

    assert (sooner.deadline_seconds, later.deadline_seconds) == (1800, 7200)


@settings(deadline=None)  # each example is resolved twice
@given(
    gpus=st.integers(0, 9),
    kind=st.sampled_from(["Deployment", "Job"]),
    space=st.sampled_from(["vision-cameras", "language-serving"]),
    annotations=st.dictionaries(
        st.sampled_from([MONTHLY_COST, "portreeve.dev/max-minutes", "portreeve.dev/data-class"]),
        st.sampled_from(["30", "personal", "0.01 USD"]),
    ),
)
def test_what_was_patched_needs_no_patch_when_it_is_resolved_again(
    added: Added, gpus: int, kind: str, space: str, annotations: dict[str, str]
) -> None:
    document = job() if kind == "Job" else deployment()
    container = document["spec"]["template"]["spec"]["containers"][0]
    container["resources"] = {"limits": {"nvidia.com/gpu": str(gpus)}}
    document["metadata"] |= {"namespace": space, "annotations": annotations}

    asked = read_review(review(document))
    after = patched(document, patch(asked, added.of(document)).operations)

    assert patch(read_review(review(after)), added.of(after)) == Patch([], [])


@pytest.mark.timeout(300)
def test_real_manifests_are_patched_once(added: Added, shared_data: Path) -> None:
    kinds = {"Pod", "Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob"}
    seen = changed = 0
    for path in sorted((shared_data / "kubernetes").rglob("*.yaml")):
        for document in yaml.safe_load_all(path.read_text(encoding="utf-8")):
            if not isinstance(document, dict) or document.get("kind") not in kinds:
                continue
            document["metadata"] = {**document["metadata"], "namespace": "vision-cameras"}
            document["metadata"].setdefault("name", "x")
            asked = read_review(review(document))
            done = patch(asked, added.of(document))
            after = patched(document, done.operations)
            assert patch(read_review(review(after)), added.of(after)) == Patch([], []), path
            seen += 1
            changed += bool(done.added)
    assert seen > 50
    assert changed > 20
