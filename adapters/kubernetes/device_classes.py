"""What the devices of a DeviceClass are.

``device_classes.csv`` lists the classes that drivers bring, and the drivers themselves for classes
that an administrator defines. A class of neither kind counts as accelerators, so that nothing is
taken unseen.
"""

from __future__ import annotations

import csv
import re
from functools import lru_cache
from importlib import resources
from typing import Any, NamedTuple

from adapters.kubernetes.devices import DEVICE, Device, looks_like_accelerator
from adapters.kubernetes.payload import mapping
from adapters.kubernetes.quantities import mebibytes, whole
from adapters.kubernetes.selectors import Facts
from service.model.resource import Sharing

_TYPES = {
    ("gpu.nvidia.com", "gpu"): Sharing.WHOLE,
    ("gpu.nvidia.com", "vfio"): Sharing.WHOLE,
    ("gpu.nvidia.com", "mig"): Sharing.MIG,
    ("gpu.amd.com", "amdgpu"): Sharing.WHOLE,
    ("gpu.amd.com", "amdgpu-partition"): Sharing.FRACTION,
    ("gpu.intel.com", "gpu"): Sharing.WHOLE,
    ("gpu.intel.com", "vf"): Sharing.FRACTION,
}
"""What ``type`` says of a device, by driver; where drivers document it, see the table's sources."""

_NVIDIA, _AMD, _NEURON = "gpu.nvidia.com", "gpu.amd.com", "neuron.aws.com"
_WHOLE_ON_AMD = "spx"
_PERCENT = "/100"


class DeviceClass(NamedTuple):
    """A row of the table.

    Attributes:
        driver: Whose devices they are, which is the domain of their attributes.
        device: What each is.
        products: Attributes that name the product, each with the form of a product's label.
        spaces: What labels have where the driver has spaces in a product.
    """

    driver: str | None
    device: Device
    products: tuple[tuple[str, str], ...] = ()
    spaces: str = " "


class Described(NamedTuple):
    """What each device of a request is, and whether anything is known of its class."""

    device: Device
    is_listed: bool


_UNLISTED = DeviceClass(None, Device(DEVICE))


def describe_devices(name: str, facts: Facts, request: dict[str, Any]) -> Described:
    """The devices of the class *name* of which *facts* hold, as *request* asks for them.

    Raises:
        RequestRefused: The capacities of *request* are no quantities by name.
    """
    listed = _listed(name, facts)
    if listed is None:
        return Described(_UNLISTED.device, looks_like_accelerator(name))
    attributes = facts.of(listed.driver)
    device = listed.device
    if device.counts != DEVICE:
        return Described(device, is_listed=True)
    sharing, part = _division(listed, attributes)
    capacities = mapping(mapping(request, "capacity"), "requests")
    if capacities:
        sharing, part = _share(sharing, part, capacities, listed.driver)
    instance_type = attributes.get("instanceType") if listed.driver == _NEURON else None
    device = device._replace(
        sharing=sharing,
        slice=part,
        product=_product(listed, attributes),
        instance_type=instance_type,
    )
    return Described(device, is_listed=True)


def _listed(name: str, facts: Facts) -> DeviceClass | None:
    """What is known of a class; a driver that is stated is believed before the class's name.

    A device may have attributes in any domain, so that a domain alone never says that a class is
    none of accelerators.
    """
    by_name, by_driver = _of_class(name), _of_driver(facts.driver)
    if by_name is None or (by_driver is not None and by_driver.driver != by_name.driver):
        by_name = by_driver
    if by_name is None:
        likely = _of_driver(facts.domain)
        return likely if likely is not None and likely.device.counts == DEVICE else None
    return by_name


def _division(listed: DeviceClass, attributes: dict[str, str]) -> tuple[Sharing | None, str | None]:
    """How a device is divided and which part of it is meant, as its attributes say."""
    driver = listed.driver or ""
    sharing = _TYPES.get((driver, attributes.get("type", "")), listed.device.sharing)
    if driver == _NVIDIA and (profile := attributes.get("profile")):
        return Sharing.MIG, profile
    if driver == _AMD and (profile := _amd_profile(attributes)):
        if profile.startswith(_WHOLE_ON_AMD):
            return Sharing.WHOLE, None
        return Sharing.FRACTION, profile if "_" in profile else None
    return sharing, None


def _amd_profile(attributes: dict[str, str]) -> str | None:
    """``cpx_nps4``, whichever way it is stated; ``cpx`` where the memory mode is not."""
    if profile := attributes.get("partitionProfile"):
        return profile
    modes = [attributes.get("computePartition"), attributes.get("memoryPartition")]
    return "_".join(filter(None, modes)) if modes[0] else None


def _share(
    sharing: Sharing | None, part: str | None, capacities: dict[str, Any], driver: str | None
) -> tuple[Sharing | None, str | None]:
    """The part of a device that has *capacities*.

    A driver that shares its devices gives no more than is asked for. Of any other a capacity is
    only what a device must have: which of both holds, the driver's configuration says
    (``CapacityRequirements`` in k8s.io/api/resource/v1).
    """
    if sharing is Sharing.WHOLE:
        return None, None
    if sharing is not Sharing.FRACTION or part is not None:
        return sharing, part
    memory = mebibytes(capacities.get("memory", capacities.get(f"{driver}/memory")))
    if memory:
        return sharing, f"{memory}MiB"
    cores = whole(capacities.get("cores", capacities.get(f"{driver}/cores")))
    return sharing, f"{cores}{_PERCENT}" if cores else None


def _product(listed: DeviceClass, attributes: dict[str, str]) -> str | None:
    for attribute, form in listed.products:
        if value := attributes.get(attribute):
            return form.replace("{}", value.replace(" ", listed.spaces))
    return None


@lru_cache(maxsize=1024)
def _of_class(name: str) -> DeviceClass | None:
    return next((row for pattern, row in _rows() if pattern.fullmatch(name)), None)


@lru_cache(maxsize=1024)
def _of_driver(driver: str | None) -> DeviceClass | None:
    """What is known of a driver's devices, whichever kind of them it is."""
    if driver is None:
        return None
    found = [row for _, row in _rows() if row.driver == driver]
    if not found:
        return None
    sharings = {row.device.sharing for row in found}
    sharing = sharings.pop() if len(sharings) == 1 else None
    return found[0]._replace(device=found[0].device._replace(sharing=sharing))


@lru_cache(maxsize=1)
def _rows() -> tuple[tuple[re.Pattern[str], DeviceClass], ...]:
    table = resources.files(__package__).joinpath("device_classes.csv").read_text("utf-8")
    return tuple(_row(row) for row in csv.DictReader(table.splitlines()))


def _row(row: dict[str, str]) -> tuple[re.Pattern[str], DeviceClass]:
    products = [item.partition("=") for item in row["products"].split(";") if item]
    sharing = Sharing(row["sharing"]) if row["sharing"] else None
    device = Device(row["counts"], row["manufacturer"] or None, sharing)
    return re.compile(re.escape(row["class"]).replace(r"\*", "(.+)")), DeviceClass(
        row["driver"] or None,
        device,
        tuple((attribute, form or "{}") for attribute, _, form in products),
        row["spaces"] or " ",
    )
