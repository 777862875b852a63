from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.kubernetes.selectors import NOTHING, Attribute, Facts, read_selectors

PRODUCT = Attribute("gpu.nvidia.com", "productName")
IS_T4 = "device.attributes['gpu.nvidia.com'].productName == 'Tesla T4'"


def facts(*expressions: Any) -> Facts:
    return read_selectors({"selectors": [{"cel": {"expression": one}} for one in expressions]})


@pytest.mark.parametrize(
    "expression",
    [
        IS_T4,
        'device.attributes["gpu.nvidia.com"].productName == "Tesla T4"',
        'device.attributes["gpu.nvidia.com"]["productName"] == "Tesla T4"',
        "'Tesla T4' == device.attributes['gpu.nvidia.com'].productName",
        f"({IS_T4})",
        f"device.driver == 'gpu.nvidia.com' && ({IS_T4} && true)",
        f"{IS_T4}\n  && device.capacity['gpu.nvidia.com'].memory.isGreaterThan(quantity('4Gi'))",
        f"{IS_T4} && (false || true) && [1, 2].exists(x, x == 1 || x == 2)",
        f"{IS_T4} && device.attributes['gpu.nvidia.com'].uuid != '(&& ||'",
    ],
)
def test_a_part_of_a_conjunction_holds_for_every_device(expression: str) -> None:
    found = facts(expression)

    assert found.texts[PRODUCT] == "Tesla T4"
    assert found.domain == "gpu.nvidia.com"


@pytest.mark.parametrize(
    "expression",
    [
        f"{IS_T4} || true",
        f"true || {IS_T4}",
        f"{IS_T4} && false || true",
        f"{IS_T4} ? true : true",
        f"true ? true : {IS_T4}",
        f"!({IS_T4})",
        f"({IS_T4}) == false",
        f"{IS_T4} == false",
        f"({IS_T4}) || (true)",
        f"{IS_T4} // \n || true",
        f'{IS_T4} && """ || true',
        f"{IS_T4} && 'it\\'s' != ' || true'",
        f"{IS_T4} && (true",
        f"{IS_T4} && 'true",
        f"{IS_T4}) || (true",
        f") && {IS_T4} && (",
        f"(]{IS_T4}()",
        "device.attributes['gpu.nvidia.com'].productName != 'Tesla T4'",
        "device.attributes['gpu.nvidia.com'].productName.contains('T4')",
        "device.attributes['gpu.nvidia.com'].productName.lowerAscii().matches('^.*a100.*$')",
        "device.attributes['gpu.nvidia.com'].productName in ['Tesla T4', 'NVIDIA L4']",
        "device.attributes['gpu.nvidia.com'].productName == ''",
        f"device.attributes['gpu.nvidia.com'].productName == '{'x' * 65}'",
        "device.attributes['gpu.nvidia.com'].productName == 'Tesla\u0007T4'",
        "(" * 9 + IS_T4 + ")" * 9,
        f"{IS_T4} && {'true && ' * 300} true",
    ],
)
def test_nothing_is_believed_of_anything_else(expression: str) -> None:
    assert facts(expression) == NOTHING


def test_selectors_hold_together_and_may_exclude_each_other() -> None:
    other = IS_T4.replace("Tesla T4", "NVIDIA L4")
    profile = "device.attributes['gpu.nvidia.com'].profile == '1g.5gb'"

    assert facts(IS_T4, profile).of("gpu.nvidia.com") == {
        "productName": "Tesla T4",
        "profile": "1g.5gb",
    }
    assert facts(IS_T4, other, profile).of("gpu.nvidia.com") == {"profile": "1g.5gb"}
    assert facts(IS_T4, other, IS_T4).of("gpu.nvidia.com") == {}
    assert facts(IS_T4, None, "").of("gpu.nvidia.com") == {"productName": "Tesla T4"}


def test_the_domain_of_attributes_is_no_statement_about_the_driver() -> None:
    standard = "device.attributes['resource.kubernetes.io'].pcieRoot == 'pci0000:00'"
    foreign = "device.attributes['dra.net'].ifName == 'eth1'"

    assert (facts(IS_T4, standard).domain, facts(IS_T4).driver) == ("gpu.nvidia.com", None)
    assert facts(IS_T4, foreign).domain is None
    assert facts("device.driver == 'dra.net'", IS_T4).driver == "dra.net"
    assert facts("device.driver == 'dra.net'", "'x' == device.driver").driver is None


@given(st.text(alphabet="()[]{}'\"&|?:!=\\/. \nadevic1", max_size=60))
def test_any_text_is_read_and_an_alternative_is_never_believed(noise: str) -> None:
    facts(noise)

    assert facts(f"({IS_T4}) || ({noise})") == NOTHING


@given(st.permutations([IS_T4, "true", "(1 < 2 || false)", "device.driver == 'gpu.nvidia.com'"]))
def test_the_order_of_a_conjunction_does_not_matter(parts: list[str]) -> None:
    assert facts(" && ".join(parts)) == facts(IS_T4, "device.driver == 'gpu.nvidia.com'")
