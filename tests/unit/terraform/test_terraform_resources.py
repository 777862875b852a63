"""What single resource types say about what they take."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.terraform.normalise import normalise_plan
from service.errors import RequestRefused
from service.model.base import Change, PriceKind, Range, Reason, Scope
from service.model.request import Request
from service.model.resource import Purpose, ReplaceOrder, Resource, Sharing


def entry(kind: str, after: Any, *, address: str = "", **change: Any) -> dict[str, Any]:
    return {
        "address": address or f"{kind}.one",
        "mode": "managed",
        "type": kind,
        "name": "one",
        "change": {"actions": ["create"], "before": None, "after": after, **change},
    }


def normalise(*entries: dict[str, Any], scope: Scope | None = None, **parts: Any) -> Request:
    plan = {"format_version": "1.2", "resource_changes": list(entries), **parts}
    return normalise_plan(plan, scope=scope or Scope(), caller="test", key="key")


def one(kind: str, after: Any, **change: Any) -> Resource:
    (resource,) = normalise(entry(kind, after, **change)).resources
    return resource


class TestNodes:
    """The largest number of machines that a resource may reach by itself."""

    @pytest.mark.parametrize(
        ("after", "expected"),
        [
            ({"node_count": 2, "location": "europe-west4-a"}, Range(min=2, max=2)),
            ({"node_count": 2.0, "location": "europe-west4-a"}, Range(min=2, max=2)),
            ({"node_count": 2, "node_locations": ["a", "b", "c"]}, Range(min=6, max=6)),
            ({"initial_node_count": 1, "location": "europe-west4-a"}, Range(min=1, max=1)),
            ({"node_count": 2, "location": "europe-west4"}, Range(min=2, max=None)),
            (
                {
                    "node_count": 9,
                    "node_locations": ["a", "b"],
                    "autoscaling": [{"min_node_count": 1, "max_node_count": 4}],
                },
                Range(min=2, max=8),
            ),
            (
                {
                    "location": "europe-west4",
                    "autoscaling": [{"total_min_node_count": 1, "total_max_node_count": 5}],
                },
                Range(min=1, max=5),
            ),
            (
                {
                    "location": "europe-west4",
                    "autoscaling": [{"max_node_count": 4, "total_max_node_count": 0}],
                },
                Range(min=0, max=None),
            ),
        ],
    )
    def test_of_a_gke_node_pool(self, after: dict[str, Any], expected: Range) -> None:
        nodes = one("google_container_node_pool", after).nodes

        assert expected == nodes

    @pytest.mark.parametrize(
        ("after", "expected"),
        [
            ({"node_count": 3}, Range(min=3, max=3)),
            (
                {"auto_scaling_enabled": True, "min_count": 1, "max_count": 9, "node_count": 1},
                Range(min=1, max=9),
            ),
            ({"enable_auto_scaling": True, "min_count": 1, "max_count": 9}, Range(min=1, max=9)),
            ({"max_count": 9}, Range(min=None, max=9)),
        ],
    )
    def test_of_an_aks_node_pool(self, after: dict[str, Any], expected: Range) -> None:
        nodes = one("azurerm_kubernetes_cluster_node_pool", after).nodes

        assert expected == nodes

    def test_of_an_eks_node_group_lie_between_its_limits(self) -> None:
        scaling = [{"desired_size": 2, "min_size": 1, "max_size": 5}]

        resource = one("aws_eks_node_group", {"scaling_config": scaling})

        assert Range(min=1, max=5) == resource.nodes

    def test_that_are_not_stated_are_not_zero(self) -> None:
        resource = one("google_container_node_pool", {"location": "europe-west4-a"})

        assert Range() == resource.nodes
        assert resource.unknown["/nodes"] is Reason.UNDECLARED

    def test_known_after_apply_keep_what_is_known(self) -> None:
        resource = one(
            "aws_eks_node_group",
            {"scaling_config": [{"min_size": 1}]},
            after_unknown={"scaling_config": [{"max_size": True}]},
        )

        assert Range(min=1, max=None) == resource.nodes
        assert resource.unknown["/nodes/max"] is Reason.AFTER_APPLY

    def test_of_an_autoscaler_that_is_not_known_are_not_known(self) -> None:
        resource = one(
            "google_container_node_pool", {"node_count": 1}, after_unknown={"autoscaling": True}
        )

        assert resource.unknown["/nodes"] is Reason.AFTER_APPLY


class TestAccelerators:
    """What Google attaches to a machine beside its type."""

    def test_are_counted_over_all_nodes(self) -> None:
        after = {
            "node_count": 3,
            "node_locations": ["europe-west4-a", "europe-west4-b"],
            "node_config": [
                {
                    "machine_type": "n1-standard-8",
                    "guest_accelerator": [{"type": "nvidia-tesla-t4", "count": 2}],
                }
            ],
        }

        (accelerator,) = one("google_container_node_pool", after).accelerators or ()

        assert accelerator.model == "nvidia-tesla-t4"
        assert accelerator.manufacturer == "nvidia"
        assert accelerator.per_worker == 2
        assert Range(min=12, max=12) == accelerator.total

    def test_may_be_named_by_their_address(self) -> None:
        after = {
            "machine_type": "zones/europe-west4-a/machineTypes/n1-standard-8",
            "guest_accelerator": [
                {"type": "projects/p/zones/z/acceleratorTypes/nvidia-tesla-t4", "count": 1}
            ],
        }

        resource = one("google_compute_instance", after)

        assert resource.instance_type == "n1-standard-8"
        assert [item.model for item in resource.accelerators or ()] == ["nvidia-tesla-t4"]

    @pytest.mark.parametrize(
        ("block", "expected"),
        [
            ({}, Sharing.WHOLE),
            ({"gpu_partition_size": "1g.5gb"}, Sharing.MIG),
            ({"gpu_sharing_config": [{"gpu_sharing_strategy": "MPS"}]}, Sharing.TIME_SLICED),
        ],
    )
    def test_are_bought_whole_however_they_are_shared(
        self, block: dict[str, Any], expected: Sharing
    ) -> None:
        attached = {"type": "nvidia-tesla-a100", "count": 1, **block}

        resource = one("google_compute_instance", {"guest_accelerator": [attached]})

        (accelerator,) = resource.accelerators or ()
        assert accelerator.sharing is expected
        assert accelerator.slice is None

    def test_of_a_count_of_zero_are_none(self) -> None:
        after = {
            "machine_type": "n1-standard-8",
            "guest_accelerator": [{"type": "nvidia-tesla-t4", "count": 0}],
        }

        assert one("google_compute_instance", after).accelerators == ()

    def test_left_open_on_a_family_that_takes_none_are_none(self) -> None:
        resource = one(
            "google_compute_instance",
            {"machine_type": "e2-medium"},
            after_unknown={"guest_accelerator": True},
        )

        assert resource.accelerators == ()

    def test_left_open_on_a_family_that_takes_them_are_not_known(self) -> None:
        resource = one(
            "google_compute_instance",
            {"machine_type": "n1-standard-8"},
            after_unknown={"guest_accelerator": True},
        )

        assert resource.accelerators is None
        assert resource.unknown["/accelerators"] is Reason.AFTER_APPLY

    def test_of_an_unknown_type_are_not_zero(self) -> None:
        resource = one("aws_instance", {}, after_unknown={"instance_type": True})

        assert resource.accelerators is None
        assert resource.unknown["/accelerators"] is Reason.AFTER_APPLY

    def test_of_one_of_several_types_are_decided_elsewhere(self) -> None:
        resource = one("aws_eks_node_group", {"instance_types": ["g6.xlarge", "p5.48xlarge"]})

        assert resource.instance_type is None
        assert resource.unknown["/instance_type"] is Reason.ELSEWHERE

    def test_of_a_launch_template_are_decided_elsewhere(self) -> None:
        resource = one(
            "aws_instance",
            {"launch_template": [{"id": "lt-1"}]},
            after_unknown={"instance_type": True},
        )

        assert resource.unknown["/instance_type"] is Reason.ELSEWHERE


class TestPlaces:
    """Where a machine is."""

    @pytest.mark.parametrize(
        ("kind", "after", "region", "zone"),
        [
            ("aws_instance", {"region": "eu-west-1"}, "eu-west-1", None),
            ("aws_instance", {"availability_zone": "us-east-1a"}, "us-east-1", "us-east-1a"),
            (
                "aws_instance",
                {"availability_zone": "us-gov-west-1b"},
                "us-gov-west-1",
                "us-gov-west-1b",
            ),
            (
                "aws_instance",
                {"availability_zone": "us-east-1-bos-1a"},
                "us-east-1",
                "us-east-1-bos-1a",
            ),
            (
                "aws_instance",
                {"arn": "arn:aws:ec2:ap-south-1:123456789012:instance/i-1"},
                "ap-south-1",
                None,
            ),
            (
                "google_compute_instance",
                {"zone": "europe-west4-a"},
                "europe-west4",
                "europe-west4-a",
            ),
            (
                "google_compute_instance",
                {"zone": "projects/p/zones/us-central1-ai1a"},
                "us-central1",
                "us-central1-ai1a",
            ),
            ("google_container_node_pool", {"location": "europe-west4"}, "europe-west4", None),
            ("azurerm_linux_virtual_machine", {"location": "West Europe"}, "westeurope", None),
        ],
    )
    def test_are_read_from_the_most_telling_attribute(
        self, kind: str, after: dict[str, Any], region: str, zone: str | None
    ) -> None:
        resource = one(kind, after)

        assert (region, zone) == (resource.region, resource.zone)
        assert "/region" not in resource.unknown

    def test_that_no_vendor_has_are_not_in_the_catalog(self) -> None:
        resource = one("google_compute_instance", {"zone": "atlantis"})

        assert resource.region is None
        assert resource.unknown["/region"] is Reason.NOT_IN_CATALOG

    def test_that_nobody_states_are_undeclared(self) -> None:
        assert one("aws_instance", {}).unknown["/region"] is Reason.UNDECLARED

    def test_come_from_the_provider_through_variables_of_modules(self) -> None:
        instance = entry("aws_instance", {}, address="module.eu.module.gpu[0].aws_instance.one")
        instance["module_address"] = "module.eu.module.gpu[0]"
        resource = {
            "type": "aws_instance",
            "name": "one",
            "provider_config_key": "module.eu.module.gpu:aws",
        }
        inner = {"module": {"resources": [resource]}, "expressions": {}}
        inner["expressions"] = {"where": {"references": ["var.region"]}}
        outer = {"module": {"module_calls": {"gpu": inner}}}
        outer["expressions"] = {"region": {"references": ["var.home"]}}
        provider = {
            "module_address": "module.eu.module.gpu",
            "expressions": {"region": {"references": ["var.where"]}},
        }
        request = normalise(
            instance,
            variables={"home": {"value": "eu-south-2"}},
            configuration={
                "provider_config": {"module.eu.module.gpu:aws": provider},
                "root_module": {"module_calls": {"eu": outer}},
            },
        )

        (machine,) = request.resources
        assert machine.region == "eu-south-2"
        assert machine.provenance["/region"] == "inferred:provider_region"

    @pytest.mark.parametrize(
        ("declaration", "expected"),
        [
            ({"default": "eu-west-3"}, "eu-west-3"),
            ({"default": "eu-west-3", "sensitive": True}, None),
            ({"default": 3}, None),
            ({}, None),
        ],
    )
    def test_come_from_the_default_of_a_modules_variable(
        self, declaration: dict[str, Any], expected: str | None
    ) -> None:
        instance = entry("aws_instance", {})
        instance["module_address"] = "module.gpu"
        resource = {"type": "aws_instance", "name": "one", "provider_config_key": "module.gpu:aws"}
        body = {"resources": [resource], "variables": {"where": declaration}}
        provider = {
            "module_address": "module.gpu",
            "expressions": {"region": {"references": ["var.where"]}},
        }

        (machine,) = normalise(
            instance,
            configuration={
                "provider_config": {"module.gpu:aws": provider},
                "root_module": {"module_calls": {"gpu": {"module": body}}},
            },
        ).resources

        assert machine.region == expected

    def test_that_are_configured_and_unknown_are_not_the_providers(self) -> None:
        resource = {
            "type": "google_compute_instance",
            "name": "one",
            "provider_config_key": "google",
            "expressions": {"zone": {"references": ["data.x.y"]}},
        }
        provider = {"expressions": {"region": {"constant_value": "europe-west4"}}}
        configuration = {
            "provider_config": {"google": provider},
            "root_module": {"resources": [resource]},
        }
        machine = entry("google_compute_instance", {}, after_unknown={"zone": True})

        (unknown,) = normalise(machine, configuration=configuration).resources
        resource["expressions"] = {}
        (inherited,) = normalise(machine, configuration=configuration).resources

        assert unknown.region is None
        assert unknown.unknown["/region"] is Reason.AFTER_APPLY
        assert inherited.region == "europe-west4"

    def test_an_expression_that_only_mentions_a_region_is_not_taken_for_it(self) -> None:
        resource = {"type": "aws_instance", "name": "one", "provider_config_key": "aws"}
        region = {"references": ["var.number"]}

        (machine,) = normalise(
            entry("aws_instance", {}),
            variables={"number": {"value": "1"}},
            configuration={
                "provider_config": {"aws": {"expressions": {"region": region}}},
                "root_module": {"resources": [resource]},
            },
        ).resources

        assert machine.region is None


class TestMarket:
    """How machines are bought."""

    @pytest.mark.parametrize(
        ("kind", "after", "expected"),
        [
            ("aws_instance", {}, PriceKind.ON_DEMAND),
            (
                "aws_instance",
                {"instance_market_options": [{"market_type": "spot"}]},
                PriceKind.SPOT,
            ),
            (
                "aws_instance",
                {"instance_market_options": [{"market_type": "capacity-block"}]},
                PriceKind.RESERVED,
            ),
            ("aws_eks_node_group", {"capacity_type": "SPOT"}, PriceKind.SPOT),
            (
                "google_compute_instance",
                {"scheduling": [{"provisioning_model": "STANDARD", "preemptible": True}]},
                PriceKind.SPOT,
            ),
            (
                "google_container_node_pool",
                {"node_config": [{"spot": False}]},
                PriceKind.ON_DEMAND,
            ),
            ("azurerm_windows_virtual_machine", {"priority": "Spot"}, PriceKind.SPOT),
            ("azurerm_windows_virtual_machine", {"priority": "Regular"}, PriceKind.ON_DEMAND),
        ],
    )
    def test_is_read(self, kind: str, after: dict[str, Any], expected: PriceKind) -> None:
        assert one(kind, after).price_kind is expected

    def test_of_a_new_name_is_not_known(self) -> None:
        resource = one("azurerm_linux_virtual_machine", {"priority": "Cheap"})

        assert resource.price_kind is None
        assert resource.unknown["/price_kind"] is Reason.NOT_IN_CATALOG

    def test_known_after_apply_is_not_known(self) -> None:
        resource = one("aws_eks_node_group", {}, after_unknown={"capacity_type": True})

        assert resource.unknown["/price_kind"] is Reason.AFTER_APPLY


class TestTags:
    """What labels declare."""

    def test_with_our_prefix_declare_owner_purpose_data_and_model(self) -> None:
        tags = {
            "portreeve:team": "vision",
            "portreeve:cost-center": "CC-1100",
            "portreeve:purpose": "Inference",
            "portreeve:data-class": "personal,health",
            "portreeve:model": "meta-llama/Llama-3.1-8B",
            "portreeve:params-m": "8030",
            "portreeve:context-tokens": "8192",
            "portreeve:max-minutes": "120",
            "portreeve:requests-per-minute": "60",
            "Team": "somebody else",
        }

        resource = one("aws_instance", {"tags": tags})

        assert resource.ownership.team == "vision"
        assert resource.ownership.cost_center == "CC-1100"
        assert resource.purpose is Purpose.INFERENCE
        assert [item.data_class for item in resource.data] == ["personal", "health"]
        assert resource.model.id == "meta-llama/Llama-3.1-8B"
        assert resource.model.params_m == 8030
        assert resource.model.context_tokens == 8192
        assert resource.lifetime.minutes == 120
        assert resource.lifetime.bounded is True
        assert resource.throughput.requests_per_minute == 60
        assert resource.provenance["/ownership/team"] == "declared"

    def test_of_google_use_what_its_keys_allow(self) -> None:
        labels = {"portreeve_team": "vision", "portreeve-data-class": "personal_health"}

        resource = one("google_compute_instance", {"effective_labels": labels})

        assert resource.ownership.team == "vision"
        assert [item.data_class for item in resource.data] == ["personal", "health"]

    def test_by_common_names_are_inferred(self) -> None:
        resource = one("aws_instance", {"tags_all": {"Cost-Center": "CC-1", "env": "prod"}})

        assert resource.ownership.cost_center == "CC-1"
        assert resource.ownership.environment == "prod"
        assert resource.provenance["/ownership/environment"] == "inferred:tag"

    def test_that_say_something_unreadable_leave_it_unknown(self) -> None:
        tags = {
            "portreeve:params-m": "8 billion",
            "portreeve:purpose": "fun",
            "portreeve:max-minutes": "-1",
        }

        resource = one("aws_instance", {"tags": tags})

        pointers = ("/model/params_m", "/purpose", "/lifetime/minutes")
        assert [resource.unknown[pointer] for pointer in pointers] == [Reason.UNDECLARED] * 3

    def test_known_after_apply_leave_what_they_would_declare_unknown(self) -> None:
        resource = one(
            "aws_instance",
            {"tags": {"Name": "x"}},
            after_unknown={
                "tags": {
                    "portreeve:team": True,
                    "portreeve:purpose": True,
                    "portreeve:data-class": True,
                    "portreeve:model": True,
                    "portreeve:max-minutes": True,
                    "Owner": True,
                    "other": True,
                },
                "tags_all": True,
            },
        )

        assert {
            "/ownership/team",
            "/purpose",
            "/data",
            "/model/id",
            "/lifetime/minutes",
            "/ownership/owner",
            "/labels",
        } <= resource.unknown.keys()

    def test_known_in_one_map_are_known(self) -> None:
        resource = one(
            "aws_instance",
            {"tags": {"portreeve:team": "vision", "a": None}},
            after_unknown={"tags_all": {"portreeve:team": True}},
        )

        assert resource.ownership.team == "vision"
        assert "/ownership/team" not in resource.unknown
        assert resource.labels == {"portreeve:team": "vision"}


class TestChanges:
    """What happens to a resource."""

    def test_an_update_that_changes_nothing_we_read_is_none(self) -> None:
        before = {"instance_type": "p5.48xlarge", "user_data": "a"}
        after = {"instance_type": "p5.48xlarge", "user_data": "b"}

        resource = one("aws_instance", after, actions=["update"], before=before)

        assert resource.change is Change.NO_OP

    def test_an_update_has_the_whole_state_before(self) -> None:
        before = {"instance_type": "g6.xlarge", "region": "eu-west-1", "tags": {"Team": "a"}}
        after = {**before, "instance_type": "p5.48xlarge"}

        resource = one("aws_instance", after, actions=["update"], before=before)

        assert resource.change is Change.UPDATE
        assert resource.before is not None
        assert resource.before.instance_type == "g6.xlarge"
        assert resource.before.ownership.team == "a"
        assert resource.before.region == "eu-west-1"

    @pytest.mark.parametrize(
        ("actions", "change", "order"),
        [
            (["create", "delete"], Change.REPLACE, ReplaceOrder.CREATE_BEFORE_DESTROY),
            (["delete", "create"], Change.REPLACE, ReplaceOrder.DESTROY_BEFORE_CREATE),
            (["no-op"], Change.NO_OP, None),
            (["read"], Change.READ, None),
            (["forget"], Change.NO_OP, None),
            (["create", "forget"], Change.CREATE, None),
        ],
    )
    def test_has_a_name(
        self, actions: list[str], change: Change, order: ReplaceOrder | None
    ) -> None:
        values = {"instance_type": "p5.48xlarge"}

        resource = one("aws_instance", values, actions=actions, before=values)

        assert (change, order) == (resource.change, resource.replace_order)

    @pytest.mark.parametrize("actions", [["delete"], ["forget"]])
    def test_what_goes_is_described_as_it_was(self, actions: list[str]) -> None:
        before = {"instance_type": "p5.48xlarge", "region": "eu-west-1"}

        resource = one("aws_instance", None, actions=actions, before=before)

        assert resource.instance_type == "p5.48xlarge"
        assert resource.before is not None
        assert resource.before.region == "eu-west-1"

    def test_an_import_is_one(self) -> None:
        values = {"instance_type": "p5.48xlarge"}

        resource = one(
            "aws_instance", values, actions=["no-op"], before=values, importing={"id": "i-1"}
        )

        assert resource.change is Change.IMPORT

    @pytest.mark.parametrize("actions", [[], ["explode"], None, "create", [["create"]]])
    def test_that_terraform_does_not_write_is_refused(self, actions: Any) -> None:
        with pytest.raises(RequestRefused, match="unreadable `actions`"):
            one("aws_instance", {}, actions=actions)

    def test_without_values_is_refused(self) -> None:
        with pytest.raises(RequestRefused, match="has no values"):
            one("aws_instance", None)

    @pytest.mark.parametrize(
        ("kind", "after", "where"),
        [
            ("aws_instance", {"instance_type": 5}, "instance_type"),
            ("aws_instance", {"tags": ["a"]}, "tags"),
            ("aws_instance", {"tags": {"a": 1}}, "tags.a"),
            ("aws_eks_node_group", {"instance_types": "p5.48xlarge"}, "instance_types"),
            ("aws_eks_node_group", {"scaling_config": {"max_size": 1}}, "scaling_config"),
            ("aws_eks_node_group", {"scaling_config": [{"max_size": -1}]}, "max_size"),
            ("aws_eks_node_group", {"scaling_config": [{"max_size": 1.5}]}, "max_size"),
            ("aws_eks_node_group", {"scaling_config": [{"max_size": "9"}]}, "max_size"),
            ("google_container_node_pool", {"node_config": ["a"]}, "machine_type"),
            ("azurerm_kubernetes_cluster_node_pool", {"auto_scaling_enabled": 1}, "enabled"),
            ("azurerm_linux_virtual_machine", {"priority": 1}, "priority"),
        ],
    )
    def test_an_attribute_of_another_shape_is_refused(
        self, kind: str, after: dict[str, Any], where: str
    ) -> None:
        with pytest.raises(RequestRefused, match=where):
            one(kind, after)

    def test_values_beyond_what_the_model_holds_are_refused(self) -> None:
        scaling = [{"min_size": 0, "max_size": 2**60}]

        with pytest.raises(RequestRefused, match="beyond what can be decided about"):
            one("aws_eks_node_group", {"scaling_config": scaling})


class TestClusters:
    """The region of an AKS node pool is that of its cluster."""

    POOL = "azurerm_kubernetes_cluster_node_pool"
    CLUSTER = "azurerm_kubernetes_cluster"

    def _region(self, reference: str, *clusters: dict[str, Any]) -> Resource:
        pool = {"type": self.POOL, "name": "one"}
        pool["expressions"] = {"kubernetes_cluster_id": {"references": [reference]}}
        (resource,) = normalise(
            entry(self.POOL, {"node_count": 1}),
            *clusters,
            configuration={"root_module": {"resources": [pool]}},
        ).resources
        return resource

    def test_in_the_same_plan_says_where(self) -> None:
        cluster = entry(self.CLUSTER, {"location": "North Europe"})

        resource = self._region("azurerm_kubernetes_cluster.one[0].id", cluster)

        assert resource.region == "northeurope"
        assert resource.provenance["/region"] == "inferred:cluster"

    def test_passed_into_a_module_says_where(self) -> None:
        pool = entry(self.POOL, {"node_count": 1}, address=f"module.gpu.{self.POOL}.one")
        pool["module_address"] = "module.gpu"
        inner = {"type": self.POOL, "name": "one"}
        inner["expressions"] = {"kubernetes_cluster_id": {"references": ["var.cluster"]}}
        call = {
            "module": {"resources": [inner]},
            "expressions": {"cluster": {"references": ["azurerm_kubernetes_cluster.one.id"]}},
        }

        (resource,) = normalise(
            pool,
            entry(self.CLUSTER, {"location": "North Europe"}),
            configuration={"root_module": {"module_calls": {"gpu": call}}},
        ).resources

        assert resource.region == "northeurope"

    def test_whose_place_is_not_known_leaves_it_unknown(self) -> None:
        cluster = entry(self.CLUSTER, {}, after_unknown={"location": True})

        resource = self._region("azurerm_kubernetes_cluster.one.id", cluster)

        assert resource.unknown["/region"] is Reason.AFTER_APPLY

    def test_in_two_places_leaves_it_elsewhere(self) -> None:
        clusters = [
            entry(self.CLUSTER, {"location": place}, address=f"{self.CLUSTER}.one[{index}]")
            for index, place in enumerate(("northeurope", "westeurope"))
        ]

        resource = self._region("azurerm_kubernetes_cluster.one.id", *clusters)

        assert resource.unknown["/region"] is Reason.ELSEWHERE

    @pytest.mark.parametrize("reference", ["var.cluster", "data.azurerm_kubernetes_cluster.one.id"])
    def test_outside_the_plan_leaves_it_elsewhere(self, reference: str) -> None:
        assert self._region(reference).unknown["/region"] is Reason.ELSEWHERE


class TestScope:
    """Where a request comes from."""

    def test_has_the_project_that_all_share(self) -> None:
        machines = [
            entry("google_compute_instance", {"project": "p"}, address=f"m.{index}")
            for index in range(2)
        ]

        request = normalise(*machines)

        assert request.scope.project == "p"
        assert request.resources[0].subject == "terraform/p/m.0"

    def test_keeps_what_the_caller_says(self) -> None:
        machine = entry("google_compute_instance", {"project": "p"})

        request = normalise(machine, scope=Scope(project="q", workspace="w"))

        assert request.scope == Scope(project="q", workspace="w")
        assert request.resources[0].subject == "terraform/w/google_compute_instance.one"

    @pytest.mark.parametrize("other", ["google_compute_instance", "aws_instance"])
    def test_has_no_project_where_they_differ(self, other: str) -> None:
        machines = [
            entry("google_compute_instance", {"project": "p"}),
            entry(other, {"project": "q"}, address="other"),
        ]

        assert normalise(*machines).scope.project is None
