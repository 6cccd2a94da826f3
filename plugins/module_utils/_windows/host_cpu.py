# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How busy the CPUs were between two snapshots of one boot."""

from __future__ import annotations

from typing import Any, Dict, Mapping, Optional

from ansible_collections.midi.capacity.plugins.module_utils._host_parse.cpu import IDLE_STATES, WAVERING_STATES
from ansible_collections.midi.capacity.plugins.module_utils._windows.shares import percent

Json = Mapping[str, Any]


def busy_percent(earlier: Optional[Json], later: Optional[Json], seconds: float) -> Optional[float]:
    """Of what PostgreSQL may use: of its control group's quota where there is one, of all CPUs otherwise.

    earlier, later: the part `host` of snapshots. None where it cannot be known.
    """
    if not earlier or not later or seconds <= 0:
        return None
    before, after = earlier["cpu"], later["cpu"]
    if after["cgroup"]["quota_cpus"] is not None:
        # Another group has counted something else.
        if before["cgroup"]["source"] != after["cgroup"]["source"]:
            return None
        used = _grown(before["cgroup"].get("used_seconds"), after["cgroup"].get("used_seconds"))
        share = percent(used, after["usable_cpus"] * seconds)
        return None if share is None else min(100.0, share)
    if before["online_cpus"] != after["online_cpus"]:
        return None
    moved = _moved(before.get("states_seconds"), after.get("states_seconds"))
    if moved is None:
        return None
    idle = sum(moved[state] for state in IDLE_STATES)
    whole = sum(moved.values())
    return percent(whole - idle, whole)


def _moved(before: Optional[Json], after: Optional[Json]) -> Optional[Dict[str, float]]:
    if not before or not after or None in (*before.values(), *after.values()):
        return None
    if any(after[state] < before[state] for state in after if state not in WAVERING_STATES):
        return None
    return {state: max(0.0, after[state] - before[state]) for state in after}


def _grown(before: Optional[float], after: Optional[float]) -> Optional[float]:
    return None if before is None or after is None or after < before else after - before
