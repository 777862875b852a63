from __future__ import annotations

import codecs
import json
import math
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.errors import RequestRefused
from service.intake.documents import decode, read_json, read_yaml_documents

if TYPE_CHECKING:
    from collections.abc import Callable

LIMIT = 1_000_000


def json_of(raw: bytes) -> Any:
    return read_json(raw, limit=LIMIT, what="the body")


def yaml_of(raw: bytes) -> list[Any]:
    return read_yaml_documents(raw, limit=LIMIT, what="`a.yaml`")


@pytest.mark.parametrize(
    ("raw", "code", "message"),
    [
        (b"", "SYS-INPUT-EMPTY", "the body is empty"),
        (b" \n", "SYS-INPUT-EMPTY", "the body is empty"),
        (codecs.BOM_UTF8, "SYS-INPUT-EMPTY", "the body is empty"),
        (b'{"a": [1,', "SYS-INPUT-TRUNCATED", "ends in the middle of a value at line 1, column 9"),
        (b'{"a": "b', "SYS-INPUT-TRUNCATED", "ends in the middle of a value"),
        (b"apiVersion: v1\n", "SYS-INPUT-SYNTAX", "the body is not JSON at line 1, column 1"),
        (b'{"a": 1} {', "SYS-INPUT-SYNTAX", "trailing characters"),
        (b'{"a": 1,\n "a": 2}', "SYS-INPUT-DUPLICATE-KEY", "has the key `a` twice at line 2"),
        (b'{"b": [{"\\u001b[1m": 1, "\\u001b[1m": 2}]}', "SYS-INPUT-DUPLICATE-KEY", "[1m` twice"),
        (b"NaN", "SYS-INPUT-NUMBER", "a number that JSON cannot hold"),
        (b"[1,\n Infinity]", "SYS-INPUT-NUMBER", "at line 2"),
        (b'{"a": -Infinity}', "SYS-INPUT-NUMBER", "a number that JSON cannot hold"),
        (b"[1e400]", "SYS-INPUT-NUMBER", "a number that is too large"),
        (b'{"a": {"b": -1E+400}}', "SYS-INPUT-NUMBER", "a number that is too large"),
        (b"1" * 250 + b"e99", "SYS-INPUT-NUMBER", "a number that is too large"),
        (b"1" * 5000, "SYS-INPUT-NUMBER", "a number that JSON cannot hold"),
        (b'"\\ud800"', "SYS-INPUT-ENCODING", "half a character"),
        (b'"\\ud800\\ud800"', "SYS-INPUT-ENCODING", "half a character"),
        (b'"\xed\xa0\x80"', "SYS-INPUT-ENCODING", "is not UTF-8"),
        (b"\xff", "SYS-INPUT-ENCODING", "is not UTF-8"),
        (codecs.BOM_UTF16_LE + b"a", "SYS-INPUT-ENCODING", "is not UTF-16-LE"),
        ('{"a": 1}'.encode("utf-16-be"), "SYS-INPUT-ENCODING", "is not UTF-8"),
        (b"[" * 10_000, "SYS-INPUT-DEPTH", "nested more than 100 deep"),
        (b"[" * 101 + b"]" * 101, "SYS-INPUT-DEPTH", "nested more than 100 deep"),
        (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, "SYS-INPUT-DEPTH", "nested more than 100 deep"),
        (b'"' + b"a" * LIMIT, "SYS-INPUT-TOO-LARGE", "has 1000001 bytes, expected at most 1000000"),
    ],
)
def test_unreadable_json_is_refused_with_its_own_code(raw: bytes, code: str, message: str) -> None:
    with pytest.raises(RequestRefused) as refused:
        json_of(raw)

    assert code == refused.value.code
    assert message in refused.value.message


def test_values_never_appear_in_messages() -> None:
    with pytest.raises(RequestRefused) as refused:
        json_of(b'{"password": "hunter2" "b"}')

    assert "hunter2" not in refused.value.message


def test_a_hundred_levels_are_read() -> None:
    assert json_of(b"[" * 100 + b"]" * 100)


def test_brackets_and_exponents_within_text_are_only_text() -> None:
    text = "[{" * 500 + "9e999" + "1" * 300

    assert {"a": text} == json_of(json.dumps({"a": text}).encode())


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_a_byte_order_mark_names_the_encoding(encoding: str) -> None:
    raw = '{"stadt": "Köln"}'.encode(encoding)

    assert json_of(raw) == {"stadt": "Köln"}
    assert yaml_of(raw) == [{"stadt": "Köln"}]
    assert decode(raw, what="it") == '{"stadt": "Köln"}'


def test_scalars_mean_what_they_mean_to_kubectl() -> None:
    raw = b"""
    {hex: 0x10, octal: 017, new-octal: 0o17, grouped: 1_000, exponent: 1e3, point: .5, nine: 09,
     time: 1:30, day: 2024-01-01, instant: 2024-01-01T00:00:00Z, version: 1.2.3, dash: -a,
     enabled: yes, disabled: Off, letter: y, nothing: ~, quoted: "1", plain: ! 3, text: !!str 3,
     number: !!int "3", negative: -1, binary: !!binary YQ==}
    """

    expected = {
        "hex": 16,
        "octal": 15,
        "new-octal": 15,
        "grouped": 1000,
        "exponent": 1000.0,
        "point": 0.5,
        "nine": 9.0,
        "time": "1:30",
        "day": "2024-01-01",
        "instant": "2024-01-01T00:00:00Z",
        "version": "1.2.3",
        "dash": "-a",
        "enabled": True,
        "disabled": False,
        "letter": "y",
        "nothing": None,
        "quoted": "1",
        "plain": "3",
        "text": "3",
        "number": 3,
        "negative": -1,
        "binary": "YQ==",
    }
    assert [expected] == yaml_of(raw)


def test_keys_are_text_whatever_they_look_like() -> None:
    assert yaml_of(b"on: 1\n1: 2\nnull: 3\n") == [{"on": 1, "1": 2, "null": 3}]


def test_several_documents_are_read_in_order_and_empty_ones_left_out() -> None:
    assert yaml_of(b"a: 1\n---\n# nothing\n---\nb: 2\n...\n---\n{}") == [{"a": 1}, {"b": 2}, {}]


def test_json_is_read_as_a_document_and_so_are_several() -> None:
    assert yaml_of(b'\n{"a":\t[1]}') == [{"a": [1]}]
    assert yaml_of(b'{"a":1}\n---\n{"b":2}') == [{"a": 1}, {"b": 2}]
    assert yaml_of(b"{a: b}") == [{"a": "b"}]


def test_aliases_and_merge_keys_are_followed() -> None:
    raw = b"base: &base {a: 1, b: 2}\nother: &other {c: 3, a: 9}\n"

    assert yaml_of(raw + b"it: {<<: *base, b: 5}")[0]["it"] == {"a": 1, "b": 5}
    assert yaml_of(raw + b"it: {<<: [*base, *other]}")[0]["it"] == {"a": 1, "b": 2, "c": 3}
    assert yaml_of(b"a: &key b\n*key : 1") == [{"a": "b", "b": 1}]
    assert yaml_of(b"&key name: 1\nagain: *key") == [{"name": 1, "again": "name"}]
    assert yaml_of(b"- {a: &x 1}\n- *x\n- *x") == [[{"a": 1}, 1, 1]]


BOMB = b"a: &a [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n" + b"".join(
    b"%c: &%c [%s]\n" % (char, char, b", ".join([b"*%c" % (char - 1)] * 9)) for char in b"bcdefghi"
)


@pytest.mark.parametrize(
    ("raw", "code", "message"),
    [
        (b"# nothing\n---\n", "SYS-INPUT-EMPTY", "holds no document"),
        (b"a: 1\n  b: 2", "SYS-INPUT-SYNTAX", "is not YAML at line 2, column 4"),
        (b"a: {{ .Values.a }}", "SYS-INPUT-SYNTAX", "has a key that is no text"),
        (b"{{ .Values.a }}", "SYS-INPUT-SYNTAX", "has a key that is no text"),
        (b"a: &a 1\n*a : 2", "SYS-INPUT-SYNTAX", "has a key that is no text"),
        (b"<<: 3", "SYS-INPUT-SYNTAX", "merges what is no mapping"),
        (b'{"a": [1,', "SYS-INPUT-TRUNCATED", "ends in the middle of a value"),
        (b'{"a": 1, "a": 2}', "SYS-INPUT-DUPLICATE-KEY", "has the key `a` twice"),
        (b"a: 1\nb: 2\na: 3", "SYS-INPUT-DUPLICATE-KEY", "has the key `a` twice at line 3"),
        (b"a: !Ref b", "SYS-INPUT-YAML-TAG", "has the tag `!Ref`"),
        (b"a: !Ref {b: c}", "SYS-INPUT-YAML-TAG", "has the tag `!Ref`"),
        (b"a: !!python/object/apply:os.system [id]", "SYS-INPUT-YAML-TAG", "`!!python/object"),
        (b"!!set {a, b}", "SYS-INPUT-YAML-TAG", "has the tag `!!set`"),
        (b"a: .inf", "SYS-INPUT-NUMBER", "a number that JSON cannot hold at line 1"),
        (b"a: .NaN", "SYS-INPUT-NUMBER", "a number that JSON cannot hold at line 1"),
        (b"a: 1e999", "SYS-INPUT-NUMBER", "a number that JSON cannot hold at line 1"),
        (b"a: " + b"1" * 5000, "SYS-INPUT-NUMBER", "a number that JSON cannot hold at line 1"),
        (b"a: \x07", "SYS-INPUT-ENCODING", "a character that YAML does not allow"),
        (b"a: \xff\xfe", "SYS-INPUT-ENCODING", "or is not UTF-8"),
        (b'a: "\\ud800"', "SYS-INPUT-SYNTAX", "invalid Unicode character escape"),
        (b"- " * 10_000, "SYS-INPUT-DEPTH", "nested more than 100 deep"),
        (b"[" * 10_000, "SYS-INPUT-DEPTH", "nested more than 100 deep"),
        (b"a: &a [*a]", "SYS-INPUT-YAML-ALIASES", "an alias to nothing or to itself"),
        (b"a: *a", "SYS-INPUT-YAML-ALIASES", "an alias to nothing or to itself"),
        (BOMB, "SYS-INPUT-YAML-ALIASES", "has aliases for more than 100000 values"),
        (b"a" * (LIMIT + 1), "SYS-INPUT-TOO-LARGE", "expected at most 1000000"),
    ],
)
def test_unreadable_yaml_is_refused_with_its_own_code(raw: bytes, code: str, message: str) -> None:
    with pytest.raises(RequestRefused) as refused:
        yaml_of(raw)

    assert code == refused.value.code
    assert message in refused.value.message


SYNTAX = st.lists(
    st.sampled_from(
        [*"[]{}:,-?&*!|>'\"%@`#~<= \n\t\\", "a", "&a", "*a", "<<: ", "!!str ", "---\n", "1e", "0x",
         "- ", "? ", ": ", "9" * 99, ".inf", "\\ud83d", "null", "\x85", "\u2028", "\ufeff"]
    ),
    max_size=60,
).map(lambda parts: "".join(parts).encode())  # fmt: skip


def outcome(read: Callable[[bytes], Any], raw: bytes) -> Any:
    try:
        return read(raw)
    except RequestRefused as refused:
        return {"code": refused.code, "message": refused.message}


@given(st.binary(max_size=300) | SYNTAX)
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    for read in (json_of, yaml_of):
        json.dumps(outcome(read, raw), ensure_ascii=False, allow_nan=False).encode()


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(), inner, max_size=5),
)  # fmt: skip


@given(JSON_VALUES)
def test_what_is_json_is_read_as_it_was_written(value: Any) -> None:
    assert value == json_of(json.dumps(value).encode())
    assert value == json_of(json.dumps(value, ensure_ascii=False).encode())


@given(st.floats())
def test_no_float_that_is_read_is_infinite(number: float) -> None:
    raw = json.dumps(number).encode()
    if math.isfinite(number):
        assert number == json_of(raw)
    else:
        with pytest.raises(RequestRefused):
            json_of(raw)
