"""A Terraform plan as a ``Request``.

What takes accelerators or holds data becomes a resource with its state before and after; what is
harmless is counted; what might take something and is not understood is listed. Values that
Terraform does not know before the apply keep their path and the reason; values marked sensitive are
dropped here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from adapters.terraform.configuration import Configuration
from adapters.terraform.copies import Copies
from adapters.terraform.draft import Draft
from adapters.terraform.irrelevant import is_irrelevant
from adapters.terraform.machines import read_machines
from adapters.terraform.neighbours import Neighbours
from adapters.terraform.places import read_cluster_place, read_place
from adapters.terraform.plan import Item, Plan, read_plan
from adapters.terraform.stores import read_store
from adapters.terraform.tags import read_tags
from adapters.terraform.types import COVERED, Copying, Covered, Machines, Store
from service.errors import RequestRefused
from service.model.base import Binding, Change, EnforcementPoint, Role, Scope
from service.model.request import NotCovered, Request
from service.model.resource import Resource, ResourceState
from service.model.sensitive import redact_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from adapters.terraform.reading import Attributes
    from service.model.base import Reason

_HINT = "Write the plan with `terraform show -json`."


def normalise_plan(plan: Mapping[str, Any], *, scope: Scope, caller: str, key: str) -> Request:
    """What *plan* asks for, without anything secret.

    *scope* is what the caller knows about where it is applied; Google's project is taken from the
    plan where everything covered lies in the same one.

    Raises:
        RequestRefused: It is no plan, is one that failed, or an attribute that says what is taken
            cannot be read.
    """
    return _Normaliser(read_plan(plan), scope).request(caller, key)


class _Normaliser:
    def __init__(self, plan: Plan, scope: Scope) -> None:
        self._plan = plan
        self._configuration = Configuration(plan)
        self._scope = scope
        self._neighbours = Neighbours(plan, self._configuration)

    def request(self, caller: str, key: str) -> Request:
        """The whole request."""
        covered: list[tuple[Item, Covered]] = []
        not_covered: list[Item] = []
        irrelevant = 0
        for item in self._plan.items:
            how = None if item.is_data else COVERED.get(item.type)
            if how is not None:
                covered.append((item, how))
            elif item.is_data or item.takes_nothing_new or is_irrelevant(item.type):
                irrelevant += 1
            else:
                not_covered.append(item)
        not_covered += [item for item in self._plan.deferred if not is_irrelevant(item.type)]
        try:
            self._scope = self._completed_scope(covered)
            return Request(
                key=key,
                enforcement_point=EnforcementPoint.TERRAFORM,
                operation="plan (partial)" if self._plan.is_partial else "plan",
                binding=Binding.ADVISORY,
                caller=caller,
                scope=self._scope,
                resources=tuple(self._resource(item, how) for item, how in covered),
                not_covered=tuple(
                    NotCovered(address=redact_text(item.address), kind=redact_text(item.type))
                    for item in not_covered
                ),
                irrelevant=irrelevant,
            )
        except ValidationError as error:
            raise _out_of_bounds("the plan", error) from None

    def _resource(self, item: Item, covered: Covered) -> Resource:
        change, order = item.change()
        address = redact_text(item.address)
        after = self._state(item, covered, "after")
        before = self._state(item, covered, "before")
        if change in (Change.DELETE, Change.NO_OP) and after is None:
            after = before
        if after is None:
            raise RequestRefused(
                f"`{address[:256]}` has no values: expected `after`, or `before` of a deletion",
                hint=_HINT,
            )
        if change is Change.UPDATE and before == after:
            change = Change.NO_OP
        where = self._scope.workspace or self._scope.project or "default"
        try:
            return Resource(
                address=address,
                subject=f"terraform/{where}/{address}",
                scope=self._own_scope(item, covered),
                kind=item.type,
                role=Role.CAPACITY,
                change=change,
                replace_order=order,
                before=None if before is None else ResourceState(**before),
                **after,
            )
        except ValidationError as error:
            raise _out_of_bounds(f"`{address[:256]}`", error) from None

    def _state(self, item: Item, covered: Covered, when: str) -> dict[str, Any] | None:
        attributes = self._neighbours.attributes(item, when)
        if attributes is None:
            return None
        draft = Draft()
        try:
            self._read(item, covered, attributes, draft)
        except ValidationError as error:
            raise _out_of_bounds(f"`{redact_text(item.address)[:256]}`", error) from None
        return draft.arguments()

    def _read(self, item: Item, covered: Covered, attributes: Attributes, draft: Draft) -> None:
        if covered.cluster is None:
            read_place(covered, attributes, item, self._configuration, draft)
        else:
            locations = list(self._cluster_locations(item, *covered.cluster))
            read_cluster_place(covered, locations, draft)
        adds = any(
            self._configuration.provider_sets(item, name)
            for name in ("default_tags", "default_labels")
        )
        if isinstance(covered, Copying):
            copies = Copies(covered, self._neighbours, self._configuration)
            copies.read(item, attributes, draft, provider_adds=adds)
            return
        if isinstance(covered, Machines):
            read_machines(covered, attributes, draft)
        elif isinstance(covered, Store):
            read_store(covered, attributes, draft)
        read_tags(attributes, covered.labels, draft, provider_adds=adds)

    def _cluster_locations(
        self, item: Item, attribute: str, kind: str
    ) -> Iterator[tuple[str | None, Reason | None]]:
        for cluster in self._neighbours.referred(item, (attribute,), kind):
            attributes = self._neighbours.state(cluster)
            if attributes is not None:
                yield attributes.text(("location",))

    def _own_scope(self, item: Item, covered: Covered) -> Scope | None:
        """The scope of one resource, where its Google project is not that of the request."""
        if covered.vendor != "gcp" or self._scope.project is not None:
            return None
        project = self._project(item)
        return None if project is None else self._scope.model_copy(update={"project": project})

    def _project(self, item: Item) -> str | None:
        attributes = self._neighbours.state(item)
        return None if attributes is None else attributes.text(("project",)).value

    def _completed_scope(self, covered: list[tuple[Item, Covered]]) -> Scope:
        """The scope with Google's project, where everything covered lies in the same one."""
        if self._scope.project is not None or any(how.vendor != "gcp" for _, how in covered):
            return self._scope
        projects = {self._project(item) for item, _ in covered}
        project = projects.pop() if len(projects) == 1 else None
        if project is None:
            return self._scope
        return Scope(**{**self._scope.model_dump(), "project": project})


def _out_of_bounds(what: str, error: ValidationError) -> RequestRefused:
    """The error for a number or text beyond what the model holds; it does not show the value."""
    where = ".".join(str(part) for part in error.errors(include_input=False)[0]["loc"])
    return RequestRefused(
        f"{what} holds a value beyond what can be decided about: `{where[:128]}`", hint=_HINT
    )
