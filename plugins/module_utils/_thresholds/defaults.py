# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The thresholds that hold unless `capacity_thresholds` says otherwise, in the same form."""

from __future__ import annotations

from typing import Any, Dict, List

_MIB, _GIB = 1024**2, 1024**3
_MINUTE, _HOUR = 60, 3600

# warn or critical left out: there is no such limit. for and unknown_for left out: see table.
DEFAULTS: List[Dict[str, Any]] = [
    # It is down or it is not; beyond 0 is 1.
    {"metric": "postgres_down", "critical": 0},
    {"metric": "connections_used_percent", "warn": 80, "critical": 94, "hysteresis": 5},
    # A database larger than RAM lives well with 90 %. Three windows in a
    # row, because a restart and a nightly scan of everything make one or two cold.
    {"metric": "buffer_hit_ratio_percent", "warn": 90, "critical": 75, "hysteresis": 2, "for": 3},
    # A dump of a large database is one transaction and takes an hour; six are nobody's intention.
    {"metric": "oldest_transaction_seconds", "warn": _HOUR, "critical": 6 * _HOUR},
    # Autovacuum freezes at 200 million, 9.3 %. 25 % are 537 million: it does not keep up. At 50 % there is still a
    # billion left to mend it in peace. Raise both where autovacuum_freeze_max_age is above 500 million.
    {"metric": "xid_age_percent", "warn": 25, "critical": 50, "hysteresis": 1},
    # One is a failed build that every write pays for; none of them stops the service.
    {"metric": "invalid_indexes", "warn": 0},
    {"metric": "statement_mean_ms", "warn": 200, "critical": 500, "hysteresis": 20},
    {"metric": "statement_p95_ms", "warn": 200, "critical": 500, "hysteresis": 20},
    # At 100 % statements are evicted; no service suffers from it, only the history.
    {"metric": "statements_used_percent", "warn": 90, "hysteresis": 5},
    # One eviction is a burst of ad hoc statements; in two windows in a row the history is never complete.
    {"metric": "statements_evicted", "warn": 0, "for": 2},
    # A sample is short, so one that is busy says little.
    {"metric": "cpu_busy_percent", "warn": 80, "critical": 85, "hysteresis": 5, "for": 3},
    {"metric": "disk_used_percent", "warn": 50, "critical": 80, "hysteresis": 2},
    # The database bears what the cache does not, so it is as urgent.
    {"metric": "redis_down", "critical": 0},
    # Two windows, because an invalidation of everything makes one cold.
    {"metric": "cache_hit_ratio_percent", "warn": 80, "hysteresis": 5, "for": 2},
    {"metric": "cache_evictions_percent", "warn": 1, "hysteresis": 0.2, "for": 2},
    # No critical: a cache that is full evicts, and how much of that is too much says the line above.
    {"metric": "redis_memory_percent", "warn": 90, "hysteresis": 5},
    # Reads from a standby show data that old. Two samples, because a bulk load leaves it behind for a while.
    {"metric": "replication_lag_seconds", "warn": _MINUTE, "critical": 10 * _MINUTE, "hysteresis": 10, "for": 2},
    # 16 and 64 segments of WAL.
    {"metric": "replication_lag_bytes", "warn": 256 * _MIB, "critical": _GIB, "hysteresis": 16 * _MIB, "for": 2},
    # Two samples, because a standby that restarts leaves its slot for a moment.
    {"metric": "inactive_slots", "warn": 0, "for": 2},
    # What fills a disk overnight must not wait for a second sample.
    {"metric": "slot_retained_bytes", "warn": _GIB, "critical": 10 * _GIB, "hysteresis": 64 * _MIB},
    # A daily backup may take two hours longer than the last; at 50 hours two are missing.
    {"metric": "backup_age_seconds", "warn": 26 * _HOUR, "critical": 50 * _HOUR},
    # The dead man: nobody watches any more.
    {"metric": "snapshot_age_intervals", "critical": 2},
    # One run may meet a restart; the third in a row means that there is a gap in the history.
    {"metric": "agent_failures", "warn": 0, "critical": 2},
]
