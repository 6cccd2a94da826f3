# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rows as PostgreSQL's COPY wants them in its text format, and as a file that is read bit by bit."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Callable, Dict, Iterable, Iterator, Sequence

from .model import Row

_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\b": "\\b", "\f": "\\f", "\v": "\\v"})


def copy_text(rows: Iterable[Row]) -> str:
    """Lines for COPY ... FROM STDIN. Raises KeyError for a type without a form here, ValueError for a NUL character."""
    field = _FIELD
    return "".join(["\t".join([field[type(value)](value) for value in row]) + "\n" for row in rows])


class CopyFile:
    """What psycopg2's copy_expert reads from: batches of rows, turned into bytes no earlier than they are asked for.

    rows: how many have been handed out so far.
    """

    def __init__(self, batches: Iterable[Sequence[Row]]) -> None:
        self.rows = 0
        self._batches: Iterator[Sequence[Row]] = iter(batches)
        self._text = b""
        self._position = 0

    def read(self, size: int = -1) -> bytes:
        """Up to `size` bytes, all that is left if it is negative; b"" at the end, and for a size of 0."""
        if size < 0:
            return b"".join(self._pieces())
        while self._position >= len(self._text):
            batch = next(self._batches, None)
            if batch is None:
                return b""
            self._take(batch)
        piece = self._text[self._position : self._position + size]
        self._position += len(piece)
        return piece

    def _pieces(self) -> Iterator[bytes]:
        yield self._text[self._position :]
        self._text, self._position = b"", 0
        for batch in self._batches:
            self._take(batch)
            yield self._text
        self._text = b""

    def _take(self, batch: Sequence[Row]) -> None:
        self._text = copy_text(batch).encode()
        self._position = 0
        self.rows += len(batch)


def _string(text: str) -> str:
    if text.isprintable() and "\\" not in text:
        return text
    if "\0" in text:
        raise ValueError("PostgreSQL has no character NUL")
    return text.translate(_ESCAPES)


_FIELD: Dict[type, Callable[[Any], str]] = {
    type(None): lambda _value: "\\N",
    bool: lambda value: "t" if value else "f",
    int: int.__repr__,
    float: float.__repr__,
    str: _string,
    bytes: lambda value: "\\\\x" + value.hex(),
    datetime: str,
}
