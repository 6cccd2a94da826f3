# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The window between two snapshots of the history, by a clock that nobody sets where there is one.

A head is what the history says of a snapshot: taken_at, boot_id, monotonic_seconds. In one boot the monotonic clock
tells how long it was; the other one may have been set in between, forward or back, and then the beginning is put on the
clock of the end, so that no window is too long, too short or turned round. Over a reboot there is only the other.
"""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, NamedTuple, Optional

from ansible_collections.midi.capacity.plugins.module_utils import _moments
from ansible_collections.midi.capacity.plugins.module_utils._report import human
from ansible_collections.midi.capacity.plugins.module_utils._windows import caches, host_cpu, snapshots
from ansible_collections.midi.capacity.plugins.module_utils._windows.errors import NotAWindow
from ansible_collections.midi.capacity.plugins.module_utils._windows.statements import key

Json = Dict[str, Any]
Head = Mapping[str, Any]

# What two clocks may differ by and nobody has set one: for reading them, and for being kept in time.
STEP_SECONDS = 2.0
STEP_SHARE = 0.001
# A snapshot that is late by more than half an interval is a gap.
LATE = 1.5


class Window(NamedTuple):
    """What happened between two snapshots.

    found: of _windows.snapshots, cache: of _windows.caches; None where it cannot be had. cpu_busy_percent: over the
    whole of it. reasons: [{part, reason}] of everything that shortens, bars or weakens it.
    """

    seconds: Optional[float]
    found: Optional[Json]
    cache: Optional[Json]
    cpu_busy_percent: Optional[float]
    reasons: List[Json]


def between(earlier: Json, before: Head, later: Json, after: Head, interval_seconds: float) -> Window:
    """earlier, later: documents of the history; before, after: their heads."""
    reasons: List[Json] = []
    seconds = _seconds(before, after)
    if seconds is None:
        seconds = _moments.elapsed(before["taken_at"], after["taken_at"])
        reasons.append(
            _reason("clock", "the host was started again in it, so its length is by a clock that may be set")
        )
    step = _moments.elapsed(before["taken_at"], after["taken_at"]) - seconds
    if abs(step) > max(STEP_SECONDS, STEP_SHARE * abs(seconds)):
        way = "forward" if step > 0 else "back"
        reasons.append(_reason("clock", f"the clock was set {way} by {human.seconds(abs(step))} in it"))
        earlier = _moved(earlier, step)
    if seconds > LATE * interval_seconds:
        reasons.append(
            _reason(
                "gap", f"{human.seconds(seconds)} without a snapshot, at one every {human.seconds(interval_seconds)}"
            )
        )
    found = cache = None
    try:
        found = snapshots.window(_narrowed(earlier, later), later)
        reasons += found.pop("reasons")
    except NotAWindow as error:
        reasons.append(_reason("window", str(error)))
    if earlier.get("redis") and later.get("redis"):
        try:
            cache = caches.window(earlier["redis"], later["redis"])
            reasons += cache.pop("reasons")
        except NotAWindow as error:
            reasons.append(_reason("cache", str(error)))
    busy = None
    if before["boot_id"] == after["boot_id"]:
        busy = host_cpu.busy_percent(earlier.get("host"), later.get("host"), seconds)
    return Window(seconds if seconds > 0 else None, found, cache, busy, reasons)


def _seconds(before: Head, after: Head) -> Optional[float]:
    if before["boot_id"] != after["boot_id"]:
        return None
    seconds: float = after["monotonic_seconds"] - before["monotonic_seconds"]
    return seconds if seconds > 0 else None


def _moved(snapshot: Json, step: float) -> Json:
    """The snapshot as if the clock had been then what it is now; moments of resets stay as the server has them."""
    found = {**snapshot, "taken_at": _moments.after(snapshot["taken_at"], step)}
    if found.get("redis"):
        taken = _moments.after(found["redis"]["taken_at"], step)
        found["redis"] = {**found["redis"], "taken_at": taken[:19] + "Z"}
    return found


def _narrowed(earlier: Json, later: Json) -> Json:
    """Without rows that the later one has not: there they are among the rest, and so they are here."""
    if not earlier["statements"] or not later["statements"]:
        return earlier
    wanted = {key(row) for row in later["statements"]["rows"]}
    statements = dict(earlier["statements"])
    rest = dict(statements["rest"])
    rows = []
    for row in statements["rows"]:
        if key(row) in wanted:
            rows.append(row)
            continue
        rest["statements"] += 1
        for name in rest:
            if name != "statements":
                rest[name] += row.get(name) or 0
    return {**earlier, "statements": {**statements, "rows": rows, "rest": rest}}


def _reason(part: str, text: str) -> Json:
    return {"part": part, "reason": text}
