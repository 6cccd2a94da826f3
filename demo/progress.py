# SPDX-License-Identifier: GPL-3.0-or-later
"""How far a long load is: one line that is rewritten on a terminal, else a line every tenth of the way."""

from __future__ import annotations

import shutil
import time
from typing import TextIO

_REWRITE_SECONDS = 0.2


class Progress:
    """rows: about how many there are in all."""

    def __init__(self, out: TextIO, rows: float) -> None:
        self._out = out
        self._live = out.isatty()
        self._expected = rows
        self._done = 0
        self._tenths = 0
        self._shown = ""
        self._next_rewrite = 0.0
        self._started = time.monotonic()

    def rows(self, table: str, count: int, seconds: float) -> None:
        """`count` rows of a table are in, after that many seconds of it."""
        percent = min(99, int(100 * (self._done + count) / self._expected))
        text = f"{percent:3}%  {table}  {count:,} rows  {rate(count, seconds)}"
        if self._live:
            self._rewrite(text)
        elif percent // 10 > self._tenths:
            self._tenths = percent // 10
            self.line(text)

    def table(self, name: str, count: int, seconds: float) -> None:
        """A table is complete."""
        self._done += count
        self.line(f"{name:<24} {count:>12,} rows  {rate(count, seconds)}")

    def step(self, text: str) -> None:
        """Something without a count is at work; shown on a terminal only."""
        if self._live:
            self._rewrite(text)

    def line(self, text: str) -> None:
        """A line that stays."""
        self._clear()
        print(text, file=self._out, flush=True)

    def total(self) -> None:
        """The last line."""
        speed = rate(self._done, self.seconds)
        self.line(f"{'total':<24} {self._done:>12,} rows  {speed}  {self.seconds:.1f} s, indexes and keys included")

    @property
    def seconds(self) -> float:
        """Since this object was made."""
        return time.monotonic() - self._started

    @property
    def done(self) -> int:
        """Rows of the tables that are complete."""
        return self._done

    def close(self) -> None:
        """Leave the terminal with an empty line, whatever comes next."""
        self._clear()

    def _rewrite(self, text: str) -> None:
        now = time.monotonic()
        # A line that wraps could not be rewritten.
        text = text[: shutil.get_terminal_size().columns - 1]
        if now >= self._next_rewrite:
            self._next_rewrite = now + _REWRITE_SECONDS
            print("\r" + text.ljust(len(self._shown)), end="", file=self._out, flush=True)
            self._shown = text

    def _clear(self) -> None:
        if self._shown:
            print("\r" + " " * len(self._shown) + "\r", end="", file=self._out, flush=True)
            self._shown = ""


def rate(rows: int, seconds: float) -> str:
    """Rows a second, for people."""
    return f"{rows / max(seconds, 0.001):,.0f} rows/s"
