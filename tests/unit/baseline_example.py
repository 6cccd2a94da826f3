# SPDX-License-Identifier: GPL-3.0-or-later
"""A baseline as the MIDI library's server would give it; tests change what they are about."""

from __future__ import annotations

import copy
import datetime
from typing import Any

GIB = 1024**3
MIB = 1024**2

# Counters of a statement that few tests are about.
NO_COUNTERS = {
    "shared_blks_dirtied": 0,
    "shared_blks_written": 0,
    "temp_blks_read": 0,
    "temp_blks_written": 0,
    "shared_blk_read_time": 0.0,
    "shared_blk_write_time": 0.0,
    "wal_bytes": 0,
}


def statement(query: str, total_ms: float, calls: int, **more: Any) -> dict[str, Any]:
    return {
        "userid": 10,
        "dbid": 5,
        "queryid": str(1000 + len(query)),
        "toplevel": True,
        "user": "midiuser",
        "database": "midi_library",
        "query": query,
        "calls": calls,
        "rows": calls,
        "total_exec_time": total_ms,
        "min_exec_time": 0.01,
        "max_exec_time": total_ms,
        "shared_blks_hit": 10 * calls,
        "shared_blks_read": calls,
        "stats_since": None,
        **NO_COUNTERS,
        **more,
    }


def table(name: str, total_bytes: int, rows: int | None, partition_of: str | None = None) -> dict[str, Any]:
    return {
        "schema": "public",
        "name": name,
        "partition_of": partition_of,
        "total_bytes": total_bytes,
        "table_bytes": total_bytes - total_bytes // 4,
        "indexes_bytes": total_bytes // 4,
        "toast_bytes": 0,
        "estimated_rows": rows,
    }


def index(name: str, of_table: str, size_bytes: int, valid: bool = True) -> dict[str, Any]:
    return {"schema": "public", "table": of_table, "name": name, "bytes": size_bytes, "scans": 12345, "valid": valid}


def setting(value: str, unit: str | None = None, source: str = "default", pending: bool = False) -> dict[str, Any]:
    return {"setting": value, "unit": unit, "source": source, "pending_restart": pending}


HOST = {
    "kernel": "6.1.0",
    "uptime_seconds": 1000.0,
    "load_average": [0.1, 0.2, 0.3],
    "cpu": {
        "model": "AMD Ryzen 9",
        "online_cpus": 16,
        "affinity_cpus": 16,
        "usable_cpus": 16,
        "sample_seconds": 1.001,
        "busy_percent": 12.34,
        "states_percent": {"user": 12.0},
        "cgroup": {"quota_cpus": None, "source": None, "used_cpus": 0.5},
    },
    "memory": {
        "total_bytes": 60 * GIB,
        "available_bytes": 40 * GIB,
        "swap_total_bytes": 0,
        "swap_free_bytes": 0,
        "huge_pages": {"total": 0, "free": 0, "reserved": 0, "surplus": 0, "page_size_bytes": 2 * MIB},
        "cgroup": {
            "version": "2",
            "limit_bytes": None,
            "source": None,
            "used_bytes": 5 * GIB,
            "limit_used_bytes": None,
        },
        "usable_bytes": 60 * GIB,
    },
    "disks": [
        {
            "path": "/var/lib/postgresql/16/main",
            "mount_point": "/",
            "file_system_type": "ext4",
            "device": "/dev/nvme0n1p2",
            "rotational": False,
            "size_bytes": 1000 * GIB,
            "used_bytes": 250 * GIB,
            "free_bytes": 700 * GIB,
            "used_percent": 26.3,
            "inodes": {"total": 1, "used": 1, "free": 0, "used_percent": 100.0},
        }
    ],
    "shm": {"size_bytes": 30 * GIB, "free_bytes": 30 * GIB},
}

CACHE = {
    "taken_at": "2026-11-24T00:29:41Z",
    "version": "7.0.15",
    "mode": "standalone",
    "role": "master",
    "run_id": "abc",
    "uptime_seconds": 86400,
    "config_file": "/etc/redis/redis.conf",
    "memory": {
        "used_bytes": 2 * GIB,
        "used_peak_bytes": 3 * GIB,
        "used_rss_bytes": 2 * GIB + 200 * MIB,
        "maxmemory_bytes": 10 * GIB,
        "maxmemory_policy": "allkeys-lfu",
        "fragmentation_ratio": 1.1,
        "total_system_bytes": 60 * GIB,
    },
    "counters": {
        "hits": 830000,
        "misses": 170000,
        "evicted_keys": 1200,
        "expired_keys": 34000,
        "total_commands": 1500000,
    },
    "hit_ratio_since_start_percent": 83.0,
    "clients": {"connected": 12, "max": 10000},
    "keyspace": {
        "db0": {"keys": 120000, "expires": 110000, "avg_ttl_ms": 1800000},
        "db1": {"keys": 5000, "expires": 0, "avg_ttl_ms": 0},
    },
    "persistence": {
        "loading": False,
        "aof_enabled": True,
        "aof_rewrite_in_progress": False,
        "aof_last_rewrite_status": "ok",
        "aof_last_write_status": "ok",
        "rdb_last_save_at": "2026-11-24T00:20:00Z",
        "rdb_last_bgsave_status": "ok",
        "rdb_changes_since_last_save": 4321,
    },
    "config": {"maxmemory": str(10 * GIB), "maxmemory-policy": "allkeys-lfu", "save": ""},
    "missing": [],
}

_SNAPSHOT = {
    "schema_version": 1,
    "taken_at": "2026-11-24T00:29:41.236Z",
    "server": {
        "system_identifier": "7711527333102537146",
        "database": "midi_library",
        "version": "16.4",
        "version_num": 160004,
        "postmaster_start": "2026-11-12T03:00:00.000Z",
        "in_recovery": False,
    },
    "settings": {
        "max_connections": setting("256", source="command line"),
        "shared_buffers": setting("524288", "8kB", "command line"),
        "work_mem": setting("65536", "kB", "configuration file", pending=True),
        "shared_preload_libraries": setting("", source="configuration file"),
        "jit": setting("on"),
    },
    "connections": {
        "total": 14,
        "by_state": {"active": 3, "idle": 10, "idle in transaction": 1, "idle in transaction (aborted)": 0},
        "by_database": {"midi_library": 14},
        "usable_maximum": 253,
    },
    "database": {
        "datname": "midi_library",
        "blks_hit": 9400,
        "blks_read": 600,
        "xact_commit": 5000,
        "temp_bytes": 3 * GIB,
        "deadlocks": 2,
        "stats_reset": "2026-10-01T00:00:00.000Z",
    },
    "statements": {
        "stats_reset": "2026-11-12T03:00:00.000Z",
        "dealloc": 7,
        "rows": [
            statement(
                "SELECT f.id FROM files f JOIN file_tags ft ON f.id = ft.file_id WHERE ft.tag_id = $1", 600000, 9000
            ),
            statement("INSERT INTO files (filepath) VALUES ($1)", 300000, 1720000),
            statement("SELECT a || b | c FROM t", 50000, 10),
        ],
        "rest": {
            "statements": 40,
            "calls": 100,
            "rows": 100,
            "total_exec_time": 50000.0,
            "shared_blks_hit": 0,
            "shared_blks_read": 0,
            **NO_COUNTERS,
        },
    },
    "sizes": {
        "database_bytes": 5 * GIB,
        "tables": [table("files", 3 * GIB, 1718000), table("file_tags", 1 * GIB, None)],
        "indexes": [index("files_pkey", "files", 37 * MIB), index("broken", "files", 0, valid=False)],
        "counts": {"tables": 25, "indexes": 61, "partitions": 0},
    },
    "growth": {"table": "public.files", "rows": 1720000, "method": "exact", "seconds": 0.312, "note": None},
    "health": {
        "oldest_transaction_seconds": 185.2,
        "oldest_xid_age": 214748364,
        "replication": {"standbys": [], "receiver": None},
        "inactive_slots": [],
        "invalid_indexes": [{"schema": "public", "table": "files", "name": "broken", "building": False}],
    },
    "host": HOST,
    "redis": None,
    "missing": [],
}


def baseline(**parts: Any) -> dict[str, Any]:
    """The example, with parts of its snapshot replaced."""
    snapshot = {**copy.deepcopy(_SNAPSHOT), **parts}
    return {
        "schema_version": 1,
        "label": "phase1",
        "taken_at": snapshot["taken_at"],
        "inventory_hostname": "db1",
        "snapshot": snapshot,
        "cache": None,
        "cache_reason": "not asked for: no cache host was named",
    }


def missing(part: str, reason: str = "the reason", remedy: str = "") -> list[dict[str, str]]:
    return [{"part": part, "reason": reason, "remedy": remedy}]


def begun(seconds_before: int = 10, **parts: Any) -> dict[str, Any]:
    """What `begin` of a baseline has, some seconds before the end; the parts of its snapshot replaced."""
    now = datetime.datetime.strptime(_SNAPSHOT["taken_at"], "%Y-%m-%dT%H:%M:%S.%fZ")
    before = now - datetime.timedelta(seconds=seconds_before)
    kept = ("server", "database", "statements", "missing")
    snapshot = {name: copy.deepcopy(_SNAPSHOT[name]) for name in kept}
    snapshot["taken_at"] = before.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
    cache = {**copy.deepcopy(CACHE), "taken_at": before.strftime("%Y-%m-%dT%H:%M:%SZ")}
    return {"snapshot": {**snapshot, **parts}, "cache": cache}
