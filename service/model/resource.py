"""One item of a request: something that takes accelerators, money or data somewhere.

Pointers in ``unknown`` and ``provenance`` are JSON Pointers (RFC 6901) from the resource itself; a
pointer covers everything below it. A ``None`` without an entry in ``unknown`` was not declared, or
does not apply to the kind.
"""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from service.model.base import (
    Basis,
    Change,
    Count,
    Pointer,
    PriceKind,
    Range,
    Reason,
    Role,
    Scope,
    Text,
    Value,
)


class ReplaceOrder(StrEnum):
    """Which half of a replacement comes first; both exist at once when the create does."""

    CREATE_BEFORE_DESTROY = "create_before_destroy"
    DESTROY_BEFORE_CREATE = "destroy_before_create"


class Purpose(StrEnum):
    """What a workload is for."""

    PRETRAINING = "pretraining"
    FINETUNING = "finetuning"
    INFERENCE = "inference"
    BATCH = "batch"
    NOTEBOOK = "notebook"
    DEVELOPMENT = "development"


class Sharing(StrEnum):
    """How one accelerator is divided; ``None`` where the name alone does not say."""

    WHOLE = "whole"
    MIG = "mig"
    TIME_SLICED = "time_sliced"
    FRACTION = "fraction"


class Asset(StrEnum):
    """What kind of data lies or passes there."""

    WEIGHTS = "weights"
    TRAINING = "training"
    PROMPTS = "prompts"
    LOGS = "logs"


class PlaceUse(StrEnum):
    """Why a resource may end up in a place.

    ``region`` is where it is put, ``required`` where its scheduler may put it, ``replication`` a
    copy that somebody asked for, ``paired`` where the vendor keeps the other half of a pair.
    """

    REGION = "region"
    REQUIRED = "required"
    REPLICATION = "replication"
    PAIRED = "paired"


class Owner(Value):
    """The object that made this one."""

    kind: Text
    name: Text


class CoveredBy(Value):
    """The object whose admission covers this one: the root of its chain of owners.

    ``name`` is ``namespace/name``, or the name alone of an object of the cluster. ``uid`` is the
    cluster's, so that an object of the same name made later is another one.
    """

    kind: Text
    name: Text
    uid: Text


class RegionConstraint(Value):
    """Where a scheduler may put a workload: regions by name, as the object states them."""

    required: tuple[Text, ...] = ()
    preferred: tuple[Text, ...] = ()
    excluded: tuple[Text, ...] = ()


class Place(Value):
    """A place where the resource may end up, with what the catalog knows about it.

    ``kind`` is the catalog's: ``physical``, ``sovereign``, or one that has no single country:
    ``multi-region``, ``global``, ``logical``. ``conditional`` are jurisdictions that hold there
    for recipients that meet a condition, and for nobody else.
    """

    region: Text
    kind: Text | None = None
    use: PlaceUse | None = None
    country: Text | None = None
    jurisdictions: tuple[Text, ...] = ()
    conditional: tuple[Text, ...] = ()


class Accelerator(Value):
    """Accelerators of one kind within a resource.

    ``resource`` is the name under which they are asked for (``nvidia.com/gpu``,
    ``nvidia-tesla-t4``), ``model`` the catalog's id, ``slice`` the part of one device (``1g.10gb``,
    ``1/8``). ``per_worker`` counts devices, or slices, of one worker; ``total`` those of the whole
    resource at its smallest and its largest.
    """

    resource: Text | None = None
    manufacturer: Text | None = None
    model: Text | None = None
    slice: Text | None = None
    sharing: Sharing | None = None
    per_worker: Count | None = None
    total: Range = Range()


class Placement(Value):
    """What the workload asks of the node it runs on.

    ``fabric`` is by what it reaches a network between accelerators: a device that it asks for
    (``rdma/ib``, ``vpc.amazonaws.com/efa``), an annotation that attaches further networks, or the
    node's device files. ``shm_mib`` is the size of what is mounted at ``/dev/shm``, ``None`` where
    it has the runtime's default. ``host_ipc`` and ``host_network`` say whether a pod shares the
    node's shared memory and network; of anything but a pod they are ``None``. ``tolerations`` are
    keys of taints: ``*`` for all of them, ``*:NoExecute`` for all with that effect.
    ``bypasses`` are the ways by which it may reach accelerators without asking its scheduler for
    them. ``admin_access`` names device classes to all of whose devices it has administrative
    access, those that others take included, without taking any.
    """

    fabric: Text | None = None
    topology: Text | None = None
    tolerations: tuple[Text, ...] = ()
    runtime_class: Text | None = None
    shm_mib: Count | None = None
    host_ipc: bool | None = None
    host_network: bool | None = None
    bypasses: tuple[Text, ...] = ()
    admin_access: tuple[Text, ...] = ()


class Model(Value):
    """The model that is trained or served, as declared or read from a known server's arguments.

    ``adapter_params_m`` counts the parameters that are trained while all others are frozen; 0 says
    that all are trained. ``training_tokens_m`` is how many million tokens a training run passes
    through the model.
    """

    id: Text | None = None
    params_m: Count | None = None
    precision: Text | None = None
    kv_precision: Text | None = None
    context_tokens: Count | None = None
    concurrency: Count | None = None
    memory_percent: Count | None = Field(default=None, le=100)
    tensor_parallel: Count | None = None
    pipeline_parallel: Count | None = None
    data_parallel: Count | None = None
    expert_parallel: Count | None = None
    zero_stage: Count | None = None
    optimizer: Text | None = None
    micro_batch: Count | None = None
    sequence: Count | None = None
    activation_checkpointing: bool | None = None
    adapter_params_m: Count | None = None
    training_tokens_m: Count | None = None


class Data(Value):
    """One class of data that the resource holds or processes."""

    data_class: Text = Field(alias="class")
    asset: Asset | None = None


class Ownership(Value):
    """Whose it is; from the scope first, then from labels."""

    org: Text | None = None
    team: Text | None = None
    project: Text | None = None
    cost_center: Text | None = None
    owner: Text | None = None
    environment: Text | None = None


class Contradiction(Value):
    """A claim of the payload that the organisation's scope overrules.

    ``field`` is a pointer such as ``/ownership/team``.
    """

    field: Pointer
    declared: Text
    stated: Text


class Lifetime(Value):
    """How long it may run; ``bounded`` says whether anything ends it."""

    minutes: Count | None = None
    bounded: bool | None = None
    idle_minutes: Count | None = None


class Throughput(Value):
    """The steady load it is meant for."""

    requests_per_minute: Count | None = None
    tokens_per_second: Count | None = None
    utilisation_percent: Count | None = Field(default=None, le=100)


class Fit(Value):
    """What sizing rules need to know about the model and the accelerators; no verdict.

    ``weight_bits`` and ``kv_bits`` are the widths of one weight and one cached value.
    ``kv_values_per_token`` is the number of cached values of one token over all layers: exact for
    plain multi-head, grouped-query and latent attention, an upper bound where
    ``kv_is_upper_bound`` says so (sliding windows, linear or hybrid layers). ``usable_mib`` is the
    memory of one accelerator or slice as the driver reports it; ``usable_is_estimate`` marks a
    figure computed from the printed size.

    Layers with a sliding window keep ``window_kv_values_per_token`` for the last ``window_tokens``
    tokens only; they are not in ``kv_values_per_token`` then. ``scale_up_domain`` is how many
    accelerators the fast link joins on the instance type, or on the accelerator's own where that
    spans instances (72 for NVL72). ``fabric`` is the instance type's network between instances,
    ``none`` where it has none.
    """

    weight_bits: Count | None = None
    kv_bits: Count | None = None
    attention: Text | None = None
    attention_heads: Count | None = None
    kv_heads: Count | None = None
    hidden: Count | None = None
    params_active_m: Count | None = None
    layers: Count | None = None
    max_context_tokens: Count | None = None
    kv_values_per_token: Count | None = None
    kv_is_upper_bound: bool | None = None
    window_tokens: Count | None = None
    window_kv_values_per_token: Count | None = None
    usable_mib: Count | None = None
    usable_is_estimate: bool | None = None
    accelerators_per_copy: Count | None = None
    accelerators_per_node: Count | None = None
    scale_up_domain: Count | None = None
    fabric: Text | None = None


class Cost(Value):
    """Money, in millionths of a unit of ``currency``.

    ``micros_total`` is the cost over a bounded lifetime at the largest size; ``inferred`` says that
    the instance type was guessed from the accelerator.
    """

    micros_per_hour: Range = Range()
    micros_total: Count | None = None
    currency: Text | None = None
    basis: Basis = Basis.UNKNOWN
    inferred: bool = False


class ResourceState(Value):
    """A resource at one point in time.

    ``latency_critical`` says that people wait for its answers. ``geo_redundant`` says that the
    vendor keeps a copy in the region's pair. ``operator_countries`` are the home countries of who
    operates it and of the operator's parent, ``operator_jurisdictions`` those of each country.
    """

    instance_type: Text | None = None
    vendor: Text | None = None
    operator: Text | None = None
    region: Text | None = None
    zone: Text | None = None
    region_constraint: RegionConstraint = RegionConstraint()
    replication: tuple[Text, ...] = ()
    geo_redundant: bool | None = None
    nodes: Range = Range()
    copies: Range = Range()
    workers_per_copy: Count | None = None
    accelerators: tuple[Accelerator, ...] | None = ()
    price_kind: PriceKind | None = None
    images: tuple[Text, ...] = ()
    placement: Placement = Placement()
    purpose: Purpose | None = None
    model: Model = Model()
    data: tuple[Data, ...] = ()
    ownership: Ownership = Ownership()
    lifetime: Lifetime = Lifetime()
    throughput: Throughput = Throughput()
    latency_critical: bool | None = None
    labels: dict[str, str] = {}

    country: Text | None = None
    jurisdictions: tuple[Text, ...] = ()
    places: tuple[Place, ...] | None = None
    operator_countries: tuple[Text, ...] = ()
    operator_jurisdictions: dict[Text, tuple[Text, ...]] = {}
    contradictions: tuple[Contradiction, ...] = ()
    software_stack: Text | None = None
    fit: Fit = Fit()
    cost: Cost = Cost()

    unknown: dict[Pointer, Reason] = {}
    provenance: dict[Pointer, str] = {}


class Resource(ResourceState):
    """A resource of a request: what it is called, what happens to it, and what it was before.

    ``scope`` says where it is, where that differs from the scope of the request. With
    ``covered_by``, which the service alone writes, ``subject`` is that object's, and the resource
    is neither evaluated nor counted.
    """

    address: Text
    subject: Text
    scope: Scope | None = None
    part_of: Owner | None = None
    covered_by: CoveredBy | None = None
    kind: Text
    role: Role
    change: Change
    replace_order: ReplaceOrder | None = None
    before: ResourceState | None = None
