"""What the policy author's guide shows is what the example holds and what METADATA may say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from service.bundle import metadata
from service.bundle.builtins import ALLOWED

ROOT = Path(__file__).resolve().parents[3]
GUIDE = (ROOT / "docs" / "policy-authors-guide.md").read_text(encoding="utf-8")
EXAMPLE = ROOT / "examples" / "bundle-with-own-rule"
SHOWN = re.findall(r"^```rego\n(.*?)^```$", GUIDE, re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("shown", SHOWN)
def test_every_rego_on_the_page_is_in_the_example(shown: str) -> None:
    assert any(shown in path.read_text(encoding="utf-8") for path in EXAMPLE.rglob("*.rego"))


def test_the_parameters_on_the_page_are_those_of_the_example() -> None:
    own = (EXAMPLE / "org" / "own.yaml").read_text(encoding="utf-8")
    shown = re.search(r"^```yaml\n(own:.*?)^```$", GUIDE, re.DOTALL | re.MULTILINE)

    assert shown
    assert own.endswith(shown[1])


def test_every_key_of_metadata_is_explained() -> None:
    for key in metadata._CUSTOM - {"deprecated", "needs"}:
        assert re.search(rf"^\| [^|]*`{key}`", GUIDE, re.MULTILINE), key


def test_every_file_that_the_page_names_exists() -> None:
    for target in re.findall(r"\]\(([^)#h][^)#]*)\)", GUIDE):
        assert (ROOT / "docs" / target).exists(), target
    for path in re.findall(r"(?:examples|policies)/[\w./-]+", GUIDE):
        inside = (EXAMPLE / path).exists() or "…" in path
        assert (ROOT / path).exists() or inside, path


def test_helpers_on_the_page_are_functions_of_the_library() -> None:
    for library, name in re.findall(r"`(\w+)\.(\w+)\([a-z, ]+\)`", GUIDE):
        source = (ROOT / "policies" / "lib" / f"{library}.rego").read_text(encoding="utf-8")
        assert re.search(rf"^{name}\(", source, re.MULTILINE), f"{library}.{name}"
    assert "object.get" in ALLOWED
