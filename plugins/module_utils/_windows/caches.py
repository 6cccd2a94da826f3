# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The window between two readings of a Redis cache."""

from __future__ import annotations

import datetime
from typing import Any, Dict, List, Optional, Tuple

from ansible_collections.midi.capacity.plugins.module_utils import _moments
from ansible_collections.midi.capacity.plugins.module_utils._report.human import moment
from ansible_collections.midi.capacity.plugins.module_utils._windows.errors import seconds_of
from ansible_collections.midi.capacity.plugins.module_utils._windows.shares import percent

Json = Dict[str, Any]

COUNTERS = ("hits", "misses", "evicted_keys", "expired_keys", "total_commands")


def window(earlier: Json, later: Json) -> Json:
    """See the package's docstring."""
    seconds_of(earlier["taken_at"], later["taken_at"])
    start = earlier["taken_at"]
    reasons: List[str] = []
    before = earlier["counters"]
    figures: Dict[str, Optional[int]] = dict.fromkeys(COUNTERS)
    if not earlier["run_id"] or not later["run_id"]:
        reasons.append("whether it is the same process is unknown: INFO does not say run_id")
    elif earlier["run_id"] != later["run_id"]:
        started, told = _started(later, start)
        reasons.append(told)
        if started is not None:
            start = started
            figures = {name: later["counters"][name] for name in COUNTERS}
    elif _backwards(before, later["counters"]):
        reasons.append("its counters were reset in the window (CONFIG RESETSTAT), at a time that Redis does not keep")
    else:
        figures = {name: _grown(before[name], later["counters"][name]) for name in COUNTERS}
    hits, misses = figures["hits"], figures["misses"]
    return {
        "from": start,
        "to": later["taken_at"],
        "seconds": _moments.elapsed(start, later["taken_at"]),
        **figures,
        "hit_ratio_percent": None if hits is None or misses is None else percent(hits, hits + misses),
        "reasons": [{"part": "cache", "reason": text} for text in reasons],
    }


def _started(later: Json, start: str) -> Tuple[Optional[str], str]:
    """When in the window another process began, None where its counters may be of before; and what is to be said."""
    if later["uptime_seconds"] is None:
        return None, "it was started again, at an unknown time"
    taken = datetime.datetime.strptime(later["taken_at"], "%Y-%m-%dT%H:%M:%SZ")
    started = (taken - datetime.timedelta(seconds=later["uptime_seconds"])).strftime("%Y-%m-%dT%H:%M:%SZ")
    if started <= start:
        return None, "another Redis: a process that ran at the beginning already"
    if started > later["taken_at"]:
        # It takes its uptime from the clock, so one that was set back since makes less than nothing of it.
        return None, "it was started again, at an unknown time: since then the clock was set"
    return started, f"it was started again at {moment(started)}; its counters count from then on"


def _grown(before: Optional[int], after: Optional[int]) -> Optional[int]:
    return None if before is None or after is None else after - before


def _backwards(before: Json, after: Json) -> bool:
    return any((_grown(before[name], after[name]) or 0) < 0 for name in COUNTERS)
