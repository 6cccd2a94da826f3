# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tags: about five a file, one of them on most files, and a long tail down to tags with a handful."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Iterator, List, Tuple

from .model import Library, Row
from .words import GENRES, INSTRUMENTS, MANUFACTURERS, MOODS, ROLES, STYLES

TAGS_PER_FILE = 5.0
HOTTEST_SHARE = 0.64
# Files that the rarest tag has, about.
HANDFUL = 6
MOST_TAGS = 500
# Files from which on a library has that many tags; below, they grow with a power of the files.
_FULL_SCALE_FILES = 172_000
_TAGS_EXPONENT = 0.3
_FEWEST_TAGS = 40
# In a library of a few hundred files a handful would be many.
_MOST_FOR_RAREST = 0.01


def tag_count(files: int) -> int:
    """How many tags there are in a library of that many files."""
    scale = min(1.0, files / _FULL_SCALE_FILES)
    return max(_FEWEST_TAGS, int(MOST_TAGS * math.pow(scale, _TAGS_EXPONENT)))


@lru_cache(maxsize=8)
def shares(files: int) -> Tuple[float, ...]:
    """The part of all files that each tag is on, most used first; they add up to TAGS_PER_FILE.

    The first half falls with a power of the rank, as words in a text do. From there on the shares fall by a constant
    factor, down to a handful of files.
    """
    count = tag_count(files)
    rarest = min(HANDFUL / files, _MOST_FOR_RAREST)
    # The sum falls as the exponent grows.
    low, high = 0.0, 4.0
    for _halving in range(60):
        middle = (low + high) / 2
        if sum(_shares(count, middle, rarest)) > TAGS_PER_FILE:
            low = middle
        else:
            high = middle
    return tuple(_shares(count, high, rarest))


def names() -> List[Tuple[str, str]]:
    """(name, category) of MOST_TAGS tags, most used first."""
    result = []
    seen = set()
    for name, category in _words():
        if name not in seen:
            seen.add(name)
            result.append((name, category))
    return result[:MOST_TAGS]


def tag_rows(library: Library, _block: int) -> List[Row]:
    """(id, name, category): id 1 is the most used one."""
    wanted = names()[: tag_count(library.files)]
    return [(number, name, category) for number, (name, category) in enumerate(wanted, start=1)]


def file_tag_rows(library: Library, block: int) -> List[Row]:
    """(file_id, tag_id), by file; no pair comes twice."""
    chance = library.chance("file_tags", block)
    ids = library.ids(block)
    size = len(ids)
    order = list(range(size))
    tags_of: List[List[int]] = [[] for _position in order]
    for tag, share in enumerate(shares(library.files), start=1):
        # A part of a file is a file as often as the part says, so that rare tags keep their share over many blocks.
        wanted = int(size * share + chance())
        # The first steps of a shuffle draw without repeats; what the order was before does not matter.
        for position in range(wanted):
            other = position + int(chance() * (size - position))
            drawn = order[other]
            order[other] = order[position]
            order[position] = drawn
            tags_of[drawn].append(tag)
    return [(ids[position], tag) for position, tags in enumerate(tags_of) for tag in tags]


def _shares(count: int, exponent: float, rarest: float) -> List[float]:
    half = count // 2
    head: List[float] = [HOTTEST_SHARE * math.pow(rank, -exponent) for rank in range(1, half + 1)]
    steps = count - half
    factor = (rarest / head[-1]) ** (1 / steps)
    return head + [head[-1] * math.pow(factor, step) for step in range(1, steps + 1)]


def _words() -> Iterator[Tuple[str, str]]:
    """More tags than are wanted, some of them twice. The kinds take turns, so that each has common and rare ones."""
    kinds = [
        [(name, "role") for name, _weight in ROLES],
        [(genre.name, "genre") for genre in GENRES],
        [(name, "style") for name in STYLES],
        [(name, "mood") for name in MOODS],
        [(name, "instrument") for name in INSTRUMENTS],
        [(name, "manufacturer") for name in MANUFACTURERS],
    ]
    for place in range(max(len(kind) for kind in kinds)):
        for kind in kinds:
            yield from kind[place : place + 1]
    for mood in MOODS:
        for genre in GENRES:
            yield "%s-%s" % (mood, genre.name), "mood"
