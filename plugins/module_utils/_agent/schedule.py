# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When the agent runs: minutes of the day, as fields of crontab(5) and as OnCalendar of systemd.time(7)."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Dict, FrozenSet, List, Sequence, Tuple

HOUR = 60
DAY = 24 * HOUR
# Only what divides an hour or a day is the same distance from one run to the next, over every hour and midnight.
SHORT = (1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30)
INTERVALS = SHORT + tuple(minutes for minutes in range(HOUR, DAY + 1, HOUR) if DAY % minutes == 0)
# 0: none.
CAPTURES = (0,) + SHORT


@dataclass(frozen=True)
class Times:
    """Minutes of the day, from 0 to 1439; none means never."""

    minutes: FrozenSet[int]

    def cron(self) -> List[str]:
        """The first five fields of a line each."""
        return [
            f"{_fields(minutes, HOUR, '{}', '-')} {_fields(hours, 24, '{}', '-')} * * *"
            for minutes, hours in self._blocks()
        ]

    def on_calendar(self) -> List[str]:
        return [
            f"*-*-* {_fields(hours, 24, '{:02}', '..')}:{_fields(minutes, HOUR, '{:02}', '..')}:00"
            for minutes, hours in self._blocks()
        ]

    def _blocks(self) -> List[Tuple[Tuple[int, ...], List[int]]]:
        """Minutes of an hour, and the hours that have just these."""
        hours: Dict[int, List[int]] = {}
        for minute in sorted(self.minutes):
            hours.setdefault(minute // HOUR, []).append(minute % HOUR)
        alike: Dict[Tuple[int, ...], List[int]] = {}
        for hour, minutes in hours.items():
            alike.setdefault(tuple(minutes), []).append(hour)
        return list(alike.items())


@dataclass(frozen=True)
class Schedule:
    """A snapshot has a capture in it, so no capture is in a minute of a snapshot."""

    snapshot: Times
    capture: Times
    deadman: Times


def schedule(interval_minutes: int, capture_minutes: int, seed: str) -> Schedule:
    """One of INTERVALS and one of CAPTURES, and when they begin by the seed, so that hosts take turns.

    Captures are in step with the snapshots, so that all windows between them are alike. The dead man is looked for
    half an interval after a snapshot, or in the next minute that nothing else has, as far as there is one.
    Raises ValueError for other numbers.
    """
    if interval_minutes not in INTERVALS or capture_minutes not in CAPTURES:
        raise ValueError(f"no such schedule: {interval_minutes}, {capture_minutes}")
    # Not hash(): that is another one in every process.
    start = zlib.crc32(seed.encode()) % interval_minutes
    snapshot = _every(interval_minutes, start)
    capture = _every(capture_minutes, start % capture_minutes) - snapshot if capture_minutes else frozenset()
    return Schedule(Times(snapshot), Times(capture), Times(_deadman(interval_minutes, start, snapshot, capture)))


def _every(interval: int, start: int) -> FrozenSet[int]:
    return frozenset(range(start, DAY, interval))


def _deadman(interval: int, start: int, snapshot: FrozenSet[int], capture: FrozenSet[int]) -> FrozenSet[int]:
    turns = [_every(interval, (start + interval // 2 + later) % interval) for later in range(interval)]
    for taken in (snapshot | capture, snapshot):
        for minutes in turns:
            if not minutes & taken:
                return minutes
    return turns[0]


def _fields(values: Sequence[int], size: int, form: str, dash: str) -> str:
    """A list of numbers and ranges, or * for all."""
    if len(values) == size:
        return "*"
    ranges: List[List[int]] = []
    for value in values:
        if ranges and ranges[-1][-1] == value - 1:
            ranges[-1].append(value)
        else:
            ranges.append([value])
    parts: List[str] = []
    for found in ranges:
        ends = [found[0], found[-1]]
        parts += [form.format(value) for value in found] if len(found) < 3 else [dash.join(map(form.format, ends))]
    return ",".join(parts)
