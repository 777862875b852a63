"""What every route needs, put together once by the composition root."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import Request

from adapters.kubernetes.view import UNWATCHED, ClusterView
from service.api.auth import Caller, CallerRole, Gate
from service.api.clients import certificate_of
from service.break_glass import BreakGlassDesk
from service.log.query import DecisionReader
from service.pipeline import Pipeline


@dataclass(frozen=True)
class Limits:
    """Bounds on what comes in: bytes of a body, seconds of a decision."""

    review_bytes: int
    plan_bytes: int
    deadline_seconds: float
    margin_seconds: float


@dataclass(frozen=True)
class Service:
    """A running service.

    Attributes:
        pipeline: Decides and records.
        gate: Knows who may speak.
        reader: Answers questions about the log.
        desk: Opens break-glass and ends it.
        limits: Bounds on what comes in.
        cluster: The cluster that is watched, if one is; ``None`` is the one that has no name.
        view: What is known of that cluster.
    """

    pipeline: Pipeline
    gate: Gate
    reader: DecisionReader
    desk: BreakGlassDesk
    limits: Limits
    cluster: str | None = None
    view: ClusterView = UNWATCHED

    def view_of(self, cluster: str | None) -> ClusterView:
        """What is known of *cluster*; nothing of any but the one that is watched."""
        return self.view if cluster == self.cluster else UNWATCHED


def service_of(request: Request) -> Service:
    """The service behind *request*."""
    service: Service = request.app.state.service
    return service


def caller_of(request: Request, role: CallerRole) -> Caller:
    """Who sends *request*, by token or certificate.

    Raises:
        NotAllowed: It is nobody who is known, or somebody without *role*.
    """
    gate = service_of(request).gate
    return gate.require(request.headers.get("authorization"), role, certificate_of(request))


async def is_ready(service: Service) -> dict[str, bool]:
    """Each part and whether it could take a request now."""
    return {
        "engine": await service.pipeline.engine.ready(),
        "log": await service.pipeline.log.ready(),
    }
