"""What the organisation sets for the rules about where data may be."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from service.model.base import Day, Text, Value
from service.model.resource import Asset

Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]


class AllowedPlaces(Value):
    """Places where data may be: in any of these jurisdictions or countries.

    One that lists neither allows any place. Jurisdictions are those of the catalog, countries are
    two capital letters (ISO 3166-1).
    """

    jurisdictions: tuple[Text, ...] = ()
    countries: tuple[Text, ...] = ()


class AllowedOperators(AllowedPlaces):
    """Where who operates a cloud may be at home.

    The operator's own home and that of its parent both count: a subsidiary in Germany of a company
    in the United States is at home in both. ``accepted`` are operators, by the catalog's names,
    that the organisation has examined and accepts wherever they are at home. One that states
    nothing allows any operator.
    """

    accepted: tuple[Text, ...] = ()


class DataClass(AllowedPlaces):
    """Where data of one class may be, and in whose hands.

    ``assets`` has places of their own for weights, training data, prompts or logs of the class;
    every other asset has those of the class. Where nobody declares which asset it is, the places
    of all have to hold.
    """

    operators: AllowedOperators = AllowedOperators()
    assets: dict[Asset, AllowedPlaces] = {}


class Certificate(Value):
    """An operator meets the condition under which a jurisdiction holds in a country.

    The certification of a company under the EU-US Data Privacy Framework makes the United States
    adequate for it, and for nobody else. ``valid_until`` is the last day (``2027-03-31``, UTC) for
    which the organisation has seen the proof.
    """

    operator: Text
    country: Country
    jurisdiction: Text
    valid_until: Day


class ResidencyParameters(Value):
    """The section ``residency`` of ``org/*.yaml``.

    Attributes:
        accepted_locations: RES-005: classes of data that may be in a location without a single
            country (multi-region, global, logical), by vendor and location as the catalog names
            them. None by default: such a location says nothing about where data is today.
        certified: RES-008: operators that meet the condition of a jurisdiction, such as an
            adequacy decision for certified companies. None by default: whether somebody meets it
            is in no catalog.
    """

    accepted_locations: dict[str, dict[str, tuple[Text, ...]]] = {}
    certified: tuple[Certificate, ...] = Field(default=(), max_length=256)
