"""Reading price lists of any size with bounded memory.

The offer file of EC2 has some ten gigabytes. Only one row or one value of it is held at a time, and
a row or value that is larger than any real one is refused.
"""

from __future__ import annotations

import codecs
import csv
import json
import re
from typing import IO, TYPE_CHECKING, Any

from service.bundle.importing.offers import unreadable

if TYPE_CHECKING:
    from collections.abc import Iterator

# Rows of EC2's own list have about 5,000 characters, values of its JSON some 100,000.
LONGEST_LINE = 256 * 1024
LARGEST_VALUE = 16 * 1024 * 1024
_CHUNK = 256 * 1024
_SPACE = re.compile(r"[ \t\r\n]*")
_OPEN = {"{": "}", "[": "]"}


def lines(file: IO[bytes], name: str) -> Iterator[str]:
    """The lines of *file*, each with its end.

    Raises:
        BundleRefused: It is not UTF-8, holds a NUL character, or a line is too long.
    """
    number = 0
    while raw := file.readline(LONGEST_LINE + 1):
        number += 1
        if len(raw) > LONGEST_LINE:
            raise unreadable(name, f"line {number} is longer than {LONGEST_LINE} bytes")
        if b"\0" in raw:
            raise unreadable(name, f"line {number} holds a NUL character, expected text")
        if number == 1:
            raw = raw.removeprefix(codecs.BOM_UTF8)
        try:
            yield raw.decode("utf-8")
        except UnicodeDecodeError:
            raise unreadable(name, f"line {number} is not UTF-8") from None


def table(
    source: Iterator[str], name: str, columns: tuple[str, ...], *, first: int = 1
) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows below the header that *source* begins with, each with its line.

    Args:
        source: Lines of a file.
        name: What messages call the file.
        columns: Those that must be there; others are kept too.
        first: The line of the header in the file.

    Raises:
        BundleRefused: It is no CSV, lacks a column, or a row has too few or too many cells.
    """
    reader = csv.reader(source, strict=True)
    line = first
    try:
        header = next(reader, [])
        missing = [column for column in columns if column not in header]
        if missing:
            raise unreadable(
                name,
                f"line {first} has no column {', '.join(f'`{column}`' for column in missing)}",
                hint="Say with --from what kind of file it is.",
            )
        line = first + reader.line_num
        for cells in reader:
            if len(cells) != len(header):
                raise unreadable(
                    name, f"line {line} has {len(cells)} cells, expected {len(header)}"
                )
            yield line, dict(zip(header, cells, strict=True))
            line = first + reader.line_num
    except csv.Error as error:
        raise unreadable(name, f"line {line} is not CSV: {error}") from None


class Json:
    """One JSON document, walked from its beginning to its end.

    Numbers come out as their text: a price must not pass through a binary fraction.
    """

    def __init__(self, file: IO[bytes], name: str) -> None:
        self._file = file
        self._name = name
        self._decode = codecs.getincrementaldecoder("utf-8-sig")().decode
        self._text = ""
        self._at = 0
        self._counted = 0
        self._line = 1
        self._ended = False
        self._decoder = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=str)

    @property
    def line(self) -> int:
        """The line of the next value."""
        self._line += self._text.count("\n", self._counted, self._at)
        self._counted = self._at
        return self._line

    def peek(self) -> str:
        """The next character that is no space; empty at the end."""
        while True:
            found = _SPACE.match(self._text, self._at)
            self._at = found.end() if found else self._at
            if self._at < len(self._text) or self._ended:
                return self._text[self._at : self._at + 1]
            self._fill()

    def keys(self) -> Iterator[str]:
        """The keys of the object that comes next; each value must be taken before the next key.

        Raises:
            BundleRefused: It is no object, or ends too early.
        """
        for _ in self._members("{"):
            key = self.value()
            self._take(":")
            yield key

    def items(self) -> Iterator[tuple[int, Any]]:
        """The items of the array that comes next, each with the line where it begins.

        Raises:
            BundleRefused: It is no array, or ends too early.
        """
        for _ in self._members("["):
            yield self.line, self.value()

    def value(self) -> Any:
        """The next value, whole.

        Raises:
            BundleRefused: It is no JSON, ends too early or is too large.
        """
        self.peek()
        while True:
            try:
                value, end = self._decoder.raw_decode(self._text, self._at)
            except RecursionError:
                raise self._refused("a value is nested too deep") from None
            except json.JSONDecodeError as error:
                if self._ended:
                    raise self._refused(f"this is not JSON: {error.msg.lower()}") from None
            else:
                # A number that reaches the end of what was read may go on.
                if end < len(self._text) or self._ended:
                    self._at = end
                    return value
            if len(self._text) - self._at > LARGEST_VALUE:
                raise self._refused(f"a value is larger than {LARGEST_VALUE} characters, or broken")
            self._fill()

    def skip(self) -> None:
        """Leave out the next value; the members of an object one by one."""
        if self.peek() == "{":
            for _ in self.keys():
                self.value()
        else:
            self.value()

    def _members(self, opening: str) -> Iterator[None]:
        self._take(opening)
        if self.peek() == _OPEN[opening]:
            self._at += 1
            return
        while True:
            self.peek()
            yield
            if self.peek() == ",":
                self._at += 1
                continue
            self._take(_OPEN[opening])
            return

    def _take(self, expected: str) -> None:
        found = self.peek()
        if found != expected:
            shown = f"`{found}`" if found else "the end"
            raise self._refused(f"{shown} where `{expected}` is expected")
        self._at += 1

    def _fill(self) -> None:
        # The further a value reaches, the more is read at once, so that a large one is not parsed
        # again for every chunk.
        raw = self._file.read(max(_CHUNK, len(self._text) - self._at))
        try:
            more = self._decode(raw, final=not raw)
        except UnicodeDecodeError:
            raise self._refused("this is not UTF-8") from None
        self._ended = not raw
        self._line += self._text.count("\n", self._counted, self._at)
        self._text = self._text[self._at :] + more
        self._at = self._counted = 0

    def _refused(self, reason: str) -> Exception:
        return unreadable(self._name, f"line {self.line}: {reason}")
