# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What two baselines are compared in, and what counts as worse: this table alone says so."""

from __future__ import annotations

from typing import Callable, Dict, List, NamedTuple, Optional

from ansible_collections.midi.capacity.plugins.module_utils._baseline.view import Json, View
from ansible_collections.midi.capacity.plugins.module_utils._windows.shares import percent

UP = "up"
DOWN = "down"
# For better or worse: that is for the reader to say.
NEITHER = "neither"

MOMENT = "measured at that moment"
WINDOW = "measured over its window"

Reader = Callable[[View], Optional[float]]


class Figure(NamedTuple):
    """One figure of a baseline.

    unit: bytes, count, percent, ms, seconds, or one of these a second. worse: the direction that is. least: how much it
    has to change to count, in its unit; percent: and how much in percent of what it was, 0 for any. read: the figure of
    a baseline, None where it is not known. part: of the snapshot, for the reason. how: how it was got.
    """

    name: str
    title: str
    unit: str
    worse: str
    least: float
    percent: float
    read: Reader
    part: str
    how: str


def _path(*names: str) -> Reader:
    def read(view: View) -> Optional[float]:
        found = view.snapshot
        for name in names:
            found = found[name] if found is not None else None
        return None if found is None else float(found)  # type: ignore[arg-type]

    return read


def _connections(view: View) -> Optional[float]:
    found = view.snapshot["connections"]
    return None if found is None else percent(found["total"], found["usable_maximum"])


def _idle_in_transaction(view: View) -> Optional[float]:
    states = (view.snapshot["connections"] or {}).get("by_state")
    return (
        None if states is None else float(sum(number for state, number in states.items() if "in transaction" in state))
    )


def _invalid_indexes(view: View) -> Optional[float]:
    found = view.snapshot["health"]["invalid_indexes"]
    return None if found is None else float(sum(1 for index in found if not index["building"]))


def _standby_lag(view: View) -> Optional[float]:
    found = view.snapshot["health"]["replication"]
    lags = [entry["lag_bytes"] for entry in (found or {}).get("standbys", []) if entry["lag_bytes"] is not None]
    return float(max(lags)) if lags else None


def _memory_available(view: View) -> Optional[float]:
    memory = (view.snapshot["host"] or {}).get("memory") or {}
    return percent(memory.get("available_bytes"), memory.get("total_bytes"))


def _disk(view: View) -> Optional[float]:
    used = [disk["used_percent"] for disk in (view.snapshot["host"] or {}).get("disks", [])]
    known = [float(share) for share in used if share is not None]
    return max(known) if known else None


def _counters(view: View) -> Json:
    return (view.window or {}).get("database") or {}


def _ratio(view: View) -> Optional[float]:
    return _counters(view).get("hit_ratio_percent")


def _rate(name: str) -> Reader:
    def read(view: View) -> Optional[float]:
        found = _counters(view)
        return found[name] / found["seconds"] if name in found else None

    return read


def _rolled_back(view: View) -> Optional[float]:
    found = _counters(view)
    return percent(found.get("xact_rollback"), found.get("xact_commit", 0) + found.get("xact_rollback", 0))


def _mean(view: View) -> Optional[float]:
    """Without the queries of snapshots: where little else runs, they would be all there is."""
    found = (view.window or {}).get("statements")
    if found is None:
        return None
    calls, time = (
        found["total"][name] - sum(row[name] for row in found["rows"] if row["own"])
        for name in ("calls", "total_exec_time_ms")
    )
    return time / calls if calls else None


def _cache_ratio(view: View) -> Optional[float]:
    return (view.cache_window or {}).get("hit_ratio_percent")


def _cache_rate(name: str) -> Reader:
    def read(view: View) -> Optional[float]:
        found = view.cache_window or {}
        return None if found.get(name) is None else found[name] / found["seconds"]

    return read


def _cache_memory(view: View) -> Optional[float]:
    memory = (view.baseline["cache"] or {}).get("memory") or {}
    return percent(memory.get("used_bytes"), memory.get("maxmemory_bytes"))


def _cache_keys(view: View) -> Optional[float]:
    found = view.baseline["cache"]
    return None if found is None else float(sum(database["keys"] for database in found["keyspace"].values()))


_MIB = 1024.0**2

FIGURES: List[Figure] = [
    Figure("database_bytes", "Database size", "bytes", NEITHER, _MIB, 0, _path("sizes", "database_bytes"),
           "sizes.database_bytes", MOMENT),
    Figure("growth_rows", "Rows of the growing table", "count", NEITHER, 1, 0, _path("growth", "rows"), "growth",
           "counted or estimated, as each report says"),
    Figure("tables", "Tables", "count", NEITHER, 1, 0, _path("sizes", "counts", "tables"), "sizes.counts", MOMENT),
    Figure("indexes", "Indexes", "count", NEITHER, 1, 0, _path("sizes", "counts", "indexes"), "sizes.counts", MOMENT),
    Figure("invalid_indexes", "Invalid indexes", "count", UP, 1, 0, _invalid_indexes, "health.invalid_indexes", MOMENT),
    Figure("connections_percent", "Connections used of those that may be", "percent", UP, 5, 0, _connections,
           "connections", MOMENT),
    Figure("idle_in_transaction", "Connections idle in a transaction", "count", UP, 2, 0, _idle_in_transaction,
           "connections", MOMENT),
    Figure("oldest_transaction", "Oldest transaction", "seconds", UP, 60, 50,
           _path("health", "oldest_transaction_seconds"), "health.oldest_transaction_seconds", MOMENT),
    Figure("oldest_xid_age", "Oldest transaction id, age", "count", UP, 50e6, 10, _path("health", "oldest_xid_age"),
           "health.oldest_xid_age", MOMENT),
    Figure("standby_lag", "The last standby is behind by", "bytes", UP, 16 * _MIB, 50, _standby_lag,
           "health.replication", MOMENT),
    Figure("statement_mean", "Mean time of all statements but those of snapshots", "ms", UP, 0.1, 20, _mean,
           "statements", WINDOW),
    Figure("shared_buffers_hit", "Blocks found in shared buffers", "percent", DOWN, 1, 0, _ratio, "database", WINDOW),
    Figure("commits", "Transactions committed", "count a second", NEITHER, 1, 10, _rate("xact_commit"),
           "database", WINDOW),
    Figure("rolled_back", "Transactions rolled back, of all", "percent", UP, 1, 0, _rolled_back, "database", WINDOW),
    Figure("temporary", "Temporary files written", "bytes a second", UP, _MIB, 20, _rate("temp_bytes"),
           "database", WINDOW),
    Figure("deadlocks", "Deadlocks", "count a second", UP, 0.01, 20, _rate("deadlocks"), "database", WINDOW),
    Figure("cpu_busy", "CPU busy", "percent", UP, 10, 0, _path("host", "cpu", "busy_percent"), "host",
           "measured over a second or so"),
    Figure("memory_available", "Memory available, of all", "percent", DOWN, 5, 0, _memory_available, "host", MOMENT),
    Figure("disk_used", "Disk of the data directory used", "percent", UP, 2, 0, _disk, "host", MOMENT),
    Figure("cache_hit", "Lookups that hit the cache", "percent", DOWN, 1, 0, _cache_ratio, "cache", WINDOW),
    Figure("cache_lookups_missed", "Lookups that missed the cache", "count a second", NEITHER, 1, 10,
           _cache_rate("misses"), "cache", WINDOW),
    Figure("cache_evicted", "Keys evicted from the cache", "count a second", UP, 0.1, 20, _cache_rate("evicted_keys"),
           "cache", WINDOW),
    Figure("cache_memory", "Memory of the cache used, of its limit", "percent", UP, 5, 0, _cache_memory,
           "cache", MOMENT),
    Figure("cache_keys", "Keys in the cache", "count", NEITHER, 1, 1, _cache_keys, "cache", MOMENT),
]  # fmt: skip

# A statement counts if it took this share of the time of all in one of the two windows.
STATEMENT_SHARE_PERCENT = 1.0
STATEMENT = Figure("statement", "A statement's mean time", "ms", UP, 0.1, 20, lambda view: None, "statements", WINDOW)

BY_NAME: Dict[str, Figure] = {figure.name: figure for figure in (*FIGURES, STATEMENT)}
