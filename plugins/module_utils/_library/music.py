# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is true of a file in all tables: where it stands in its genre, tempo and key, and when it came in."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate
from typing import List, NamedTuple, Optional, Sequence

from .growth import created
from .model import Library, Row
from .words import GENRES, KEYS, ROLES, TONIC_WEIGHTS, UNKNOWN_KEY

# Sequencers write 120 where nobody set a tempo.
DEFAULT_BPM = 120.0
_DEFAULT_BPM_SHARE = 0.15
_FRACTIONAL_BPM_SHARE = 0.12
_SLOWEST_BPM, _FASTEST_BPM = 40.0, 240.0
_FAILED_SHARE = 0.015
# The analysis follows within this time, so that the newest files have none yet.
_LONGEST_WAIT_SECONDS = 36 * 3600
_DRUMS = 0
_FULL_SONG = len(ROLES) - 1
_NOTES_PER_BAR = 11


class Fact(NamedTuple):
    """genre, role: indexes into GENRES and ROLES. created, analyzed: seconds since 1970. bars: length, in bars.

    analyzed is None where the analysis failed or is still to come.
    """

    file_id: int
    genre: int
    role: int
    bpm: float
    key: str
    bars: int
    created: float
    analyzed: Optional[float]
    failed: bool


class _Choice:
    """An index drawn by weight."""

    def __init__(self, weights: Sequence[float]) -> None:
        total = float(sum(weights))
        self._limits = [limit / total for limit in accumulate(weights)][:-1]

    def of(self, number: float) -> int:
        """number: in [0, 1)."""
        return bisect_right(self._limits, number)


_GENRE = _Choice([genre.weight for genre in GENRES])
_ROLE = _Choice([weight for _name, weight in ROLES])
_TONIC = _Choice(TONIC_WEIGHTS)
_BARS = (4, 4, 8, 8, 8, 16, 16, 32)


def facts(library: Library, block: int) -> List[Fact]:
    """The facts of a block's files, by id."""
    chance = library.chance("facts", block)
    end = library.end.timestamp()
    first_id = library.ids(block).start
    result = []
    for position, moment in enumerate(created(library, block)):
        genre = _GENRE.of(chance())
        role = _ROLE.of(chance())
        bpm = _bpm(genre, chance(), chance() + chance() + chance(), chance())
        key = _key(genre, role, chance(), chance())
        bars = 64 + int(chance() * 128) if role == _FULL_SONG else _BARS[int(chance() * len(_BARS))]
        failed = chance() < _FAILED_SHARE
        analyzed = moment + chance() * _LONGEST_WAIT_SECONDS
        done = None if failed or analyzed >= end else analyzed
        result.append(Fact(first_id + position, genre, role, bpm, key, bars, moment, done, failed))
    return result


def metadata_rows(library: Library, block: int) -> List[Row]:
    """One row of what the analysis found for each file that has been analysed."""
    chance = library.chance("musical_metadata", block)
    return [_metadata(fact, chance(), chance()) for fact in facts(library, block) if fact.analyzed is not None]


def duration_seconds(fact: Fact) -> float:
    """Of bars with four beats each."""
    return round(fact.bars * 4 * 60 / fact.bpm, 3)


def _bpm(genre: int, kind: float, three: float, fraction: float) -> float:
    """three: the sum of three random numbers, which has mean 1.5 and standard deviation 0.5."""
    if kind < _DEFAULT_BPM_SHARE:
        return DEFAULT_BPM
    known = GENRES[genre]
    bpm = float(round(known.bpm + known.spread * (three - 1.5) * 2))
    if kind > 1 - _FRACTIONAL_BPM_SHARE:
        bpm = round(bpm + fraction, 2)
    return min(max(bpm, _SLOWEST_BPM), _FASTEST_BPM)


def _key(genre: int, role: int, tonic: float, mode: float) -> str:
    if role == _DRUMS:
        return UNKNOWN_KEY
    minor = mode * 100 < GENRES[genre].minor_percent
    return KEYS[2 * _TONIC.of(tonic) + minor]


def _metadata(fact: Fact, one: float, two: float) -> Row:
    lowest = 24 + int(one * 30)
    pitches = 3 + int(two * 30)
    three_four = fact.role != _DRUMS and one > 0.93
    return (
        fact.file_id,
        fact.bpm,
        round(0.6 + 0.4 * one, 3),
        fact.key,
        None if fact.key == UNKNOWN_KEY else round(0.5 + 0.5 * two, 3),
        3 if three_four else 4,
        4,
        duration_seconds(fact),
        fact.bars * _NOTES_PER_BAR + int(two * fact.bars * _NOTES_PER_BAR),
        pitches,
        lowest,
        lowest + pitches,
        round(60 + 50 * two, 2),
        1 + int(one * 6),
        fact.role == _DRUMS,
    )
