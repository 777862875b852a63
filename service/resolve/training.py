"""Names by which rules look up how a model is trained, in the one spelling that rules know."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from service.resolve.draft import Draft


def apply(draft: Draft) -> None:
    """Write the optimizer and the precision of *draft* in lower case, as rules compare texts.

    The words of an optimizer are joined by ``_``: ``AdamW-8bit`` and ``adamw_8bit`` are one.
    """
    model = draft.update.get("model", draft.state.model)
    if model.optimizer is None and model.precision is None:
        return
    changed = {}
    if model.optimizer is not None:
        changed["optimizer"] = model.optimizer.strip().lower().replace("-", "_").replace(" ", "_")
    if model.precision is not None:
        changed["precision"] = model.precision.strip().lower()
    if any(getattr(model, name) != value for name, value in changed.items()):
        draft.update["model"] = model.model_copy(update=changed)
