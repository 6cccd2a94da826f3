# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Silences: for a time, with a reason, of everything or of one metric.

While one holds nothing is sent but the recovery of what people were told of before: it wakes nobody for something new,
and what waits for it elsewhere (an incident, a pager) is closed. What is still bad when it ends is sent then.
"""

from __future__ import annotations

import re
from typing import Any, Dict, List, Optional, Sequence

from ansible_collections.midi.capacity.plugins.module_utils import _moments
from ansible_collections.midi.capacity.plugins.module_utils._alerts import plain
from ansible_collections.midi.capacity.plugins.module_utils._alerts.memory import settled
from ansible_collections.midi.capacity.plugins.module_utils._thresholds.catalog import BY_NAME
from ansible_collections.midi.capacity.plugins.module_utils._thresholds.table import nearest

Json = Dict[str, Any]

MOST = 50
LONGEST_SECONDS = 31 * 86400
LONGEST_REASON = 200

_DURATION = re.compile(r"(?:(\d{1,6})d)?(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,6})s)?\Z", re.ASCII)
_SECONDS = (86400, 3600, 60, 1)


class SilenceError(ValueError):
    """This silence cannot be; the message says why, and what to write."""


def seconds(text: str) -> int:
    """Of "2h", "90m", "1d12h". Raises SilenceError."""
    match = _DURATION.match(text.strip().lower())
    numbers = match.groups("0") if match else ()
    found = sum(int(number) * length for number, length in zip(numbers, _SECONDS))
    if not found:
        raise SilenceError(f'"{text}" is no time: write, for example, 2h, 90m or 1d12h')
    return found


def added(document: Json, now: str, for_seconds: float, reason: str, metric: Optional[str] = None) -> Json:
    """The document with a silence from now on. Raises SilenceError."""
    if not 0 < for_seconds <= LONGEST_SECONDS:
        raise SilenceError(f"a silence lasts {LONGEST_SECONDS // 86400} days at most: give it again when it ends")
    if not reason.strip():
        raise SilenceError("a silence needs a reason: say why, for whoever looks next")
    _refuse_unknown(metric)
    document = settled(document, now)
    document["silences"] = active(document, now)
    if len(document["silences"]) >= MOST:
        raise SilenceError(f"there are {MOST} silences already: lift some first")
    until = _moments.after(now, for_seconds)
    entry = {"from": now, "until": until, "reason": plain.line(reason, LONGEST_REASON), "metric": metric}
    document["silences"].append(entry)
    return document


def lifted(document: Json, now: str, metric: Optional[str] = None) -> Json:
    """Without the silences of this metric; without any at all if none is named. Raises SilenceError."""
    document = settled(document, now)
    # One of a metric that a newer version does not have any more can still be ended.
    if all(silence["metric"] != metric for silence in document["silences"]):
        _refuse_unknown(metric)
    kept = [silence for silence in active(document, now) if metric is not None and silence["metric"] != metric]
    document["silences"] = kept
    return document


def _refuse_unknown(metric: Optional[str]) -> None:
    if metric is not None and metric not in BY_NAME:
        raise SilenceError(f"there is no metric {metric}{nearest(metric, BY_NAME)}")


def active(document: Json, now: str) -> List[Json]:
    """Those that hold; the document has to be settled."""
    return [silence for silence in document["silences"] if _moments.elapsed(now, silence["until"]) > 0]


def holds(silences: List[Json], metric: str) -> bool:
    """Whether one of them is about the metric."""
    return until(silences, metric) is not None


def until(silences: Sequence[Json], metric: str) -> Optional[str]:
    """When the last of those that are about the metric ends; None where there is none."""
    ends = [silence["until"] for silence in silences if silence["metric"] in (None, metric)]
    return max(ends, key=_moments.parsed, default=None)
