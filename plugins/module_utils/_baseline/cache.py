# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Redis cache: what it holds, how well it serves, how it is kept."""

from __future__ import annotations

from typing import List, Optional, Tuple

from ansible_collections.midi.capacity.plugins.module_utils._baseline.view import (
    MISSING,
    Json,
    View,
    over,
    reasons,
    sentence,
)
from ansible_collections.midi.capacity.plugins.module_utils._redis_settings.values import rendered
from ansible_collections.midi.capacity.plugins.module_utils._report import human
from ansible_collections.midi.capacity.plugins.module_utils._report.document import (
    LEFT,
    RIGHT,
    Block,
    Heading,
    Section,
    Table,
    items,
    section,
)

Figure = Tuple[str, str, str]

SINCE_START = "cumulative since start, not a window"


def cache(view: View) -> Section:
    found = view.baseline["cache"]
    if found is None:
        return section("Cache", sentence(view.baseline["cache_reason"] or MISSING))
    window = view.cache_window
    figures = [
        *_memory(found),
        *_window(window),
        *_lookups(found),
        *_keys(found),
        *_persistence(found),
        _clients(found),
    ]
    gaps = [f"{entry['part']}: {entry['reason']}" for entry in found["missing"]]
    gaps += [f"window: {reason}" for reason in reasons(window, "cache")] if window else []
    return section(
        "Cache",
        _who(found),
        Table([("Figure", LEFT), ("Value", RIGHT), ("How it was got", LEFT)], figures),
        *_settings(found),
        "Not all of it:" if gaps else "",
        items(gaps),
    )


def _who(found: Json) -> str:
    role = {"master": "a master", "replica": "a replica"}.get(found["role"], "of an unknown role")
    up = found["uptime_seconds"]
    since = f", up for {human.seconds(up)}" if up is not None else ""
    return f"Redis {found['version'] or 'of an unknown version'}, {role}{since}."


def _memory(found: Json) -> List[Figure]:
    memory = found["memory"]
    used, limit = memory["used_bytes"], memory["maxmemory_bytes"]
    policy = memory["maxmemory_policy"] or "unknown"
    if limit:
        share = f", {human.percent(used, limit)} used" if used is not None else ""
        bound: Figure = ("Memory limit", human.size(limit), f"maxmemory{share}; policy {policy}")
    else:
        bound = ("Memory limit", MISSING if limit is None else "none", f"maxmemory; policy {policy}")
    ratio = memory["fragmentation_ratio"]
    return [
        ("Memory used", _size(used), "measured at that moment"),
        bound,
        ("Memory used at most", _size(memory["used_peak_bytes"]), "measured, since start"),
        (
            "Fragmentation",
            MISSING if ratio is None else human.significant(ratio),
            "measured: resident memory over used memory",
        ),
    ]


def _window(window: Optional[Json]) -> List[Figure]:
    if window is None:
        return []
    how = over(window)
    hits, misses, ratio = window["hits"], window["misses"], window["hit_ratio_percent"]
    lookups = None if hits is None or misses is None else hits + misses
    none_asked = "no key was asked for" if lookups == 0 else "hits of all lookups"
    return [
        ("Lookups in the window", _count(lookups), how),
        (
            "Hit ratio in the window",
            human.percent(ratio, 100) if ratio is not None else MISSING if lookups is None else "n/a",
            f"{none_asked}, {how}",
        ),
        ("Keys evicted in the window", _count(window["evicted_keys"]), how),
        ("Keys expired in the window", _count(window["expired_keys"]), how),
    ]


def _lookups(found: Json) -> List[Figure]:
    counters = found["counters"]
    hits, misses = counters["hits"], counters["misses"]
    known = hits is not None and misses is not None
    return [
        ("Lookups that hit", _count(hits), SINCE_START),
        ("Lookups that missed", _count(misses), SINCE_START),
        ("Hit ratio", human.percent(hits, hits + misses) if known else MISSING, f"hits of all lookups, {SINCE_START}"),
        ("Keys evicted", _count(counters["evicted_keys"]), SINCE_START),
        ("Keys expired", _count(counters["expired_keys"]), SINCE_START),
    ]


def _keys(found: Json) -> List[Figure]:
    databases = found["keyspace"].values()
    keys = sum(database["keys"] for database in databases)
    expires = sum(database["expires"] for database in databases)
    return [
        ("Keys held", human.count(keys), "counted at that moment, in all databases"),
        (
            "Keys with a time to live",
            human.count(expires),
            "counted at that moment" + (f"; {human.percent(expires, keys)} of all" if keys else ""),
        ),
    ]


def _persistence(found: Json) -> List[Figure]:
    kept = found["persistence"]
    enabled = kept["aof_enabled"]
    writes = f"last write {_status(kept['aof_last_write_status'])}"
    rewrites = f"last rewrite {_status(kept['aof_last_rewrite_status'])}"
    changes = kept["rdb_changes_since_last_save"]
    saved = kept["rdb_last_save_at"]
    since = f"last save or start {human.moment(saved)}" if saved else "time of the last save unknown"
    return [
        (
            "Append-only file",
            MISSING if enabled is None else "on" if enabled else "off",
            f"{writes}, {rewrites}" if enabled else "as INFO says",
        ),
        (
            "Last snapshot (RDB)",
            _status(kept["rdb_last_bgsave_status"]),
            since + (f"; {human.count(changes)} changes since" if changes is not None else ""),
        ),
    ]


def _clients(found: Json) -> Figure:
    clients = found["clients"]
    connected, most = clients["connected"], clients["max"]
    if connected is None or most is None:
        return ("Clients", _count(connected), "counted at that moment")
    return (
        "Clients",
        f"{human.count(connected)} of {human.count(most)} ({human.percent(connected, most)})",
        "counted at that moment, the reader among them",
    )


def _settings(found: Json) -> List[Block]:
    if not found["config"]:
        return []
    rows = [[name, rendered(name, value)] for name, value in sorted(found["config"].items())]
    return [Heading("Settings"), Table([("Setting", LEFT), ("Value", LEFT)], rows)]


def _status(text: Optional[str]) -> str:
    return {"err": "FAILED", None: MISSING}.get(text, str(text))


def _size(number: Optional[int]) -> str:
    return MISSING if number is None else human.size(number)


def _count(number: Optional[int]) -> str:
    return MISSING if number is None else human.count(number)
