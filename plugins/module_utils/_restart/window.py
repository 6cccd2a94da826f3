# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When maintenance is allowed: "Sat,Sun 02:00-05:00 Europe/Berlin; Wed 22:00-01:00 UTC".

Runs on the controller. Each window is in the wall time of its zone, so it moves with daylight saving time.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone, tzinfo
from typing import Any, Dict, FrozenSet, Iterator, List, Optional, Tuple
from zoneinfo import ZoneInfo  # novm: runs on the controller

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WINDOW = re.compile(r"\s*(\S+)\s+(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})(?:\s+(\S+))?\s*\Z")
# A day of the week comes round within these; one more for a window that began yesterday.
_DAYS_AHEAD = 8
_EXAMPLE = 'write, for example, "Sat,Sun 02:00-05:00 Europe/Berlin"'


class WindowError(ValueError):
    """The text names no window; the message says why, and what to write."""


@dataclass(frozen=True)
class Window:
    """Days (0 is Monday), the wall time of both ends, and the zone. An end that is not later is on the next day."""

    days: FrozenSet[int]
    begin: time
    end: time
    zone: tzinfo

    def occurrences(self, around: datetime) -> Iterator[Tuple[datetime, datetime]]:
        """(begin, end) in UTC from the day before `around` on, in order."""
        today = around.astimezone(self.zone).date()
        for offset in range(-1, _DAYS_AHEAD):
            day = today + timedelta(days=offset)
            if day.weekday() in self.days:
                begin = self._moment(day, self.begin)
                end = self._moment(day + timedelta(days=self.end <= self.begin), self.end)
                if begin < end:
                    yield begin, end

    def _moment(self, day: date, clock: time) -> datetime:
        return datetime.combine(day, clock, self.zone).astimezone(timezone.utc)


def parse(text: str) -> List[Window]:
    """The windows of a text, separated by semicolons; an empty text has none. Raises WindowError."""
    return [_window(part) for part in text.split(";") if part.strip()]


def state(text: str, now: datetime, needed_seconds: float = 0) -> Dict[str, Any]:
    """Whether maintenance is allowed at `now` (with its zone) for as long as it may need.

    Gives {open, closes_at, opens_at, text}: moments as ISO 8601 in UTC or None. Without a window it is always open.
    `opens_at` is the next beginning after `now`.
    """
    windows = parse(text)
    if not windows:
        return {"open": True, "closes_at": None, "opens_at": None, "text": "no maintenance window is set"}
    needed = timedelta(seconds=needed_seconds)
    spans = _merged(sorted(span for window in windows for span in window.occurrences(now)))
    inside = next(((begin, end) for begin, end in spans if begin <= now < end), None)
    after = next((begin for begin, end in spans if begin > now and begin + needed <= end), None)
    if inside and now + needed <= inside[1]:
        said = f"the maintenance window {text.strip()} is open until {_shown(inside[1])}"
        return _state(True, inside[1], after, said)
    if inside:
        minutes = int((inside[1] - now).total_seconds() // 60)
        said = (
            f"the maintenance window {text.strip()} closes in {minutes} min, and a restart may need"
            f" {needed_seconds:g} s"
        )
    else:
        said = f"the maintenance window {text.strip()} is closed"
    said += f"; it opens at {_shown(after)}" if after else f"; no opening is as long as {needed_seconds:g} s"
    return _state(False, inside[1] if inside else None, after, said)


def _merged(spans: List[Tuple[datetime, datetime]]) -> List[Tuple[datetime, datetime]]:
    """Windows that touch are one."""
    merged: List[Tuple[datetime, datetime]] = []
    for begin, end in spans:
        if merged and begin <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((begin, end))
    return merged


def _state(is_open: bool, closes_at: Optional[datetime], opens_at: Optional[datetime], text: str) -> Dict[str, Any]:
    return {"open": is_open, "closes_at": _iso(closes_at), "opens_at": _iso(opens_at), "text": text}


def _iso(moment: Optional[datetime]) -> Optional[str]:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ") if moment else None


def _shown(moment: datetime) -> str:
    return moment.strftime("%a %Y-%m-%d %H:%M UTC")


def _window(text: str) -> Window:
    match = _WINDOW.match(text)
    if not match:
        raise WindowError(f'"{text.strip()}" is no maintenance window: {_EXAMPLE}')
    days, *clock, zone = match.groups()
    begin, end = _clock(text, *clock[:2]), _clock(text, *clock[2:])
    return Window(_parsed_days(text, days), begin, end, _zone(text, zone))


def _parsed_days(text: str, days: str) -> FrozenSet[int]:
    if days.lower() == "daily":
        return frozenset(range(7))
    found = set()
    for part in days.split(","):
        ends = [_day(text, name) for name in part.split("-")]
        if len(ends) > 2:
            raise WindowError(f'"{text.strip()}": "{part}" is no range of days: {_EXAMPLE}')
        # Fri-Mon goes over the end of the week.
        span = (ends[-1] - ends[0]) % 7 + 1
        found |= {(ends[0] + offset) % 7 for offset in range(span)}
    return frozenset(found)


def _day(text: str, name: str) -> int:
    try:
        return _DAYS.index(name.lower()[:3]) if len(name) >= 3 else _DAYS.index(name)
    except ValueError:
        raise WindowError(f'"{text.strip()}": "{name}" is no day: take Mon to Sun, or daily') from None


def _clock(text: str, hours: str, minutes: str) -> time:
    # 24:00 is the end of a day, as people write it.
    hour, minute = int(hours), int(minutes)
    if (hour, minute) == (24, 0):
        return time(0, 0)
    if hour > 23 or minute > 59:
        raise WindowError(f'"{text.strip()}": {hours}:{minutes} is no time of the day: take 00:00 to 24:00')
    return time(hour, minute)


def _zone(text: str, name: Optional[str]) -> tzinfo:
    if name is None or name.upper() == "UTC":
        return timezone.utc
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise WindowError(
            f'"{text.strip()}": the controller knows no time zone "{name}": take one as Europe/Berlin, or UTC'
        ) from None
