"""Bytes to JSON values, and every way in which input can be unreadable, each with its own code.

========================  ======================================================================
``SYS-INPUT-EMPTY``       nothing but white space, comments or document markers
``SYS-INPUT-TOO-LARGE``   more bytes than the limit
``SYS-INPUT-ENCODING``    not UTF-8 (or UTF-16, UTF-32 with a byte order mark), or half a character
``SYS-INPUT-TRUNCATED``   ends in the middle of a value
``SYS-INPUT-SYNTAX``      not JSON, or not YAML, at a position that the message names
``SYS-INPUT-DUPLICATE-KEY`` the same key twice in one object: readers differ in which one they take
``SYS-INPUT-NUMBER``      NaN, an infinity, or a number that becomes one
``SYS-INPUT-DEPTH``       nested more than 100 deep
``SYS-INPUT-YAML-ALIASES`` aliases that contain themselves or multiply the document
``SYS-INPUT-YAML-TAG``    a YAML tag that asks for more than text, numbers, lists and mappings
========================  ======================================================================

Messages quote positions and keys, never values.
"""

from __future__ import annotations

import codecs
import math
import re
from typing import Any

import jiter

from service.errors import RequestRefused
from service.intake.text import MAX_DEPTH, printable
from service.intake.yaml_values import yaml_values

_MARKS = (  # the longest first: the mark of UTF-32-LE begins with that of UTF-16-LE
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_BARE_MARKS = frozenset(mark for mark, _ in _MARKS)
# Every digit becomes `0` and every E `e`, so that two searches find what may overflow a double: an
# exponent of three digits, or so many digits that an exponent of two suffices.
_DIGITS = bytes.maketrans(b"123456789E", b"000000000e")
_LONG_EXPONENT = b"0e000"
_MANY_DIGITS = b"0" * 200
_POSITION = re.compile(r" at line (\d+) column (\d+)$")
_NOT_A_NUMBER = re.compile(rb"-?(?:NaN|Infinity)")
_DUPLICATE = re.compile(r'^Detected duplicate key "(.*)"$', re.DOTALL)


def read_json(raw: bytes, *, limit: int, what: str) -> Any:
    """The value of the JSON text *raw* of at most *limit* bytes; *what* names it in messages.

    Raises:
        RequestRefused: *raw* is not one readable JSON value; the code says why.
    """
    _check_size(raw, limit, what)
    text = _utf8(raw, what)
    try:
        value = jiter.from_json(text, catch_duplicate_keys=True, allow_inf_nan=False)
    except ValueError as error:
        raise _json_refusal(text, str(error), what) from None
    if text.count(b"{") + text.count(b"[") > MAX_DEPTH:
        _check_depth(value, what)
    digits = text.translate(_DIGITS, b"+")
    if _LONG_EXPONENT in digits or _MANY_DIGITS in digits:
        _check_finite(value, what)
    return value


def read_yaml_documents(raw: bytes, *, limit: int, what: str) -> list[Any]:
    """The documents of the YAML or JSON text *raw*, without those that are empty.

    Values are what JSON can hold; timestamps stay text, keys are text, merge keys are applied.

    Raises:
        RequestRefused: *raw* is not readable YAML, or holds no document; the code says why.
    """
    _check_size(raw, limit, what)
    text = _utf8(raw, what)
    if text.lstrip()[:1] in {b"{", b"["}:
        return _json_or_flow(text, what)
    return _documents(text, what)


def _json_or_flow(text: bytes, what: str) -> list[Any]:
    """The documents of a text that begins like JSON, as flow style YAML does too."""
    try:
        return [read_json(text, limit=len(text), what=what)]
    except RequestRefused as json_refusal:
        if json_refusal.code not in {"SYS-INPUT-SYNTAX", "SYS-INPUT-TRUNCATED"}:
            raise
        try:
            return _documents(text, what)
        except RequestRefused as yaml_refusal:
            both = {json_refusal.code, yaml_refusal.code}
            if both == {"SYS-INPUT-TRUNCATED", "SYS-INPUT-SYNTAX"}:
                raise json_refusal from None
            raise yaml_refusal from None


def _documents(text: bytes, what: str) -> list[Any]:
    documents = [value for value in yaml_values(text, what=what) if value is not None]
    if not documents:
        raise RequestRefused(
            f"{what} holds no document, expected at least one", code="SYS-INPUT-EMPTY"
        )
    return documents


def decode(raw: bytes, *, what: str) -> str:
    """*raw* as text: UTF-8, or UTF-16 or UTF-32 where a byte order mark says so.

    Raises:
        RequestRefused: It is neither, or holds half a character.
    """
    marked = [(mark, name) for mark, name in _MARKS if raw.startswith(mark)]
    mark, encoding = marked[0] if marked else (b"", "utf-8")
    try:
        return raw[len(mark) :].decode(encoding)
    except UnicodeDecodeError as error:
        raise RequestRefused(
            f"{what} is not {encoding.upper()} at byte {error.start}",
            hint="Send it as UTF-8.",
            code="SYS-INPUT-ENCODING",
        ) from None


def _check_size(raw: bytes, limit: int, what: str) -> None:
    if len(raw) > limit:
        raise RequestRefused(
            f"{what} has {len(raw)} bytes, expected at most {limit}",
            hint="Split it, or raise the limit in the settings.",
            code="SYS-INPUT-TOO-LARGE",
        )
    if not raw or raw.isspace() or raw in _BARE_MARKS:
        raise RequestRefused(f"{what} is empty", code="SYS-INPUT-EMPTY")


def _utf8(raw: bytes, what: str) -> bytes:
    """*raw* without a byte order mark, as UTF-8; bytes that need no change are not copied."""
    if raw[0] in b"\x00\xef\xfe\xff":
        return decode(raw, what=what).encode()
    return raw


def _json_refusal(text: bytes, error: str, what: str) -> RequestRefused:
    """The refusal for an error of the JSON reader, whose words begin every case below."""
    found = _POSITION.search(error)
    line, column = (int(found[1]), int(found[2])) if found else (1, 1)
    cause = error[: found.start()] if found else error
    where = f"at line {line}, column {column}"
    hint = ""
    if cause.startswith("EOF"):
        code, message = "SYS-INPUT-TRUNCATED", f"{what} ends in the middle of a value {where}"
        hint = "Send all of it."
    elif duplicate := _DUPLICATE.match(cause):
        key = printable(duplicate[1])
        code, message = "SYS-INPUT-DUPLICATE-KEY", f"{what} has the key `{key}` twice {where}"
    elif cause.startswith("recursion"):
        return _too_deep(what)
    elif cause == "number out of range" or _is_not_a_number(text, line, column):
        code, message = "SYS-INPUT-NUMBER", f"{what} holds a number that JSON cannot hold {where}"
    elif "surrogate" in cause or "hex escape" in cause:
        code, message = "SYS-INPUT-ENCODING", f"{what} holds half a character {where}"
    elif "unicode" in cause or b"\x00" in text[:4]:
        code, message = "SYS-INPUT-ENCODING", f"{what} is not UTF-8 {where}"
        hint = "Send it as UTF-8."
    else:
        code, message = "SYS-INPUT-SYNTAX", f"{what} is not JSON {where}: {cause}"
    return RequestRefused(message, hint=hint, code=code)


def _is_not_a_number(text: bytes, line: int, column: int) -> bool:
    start = 0
    for _ in range(line - 1):
        start = text.find(b"\n", start) + 1
    at = max(0, start + column - 2)  # the reader stops at the sign or after it
    return any(_NOT_A_NUMBER.match(text, begin) for begin in (at, at + 1))


def _check_depth(value: Any, what: str) -> None:
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [
            item
            for container in level
            for item in (container.values() if type(container) is dict else container)
            if type(item) is dict or type(item) is list
        ]
        if not level:
            return
    raise _too_deep(what)


def _check_finite(value: Any, what: str) -> None:
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if type(item) is dict:
            waiting.extend(item.values())
        elif type(item) is list:
            waiting.extend(item)
        elif type(item) is float and math.isinf(item):
            raise RequestRefused(
                f"{what} holds a number that is too large", code="SYS-INPUT-NUMBER"
            )


def _too_deep(what: str) -> RequestRefused:
    return RequestRefused(f"{what} is nested more than {MAX_DEPTH} deep", code="SYS-INPUT-DEPTH")
