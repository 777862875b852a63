"""What every value of the model has in common.

Numbers a rule computes with are integers below 2^53, because engines disagree about fractions and
about larger integers; the unit is in the field's name. A leaf that has no value is ``None`` and is
still present in the dump: rules meet ``null``, never an absent key.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

LARGEST_EXACT = 2**53 - 1

Count = Annotated[int, Field(ge=0, le=LARGEST_EXACT)]
Signed = Annotated[int, Field(ge=-LARGEST_EXACT, le=LARGEST_EXACT)]
Text = Annotated[str, StringConstraints(max_length=1024)]
Pointer = Annotated[str, StringConstraints(pattern=r"^(/[^/]*)*$", max_length=1024)]
Day = Annotated[
    str, StringConstraints(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$")
]
"""A day as ``2027-03-31``, in UTC; rules compare days as texts."""


class Value(BaseModel):
    """A frozen value; unknown fields are refused."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", populate_by_name=True, serialize_by_alias=True
    )

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy with the fields of *update*, which are not validated, as pydantic's own.

        A request is copied about ten times on its way. Values have no private attributes and no
        extra fields, so what pydantic does for those is left out, which is most of its time.
        """
        if deep:
            return super().model_copy(update=update, deep=True)
        copied = object.__new__(type(self))
        set_attribute = object.__setattr__
        set_attribute(copied, "__dict__", {**self.__dict__, **(update or {})})
        set_attribute(
            copied, "__pydantic_fields_set__", {*self.__pydantic_fields_set__, *(update or ())}
        )
        set_attribute(copied, "__pydantic_extra__", None)
        set_attribute(copied, "__pydantic_private__", None)
        return copied


class Range(Value):
    """A count between two inclusive bounds; ``None`` where a bound is not known."""

    min: Count | None = None
    max: Count | None = None


class Limit(Value):
    """A limit with a default and its exceptions by team; ``None`` is no limit."""

    default: Count | None = None
    teams: dict[str, Count | None] = {}


class Reason(StrEnum):
    """Why a value that exists is not known."""

    AFTER_APPLY = "after_apply"
    UNDECLARED = "undeclared"
    ELSEWHERE = "elsewhere"
    SENSITIVE = "sensitive"
    NOT_IN_CATALOG = "not_in_catalog"


class EnforcementPoint(StrEnum):
    """Where a request is stopped."""

    KUBERNETES = "kubernetes"
    TERRAFORM = "terraform"
    PULUMI = "pulumi"
    CLOUD = "cloud"
    API = "api"


class Binding(StrEnum):
    """Whether a decision holds: ``advisory`` for a plan, ``scan`` for what already runs."""

    BINDING = "binding"
    ADVISORY = "advisory"
    DRY_RUN = "dry_run"
    SCAN = "scan"


class Role(StrEnum):
    """``capacity`` is bought (nodes, instances), ``workload`` occupies it; never added up."""

    CAPACITY = "capacity"
    WORKLOAD = "workload"


class Change(StrEnum):
    """What happens to a resource."""

    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    DELETE = "delete"
    IMPORT = "import"
    READ = "read"
    NO_OP = "no_op"


class PriceKind(StrEnum):
    """How capacity is bought."""

    ON_DEMAND = "on_demand"
    SPOT = "spot"
    RESERVED = "reserved"


class Basis(StrEnum):
    """What a cost rests on; only ``contract`` and ``list`` are firm enough to refuse.

    ``list_unconfirmed`` is a list price that the catalog has from one uncertain source.
    """

    CONTRACT = "contract"
    LIST = "list"
    LIST_UNCONFIRMED = "list_unconfirmed"
    LIST_OTHER_REGION = "list_other_region"
    INTERNAL_RATE = "internal_rate"
    UNKNOWN = "unknown"


class Scope(Value):
    """A place that the organisation may know something about."""

    cluster: Text | None = None
    namespace: Text | None = None
    account: Text | None = None
    project: Text | None = None
    workspace: Text | None = None
