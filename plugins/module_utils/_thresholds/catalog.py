# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The metrics that there are, each declared once. Limits are not here but in defaults."""

from __future__ import annotations

from typing import Dict, NamedTuple, Optional, Tuple

from ansible_collections.midi.capacity.plugins.module_utils._thresholds.units import UNITS, Unit

ABOVE, BELOW = "above", "below"
POSTGRES_DOWN, REDIS_DOWN = "postgres_down", "redis_down"
# All names in Prometheus begin so.
PREFIX = "midi_capacity_"


class Metric(NamedTuple):
    """One thing that is measured, and may have limits.

    area: its part of the dashboard. title: for people, "title: value". worse: the direction that is. meaning: one line.
    remedy: what to do when it is bad, as an instruction. subject: what it is measured of one by one, as the name of a
    label, or None where there is one only. most: what no value is above, None where nothing is certain.
    needs: the metric that tells whether whoever gives this one is down. windowed: it needs two snapshots.
    exported: whether the textfile has it.
    """

    name: str
    title: str
    area: str
    unit_name: str
    worse: str
    meaning: str
    remedy: str
    subject: Optional[str] = None
    most: Optional[float] = None
    needs: Optional[str] = None
    windowed: bool = False
    exported: bool = True

    @property
    def unit(self) -> Unit:
        return UNITS[self.unit_name]

    @property
    def prometheus(self) -> str:
        """Its name in Prometheus, in the base unit: seconds, bytes, or a ratio from 0 to 1."""
        unit = self.unit
        stem = self.name[: len(self.name) - len(unit.suffix)]
        return PREFIX + (stem if stem.endswith(unit.base_suffix) else stem + unit.base_suffix)

    @property
    def alert_name(self) -> str:
        """What Alertmanager calls it, whoever sends the alert."""
        return "".join(word.capitalize() for word in (PREFIX + self.name).split("_"))


_PG, _STATEMENTS, _REPLICATION = "PostgreSQL", "Statements", "Replication and WAL"
_HOST, _CACHE, _UPKEEP = "Host", "Redis", "Upkeep"
AREAS = (_PG, _STATEMENTS, _HOST, _CACHE, _REPLICATION, _UPKEEP)

METRICS: Tuple[Metric, ...] = (
    Metric(
        POSTGRES_DOWN, "PostgreSQL", _PG, "flag", ABOVE,
        "PostgreSQL takes no connections (1), or does (0)",
        "look whether its process runs and what its log says last, then start it",
        most=1,
    ),
    Metric(
        "connections_used_percent", "Connections used", _PG, "percent", ABOVE,
        "Client connections of all databases, of those that max_connections leaves to other than superusers",
        "find who holds them in pg_stat_activity (idle ones first), set a pool or its limit; raise max_connections only"
        " within the memory budget",
        needs=POSTGRES_DOWN,
    ),
    Metric(
        "buffer_hit_ratio_percent", "Blocks found in shared buffers", _PG, "percent", BELOW,
        "Blocks of the database found in shared buffers, of all that were read in the window",
        "look for statements that read much (shared_blks_read), then for missing indexes; then compare the hot part of"
        " the data with shared_buffers and RAM",
        most=100, needs=POSTGRES_DOWN, windowed=True,
    ),
    Metric(
        "oldest_transaction_seconds", "Oldest transaction", _PG, "seconds", ABOVE,
        "Age of the oldest open or prepared transaction, which keeps VACUUM from cleaning up",
        "find it in pg_stat_activity by xact_start, or in pg_prepared_xacts, and end it; set"
        " idle_in_transaction_session_timeout",
        needs=POSTGRES_DOWN,
    ),
    # Of 2^31 and not of autovacuum_freeze_max_age: the latter is reached again and again by a healthy server, for that
    # is when autovacuum freezes. At 2^31 less 3 million the server takes no more writes.
    Metric(
        "xid_age_percent", "Transaction ids used before wraparound", _PG, "percent", ABOVE,
        "max(age(datfrozenxid)) of all databases, of the 2^31 at which transaction ids wrap around",
        "end what holds back VACUUM (old transactions, prepared transactions, inactive slots), then run VACUUM (FREEZE)"
        " on the tables with the highest age(relfrozenxid)",
        most=100, needs=POSTGRES_DOWN,
    ),
    Metric(
        "invalid_indexes", "Invalid indexes", _PG, "count", ABOVE,
        "Indexes that no query may use and every write pays for, without those being built",
        "drop each with DROP INDEX CONCURRENTLY and build it again, or run REINDEX INDEX CONCURRENTLY",
        needs=POSTGRES_DOWN,
    ),
    Metric(
        "statement_mean_ms", "Mean time of the slowest statement", _STATEMENTS, "ms", ABOVE,
        "The worst mean time among statements with enough calls in the window",
        "run EXPLAIN (ANALYZE, BUFFERS) on it, look for a missing index, outdated statistics or waiting for locks",
        needs=POSTGRES_DOWN, windowed=True,
    ),
    Metric(
        "statement_p95_ms", "Estimated P95 of all statements", _STATEMENTS, "ms", ABOVE,
        "95 % of the statements in the window took no longer; estimated from calls, mean and deviation",
        "look at the statements with most time in the window, and whether CPU, disk or locks are what they wait for",
        needs=POSTGRES_DOWN, windowed=True,
    ),
    Metric(
        "statements_used_percent", "Entries of pg_stat_statements used", _STATEMENTS, "percent", ABOVE,
        "Entries of pg_stat_statements, of pg_stat_statements.max",
        "raise pg_stat_statements.max (needs a restart), or have the application send parameters, not literals",
        needs=POSTGRES_DOWN,
    ),
    Metric(
        "statements_evicted", "Evictions from pg_stat_statements", _STATEMENTS, "count", ABOVE,
        "How often in the window statements were dropped to make room, with what they had counted",
        "raise pg_stat_statements.max (needs a restart), or have the application send parameters, not literals",
        needs=POSTGRES_DOWN, windowed=True,
    ),
    Metric(
        "cpu_busy_percent", "CPU busy", _HOST, "percent", ABOVE,
        "CPU that is not idle over the sample, of what PostgreSQL may use",
        "look which processes use it; if they are PostgreSQL's, look at the statements with most time in the window",
        most=100, needs=POSTGRES_DOWN,
    ),
    Metric(
        "disk_used_percent", "Disk used", _HOST, "percent", ABOVE,
        "Space used of a file system that holds data of PostgreSQL",
        "look at pg_wal, inactive slots, temporary files and logs first, then at the largest tables; then enlarge it",
        subject="mountpoint", most=100, needs=POSTGRES_DOWN,
    ),
    Metric(
        REDIS_DOWN, "Redis", _CACHE, "flag", ABOVE,
        "Redis answers no commands (1), or does (0)",
        "look whether its service or container runs and what its log says last, then start it",
        most=1,
    ),
    Metric(
        "cache_hit_ratio_percent", "Cache hit ratio", _CACHE, "percent", BELOW,
        "Lookups that found their key, of all in the window",
        "compare TTLs and invalidation with how the keys are read, and look whether keys are evicted",
        most=100, needs=REDIS_DOWN, windowed=True,
    ),
    Metric(
        "cache_evictions_percent", "Keys evicted per operation", _CACHE, "percent", ABOVE,
        "Keys evicted to make room, of the operations in the window",
        "audit the keys for large or useless ones, shorten TTLs, or give the cache more memory",
        needs=REDIS_DOWN, windowed=True,
    ),
    Metric(
        "redis_memory_percent", "Redis memory used", _CACHE, "percent", ABOVE,
        "Memory used, of maxmemory",
        "audit the keys for large or useless ones, shorten TTLs, or raise maxmemory within the memory of the host",
        needs=REDIS_DOWN,
    ),
    Metric(
        "replication_lag_seconds", "Replication lag", _REPLICATION, "seconds", ABOVE,
        "How long ago the standby's latest change was made on the primary, while there is WAL to replay",
        "look at the standby for long queries, slow disk or a lost connection, and at the network between the two",
        subject="standby", needs=POSTGRES_DOWN,
    ),
    Metric(
        "replication_lag_bytes", "Replication lag in WAL", _REPLICATION, "bytes", ABOVE,
        "WAL that the standby has not replayed yet",
        "look at the standby for long queries, slow disk or a lost connection, and at the network between the two",
        subject="standby", needs=POSTGRES_DOWN,
    ),
    Metric(
        "inactive_slots", "Inactive replication slots", _REPLICATION, "count", ABOVE,
        "Replication slots that nobody reads from; each keeps WAL until the disk is full",
        "bring its reader back, or run SELECT pg_drop_replication_slot(...) if there is none any more",
        needs=POSTGRES_DOWN,
    ),
    Metric(
        "slot_retained_bytes", "WAL kept for an inactive slot", _REPLICATION, "bytes", ABOVE,
        "WAL that the server may not remove because of a replication slot that nobody reads from",
        "bring its reader back, or run SELECT pg_drop_replication_slot(...); set max_slot_wal_keep_size",
        subject="slot", needs=POSTGRES_DOWN,
    ),
    Metric(
        "backup_age_seconds", "Age of the last backup", _UPKEEP, "seconds", ABOVE,
        "Time since the last backup that ended well",
        "look at the log of the backup, run it by hand, and try a restore",
    ),
    # Its own Prometheus rule looks at the time of the last snapshot: an age in a file that nobody writes stands still.
    Metric(
        "snapshot_age_intervals", "Age of the last snapshot in intervals", _UPKEEP, "count", ABOVE,
        "Time since the last snapshot, in intervals of the schedule",
        "look whether cron or the timer runs, and run the command doctor of the agent",
        exported=False,
    ),
    Metric(
        "agent_failures", "Failed runs of the agent in a row", _UPKEEP, "count", ABOVE,
        "Runs of the agent since the last one that ended well",
        "run the command doctor of the agent, and look at its log",
    ),
)  # fmt: skip

BY_NAME: Dict[str, Metric] = {metric.name: metric for metric in METRICS}
