"""What the organisation sets for the rules about vendors, regions and lock-in."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from service.model.base import Count, Day, Text, Value

Percent = Annotated[int, Field(ge=1, le=100)]


class Share(Value):
    """The largest share that one vendor may have, in percent; ``None`` is no limit.

    ``organisation`` is about everything that the table ``usage`` lists, ``default`` and ``teams``
    about what it lists for one team.
    """

    organisation: Percent | None = None
    default: Percent | None = None
    teams: dict[str, Percent | None] = {}


class Concentration(Value):
    """How much of what is taken may be with one vendor; judged where ``usage`` is stated.

    ``accelerators`` is about their number, ``spend`` about money. Both have no limit unless one is
    stated: an organisation that has one vendor by choice would be warned of every request. Below
    ``minimum_accelerators``, and below ``minimum_micros_per_hour`` millionths of the currency per
    hour, nothing is judged: whoever takes little is with one vendor for good reasons. 64
    accelerators are eight usual nodes; 100 units an hour are 73,000 a month.
    """

    accelerators: Share = Share()
    spend: Share = Share()
    minimum_accelerators: Count = 64
    minimum_micros_per_hour: Count = 100_000_000


class Evaluation(Value):
    """A vendor on trial: until the end of the day ``until`` (``2027-03-31``, UTC).

    ``max_accelerators`` is the most that may be taken there in all, of each role; ``None`` is no
    such limit.
    """

    until: Day
    max_accelerators: Count | None = None


class VendorParameters(Value):
    """The section ``vendor`` of ``org/*.yaml``; vendors have the names of the catalog.

    Attributes:
        approved: VEN-006: the vendors that may be used; ``None`` is any, which is the default.
            Vendors on trial need not be listed.
        approved_regions: VEN-007: the regions that may be used, by vendor; a vendor that is not
            listed may be used in all of its regions.
        evaluations: VEN-008: vendors on trial.
        training_vendors: VEN-003: where models may be trained; ``None`` is anywhere.
        latency_vendors: VEN-004: where models may be served to people who wait for the answer;
            ``None`` is anywhere.
        accepted_proprietary: VEN-005: accelerators of one vendor only that the organisation
            depends on knowingly, by their ids in the catalog.
        concentration: VEN-001 and VEN-002.
    """

    approved: tuple[Text, ...] | None = None
    approved_regions: dict[str, tuple[Text, ...]] = {}
    evaluations: dict[str, Evaluation] = {}
    training_vendors: tuple[Text, ...] | None = None
    latency_vendors: tuple[Text, ...] | None = None
    accepted_proprietary: tuple[Text, ...] = ()
    concentration: Concentration = Concentration()
