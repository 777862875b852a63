"""What the pipeline asks of a policy engine."""

from __future__ import annotations

from typing import Protocol

from service.model.finding import Finding
from service.model.request import Request


class Engine(Protocol):
    """Evaluates one bundle's rules over resolved requests."""

    @property
    def name(self) -> str:
        """Name and version, as decisions record them."""
        ...

    async def evaluate(
        self, request: Request, *, seconds: float, document: bytes = b""
    ) -> tuple[Finding, ...]:
        """Every finding of the bundle's rules about *request*, each once, in a stable order.

        *document* is the request as JSON, where the caller has it already.

        Raises:
            DeadlineExceeded: No result within *seconds*; names the rule that was running if known.
            EngineUnavailable: No engine could be asked.
            EvaluationFailed: The engine failed, or gave what is no finding; names the rule.
        """
        ...

    async def ready(self) -> bool:
        """Whether a request would be evaluated now."""
        ...

    async def close(self) -> None:
        """Release processes and connections; the engine is not used afterwards."""
        ...
