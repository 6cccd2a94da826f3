# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The facts about a cache, with what could not be read and why."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any, Callable, Dict, List, Mapping, Optional

from ansible_collections.midi.capacity.plugins.module_utils._redis_info.parse import parse_keyspace, role

# What says how a cache is limited, kept and reached. No secret is among them.
CONFIG = (
    "maxmemory",
    "maxmemory-policy",
    "maxmemory-samples",
    "lfu-decay-time",
    "lfu-log-factor",
    "appendonly",
    "appendfsync",
    "appendfilename",
    "save",
    "dbfilename",
    "dir",
    "bind",
    "port",
    "protected-mode",
    "unixsocket",
    "maxclients",
    "timeout",
    "databases",
)


def report(
    info: Mapping[str, str], config: Optional[Mapping[str, str]], taken_at: datetime, config_reason: str = ""
) -> Dict[str, Any]:
    """The value `cache` of module redis_cache_info.

    config: the settings as CONFIG GET gives them, or None with config_reason saying why there are none.
    What INFO does not say is null, and listed in `missing`.
    """
    fields = _Fields(info)
    hits, misses = fields.number("keyspace_hits"), fields.number("keyspace_misses")
    facts: Dict[str, Any] = {
        "taken_at": _utc(taken_at),
        "version": fields.text("redis_version"),
        "mode": fields.text("redis_mode"),
        "role": role(info) if fields.text("role") else None,
        "run_id": fields.text("run_id"),
        "uptime_seconds": fields.number("uptime_in_seconds"),
        "config_file": fields.text("config_file") or None,
        "memory": _memory(fields),
        "counters": {
            "hits": hits,
            "misses": misses,
            "evicted_keys": fields.number("evicted_keys"),
            "expired_keys": fields.number("expired_keys"),
            "total_commands": fields.number("total_commands_processed"),
        },
        "hit_ratio_since_start_percent": hit_ratio_percent(hits, misses),
        "clients": {"connected": fields.number("connected_clients"), "max": fields.number("maxclients")},
        "keyspace": parse_keyspace(info),
        "persistence": _persistence(fields),
        "config": None if config is None else {name: config[name] for name in CONFIG if name in config},
    }
    facts["missing"] = fields.missing
    if config is None:
        facts["missing"].append({"part": "config", "reason": config_reason})
    return facts


def hit_ratio_percent(hits: Optional[int], misses: Optional[int]) -> Optional[float]:
    """Hits among all lookups; None where there were no lookups or nobody knows."""
    if hits is None or misses is None or hits + misses == 0:
        return None
    return round(100.0 * hits / (hits + misses), 2)


def _memory(fields: _Fields) -> Dict[str, Any]:
    return {
        "used_bytes": fields.number("used_memory"),
        "used_peak_bytes": fields.number("used_memory_peak"),
        "used_rss_bytes": fields.number("used_memory_rss"),
        "maxmemory_bytes": fields.number("maxmemory"),
        "maxmemory_policy": fields.text("maxmemory_policy"),
        "fragmentation_ratio": fields.ratio("mem_fragmentation_ratio"),
        "total_system_bytes": fields.number("total_system_memory"),
    }


def _persistence(fields: _Fields) -> Dict[str, Any]:
    saved = fields.number("rdb_last_save_time")
    return {
        "loading": fields.flag("loading"),
        "aof_enabled": fields.flag("aof_enabled"),
        "aof_rewrite_in_progress": fields.flag("aof_rewrite_in_progress"),
        "aof_last_rewrite_status": fields.text("aof_last_bgrewrite_status"),
        "aof_last_write_status": fields.text("aof_last_write_status"),
        "rdb_last_save_at": None if saved is None else _utc(datetime.fromtimestamp(saved, timezone.utc)),
        "rdb_last_bgsave_status": fields.text("rdb_last_bgsave_status"),
        "rdb_changes_since_last_save": fields.number("rdb_changes_since_last_save"),
    }


class _Fields:
    """INFO's fields with their types; remembers those that are not there, or not of their type."""

    def __init__(self, info: Mapping[str, str]) -> None:
        self._info = info
        self.missing: List[Dict[str, str]] = []

    def text(self, name: str) -> Optional[str]:
        value = self._read(name, str)
        return None if value is None else str(value)

    def number(self, name: str) -> Optional[int]:
        value = self._read(name, int)
        return None if value is None else int(value)

    def ratio(self, name: str) -> Optional[float]:
        value = self._read(name, float)
        return None if value is None else float(value)

    def flag(self, name: str) -> Optional[bool]:
        value = self.number(name)
        return None if value is None else bool(value)

    def _read(self, name: str, convert: Callable[[str], Any]) -> Any:
        try:
            return convert(self._info[name])
        except KeyError:
            reason = "the server's INFO does not have it"
        except ValueError:
            reason = f"the server's INFO gives {self._info[name]!r}"
        fault = {"part": f"info.{name}", "reason": reason}
        if fault not in self.missing:
            self.missing.append(fault)
        return None


def _utc(moment: datetime) -> str:
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
