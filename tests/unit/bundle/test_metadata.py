"""METADATA and what rules report have to agree, in every word a person reads."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from service.bundle.annotations import read_annotations
from service.bundle.values import Bundle
from service.errors import BundleRefused

SIZE = "policies/rules/gpu/size/size.rego"
CHANGE = "policies/rules/budget/change/change.rego"

Assembled = Callable[..., Bundle]


@pytest.fixture
def refused(sources: dict[str, str], assembled: Assembled) -> Callable[..., str]:
    def refuse(old: str, new: str) -> str:
        assert old in sources[SIZE]
        with pytest.raises(BundleRefused) as caught:
            assembled({**sources, SIZE: sources[SIZE].replace(old, new)})
        return caught.value.message

    return refuse


def test_rulebook_holds_what_metadata_says(sources: dict[str, str], assembled: Assembled) -> None:
    sources[SIZE] = (
        sources[SIZE]
        .replace(
            "#   severity: high\n",
            "#   severity: high\n#   fields: [accelerators]\n#   adapters: [kubernetes]\n"
            '#   tables: [org.limits]\n#   undetermined: "`{resource}`: {missing}"\n',
        )
        .replace(
            "# custom:\n",
            "# related_resources:\n#   - ref: https://example.com/a\n"
            "#   - https://example.com/b\n# custom:\n",
        )
    )
    rule = assembled(sources).rulebook["GPU-901"]
    assert rule.model_dump(mode="json") == {
        "code": "GPU-901",
        "title": "Resource stays small",
        "description": "A rule for tests.",
        "severity": "high",
        "message": "`{resource}` takes {asked}; {limit} are allowed",
        "remedy": "Ask for {limit} at most.",
        "undetermined": "`{resource}`: {missing}",
        "package": "policies.rules.gpu.size",
        "domain": "gpu",
        "references": ["https://example.com/a", "https://example.com/b"],
        "fields": ["accelerators"],
        "tables": ["org.limits"],
        "adapters": ["kubernetes"],
        "reads_request": False,
        "mode": "enforce",
        "off_because": "",
        "deprecated": False,
    }


@pytest.mark.parametrize("name", ["code", "severity", "message", "remedy", "title"])
def test_missing_metadata_is_refused(
    sources: dict[str, str], assembled: Assembled, name: str
) -> None:
    text = sources[SIZE]
    start = text.rindex("# METADATA")
    lines = text[start:].splitlines(keepends=True)
    kept = [line for line in lines if not line.lstrip("# ").startswith(f"{name}:")]
    sources[SIZE] = text[:start] + "".join(kept)
    with pytest.raises(BundleRefused) as caught:
        assembled(sources)
    assert caught.value.message == f"{SIZE}:7: METADATA of a rule lacks `{name}`"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("severity: high", "severity: huge", ":7: METADATA of `GPU-901`: `huge` at `/severity`: "),
        ("severity: high", "severty: high", ":7: METADATA of a rule lacks `severity`"),
        ("  severity: high", "  severity: high\n#   sverity: low", "the unknown key `sverity`"),
        ("# title: Resource", "# name: a\n# title: Resource", "the key `name`, which OPA does not"),
        ("code: GPU-901", "code: gpu-901", ":7: the code `gpu-901` is not of a rule"),
        ("code: GPU-901", "code: SYS-001", ":7: the code `SYS-001` is not of a rule"),
        ("code: GPU-901", "code: COV-002", ":7: the code `COV-002` is not of a rule"),
        ("# custom:", "# custom: 3\n# organizations:", ":7: `custom` is not a mapping"),
        ("{limit} at most", "{allowed} at most", "`remedy` of `GPU-901` has the placeholder `all"),
        ("takes {asked}", "takes {most}", "the placeholder `most`, expected one of `asked`"),
        ("takes {asked}", "takes {asked", "`message` of `GPU-901` has a brace that"),
        ("takes {asked}", "takes {asked.max}", "`message` of `GPU-901` has a brace that"),
        ("severity: high", "severity: high\n#   undetermined: '{a}'", "`undetermined` of `GPU-9"),
        ("severity: high", "severity: 1.5", "the fraction `1.5` is not allowed"),
        ("severity: high", "severity: [", "METADATA, line "),
        ("severity: high", "severity: high\n#   severity: low", "the key `severity` is there twi"),
        ("# title: Size", "# scope: module", "METADATA has the scope `module`, expected one of"),
        ("# title: Size\n", "", ":1: METADATA is empty"),
    ],
)  # fmt: skip
def test_metadata_that_is_wrong_is_refused(
    refused: Callable[..., str], old: str, new: str, said: str
) -> None:
    message = refused(old, new)
    assert said in message
    assert message.startswith(SIZE)


def test_reported_code_needs_metadata(refused: Callable[..., str]) -> None:
    message = refused('"code": "GPU-901", "resource": resource.address, "und', '"code": "GPU-902", '
                      '"resource": resource.address, "und')  # fmt: skip
    assert message == (
        f"{SIZE}:24: the rule reports `GPU-902`, which no METADATA of its package describes"
    )


def test_metadata_needs_a_rule_that_reports_its_code(
    sources: dict[str, str], assembled: Assembled
) -> None:
    extra = sources[SIZE][sources[SIZE].rindex("# METADATA") :].partition("deny contains")[0]
    sources[SIZE] += (
        "\n"
        + extra.replace("GPU-901", "GPU-902")
        + (
            'deny contains {"code": "GPU-901", "resource": resource.address, "facts": facts} if {\n'
            "\tsome resource in input.resources\n"
            '\tfacts := {"asked": 1, "limit": 2}\n\tcounts.total(resource) > 90\n}\n'
        )
    )
    with pytest.raises(BundleRefused, match="METADATA describes `GPU-902`, which no rule reports"):
        assembled(sources)


def test_retired_code_keeps_its_metadata(sources: dict[str, str], assembled: Assembled) -> None:
    extra = sources[SIZE][sources[SIZE].rindex("# METADATA") :].partition("deny contains")[0]
    retired = extra.replace("GPU-901", "GPU-900").replace("high\n", "high\n#   deprecated: true\n")
    sources[SIZE] += f"\n{retired}retired := true\n"
    bundle = assembled(sources)
    assert bundle.rulebook["GPU-900"].deprecated
    with pytest.raises(BundleRefused, match="`GPU-900` is annotated on `retired`, expected `deny`"):
        assembled({**sources, SIZE: sources[SIZE].replace("#   deprecated: true\n", "")})


def test_duplicate_code_is_refused(sources: dict[str, str], assembled: Assembled) -> None:
    other = "policies/rules/gpu/other/other.rego"
    sources[other] = sources[SIZE].replace("package policies.rules.gpu.size", "package "
                                           "policies.rules.gpu.other")  # fmt: skip
    with pytest.raises(BundleRefused) as caught:
        assembled(sources)
    assert caught.value.message == (
        f"{SIZE}:7: the code `GPU-901` is there twice, first at `{other}:7`"
    )


@pytest.mark.parametrize(
    "head",
    [
        "deny contains finding if {\n\tfinding := {}\n",
        'deny contains {"code": resource.kind, "resource": "a", "facts": {}} if {\n',
        'deny contains {"code": "GPU-901", "facts": {}} if {\n',
        'deny contains {"code": "GPU-901", "resource": "a"} if {\n',
        'deny contains {"code": "GPU-901", "resource": "a", "facts": {}, "msg": "a"} if {\n',
        'deny contains "GPU-901" if {\n',
        'deny := {"code": "GPU-901", "resource": "a", "facts": {}} if {\n',
    ],
)
def test_deny_that_reports_something_else_is_refused(
    sources: dict[str, str], assembled: Assembled, head: str
) -> None:
    sources[SIZE] = (
        "package policies.rules.gpu.size\n\n" + head + "\tsome resource in input.resources\n}\n"
    )
    with pytest.raises(BundleRefused, match=f"{SIZE}:3: `deny` reports something other than"):
        assembled(sources)


def test_rule_about_the_request_states_what_it_reads(
    sources: dict[str, str], assembled: Assembled, project: object
) -> None:
    assert project
    sources[CHANGE] = sources[CHANGE].replace("#   reads: [context.totals]\n", "")
    with pytest.raises(BundleRefused, match="`BUD-901` reports no resource, but its METADATA does"):
        assembled(sources)


def test_rule_about_resources_does_not(refused: Callable[..., str]) -> None:
    message = refused("severity: high", "severity: high\n#   reads: [context.totals]")
    assert "`GPU-901` reports a resource, but its METADATA states `reads`" in message


def test_package_is_about_resources_or_about_the_request(
    sources: dict[str, str], assembled: Assembled, project: object
) -> None:
    assert project
    change = sources.pop(CHANGE)
    sources[SIZE] += change[change.index("# METADATA") :]
    with pytest.raises(BundleRefused, match="has rules about resources and about the request"):
        assembled(sources)


def test_no_rules_are_refused(sources: dict[str, str], assembled: Assembled) -> None:
    del sources[SIZE]
    with pytest.raises(BundleRefused, match="the bundle has no rules: nothing would ever be ref"):
        assembled(sources)
    with pytest.raises(BundleRefused, match="the bundle has no rules"):
        assembled({})


def test_package_without_deny_is_a_helper(sources: dict[str, str], assembled: Assembled) -> None:
    sources["policies/rules/gpu/names/names.rego"] = (
        "package policies.rules.gpu.names\n\nnames := {1}\n"
    )
    bundle = assembled(sources)
    assert "policies/rules/gpu/names/names.rego" in bundle.modules
    assert "gpu.names" not in bundle.modules["portreeve/entry.rego"]


@pytest.mark.parametrize(
    "facts",
    [
        'object.union({"asked": asked}, {"limit": limit})',
        "counts.facts(asked, limit)",
    ],
)
def test_facts_are_followed_through_helpers(
    sources: dict[str, str], assembled: Assembled, facts: str
) -> None:
    sources["policies/lib/counts.rego"] += (
        '\nfacts(a, b) := {"asked": a, "limit": b} if a > 1\n'
        '\nfacts(a, b) := found if {\n\ta <= 1\n\tfound := {"asked": a, "limit": b, "more": 1}\n}\n'
    )
    literal = '{"asked": asked, "limit": limit}'
    changed = sources[SIZE].replace(literal, facts)
    assert assembled({**sources, SIZE: changed})
    with pytest.raises(BundleRefused, match="has the placeholder `more`"):
        assembled({**sources, SIZE: changed.replace("takes {asked}", "takes {more}")})


def test_facts_that_cannot_be_told_are_not_checked(
    sources: dict[str, str], assembled: Assembled
) -> None:
    literal = 'facts := {"asked": asked, "limit": limit}'
    computed = 'facts := {name: 1 | some name in ["asked", "limit"]}'
    assert assembled({**sources, SIZE: sources[SIZE].replace(literal, computed)})


def test_annotations_know_their_scope_and_target() -> None:
    text = (
        "# METADATA\n# title: A\npackage policies.a\n\n# METADATA\n# scope: document\n"
        "# title: B\n\n# another comment\ndefault allowed := false"
        "\n#METADATA\n#title: C\nx if y\n"
    )
    found = [(one.line, one.scope, one.target) for one in read_annotations("a.rego", text)]
    assert found == [(1, "package", ""), (5, "document", "allowed"), (11, "rule", "x")]


def test_annotation_at_the_end_is_refused() -> None:
    with pytest.raises(BundleRefused, match="METADATA is followed by neither"):
        list(read_annotations("a.rego", "# METADATA\n# title: A\n"))
