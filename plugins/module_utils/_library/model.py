# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a library is made from, and what a table of it looks like."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime
from typing import Callable, Iterator, List, NamedTuple, Tuple, Union

# Files per block. Each block has its own random numbers, so that any part of any table can be made on its own.
BLOCK = 1000

Value = Union[None, bool, int, float, str, bytes, datetime]
Row = Tuple[Value, ...]


@dataclass(frozen=True)
class Library:
    """files: how many. seed: any number. end: when the last file came in, with a time zone.

    Raises ValueError for no files and for an end without a time zone.
    """

    files: int
    seed: int
    end: datetime

    def __post_init__(self) -> None:
        if self.files < 1:
            raise ValueError("a library has at least one file, not %s" % self.files)
        if self.end.tzinfo is None:
            raise ValueError("the end needs a time zone")

    @property
    def blocks(self) -> int:
        return -(-self.files // BLOCK)

    def ids(self, block: int) -> range:
        """The ids of a block's files; ids count from 1 in the order in which the files came in."""
        return range(block * BLOCK + 1, min((block + 1) * BLOCK, self.files) + 1)

    def chance(self, stream: str, block: int = 0) -> Callable[[], float]:
        """Random numbers in [0, 1) of one stream in one block.

        Only random() gives the same numbers in every version of Python, so nothing else of `random` is used.
        """
        return random.Random("%s/%s/%s" % (self.seed, stream, block)).random


class Table(NamedTuple):
    """name; columns: those that the rows have, in order; rows: those of one block.

    per_file: about how many rows a file has here. 0 marks a table that does not grow with the files: it is one block.
    """

    name: str
    columns: Tuple[str, ...]
    per_file: float
    rows: Callable[[Library, int], List[Row]]

    def batches(self, library: Library) -> Iterator[List[Row]]:
        """All rows, block by block."""
        for block in range(library.blocks if self.per_file else 1):
            yield self.rows(library, block)


def shuffled(items: List[float], chance: Callable[[], float]) -> List[float]:
    """A copy in random order."""
    result = list(items)
    for last in range(len(result) - 1, 0, -1):
        other = int(chance() * (last + 1))
        result[last], result[other] = result[other], result[last]
    return result
