"""What the `tf` package leaves out and the vendors' providers have: list blocks, computed maps."""

from __future__ import annotations

from typing import Any

from tf.blocks import SetNestedBlock
from tf.gen import tfplugin_pb2 as pb
from tf.iface import Resource
from tf.provider import ProviderServicer
from tf.schema import Attribute, Block, Schema
from tf.types import Unknown
from tf.utils import read_dynamic_value, to_dynamic_value


class ListBlock(SetNestedBlock):
    """A nested block whose order counts, as nearly all blocks of the vendors' providers."""

    def __init__(self, name: str, *attributes: Attribute, blocks: tuple[Any, ...] = ()) -> None:
        super().__init__(name, Block(attributes=list(attributes), block_types=list(blocks)))

    def to_pb(self) -> Any:
        block = super().to_pb()
        block.nesting = pb.Schema.NestedBlock.NestingMode.LIST
        return block

    def semantically_equal(self, a_decoded: Any, b_decoded: Any) -> bool:
        return bool(a_decoded == b_decoded)


class Machine(Resource):
    """A resource that exists in the state alone; what is computed becomes known when applied."""

    name: str
    schema: Schema
    merged: tuple[tuple[str, str], ...] = ()

    def __init__(self, provider: Any) -> None:
        self.provider = provider

    @classmethod
    def get_name(cls) -> str:
        return cls.name

    @classmethod
    def get_schema(cls) -> Schema:
        return cls.schema

    def create(self, _ctx: Any, planned: dict[str, Any]) -> dict[str, Any]:
        return self._known(planned)

    def read(self, _ctx: Any, current: dict[str, Any]) -> dict[str, Any]:
        return current

    def update(self, _ctx: Any, _current: Any, planned: dict[str, Any]) -> dict[str, Any]:
        return self._known(planned)

    def delete(self, _ctx: Any, _current: Any) -> None:
        return None

    def upgrade(self, _ctx: Any, _version: int, old: dict[str, Any]) -> dict[str, Any]:
        return old

    def complete(self, planned: dict[str, Any]) -> None:
        """Fill in what the vendors' providers take from their own configuration in the plan."""
        for name, value in self.provider.defaults.items():
            if planned.get(name) is Unknown and value:
                planned[name] = value
        for own, merged in self.merged:
            labels = planned.get(own)
            if labels is Unknown or any(v is Unknown for v in (labels or {}).values()):
                planned[merged] = Unknown
            else:
                planned[merged] = {**self.provider.default_labels, **(labels or {})}

    def _known(self, state: dict[str, Any]) -> dict[str, Any]:
        made_up = {b'"string"': f"{self.name}-1", b'"number"': 1, b'"bool"': False}
        types = {one.name: one.type.tf_type() for one in self.schema.attributes}
        known = {
            key: made_up.get(types[key], {} if b'"map"' in types[key] else [])
            if value is Unknown
            else value
            for key, value in state.items()
        }
        if state.get("availability_zone") is Unknown:
            known["availability_zone"] = f"{known['region']}a"
        return known


class Servicer(ProviderServicer):
    """Lets a resource complete its plan, also that of a creation."""

    def PlanResourceChange(self, request: Any, context: Any) -> Any:  # noqa: N802  # gRPC's name
        response = super().PlanResourceChange(request, context)
        planned = read_dynamic_value(response.planned_state)
        if planned is not None:
            machine = self.app.new_resource(self._get_res_cls(request.type_name))
            machine.complete(planned)
            response.planned_state.CopyFrom(to_dynamic_value(planned))
        return response
