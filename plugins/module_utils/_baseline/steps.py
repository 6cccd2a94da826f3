# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is to be done after a baseline: what it lacks, and what it found. The report and the summary both tell of it."""

from __future__ import annotations

from typing import Any, List, Mapping, Optional

from ansible_collections.midi.capacity.plugins.module_utils._baseline.view import NOT_ASKED, Json, View

# What phase 1 sees to by itself: statement statistics, a restart that settings wait for, settings of the cache.
STATISTICS = "statistics"
RESTART = "restart"
CACHE = "cache"


def steps(view: View) -> List[Json]:
    """{part, what, remedy, gap, optional, by} each.

    gap: the baseline lacks the part; else it found something there. optional: nobody asked for the part.
    by: STATISTICS, RESTART or CACHE where phase 1 sees to it, or None.
    """
    return [*gaps(view.missing), *_growth(view), *_cache(view), *_invalid_indexes(view), *_restart(view)]


def gaps(missing: List[Json]) -> List[Json]:
    """What a snapshot lists as missing, as steps."""
    return [
        _step(entry["part"], entry["reason"], entry["remedy"], gap=True, by=_who_gets(entry["part"]))
        for entry in missing
    ]


def _who_gets(part: str) -> Optional[str]:
    return STATISTICS if part == "statements" else None


def _growth(view: View) -> List[Json]:
    if view.snapshot["growth"] is not None or view.reason("growth") is not None:
        return []
    return [_step("growth", "no table was named", "name the table whose rows tell of growth", gap=True, optional=True)]


def _cache(view: View) -> List[Json]:
    found = view.baseline["cache"]
    if found is None:
        reason = view.baseline["cache_reason"] or "nobody noted why"
        return [_step("cache", reason, "", gap=True, optional=reason.startswith(NOT_ASKED))]
    return [*_cache_limit(found["memory"]), *_cache_files(found["persistence"])]


def _cache_limit(memory: Mapping[str, Any]) -> List[Json]:
    if memory["maxmemory_bytes"] == 0:
        what = "it has no memory limit and can take all of the host's RAM"
        return [_step("cache", what, "set maxmemory", by=CACHE)]
    if memory["maxmemory_policy"] == "noeviction":
        what = "at its limit it refuses writes instead of evicting keys"
        return [_step("cache", what, "set maxmemory-policy, unless it is no cache", by=CACHE)]
    return []


def _cache_files(kept: Mapping[str, Any]) -> List[Json]:
    found = []
    remedy = "look into its log, and at its disk"
    # What a file that is off did last has no meaning any more.
    if kept["aof_enabled"] and "err" in (kept["aof_last_write_status"], kept["aof_last_rewrite_status"]):
        found.append(_step("cache", "its append-only file could not be written", remedy))
    if kept["rdb_last_bgsave_status"] == "err":
        found.append(_step("cache", "its last snapshot could not be saved", remedy))
    return found


def _invalid_indexes(view: View) -> List[Json]:
    what = "the index is invalid: it costs on every write and serves no query"
    return [
        _step(f"{index['schema']}.{index['name']}", what, "drop it, or rebuild it")
        for index in view.snapshot["health"]["invalid_indexes"] or []
        if not index["building"]
    ]


def _restart(view: View) -> List[Json]:
    waiting = [name for name, row in (view.snapshot["settings"] or {}).items() if row["pending_restart"]]
    what = f"{', '.join(waiting)} will change when the server is started again"
    return [_step("restart", what, "", by=RESTART)] if waiting else []


def _step(
    part: str, what: str, remedy: str, gap: bool = False, optional: bool = False, by: Optional[str] = None
) -> Json:
    return {"part": part, "what": what, "remedy": remedy, "gap": gap, "optional": optional, "by": by}
