# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The counters of pg_stat_database between two snapshots."""

from __future__ import annotations

from typing import Any, Dict, Iterator, List, Optional, Tuple

from ansible_collections.midi.capacity.plugins.module_utils import _moments
from ansible_collections.midi.capacity.plugins.module_utils._report.human import moment
from ansible_collections.midi.capacity.plugins.module_utils._windows.reset import UnknownReset, begin
from ansible_collections.midi.capacity.plugins.module_utils._windows.servers import restarted
from ansible_collections.midi.capacity.plugins.module_utils._windows.shares import percent

Json = Dict[str, Any]

# Those of PostgreSQL 14 to 18; what a version does not have, or has no value for, is left out.
COUNTERS = (
    "xact_commit",
    "xact_rollback",
    "blks_read",
    "blks_hit",
    "tup_returned",
    "tup_fetched",
    "tup_inserted",
    "tup_updated",
    "tup_deleted",
    "conflicts",
    "temp_files",
    "temp_bytes",
    "deadlocks",
    "checksum_failures",
    "sessions",
    "sessions_abandoned",
    "sessions_fatal",
    "sessions_killed",
    "parallel_workers_to_launch",
    "parallel_workers_launched",
)
TIMES = ("blk_read_time", "blk_write_time", "session_time", "active_time", "idle_in_transaction_time")


def difference(earlier: Json, later: Json) -> Tuple[Json, List[str]]:
    """The part `database` of a window, and what is to be said about it. Raises UnknownReset."""
    before, after = earlier["database"], later["database"]
    if before.get("datid") != after.get("datid"):
        raise UnknownReset("another database of the same name: it was dropped and made again")
    reset = begin(before["stats_reset"], after["stats_reset"], *_span(earlier, later)) or _lost(earlier, later)
    start = reset or earlier["taken_at"]
    found: Json = {
        "from": start,
        "to": later["taken_at"],
        "seconds": _moments.elapsed(start, later["taken_at"]),
    }
    for name, old, new in _pairs(earlier, later):
        grown = new - (0 if reset else old)
        if grown < 0:
            raise UnknownReset(f"counters began anew at an unknown time: {name} was {old}, then {new}")
        found[name + "_ms" if name in TIMES else name] = grown
    found["hit_ratio_percent"] = percent(found.get("blks_hit"), found.get("blks_hit", 0) + found.get("blks_read", 0))
    return found, [f"its counters were reset at {moment(reset)} and count from then on"] if reset else []


def _lost(earlier: Json, later: Json) -> Optional[str]:
    """When a crash in the window lost all counters; a database's own reset does not tell. Raises UnknownReset."""
    # Snapshots of before do not have it.
    before, after = (snapshot["server"].get("counters_since") for snapshot in (earlier, later))
    if before is None or after is None:
        return None
    lost = begin(before, after, *_span(earlier, later))
    if lost is None or _statements_stayed(earlier, later):
        return None
    # pg_stat_reset_shared() looks the same and leaves the counters of databases alone: then they would count twice.
    if not any(after < before for _name, before, after in _pairs(earlier, later)):
        raise UnknownReset("a crash may have lost its counters in the window, or somebody reset those of the cluster")
    return lost


def _statements_stayed(earlier: Json, later: Json) -> bool:
    """Whether pg_stat_statements, which loses its counters in a crash too, shows that there was none.

    A stop in mode immediate is a crash to all counters but these.
    """
    ends = [snapshot["statements"] for snapshot in (earlier, later)]
    return all(ends) and ends[0]["stats_reset"] == ends[1]["stats_reset"] and not restarted(earlier, later)


def _pairs(earlier: Json, later: Json) -> Iterator[Tuple[str, Any, Any]]:
    """Name, earlier and later value of each counter that both have."""
    before, after = earlier["database"], later["database"]
    for name in (*COUNTERS, *TIMES):
        if after.get(name) is not None and before.get(name) is not None:
            yield name, before[name], after[name]


def _span(earlier: Json, later: Json) -> Tuple[str, str]:
    return earlier["taken_at"], later["taken_at"]
