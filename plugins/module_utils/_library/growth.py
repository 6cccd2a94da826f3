# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When the files came in: 18 uneven months, one of them with a bulk import, one nearly empty, the last one partial."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from functools import lru_cache
from typing import Dict, List, NamedTuple, Tuple

from .model import Library, shuffled

MONTHS = 18
# A usual month's weight, smallest to largest: some months bring three times what others do.
_SMALLEST, _LARGEST = 0.45, 1.75
_EMPTY_WEIGHT = 0.01
# Months counted from 0: neither of the two is the first or the last, so that both stand out.
_EMPTY_MONTH = 13
_EARLIEST_BULK, _BULK_CHOICES = 4, 6
BULK_SHARE = 0.18
BULK_SECONDS = 3 * 3600


class Span(NamedTuple):
    """A time in which files came in evenly. start, stop: seconds since 1970. first_id: of its `files` ids."""

    start: float
    stop: float
    first_id: int
    files: int


@lru_cache(maxsize=8)
def spans(library: Library) -> Tuple[Span, ...]:
    """The spans that have files, oldest first; their files add up to the library's."""
    chance = library.chance("growth")
    months = _months(library.end)
    weights = _weights(shuffled(_steps(), chance), months[-1])
    bulk_month = _EARLIEST_BULK + int(chance() * _BULK_CHOICES)
    bulk_start = months[bulk_month][0] + (10 + int(chance() * 10)) * 86400.0 + 9 * 3600

    parts: List[Tuple[float, float, float]] = []
    usual = sum(weights)
    for number, (start, stop, _full) in enumerate(months):
        share = (1 - BULK_SHARE) * weights[number] / usual
        if number != bulk_month:
            parts.append((start, stop, share))
            continue
        bulk_stop = bulk_start + BULK_SECONDS
        before = (bulk_start - start) / (stop - start - BULK_SECONDS)
        parts.append((start, bulk_start, share * before))
        parts.append((bulk_start, bulk_stop, BULK_SHARE))
        parts.append((bulk_stop, stop, share * (1 - before)))
    return _numbered(parts, library.files)


def created(library: Library, block: int) -> List[float]:
    """When each file of a block came in, in seconds since 1970: never later than the next one, never after the end."""
    chance = library.chance("created", block)
    ids = library.ids(block)
    result: List[float] = []
    for span in spans(library):
        first = max(ids.start, span.first_id)
        stop = min(ids.stop, span.first_id + span.files)
        step = (span.stop - span.start) / span.files
        result += [span.start + step * (number - span.first_id + chance()) for number in range(first, stop)]
    return result


def by_month(library: Library) -> Dict[Tuple[int, int], int]:
    """Files of each (year, month), in time order; a month without files is there with 0."""
    counts = {}
    for start, _stop, _full in _months(library.end):
        moment = _moment(start)
        counts[moment.year, moment.month] = 0
    for span in spans(library):
        moment = _moment(span.start)
        counts[moment.year, moment.month] += span.files
    return counts


def _steps() -> List[float]:
    """Weights of the months but the nearly empty one."""
    return [_SMALLEST + (_LARGEST - _SMALLEST) * step / (MONTHS - 2) for step in range(MONTHS - 1)]


def _weights(usual: List[float], last_month: Tuple[float, float, float]) -> List[float]:
    """A weight for each month: the usual ones with the nearly empty month among them, the last one cut to its part."""
    weights = usual[:_EMPTY_MONTH] + [_EMPTY_WEIGHT] + usual[_EMPTY_MONTH:]
    start, stop, full = last_month
    weights[-1] *= (stop - start) / (full - start)
    return weights


def _months(end: datetime) -> List[Tuple[float, float, float]]:
    """(start, stop, start of the next month) of each month, oldest first; the last one stops at the end."""
    result: List[Tuple[float, float, float]] = []
    last = end.astimezone(timezone.utc)
    year, month = last.year, last.month
    following = datetime(year + month // 12, month % 12 + 1, 1, tzinfo=timezone.utc)
    for _count in range(MONTHS):
        start = datetime(year, month, 1, tzinfo=timezone.utc)
        stop = min(following, last)
        result.insert(0, (start.timestamp(), stop.timestamp(), following.timestamp()))
        following = start
        year, month = (year, month - 1) if month > 1 else (year - 1, 12)
    return result


def _numbered(parts: List[Tuple[float, float, float]], files: int) -> Tuple[Span, ...]:
    """Whole files for each share, by the largest remainders, so that none is lost."""
    exact = [share * files for _start, _stop, share in parts]
    counts = [int(count) for count in exact]
    by_remainder = sorted(range(len(parts)), key=lambda part: counts[part] - exact[part])
    for part in by_remainder[: files - sum(counts)]:
        counts[part] += 1
    result: List[Span] = []
    first_id = 1
    for part, (start, stop, _share) in enumerate(parts):
        if counts[part]:
            result.append(Span(start, stop, first_id, counts[part]))
        first_id += counts[part]
    return tuple(result)


def _moment(seconds: float) -> datetime:
    return datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(seconds=seconds)
