"""What the organisation sets for the rules about sizing and placement of accelerators."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from service.model.base import Text, Value


class GpuParameters(Value):
    """The section ``gpu`` of ``org/*.yaml``.

    ``mean_context_percent`` is how much of the longest context sequences hold on average, in
    percent; it counts where a server pages its cache (GPU-003) and where throughput is bounded
    (GPU-015). ``oversized_percent`` is from which ratio on memory is more than is needed: 200
    reports a copy with twice the memory of the smallest set that would do (GPU-005).
    ``unstated_batch_percent`` is the room for a batch that GPU-005 leaves where no concurrency is
    declared, in percent of the weights and one sequence. ``tokens_per_pass_percent`` is how many
    tokens one pass over the weights yields for a sequence, above 100 with speculative decoding
    (GPU-015). ``isolated_classes`` are the classes of data whose accelerators may share no memory
    with anybody else: whole ones and MIG partitions only (GPU-013); none unless stated.
    ``own_accelerators`` are accelerators of the catalog that nobody rents out and that the
    organisation has all the same (GPU-014).

    ``training_memory_percent`` is the share of an accelerator's memory that training may fill; 100
    refuses only what cannot run at all (GPU-004). ``mixed_gradient_bytes`` are the bytes of one
    gradient in mixed precision: 2 as in DeepSpeed with fp16, 4 where they are summed up in fp32, as
    in Megatron-LM, which makes 18 bytes per parameter with AdamW (GPU-004).
    ``tensor_parallel_without_link`` is over how many accelerators each layer may be split where no
    fast link joins them (GPU-007). ``shared_memory_mib`` is the least size of ``/dev/shm`` in a pod
    with several accelerators, 1 GiB as NVIDIA's manual of NCCL advises (GPU-016).
    """

    mean_context_percent: Annotated[int, Field(ge=0, le=100)] = 25
    oversized_percent: Annotated[int, Field(ge=110, le=100_000)] = 200
    unstated_batch_percent: Annotated[int, Field(ge=100, le=100_000)] = 200
    tokens_per_pass_percent: Annotated[int, Field(ge=100, le=10_000)] = 100
    isolated_classes: tuple[Text, ...] = ()
    own_accelerators: tuple[Text, ...] = ()
    training_memory_percent: Annotated[int, Field(ge=10, le=100)] = 100
    mixed_gradient_bytes: Annotated[int, Field(ge=2, le=4)] = 2
    tensor_parallel_without_link: Annotated[int, Field(ge=1, le=1024)] = 2
    shared_memory_mib: Annotated[int, Field(ge=64, le=1_048_576)] = 1024
