"""The one place that replaces secrets, inside ``normalise``, before anything else sees a payload.

Secrets are found by their own shape (keys of clouds and forges, signed tokens, PEM blocks,
credentials in addresses) or by the name they are given to (``password=…``, ``--api-key …``, a label
called ``token``). A miss is a secret in a log that never forgets, a false alarm is a label that
rules cannot read: in doubt the text is replaced.

Nearly all text is clean; it costs one search and comes back as the same object.
"""

from __future__ import annotations

import re

REDACTED = "(sensitive)"

# Text of this length is no label, name or argument; what it hides cannot be looked for cheaply.
_LONGEST = 8_192

# Counts of tokens and tokenizers are sizes; the name, file or mode of a secret is not the secret.
_NAME = (
    r"(?:passw(?:or)?d|pass[-_.]?(?:phrase|code|key)|pwd|secret|token(?!s|iz)|credential"
    r"|authorization|(?<![^\W_])auth(?![^\W_])|dockerconfig|cookie"
    r"|(?:api|access|account|client|private|signing|encryption|master|storage|ssh|shared|license"
    r"|session|deploy)[-_.]?key|connection[-_.]?string)"
    r"(?![-_.]?(?:names?|files?|path|mode|budget|types?)(?![^\W_]))"
)
_VALUE = (
    r"""(?:"(?:[^"\\]|\\.)*"?|'[^']*'?|\\{1,3}"[^"]*"?"""
    r"|(?:(?:bearer|basic|token|digest|negotiate)\s+)?\S+)"
)
_SHAPES = (
    # A key whose end was cut off is still a key: everything after its first line goes.
    r"-----BEGIN [A-Z0-9 ]{0,32}PRIVATE KEY.*?(?:-----END [A-Z0-9 ]{0,40}-----|\Z)",
    r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{12,}",  # AWS
    r"AIza[\w-]{30,}|ya29\.[\w.-]{10,}|GOCSPX-[\w-]{10,}",  # Google
    r"eyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)*",  # JSON Web Tokens
    r"gh[opsur]_\w{20,}|github_pat_\w{20,}|gl[a-z]{2,5}-[\w-]{20,}",  # GitHub, GitLab
    r"hf_\w{20,}|sk-[\w-]{20,}|[rs]k_(?:live|test)_\w{10,}|nvapi-[\w-]{20,}",  # services
    r"xox[a-z]-[\w-]{10,}|hooks\.slack\.com/services/[\w/]+",  # Slack
    r"hv[bsr]\.[\w-]{20,}|\w{14}\.atlasv1\.[\w-]{20,}",  # Vault, HCP Terraform
    r"npm_\w{30,}|pypi-[\w-]{30,}|do[opr]_v1_\w{30,}|AGE-SECRET-KEY-1\w{20,}",
    r"(?<=[?&;])sig=[^&\s]+",  # shared access signatures
)

# Everything below matches only text in which this finds something. It reads lower-cased text and
# each branch starts with a letter, because `re` then skips to the next of these letters.
_HINT = re.compile(
    r"@|ken|key|pass|pwd|cret|cred|uth|kerc|kie|cspx|ction"
    r"|ia[a-z0-9]{12}|cca[a-z0-9]{12}|za[\w-]{30}|ya29|yj[\w-]{8}|h[opsur]_\w{20}|hf_|hv[bsr]\."
    r"|hooks|b_pat|gl[a-z]{2,5}-[\w-]{20}|k-[\w-]{20}|k_(?:live|test)|vapi|xox|v1(?:\.[\w-]{20}|_\w{30})|npm_|ypi-"
    r"|bearer|basic|sig="
)
# An image's digest follows an `@` too.
_NO_DIGEST = r"@(?!sha\d{3}:)"
_CREDENTIALS = (
    (re.compile("|".join(_SHAPES), re.DOTALL), REDACTED),
    (re.compile(rf"//[^\s/]+{_NO_DIGEST}"), f"//{REDACTED}@"),
    (re.compile(rf"(?<![^\s=\"',])[^\s/@:=\"',]+:[^\s/]+{_NO_DIGEST}"), f"{REDACTED}@"),
)
_NAMED = (
    (
        re.compile(
            rf"(?is)({_NAME}[\w.\[\]-]{{0,64}}\\{{0,3}}[\"']?\s{{0,8}}[=:]\s{{0,8}}"
            rf"|--?[\w.-]{{0,64}}{_NAME}[\w.-]{{0,64}}\s{{1,8}}){_VALUE}"
        ),
        rf"\1{REDACTED}",
    ),
    (
        re.compile(r"(?i)\b(bearer\s+(?=[\w.~+/=-]{6})|basic\s+(?=[\w+/]{16}))[\w.~+/=-]+"),
        rf"\1{REDACTED}",
    ),
)
_KEY = re.compile(_NAME, re.IGNORECASE)
_DIGEST = re.compile(r"@sha\d{3}:[0-9a-f]+\Z")
_RANDOM = re.compile(r"(?=.*[A-Z])(?=.*[a-z])(?=.*\d)[A-Za-z0-9+/]{40,88}={0,2}")


def redact_text(text: str) -> str:
    """*text* with every secret in it replaced; the same object if none was found."""
    if len(text) >= 40 and (len(text) > _LONGEST or _RANDOM.fullmatch(text.strip())):
        return REDACTED
    if _HINT.search(text.lower()) is None:
        return text
    for pattern, replacement in _CREDENTIALS + _NAMED:
        text = pattern.sub(replacement, text)
    return text


def redact_image(reference: str) -> str:
    """An image *reference* without credentials; ``registry/token:v1`` is a name and stays."""
    digest = _DIGEST.search(reference)
    name = reference[: digest.start()] if digest else reference
    if _HINT.search(name.lower()) is None:
        return reference
    for pattern, replacement in _CREDENTIALS:
        name = pattern.sub(replacement, name)
    return name + digest.group() if digest else name


def redact_pairs(pairs: dict[str, str]) -> dict[str, str]:
    """Labels, tags or variables without secrets: values whose key names one, or that look like one.

    The same object if nothing was found.
    """
    if not any(len(value) >= 40 for value in pairs.values()) and not _suspicious(pairs):
        return pairs
    return {
        redact_text(key): REDACTED if _KEY.search(key) else redact_text(value)
        for key, value in pairs.items()
    }


def _suspicious(pairs: dict[str, str]) -> bool:
    # One search over everything is several times faster than one for each key and value.
    return _HINT.search("\n".join([*pairs, *pairs.values()]).lower()) is not None
