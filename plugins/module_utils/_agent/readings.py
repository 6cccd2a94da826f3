# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a snapshot and the window before it to a reading of every metric of the catalog.

A snapshot here is a document of the history with one more part, `reach`: {postgres, redis}, each {down, reason}, of
postgres with remedy: down is whether it takes no connections, None where that is not known (it refuses this login);
redis is None where there is none. What could not be read is None there and stands in `missing`.
"""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence

from ansible_collections.midi.capacity.plugins.module_utils._agent.window import Window
from ansible_collections.midi.capacity.plugins.module_utils._report import human
from ansible_collections.midi.capacity.plugins.module_utils._thresholds.catalog import POSTGRES_DOWN, REDIS_DOWN
from ansible_collections.midi.capacity.plugins.module_utils._thresholds.model import Reading
from ansible_collections.midi.capacity.plugins.module_utils._windows.shares import percent

Json = Dict[str, Any]
Readings = Dict[str, List[Reading]]

# With fewer calls in the window a mean says more of one call than of the statement.
LEAST_CALLS = 10
WRAPAROUND = 2**31
MOST_NAMED = 5
LONGEST_STATEMENT = 160
NO_WINDOW = "there is no snapshot before it"


def read(snapshot: Json, window: Optional[Window], latency: Optional[Json], backup: Reading) -> Readings:
    """{metric: readings}, all of the catalog but those of the agent itself.

    window: since the last snapshot that had statements; None: there is none. latency: of _latency.estimate over the
    captures in it, None where there are none. backup: the age of the last one.
    """
    look = _Look(snapshot, window, latency)
    found: Readings = {}
    for name, reader in _READERS.items():
        found[name] = reader(look)
    found["backup_age_seconds"] = [backup]
    return found


def down(reach: Json) -> Reading:
    """Of a server, by a part of `reach`."""
    if reach["down"] is None:
        return Reading(None, reason=reach["reason"], remedy=reach.get("remedy") or None)
    return Reading(float(reach["down"]), detail=reach["reason"] if reach["down"] else None)


def figures(snapshot: Json, window: Optional[Window], latency: Optional[Json]) -> Dict[str, Optional[float]]:
    """What has no limits and yet belongs into the history's table; None where it is not known."""
    statements = window and window.found and window.found["statements"]
    database = window and window.found and window.found["database"]
    sizes, growth = snapshot.get("sizes") or {}, snapshot.get("growth") or {}
    percentiles = (latency or {}).get("percentiles") or {}
    return {
        "window_seconds": window.seconds if window else None,
        "database_bytes": sizes.get("database_bytes"),
        "growth_rows": growth.get("rows"),
        "connections": (snapshot.get("connections") or {}).get("total"),
        "transactions_per_second": _rate(database, "xact_commit", "xact_rollback"),
        "statements_per_second": _rate(
            statements and {**statements["total"], "seconds": statements["seconds"]}, "calls"
        ),
        "statement_p50_ms": (percentiles.get("p50") or {}).get("estimate_ms"),
        "statement_p99_ms": (percentiles.get("p99") or {}).get("estimate_ms"),
    }


def worst(readings: Sequence[Reading], above: bool) -> Optional[Reading]:
    """The one of several subjects that the history's table has; one without a value only where none has one.

    above: whether more is worse.
    """
    applicable = [reading for reading in readings if reading.applicable]
    known = [reading for reading in applicable if reading.value is not None]
    if not known:
        return applicable[0] if applicable else None
    return (max if above else min)(known, key=lambda reading: reading.value or 0.0)


class _Look:
    """A snapshot, its window, and why something of them is not there."""

    def __init__(self, snapshot: Json, window: Optional[Window], latency: Optional[Json]) -> None:
        self.snapshot = snapshot
        self.window = window
        self.latency = latency

    def part(self, path: str) -> Any:
        """Of the snapshot, `health.replication`; None where it could not be read."""
        found: Any = self.snapshot
        for name in path.split("."):
            found = found.get(name) if isinstance(found, Mapping) else None
        return found

    def reason(self, path: str) -> str:
        """Why the part, or one of those above or below it, is missing."""
        entries = self.snapshot["missing"]
        for entry in entries:
            if entry["part"] == path or entry["part"].startswith(path + ".") or path.startswith(entry["part"] + "."):
                remedy = f" ({entry['remedy']})" if entry.get("remedy") else ""
                return f"{entry['reason']}{remedy}"
        reach = self.snapshot["reach"]["redis" if path.split(".")[0] == "redis" else "postgres"]
        return (reach or {}).get("reason") or "it was not read"

    def unread(self, path: str) -> List[Reading]:
        return [Reading(None, reason=self.reason(path))]

    def value(self, path: str, figure: Callable[[Any], Optional[float]] = float) -> List[Reading]:
        found = self.part(path)
        value = None if found is None else figure(found)
        return self.unread(path) if value is None else [Reading(value)]

    def no_window(self, part: str) -> List[Reading]:
        """Why there is no figure of the window: none before it is no fault, everything else is."""
        if self.window is None:
            return [Reading(None, reason=NO_WINDOW, applicable=False)]
        told = [entry["reason"] for entry in self.window.reasons if entry["part"] in (part, "window", "server")]
        return [Reading(None, reason=told[-1] if told else self.reason(part))]

    def windowed(self, part: str) -> Optional[Json]:
        found = self.window and self.window.found
        return found[part] if found else None


def _postgres_down(look: _Look) -> List[Reading]:
    return [down(look.snapshot["reach"]["postgres"])]


def _redis_down(look: _Look) -> List[Reading]:
    reach = look.snapshot["reach"]["redis"]
    return _no_redis() if reach is None else [down(reach)]


def _connections(look: _Look) -> List[Reading]:
    found = look.part("connections")
    if not found or found["total"] is None:
        return look.unread("connections")
    share = percent(found["total"], found["usable_maximum"])
    states = sorted(((number, state) for state, number in found["by_state"].items() if number), reverse=True)
    detail = f"{found['total']} of {found['usable_maximum']}: " + ", ".join(
        f"{number} {state}" for number, state in states
    )
    return [Reading(share, detail=detail)] if share is not None else look.unread("connections")


def _buffers(look: _Look) -> List[Reading]:
    found = look.windowed("database")
    if found is None:
        return look.no_window("database")
    ratio = found["hit_ratio_percent"]
    return [Reading(ratio)] if ratio is not None else [_idle("no block was read in the window")]


def _oldest_transaction(look: _Look) -> List[Reading]:
    return look.value("health.oldest_transaction_seconds")


def _xid_age(look: _Look) -> List[Reading]:
    return look.value("health.oldest_xid_age", lambda age: percent(age, WRAPAROUND))


def _invalid_indexes(look: _Look) -> List[Reading]:
    found = look.part("health.invalid_indexes")
    if found is None:
        return look.unread("health.invalid_indexes")
    names = [f"{index['schema']}.{index['name']}" for index in found if not index["building"]]
    return [Reading(float(len(names)), detail=_listed(names))]


def _mean(look: _Look) -> List[Reading]:
    found = look.windowed("statements")
    if found is None:
        return look.no_window("statements")
    rows = [row for row in found["rows"] if row["calls"] >= LEAST_CALLS and not row["own"] and row["toplevel"]]
    if not rows:
        return [_idle(f"no statement was called {LEAST_CALLS} times in the window")]
    slowest = max(rows, key=lambda row: row["mean_exec_time_ms"])
    text = " ".join(slowest["query"].split())[:LONGEST_STATEMENT]
    detail = f"{human.plural(slowest['calls'], 'call')} of {text or 'a statement whose text is hidden'}"
    return [Reading(slowest["mean_exec_time_ms"], detail=f"{detail} (queryid {slowest['queryid']})")]


def _p95(look: _Look) -> List[Reading]:
    if look.latency is None:
        return (
            look.no_window("statements")
            if look.window is None or not look.windowed("statements")
            else [_idle("there is no capture of statements in the window")]
        )
    if look.latency["calls"] < LEAST_CALLS:
        return [_idle(f"there were fewer than {LEAST_CALLS} calls in the window")]
    p95 = look.latency["percentiles"]["p95"]
    bounds = f"certainly between {human.milliseconds(p95['lower_ms'])} and {human.milliseconds(p95['upper_ms'])}"
    return [Reading(p95["estimate_ms"], detail=f"{look.latency['method']}; {bounds}")]


def _statements_used(look: _Look) -> List[Reading]:
    found = look.part("statements.all.statements")
    most = look.part("settings")
    if found is None or not most or "pg_stat_statements.max" not in most:
        return look.unread("statements")
    maximum = int(most["pg_stat_statements.max"]["setting"])
    return [Reading(percent(found, maximum), detail=f"{human.count(found)} of {human.count(maximum)}")]


def _evicted(look: _Look) -> List[Reading]:
    found = look.windowed("statements")
    return look.no_window("statements") if found is None else [Reading(float(found["evictions"]))]


def _cpu(look: _Look) -> List[Reading]:
    if look.window is not None and look.window.cpu_busy_percent is not None:
        return [Reading(look.window.cpu_busy_percent, detail=f"over {human.seconds(look.window.seconds or 0)}")]
    cpu = look.part("host.cpu")
    if not cpu:
        return _elsewhere(look, "host")
    used, usable, busy = cpu["cgroup"]["used_cpus"], cpu["usable_cpus"], cpu["busy_percent"]
    value = percent(used, usable) if cpu["cgroup"]["quota_cpus"] is not None else busy
    return look.unread("host.cpu") if value is None else [Reading(value, detail=f"over {cpu['sample_seconds']:g} s")]


def _disk(look: _Look) -> List[Reading]:
    disks = look.part("host.disks")
    if not disks:
        return _elsewhere(look, "host.disks" if look.part("host") else "host")
    found: Dict[str, Reading] = {}
    for disk in disks:
        subject = disk["mount_point"] or disk["path"]
        if disk["used_percent"] is None:
            found[subject] = Reading(None, subject, reason=look.reason(f"host.disks[{disk['path']}]"))
        else:
            free = f"{human.size(disk['free_bytes'])} of {human.size(disk['size_bytes'])} are free"
            found[subject] = Reading(disk["used_percent"], subject, detail=free)
    return list(found.values())


def _elsewhere(look: _Look, part: str) -> List[Reading]:
    """A server on another machine, or a managed one, has no host that could be looked at."""
    if look.snapshot.get("host_is_elsewhere"):
        return [Reading(None, reason=look.reason(part), applicable=False)]
    return look.unread(part)


def _cache_hits(look: _Look) -> List[Reading]:
    return _cached(
        look, lambda found: found["hit_ratio_percent"], lambda found: found["hits"], "no lookup in the window"
    )


def _cache_evictions(look: _Look) -> List[Reading]:
    return _cached(
        look,
        lambda found: percent(found["evicted_keys"], found["total_commands"]),
        lambda found: found["total_commands"],
        "no operation in the window",
    )


def _cached(
    look: _Look, figure: Callable[[Json], Optional[float]], known: Callable[[Json], Optional[int]], idle: str
) -> List[Reading]:
    if look.snapshot["reach"]["redis"] is None:
        return _no_redis()
    if look.part("redis") is None:
        return look.unread("redis")
    cache = look.window and look.window.cache
    if not cache:
        barred = look.window is not None and any(entry["part"] == "cache" for entry in look.window.reasons)
        # Without a reason, there was a snapshot without a cache before it, or none.
        return look.no_window("cache") if barred else [Reading(None, reason=NO_WINDOW, applicable=False)]
    value = figure(cache)
    if value is not None:
        return [Reading(value)]
    return look.no_window("cache") if known(cache) is None else [_idle(idle)]


def _redis_memory(look: _Look) -> List[Reading]:
    if look.snapshot["reach"]["redis"] is None:
        return _no_redis()
    memory = look.part("redis.memory")
    if memory is None or memory["used_bytes"] is None or memory["maxmemory_bytes"] is None:
        return look.unread("redis")
    if not memory["maxmemory_bytes"]:
        return [_idle("it has no maxmemory")]
    shown = f"{human.size(memory['used_bytes'])} of {human.size(memory['maxmemory_bytes'])}"
    return [Reading(percent(memory["used_bytes"], memory["maxmemory_bytes"]), detail=shown)]


def _lag_seconds(look: _Look) -> List[Reading]:
    return _lag(look, "lag_seconds")


def _lag_bytes(look: _Look) -> List[Reading]:
    return _lag(look, "lag_bytes")


def _lag(look: _Look, figure: str) -> List[Reading]:
    found = look.part("health.replication")
    if found is None:
        return look.unread("health.replication")
    readings = [_standby(look, standby, figure) for standby in found["standbys"]]
    if found["receiver"] is not None:
        value = found["receiver"][figure]
        readings.append(
            Reading(value, "this standby", reason=None if value is not None else "it has replayed nothing yet")
        )
    return readings or [_idle("there is no standby")]


def _standby(look: _Look, standby: Json, figure: str) -> Reading:
    subject = f"{standby['application_name'] or 'standby'} at {standby['address'] or 'a Unix socket'}"
    value = standby[figure]
    if value is None and figure == "lag_seconds" and standby["lag_bytes"] is not None:
        # PostgreSQL forgets the time of an idle standby that has all there is.
        value = 0.0 if standby["lag_bytes"] == 0 else None
        if value is None:
            return Reading(None, subject, reason="no time is known of it yet", applicable=False)
    return Reading(value, subject, reason=None if value is not None else look.reason("health.replication"))


def _inactive_slots(look: _Look) -> List[Reading]:
    found = look.part("health.inactive_slots")
    if found is None:
        return look.unread("health.inactive_slots")
    return [Reading(float(len(found)), detail=_listed([slot["name"] for slot in found]))]


def _slot_bytes(look: _Look) -> List[Reading]:
    found = look.part("health.inactive_slots")
    if found is None:
        return look.unread("health.inactive_slots")
    readings = [
        Reading(float(slot["retained_bytes"]), slot["name"], detail=slot["wal_status"])
        for slot in found
        if slot["retained_bytes"] is not None
    ]
    return readings or [_idle("there is no inactive slot")]


def _no_redis() -> List[Reading]:
    return [Reading(None, reason="no Redis is looked at", applicable=False)]


def _idle(reason: str) -> Reading:
    return Reading(None, reason=reason, applicable=False)


def _listed(names: Sequence[str]) -> Optional[str]:
    if not names:
        return None
    more = len(names) - MOST_NAMED
    return ", ".join(names[:MOST_NAMED]) + (f" and {human.count(more)} more" if more > 0 else "")


def _rate(found: Optional[Json], *names: str) -> Optional[float]:
    """How many a second."""
    if not found or not found.get("seconds") or any(found.get(name) is None for name in names):
        return None
    return round(float(sum(found[name] for name in names)) / float(found["seconds"]), 3)


_READERS: Dict[str, Callable[[_Look], List[Reading]]] = {
    POSTGRES_DOWN: _postgres_down,
    "connections_used_percent": _connections,
    "buffer_hit_ratio_percent": _buffers,
    "oldest_transaction_seconds": _oldest_transaction,
    "xid_age_percent": _xid_age,
    "invalid_indexes": _invalid_indexes,
    "statement_mean_ms": _mean,
    "statement_p95_ms": _p95,
    "statements_used_percent": _statements_used,
    "statements_evicted": _evicted,
    "cpu_busy_percent": _cpu,
    "disk_used_percent": _disk,
    REDIS_DOWN: _redis_down,
    "cache_hit_ratio_percent": _cache_hits,
    "cache_evictions_percent": _cache_evictions,
    "redis_memory_percent": _redis_memory,
    "replication_lag_seconds": _lag_seconds,
    "replication_lag_bytes": _lag_bytes,
    "inactive_slots": _inactive_slots,
    "slot_retained_bytes": _slot_bytes,
}
# Those that tell of the agent, not of what it looks at; whoever evaluates gives them.
OF_THE_AGENT = ("snapshot_age_intervals", "agent_failures")
