"""From what an engine answered to findings: nothing that is not understood becomes "no finding"."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from pydantic import TypeAdapter, ValidationError

from service.errors import EvaluationFailed
from service.model.finding import Finding

if TYPE_CHECKING:
    from service.bundle.values import Rule
    from service.model.request import Request

RESULT_CODE = "SYS-ENGINE-RESULT"
UNDEFINED_CODE = "SYS-UNDEFINED"

_FINDINGS: TypeAdapter[tuple[Finding, ...]] = TypeAdapter(tuple[Finding, ...])
# regorus writes the first form; Go's encoder, OPA's, escapes what HTML would read as a tag.
_UNDEFINED = (b"<undefined>", b"\\u003cundefined\\u003e")
_HINT = "The bundle's rules and this engine disagree; nothing was allowed."


def refuse_undefined(raw: bytes) -> None:
    """Refuse an answer that holds the text of an undefined value anywhere, in a key or a string.

    A rule that bound an undefined value as text may have allowed what it never looked at.

    Raises:
        EvaluationFailed: With the code ``SYS-UNDEFINED``.
    """
    for text in _UNDEFINED:
        if text in raw:
            raise EvaluationFailed(
                "the result of the rules holds `<undefined>`, expected findings",
                hint=_HINT,
                code=UNDEFINED_CODE,
            )


def read_findings(
    raw: bytes, request: Request, rulebook: Mapping[str, Rule]
) -> tuple[Finding, ...]:
    """The findings in the JSON array *raw*, checked and in their stable order.

    Raises:
        EvaluationFailed: A text of an undefined value, or something that is no finding of these
            rules about this request.
    """
    refuse_undefined(raw)
    if raw == b"[]":
        return ()
    try:
        findings = _FINDINGS.validate_json(raw, strict=True)
    except ValidationError as error:
        raise no_findings(explain(error)) from error
    return checked(findings, request, rulebook)


def checked(
    findings: tuple[Finding, ...], request: Request, rulebook: Mapping[str, Rule]
) -> tuple[Finding, ...]:
    """*findings* in their stable order: by code, resource, facts.

    Raises:
        EvaluationFailed: A code that the bundle does not have, or an address that is not in
            *request*.
    """
    addresses = {resource.address for resource in request.resources}
    for finding in findings:
        rule = rulebook.get(finding.code)
        if rule is None:
            raise no_findings(f"the bundle has no code `{finding.code}`")
        if rule.reads_request:
            if finding.resource is not None:
                raise no_findings(f"`{finding.code}` judges requests and names a resource")
        elif finding.resource not in addresses:
            raise no_findings(f"`{finding.code}` names a resource that was not asked about")
    if len(findings) < 2:
        return findings
    return tuple(sorted(findings, key=_order))


def no_findings(why: str) -> EvaluationFailed:
    """The refusal of an answer that cannot be read as findings."""
    return EvaluationFailed(
        f"the result of the rules is not a set of findings: {why}", hint=_HINT, code=RESULT_CODE
    )


def explain(error: ValidationError) -> str:
    """The first thing wrong, by its place, without any value: values may be a tenant's."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    place = "/".join(str(part) for part in first["loc"])
    return f"{first['msg'].lower()} at `/{place}`"[:300]


def _order(finding: Finding) -> tuple[str, str, str, tuple[str, ...]]:
    facts = json.dumps(finding.facts, sort_keys=True)
    return finding.code, finding.resource or "", facts, finding.undetermined
