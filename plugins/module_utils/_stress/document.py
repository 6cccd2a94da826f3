# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All that is known of a stress test as one document, from which reports are made."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional

from ansible_collections.midi.capacity.plugins.module_utils._stress import rate, samples, verdict
from ansible_collections.midi.capacity.plugins.module_utils._windows.errors import NotAWindow
from ansible_collections.midi.capacity.plugins.module_utils._windows.snapshots import window

SCHEMA_VERSION = 1

Json = Dict[str, Any]

_OUTCOME = ("exit_status", "signal", "ended_by", "left_running", "started_at", "elapsed_seconds")


def document(pieces: Mapping[str, Any]) -> Json:
    """The document.

    pieces: run, inventory_hostname, command (text), database, allowed_by; job (the result of what ran it), watches (the
    results of module pg_stress_watch), before and after (snapshots; the latter may be None), after_reason (why it is),
    removed (a number of files, or None).
    """
    job, before, after = pieces["job"], pieces["before"], pieces["after"]
    outcome = {name: job[name] for name in _OUTCOME}
    return {
        "schema_version": SCHEMA_VERSION,
        "run": pieces["run"],
        "inventory_hostname": pieces["inventory_hostname"],
        "command": pieces["command"],
        "database": pieces["database"],
        "allowed_by": pieces["allowed_by"],
        "outcome": outcome,
        "verdict": verdict.verdict(outcome, job["log"]["errors"], pieces["after_reason"]),
        "rate": rate.rate(job["log"], before["growth"], after["growth"] if after else None, job["elapsed_seconds"]),
        "connections": _connections(pieces["watches"], after or before),
        "window": _window(before, after) if after else {"found": None, "reason": pieces["after_reason"]},
        "log": job["log"],
        "removed_files": pieces["removed"],
        "before": before,
        "after": after,
    }


def _connections(watches: List[Json], snapshot: Json) -> Json:
    found = samples.merged([watch["samples"] for watch in watches])
    known = snapshot["connections"]
    return {
        "usable_maximum": known["usable_maximum"] if known else None,
        "samples": found["samples"] if found else 0,
        "most": found["most"] if found else None,
        "mean": found["mean"] if found else None,
        "reasons": samples.reasons([watch["reason"] for watch in watches]),
    }


def _window(before: Json, after: Json) -> Json:
    """{found, reason}: the window of the two snapshots, or why there is none."""
    reason: Optional[str] = None
    found: Optional[Json] = None
    try:
        found = window(before, after)
    except NotAWindow as error:
        reason = str(error)
    return {"found": found, "reason": reason}
