"""Each idiom on which engines disagree, and each way to report wrongly, is refused by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from service.bundle.compiling import CompileLimits
from service.bundle.values import Bundle
from service.errors import BundleRefused

SIZE = "policies/rules/gpu/size/size.rego"
COUNTS = "policies/lib/counts.rego"
LINE = "\tcounts.known(resource)\n"

Assembled = Callable[..., Bundle]


@pytest.fixture
def refused(sources: dict[str, str], assembled: Assembled) -> Callable[..., BundleRefused]:
    """What is said of the bundle after one replacement in one of its modules."""

    def refuse(old: str, new: str, *, path: str = SIZE, **more: Any) -> BundleRefused:
        assert old in sources[path]
        changed = {**sources, path: sources[path].replace(old, new, 1)}
        with pytest.raises(BundleRefused) as caught:
            assembled(changed, **more)
        return caught.value

    return refuse


def test_unbroken_bundle_is_accepted(sources: dict[str, str], assembled: Assembled) -> None:
    bundle = assembled(sources)
    assert list(bundle.rulebook) == ["GPU-901"]
    assert "data.policies.rules.gpu.size.deny" in bundle.modules["portreeve/entry.rego"]
    assert "request_findings := set()" in bundle.modules["portreeve/entry.rego"]


@pytest.mark.parametrize(
    "call",
    [
        'http.send({"method": "get", "url": "http://localhost"})',
        "opa.runtime()",
        "time.now_ns()",
        'rand.intn("a", 3)',
        'uuid.rfc4122("a")',
        'io.jwt.decode("a")',
        'net.lookup_ip_addr("a")',
        'trace("a")',
        "print(resource)",
        'to_number("1")',
        'lower("A")',
        'regex.match("a", "b")',
        "walk(resource)",
        "rego.metadata.rule()",
    ],
)
def test_builtin_outside_the_list_is_refused(
    refused: Callable[..., BundleRefused], call: str
) -> None:
    error = refused(LINE, f"{LINE}\t{call}\n")
    assert error.message == f"{SIZE}:18: `{call.partition('(')[0]}` may not be called"
    assert error.hint


@pytest.mark.parametrize(
    "negated",
    [
        "resource.region",
        "resource",
        'resource.region == "eu"',
        'resource.region in {"eu"}',
        '"eu" in resource.jurisdictions',
        "input.context.now",
        "counts.known(resource.before)",
        "counts.known(input.resources[0])",
        "counts.known(data.org)",
        "counts.known([resource])",
        'startswith(resource.region, "eu")',
        "data.policies.rules.gpu.size.deny",
        "counts.known(deny)",
        "counts.known(counts)",
    ],
)
def test_not_over_anything_but_a_helper_with_whole_variables_is_refused(
    refused: Callable[..., BundleRefused], negated: str
) -> None:
    error = refused("not counts.known(resource)", f"not {negated}")
    assert error.message == (
        f"{SIZE}:27: `not {negated}` negates something other than a helper called with whole "
        "variables"
    )


def test_not_over_a_helper_may_have_constants(
    sources: dict[str, str], assembled: Assembled
) -> None:
    sources[COUNTS] += "\nabove(resource, limit, _, _) if total(resource) > limit\n"
    sources[SIZE] = sources[SIZE].replace(
        LINE, f'{LINE}\tnot counts.above(resource, 90, "a", null)\n'
    )
    assert assembled(sources)


@pytest.mark.parametrize(
    "head",
    [
        "totals[name] contains 1",
        "totals[name].parts contains 1",
        "totals[name].parts := 1",
        "totals[name][name] := 1",
    ],
)
def test_name_with_something_below_a_variable_is_refused(
    refused: Callable[..., BundleRefused], head: str
) -> None:
    error = refused("known(", f'{head} if some name in ["a"]\n\nknown(', path=COUNTS)
    assert error.message == (f"{COUNTS}:7: the rule's name has a variable, and something below it")


@pytest.mark.parametrize("head", ["totals[name] := 1", "totals.a.b := 1", "totals.a contains 1"])
def test_name_with_one_variable_at_its_end_is_accepted(
    sources: dict[str, str], assembled: Assembled, head: str
) -> None:
    body = ' if some name in ["a"]' if "name" in head else ""
    assert assembled({**sources, COUNTS: f"{sources[COUNTS]}\n{head}{body}\n"})


@pytest.mark.parametrize("number", ["1.5", "0.1", "1e3", "1.0", "9007199254740992"])
def test_number_that_engines_round_differently_is_refused(
    refused: Callable[..., BundleRefused], number: str
) -> None:
    error = refused("asked > limit", f"asked > {number}")
    assert error.message == f"{SIZE}:20: the number `{number}` is a fraction or beyond 2^53"


@pytest.mark.parametrize("number", ["0", "-1", "9007199254740991"])
def test_integers_below_the_limit_are_accepted(
    sources: dict[str, str], assembled: Assembled, number: str
) -> None:
    sources[SIZE] = sources[SIZE].replace("asked > limit", f"asked > {number}")
    assert assembled(sources)


@pytest.mark.parametrize("quotient", ["asked / 2", "floor(asked / 2 + 1)", "count([asked / 2])"])
def test_unrounded_quotient_is_refused(
    refused: Callable[..., BundleRefused], quotient: str
) -> None:
    error = refused("asked > limit", f"{quotient} > limit")
    assert error.message == f"{SIZE}:20: the quotient `asked / 2` is not rounded"


@pytest.mark.parametrize("rounding", ["floor", "ceil", "round"])
def test_rounded_quotient_is_accepted(
    sources: dict[str, str], assembled: Assembled, rounding: str
) -> None:
    sources[SIZE] = sources[SIZE].replace("asked > limit", f"{rounding}(asked / 2) > limit")
    assert assembled(sources)


@pytest.mark.parametrize(
    "call",
    [
        'sprintf("%v", [asked])',
        'sprintf("%5d", [asked])',
        'sprintf("%d", [asked, limit])',
        'sprintf("%d %d", [asked])',
        'sprintf("%d", facts)',
        "sprintf(resource.address, [])",
    ],
)
def test_format_that_prints_differently_is_refused(
    refused: Callable[..., BundleRefused], call: str
) -> None:
    error = refused("asked > limit", f'asked > limit\n\t{call} != ""')
    assert error.message.startswith(f"{SIZE}:21: sprintf has something other than")


def test_plain_format_is_accepted(sources: dict[str, str], assembled: Assembled) -> None:
    call = 'sprintf("%d %% of %s", [asked, resource.address])'
    sources[SIZE] = sources[SIZE].replace("asked > limit", f'asked > limit\n\t{call} != ""')
    assert assembled(sources)


def test_with_is_refused(refused: Callable[..., BundleRefused]) -> None:
    error = refused(LINE, "\tcounts.known(resource) with data.org as {}\n")
    assert error.message == f"{SIZE}:17: `with` is used outside of tests"


@pytest.mark.parametrize("root", ["data.secrets", "data.system.bundle", "data[resource.kind]"])
def test_data_that_no_bundle_has_is_refused(
    refused: Callable[..., BundleRefused], root: str
) -> None:
    error = refused(LINE, f"{LINE}\t{root} == 1\n")
    assert error.message.startswith(f"{SIZE}:18: `data")
    assert error.message.endswith("is data that no bundle has")


@pytest.mark.parametrize(
    "look_up",
    [
        "data.org.limits.accelerators_per_resource.teams[resource.ownership.team]",
        "data.index.fit[0]",
        "data.org[_].teams",
        "counts[resource.kind]",
    ],
)
def test_look_up_in_data_without_a_default_is_refused(
    refused: Callable[..., BundleRefused], look_up: str
) -> None:
    error = refused(LINE, f"{LINE}\t{look_up} != 1\n")
    assert error.message.startswith(f"{SIZE}:18: `{look_up.partition(']')[0]}]")
    assert error.message.endswith("` looks into data without a default")


@pytest.mark.parametrize(
    "reference",
    [
        "data.org.limit",
        "data.org.limits.accelerators_per_resource.most",
        "data.org.posture.warn",
        "data.catalog.acelerators",
        "counts.most",
        "data.policies.lib.totals.most",
        "data.policies.rules.gpu.other.deny",
    ],
)
def test_reference_to_what_is_not_there_is_refused(
    refused: Callable[..., BundleRefused], reference: str
) -> None:
    error = refused(LINE, f"{LINE}\t{reference} != 1\n")
    full = reference.replace("counts", "data.policies.lib.counts")
    assert error.message == f"{SIZE}:18: `{full}` is nowhere in this bundle"


def test_reference_to_a_variable_that_is_called_as_an_import_is_its_own(
    sources: dict[str, str], assembled: Assembled
) -> None:
    sources[COUNTS] += "\nmost(counts) := counts.most\n\nlimits := data.org.limits\n"
    assert assembled(sources)


def test_look_up_with_a_default_is_accepted(sources: dict[str, str], assembled: Assembled) -> None:
    look_up = 'object.get(data.org.limits, ["teams", resource.ownership.team], null)'
    sources[SIZE] = sources[SIZE].replace(LINE, f"{LINE}\t{look_up} != 1\n\tresource.labels[_]\n")
    assert assembled(sources)


def test_import_that_no_bundle_has_is_refused(refused: Callable[..., BundleRefused]) -> None:
    error = refused("import data.policies.lib.counts", "import data.elsewhere.counts")
    assert error.message == (
        f"{SIZE}: the import `counts` names `data.elsewhere.counts`, which no bundle has"
    )


@pytest.mark.parametrize(
    ("path", "package"),
    [
        (SIZE, "policies.lib.size"),
        (SIZE, "policies.rules.gpu"),
        (SIZE, "system.authz"),
        (SIZE, "org"),
        (COUNTS, "policies.rules.gpu.counts"),
        (COUNTS, "portreeve.entry"),
    ],
)
def test_module_outside_its_root_is_refused(
    refused: Callable[..., BundleRefused], sources: dict[str, str], path: str, package: str
) -> None:
    line = next(line for line in sources[path].splitlines() if line.startswith("package"))
    error = refused(line, f"package {package}", path=path)
    assert error.message == f"{path}: the package `{package}` does not belong there"


@pytest.mark.parametrize("path", ["extra.rego", "policies/extra.rego", "portreeve/other.rego"])
def test_module_at_another_place_is_refused(
    sources: dict[str, str], assembled: Assembled, path: str
) -> None:
    sources[path] = "package policies.lib.extra\n"
    with pytest.raises(BundleRefused, match="does not belong there"):
        assembled(sources)


def test_function_with_the_name_of_a_builtin_is_refused(
    refused: Callable[..., BundleRefused],
) -> None:
    error = refused("known(resource)", "count(resource)", path=COUNTS)
    assert error.message == (
        f"{COUNTS}:7: `count` has the name of a builtin function, which engines resolve differently"
    )


def test_unknown_function_is_refused(refused: Callable[..., BundleRefused]) -> None:
    error = refused(LINE, "\tcounts.unknown(resource)\n")
    assert error.message == (
        f"{SIZE}:17: `policies.lib.counts.unknown` is no function of this bundle"
    )


@pytest.mark.parametrize(
    ("text", "circle"),
    [
        ("a(x) := b(x)\n\nb(x) := a(x)\n", ("a", "b", "a")),
        ("a := b.c\n\nb := [a | some c in data.policies.lib.counts.a]\n", None),
        ("a contains x if some x in data.policies.lib.counts\n", None),
        ('a[name] := 1 if {\n\tsome name in ["b"]\n\tnot a[name]\n}\n', None),
    ],
)
def test_rule_that_depends_on_itself_is_refused(
    sources: dict[str, str], assembled: Assembled, text: str, circle: tuple[str, ...] | None
) -> None:
    sources[COUNTS] += f"\n{text}"
    with pytest.raises(BundleRefused) as caught:
        assembled(sources)
    if circle:
        shown = " -> ".join(f"policies.lib.counts.{name}" for name in circle)
        assert caught.value.message == f"`{shown}` is a circle: a rule depends on itself"


def test_variable_with_the_name_of_a_rule_is_no_circle(
    sources: dict[str, str], assembled: Assembled
) -> None:
    sources[COUNTS] += """
a(a) := c if {
	c := total(a)
	some d
	d = a.accelerators[_]
	every e in [1] { e == 1 }
}

b := a({"accelerators": []})

c := b

d := c

e := d
"""
    assert assembled(sources)


def test_module_that_does_not_parse_names_line_and_cause(
    refused: Callable[..., BundleRefused],
) -> None:
    error = refused("asked > limit", "asked > > limit")
    assert error.message.startswith(f"{SIZE}:20: it does not compile: ")
    assert "backtrace" not in error.message


def test_module_that_does_not_compile_names_line_and_cause(
    refused: Callable[..., BundleRefused],
) -> None:
    error = refused("asked > limit", "asked > nowhere")
    assert error.message.startswith(f"{SIZE}:20: it does not compile: ")
    assert "nowhere" in error.message


def test_nested_literals_stop_at_the_limit(refused: Callable[..., BundleRefused]) -> None:
    nested = "[" * 40 + "1" + "]" * 40
    limits = CompileLimits(seconds=1)
    error = refused("known(", f"nested := {nested}\n\nknown(", path=COUNTS, limits=limits)
    assert error.message == "the bundle does not compile within 1 s and 2048 MiB"
    assert "nested" in error.hint


def test_too_little_memory_is_said(sources: dict[str, str], assembled: Assembled) -> None:
    tables = {"catalog": {"large": ["a" * 1000] * 50_000}}
    with pytest.raises(BundleRefused, match=r"memory|128 MiB"):
        assembled(sources, limits=CompileLimits(memory_mib=128), **tables)


def test_too_much_source_is_refused(sources: dict[str, str], assembled: Assembled) -> None:
    with pytest.raises(BundleRefused, match="characters, expected 100 at most"):
        assembled(sources, limits=CompileLimits(source_bytes=100))


def test_error_in_evaluation_is_found_at_build(refused: Callable[..., BundleRefused]) -> None:
    error = refused(
        "some resource in input.resources", "some resource in object.get(input.key, [], 1)"
    )
    assert "it does not compile: " in error.message


@pytest.mark.parametrize(
    "number", [1.5, 2**53, -(2**53), float("nan")], ids=["fraction", "large", "small", "nan"]
)
def test_data_with_other_numbers_is_refused(
    sources: dict[str, str], assembled: Assembled, number: float
) -> None:
    with pytest.raises(BundleRefused, match="at `/catalog/a/1` is a fraction or beyond 2"):
        assembled(sources, catalog={"a": [1, number]})
