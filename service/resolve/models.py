"""Model id -> sizes, precision names -> bits, accelerators -> memory: what sizing rules need.

No verdict and no formula: how much memory a model takes is said by rules.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, NamedTuple

from service.model.base import Reason
from service.model.resource import Accelerator, Fit, Sharing
from service.resolve.draft import Draft, times
from service.resolve.tables import REMEMBERED, Table, table

if TYPE_CHECKING:
    from service.resolve.accelerators import Accelerators
    from service.resolve.instances import Instances

_BITS = {
    32: "fp32 float32 float tf32",
    16: "fp16 float16 half bf16 bfloat16 bf16-mixed fp16-mixed w16a16",
    8: "fp8 fp8_e4m3 fp8_e5m2 float8 fp8_inc fbgemm_fp8 int8 8bit w8a8 w8a16 mxfp8",
    4: "fp4 int4 4bit w4a16 w4a8 awq awq_marlin gptq gptq_marlin nf4 mxfp4 nvfp4 modelopt_fp4",
}
BITS = {name: bits for bits, names in _BITS.items() for name in names.split()}
"""Width of one value by the names that servers and trainers give it; GPTQ and AWQ are read as
their usual 4 bits."""

_UNSAID = frozenset({None, "", "auto"})
_UNQUANTISED = 16
"""Bits from which on a number is a plain float, and what servers cache unless told otherwise."""


class Sizes(NamedTuple):
    """A model's row: parameters, their published width, a part of ``fit``, and what it lacks."""

    params_m: int | None
    weight_bits: int | None
    shape: dict[str, object]
    missing: tuple[str, ...]


class Models:
    """The catalog's models by id and by other names."""

    def __init__(self, catalog: Table, accelerators: Accelerators, instances: Instances) -> None:
        self._models = {name: _sizes(row) for name, row in table(catalog, "models").items()}
        self._names = table(catalog, "model_names")
        self._accelerators = accelerators
        self._instances = instances
        self.find = functools.lru_cache(maxsize=REMEMBERED)(self._find)

    def _find(self, name: str) -> Sizes | None:
        """The sizes of a model, by its id, an alias, or the last part of a path."""
        lowered = name.lower().rstrip("/")
        last = lowered.rpartition("/")[2]
        for key in (lowered, self._names.get(lowered), last, self._names.get(last)):
            if key is not None and key in self._models:
                return self._models[key]
        return None

    def apply(self, draft: Draft) -> None:
        """Write the inputs of sizing rules into *draft*."""
        state = draft.state
        fit: dict[str, object] = {}
        if draft.accelerators:
            self._add_memory(draft, fit)
            self._add_share_of_copy(draft, fit)
        elif draft.accelerators is None:
            reason = draft.reason("/accelerators") or Reason.UNDECLARED
            draft.hide("/fit/usable_mib", reason)
            draft.hide("/fit/accelerators_per_copy", reason)
        declared = state.model
        if declared.id is not None or declared.params_m is not None:
            self._add_model(draft, fit)
        elif hidden := draft.reason("/model/id"):
            draft.hide("/model/params_m", hidden)
            for name in (*_SHAPE, "weight_bits", "kv_bits"):
                draft.hide(f"/fit/{name}", hidden)
        draft.update["fit"] = _fit(*fit.items()) if fit else _NOTHING

    def _add_model(self, draft: Draft, fit: dict[str, object]) -> None:
        declared = draft.state.model
        sizes = self.find(declared.id) if declared.id is not None else None
        if sizes is None:
            reason = Reason.UNDECLARED if declared.id is None else Reason.NOT_IN_CATALOG
            if declared.params_m is None:
                draft.hide("/model/params_m", reason)
            for name in _SHAPE:
                draft.hide(f"/fit/{name}", reason)
        else:
            self._add_shape(draft, fit, sizes)
        _add_weight_bits(draft, fit, sizes)
        _add_kv_bits(draft, fit)

    def _add_shape(self, draft: Draft, fit: dict[str, object], sizes: Sizes) -> None:
        """The catalog's figures; a declared size may be larger than the catalog's, not smaller."""
        params, declared = sizes.params_m, draft.state.model
        if params is None:
            if declared.params_m is None:
                draft.hide("/model/params_m", Reason.NOT_IN_CATALOG)
        elif declared.params_m is None or declared.params_m < params:
            draft.update["model"] = declared.model_copy(update={"params_m": params})
            draft.learn("/model/params_m", "catalog")
        fit.update(sizes.shape)
        for pointer in sizes.missing:
            draft.hide(pointer, Reason.NOT_IN_CATALOG)
        draft.provenance["/fit"] = "catalog"

    def _add_memory(self, draft: Draft, fit: dict[str, object]) -> None:
        items = draft.accelerators or ()
        if len(items) > 1:
            draft.hide("/fit/usable_mib", Reason.UNDECLARED)
            return
        model = items[0].model
        if model is None:
            reason = draft.reason("/accelerators/0/model") or Reason.UNDECLARED
            draft.hide("/fit/usable_mib", reason)
            return
        usable, is_estimate = self._memory(draft, items[0], self._accelerators.rows[model])
        if usable is None:
            draft.hide("/fit/usable_mib", Reason.NOT_IN_CATALOG)
            return
        fit["usable_mib"], fit["usable_is_estimate"] = usable, is_estimate
        draft.provenance["/fit/usable_mib"] = "catalog"

    def _memory(self, draft: Draft, item: Accelerator, row: Table) -> tuple[int | None, bool]:
        """Usable MiB of one device or slice, and whether it is computed and not read."""
        usable, is_estimate = row["usable_mib"], bool(row["usable_is_estimate"])
        size = self._instances.find(draft.vendor, draft.state.instance_type)
        if size is not None and size["slice"] and size["accelerator"] == item.model:
            return size["usable_mib"], True
        if item.slice is None:
            return (None, False) if item.sharing is Sharing.FRACTION else (usable, is_estimate)
        stated = mib_of(item.slice)
        if stated is not None:
            return (stated if usable is None else min(stated, usable)), False
        part = part_of(item.slice)
        if part is not None:
            return (usable * part[0] // part[1] if usable is not None else None), True
        profile = row["slices"].get(item.slice)
        return (profile["usable_mib"], profile["usable_is_estimate"]) if profile else (None, False)

    def _add_share_of_copy(self, draft: Draft, fit: dict[str, object]) -> None:
        """Accelerators of one copy, where one kind of them is asked for."""
        items, workers = draft.accelerators or (), draft.state.workers_per_copy
        if workers is None:
            reason = draft.reason("/workers_per_copy")
            if reason is not None:
                draft.hide("/fit/accelerators_per_copy", reason)
            return
        if len(items) == 1 and items[0].per_worker is not None:
            fit["accelerators_per_copy"] = times(items[0].per_worker, workers)
            return
        reason = draft.reason("/accelerators/0/per_worker") or Reason.UNDECLARED
        draft.hide("/fit/accelerators_per_copy", reason)


_NOTHING = Fit()
_MIB = "MiB"
_SHAPE = {
    "attention": "attention",
    "attention_heads": "attention_heads",
    "kv_heads": "kv_heads",
    "hidden": "hidden",
    "params_active_m": "active_params_m",
    "layers": "layers",
    "max_context_tokens": "max_context",
    "kv_values_per_token": "kv_values_per_token",
    "kv_is_upper_bound": "kv_is_upper_bound",
    "window_tokens": "window_tokens",
    "window_kv_values_per_token": "window_kv_values_per_token",
}
"""Field of ``fit`` by column of the catalog."""


@functools.lru_cache(maxsize=REMEMBERED)
def _fit(*fields: tuple[str, object]) -> Fit:
    return Fit.model_validate(dict(fields))


def _sizes(row: Table) -> Sizes:
    shape = {name: row[column] for name, column in _SHAPE.items()}
    missing = tuple(f"/fit/{name}" for name, value in shape.items() if value is None)
    return Sizes(row["params_m"], row["weight_bits"], shape, missing)


def mib_of(text: str) -> int | None:
    """The memory that ``3000MiB`` states, as sharing by memory does; ``None`` for anything else."""
    number = text.removesuffix(_MIB)
    if number == text or not number.isascii() or not number.isdecimal() or len(number) > 9:
        return None
    return int(number)


def part_of(text: str) -> tuple[int, int] | None:
    """The share that ``1/8`` states; ``None`` for anything else, such as a MIG profile."""
    upper, slash, lower = text.partition("/")
    if not slash or not _is_number(upper) or not _is_number(lower) or int(lower) == 0:
        return None
    return int(upper), int(lower)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 4


def _add_weight_bits(draft: Draft, fit: dict[str, object], sizes: Sizes | None) -> None:
    """The width of a weight; of a model that nobody describes it is not assumed."""
    bits, source = _weight_bits(draft, sizes)
    if bits is not None:
        fit["weight_bits"] = bits
        draft.provenance["/fit/weight_bits"] = source
        return
    nobody_says = sizes is None and draft.state.model.precision in _UNSAID
    reason = Reason.UNDECLARED if nobody_says else Reason.NOT_IN_CATALOG
    draft.hide("/fit/weight_bits", draft.reason("/model/precision") or reason)


def _weight_bits(draft: Draft, sizes: Sizes | None) -> tuple[int | None, str]:
    declared = draft.state.model
    published, source = _bits_in_name(declared.id), "inferred:model_id"
    if published is None and sizes is not None and draft.reason("/model/precision") is None:
        published, source = sizes.weight_bits, "catalog"
    if declared.precision in _UNSAID:
        return published, source
    stated = BITS.get(str(declared.precision).lower())
    if (
        stated is not None
        and published is not None
        and published < _UNQUANTISED <= stated
        and draft.provenance.get("/model/precision", "").startswith("inferred:")
    ):
        # `--dtype bfloat16` of a server is what it computes in: it unpacks no quantised checkpoint.
        return published, source
    return stated, "catalog"


def _add_kv_bits(draft: Draft, fit: dict[str, object]) -> None:
    precision, hidden = draft.state.model.kv_precision, draft.reason("/model/kv_precision")
    if precision not in _UNSAID:
        bits, source = BITS.get(str(precision).lower()), "catalog"
    else:
        bits, source = (_UNQUANTISED if hidden is None else None), "default"
    if bits is not None:
        fit["kv_bits"] = bits
        draft.provenance["/fit/kv_bits"] = source
    else:
        draft.hide("/fit/kv_bits", hidden or Reason.NOT_IN_CATALOG)


@functools.lru_cache(maxsize=REMEMBERED)
def _bits_in_name(model: str | None) -> int | None:
    """Bits that a checkpoint's own name states, as in ``Llama-3.1-70B-Instruct-FP8``."""
    if model is None:
        return None
    words = model.rpartition("/")[2].lower().replace(".", "-").split("-")
    return min((bits for word in words if (bits := BITS.get(word))), default=None)
