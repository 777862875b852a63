"""What the organisation sets for the rules about money."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from service.model.base import Count, Limit, Value
from service.model.resource import Purpose


class BudgetParameters(Value):
    """The section ``budget`` of ``org/*.yaml``.

    Amounts are in millionths of ``limits.currency``; a month has 730 hours; ``None`` is no limit.

    Attributes:
        monthly_micros: What all that a team takes in one role may cost per month (BUD-003).
        spot_forbidden_purposes: What must not run on capacity that its vendor may take back at any
            moment (BUD-004). Whoever serves answers loses them with the machine; a training run
            or a batch job starts again from where it was saved.
        open_ended_purposes: What ends by nature and should say when (BUD-005).
        open_ended_monthly_micros: From what cost per month on it should say so; the default is
            about that of one small accelerator.
        micros_per_thousand_requests: Target for what is served, by team (BUD-006).
        micros_per_million_tokens: Target for what is served, by team (BUD-007).
        micros_per_training_run: Target for one run, by team (BUD-008).
        mfu_percent: The share of an accelerator's arithmetic that a training run is taken to use
            (model FLOPs utilisation); large runs report 35 to 45.
        saving_percent: From what difference on a cheaper offer is worth a word (BUD-009).
    """

    monthly_micros: Limit = Limit()
    spot_forbidden_purposes: tuple[Purpose, ...] = (Purpose.INFERENCE,)
    open_ended_purposes: tuple[Purpose, ...] = (
        Purpose.PRETRAINING,
        Purpose.FINETUNING,
        Purpose.BATCH,
        Purpose.NOTEBOOK,
        Purpose.DEVELOPMENT,
    )
    open_ended_monthly_micros: Count | None = 1_000_000_000
    micros_per_thousand_requests: Limit = Limit()
    micros_per_million_tokens: Limit = Limit()
    micros_per_training_run: Limit = Limit()
    mfu_percent: Annotated[Count, Field(ge=1, le=100)] = 40
    saving_percent: Annotated[Count, Field(ge=1, le=99)] = 20
