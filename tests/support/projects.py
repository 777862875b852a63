"""Bundles of a test's own: a folder with rules beside the shipped catalog."""

from __future__ import annotations

from pathlib import Path

_RULE = """# METADATA
# title: {title}
# description: Only for a test.
# scope: package
package policies.rules.test.{topic}

# METADATA
# title: {title}
# description: Only for a test.
# custom:
#   code: {code}
#   severity: high
#   message: "`{{resource}}` is not wanted"
#   remedy: Ask for something else.
deny contains {{"code": "{code}", "resource": resource.address, "facts": {{}}}} if {{
	some resource in input.resources
{body}
}}
"""


def project(folder: Path, rules: dict[str, str], *, posture: str = "enforce") -> Path:
    """A bundle with one rule per topic of *rules*, each with its Rego *body*; its path."""
    for number, (topic, body) in enumerate(rules.items(), 1):
        path = folder / "policies" / "rules" / "test" / topic / f"{topic}.rego"
        path.parent.mkdir(parents=True)
        indented = "\n".join(f"\t{line}" for line in body.splitlines())
        path.write_text(
            _RULE.format(
                topic=topic,
                title=topic.title(),
                code=f"TEST-{number:03}",
                body=indented,
            )
        )
    (folder / "policies" / "rules").mkdir(parents=True, exist_ok=True)
    bundle = folder / "bundles" / "test"
    (bundle / "org").mkdir(parents=True)
    (bundle / "bundle.yaml").write_text('name: test\nrevision: "1"\nrules: all\n')
    (bundle / "org" / "org.yaml").write_text(f"name: Test\nposture: {posture}\n")
    return bundle
