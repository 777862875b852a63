"""What the organisation has added to objects before they are decided."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field

from service.model.base import Text, Value
from service.model.resource import Purpose

ANY_PURPOSE: Final = "*"

Minutes = Annotated[int, Field(ge=1, le=5_256_000)]


class MutationParameters(Value):
    """The section ``mutation`` of ``org/*.yaml``.

    What is added are facts that the bundle states elsewhere; whether an object may run is judged by
    the rules afterwards, about the object as it then is. Without ``enabled`` nothing is added.

    Attributes:
        enabled: Whether ``/v1/kubernetes/mutate`` adds anything.
        cost_annotations: Write what an object with accelerators costs by the month, and what that
            rests on, into its annotations.
        region_affinity: Classes of data whose workloads get a required node affinity for the region
            that the organisation's scopes state for the place. None unless stated.
        tolerations: Tolerate the taints that ``hygiene.clusters`` states for the accelerators of a
            pod.
        runtime_class: Name the runtime class that ``hygiene.clusters`` states for them.
        shared_memory: Mount memory of ``gpu.shared_memory_mib`` at ``/dev/shm`` of pods with more
            than one accelerator that have nothing there.
        job_minutes: By purpose, after how many minutes a job with accelerators and without a
            deadline is ended; ``*`` is every other purpose, and none at all. A shorter
            ``portreeve.dev/max-minutes`` goes first.
    """

    enabled: bool = False
    cost_annotations: bool = True
    region_affinity: tuple[Text, ...] = ()
    tolerations: bool = False
    runtime_class: bool = False
    shared_memory: bool = False
    job_minutes: dict[Purpose | Literal["*"], Minutes] = {}
