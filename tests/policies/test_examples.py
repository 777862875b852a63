"""Every example says what its own rule makes of a vendor's input, and that is what happens."""

from __future__ import annotations

import pytest
from rule_examples import Example, document_of, engine_with, examples, findings_of

from service.decide.deciding import decide
from service.model.finding import Finding


@pytest.mark.parametrize("example", examples(), ids=lambda example: example.id)
def test_an_example_is_judged_as_it_says(example: Example) -> None:
    request = example.resolved()
    found = findings_of(engine_with(example.body["bundle"]), document_of(request))
    own = [Finding.model_validate(each) for each in found if each["code"] in example.codes()]

    verdict = decide(request, own, (), example.bundle)

    reported = [
        {
            "code": finding.code,
            "resource": finding.resource,
            **({"undetermined": list(finding.undetermined)} if finding.undetermined else {}),
            **({"message": finding.message} if not finding.undetermined else {}),
        }
        for finding in verdict.findings
    ]
    assert example.body["findings"] == reported
    assert example.body["outcome"] == verdict.outcome.value


def test_an_update_without_accelerators_before_is_no_example_of_anything() -> None:
    updated = [example for example in examples() if "before" in example.body]

    assert updated
    for example in updated:
        (resource,) = example.resolved().resources
        assert resource.before is not None
        assert resource.before.accelerators
