# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The queries of a snapshot, PostgreSQL 14 to 18. Text only: whoever runs them fills in identifiers and arguments."""

from __future__ import annotations

from ansible_collections.midi.capacity.plugins.module_utils._query_text import OWN
from ansible_collections.midi.capacity.plugins.module_utils._windows.statements import FIGURES

# What capacity work looks at. `statement_timeout` is not here: the snapshot sets its own, so it would read itself.
SETTING_NAMES = (
    "autovacuum",
    "autovacuum_max_workers",
    "autovacuum_work_mem",
    "checkpoint_completion_target",
    "checkpoint_timeout",
    "compute_query_id",
    "data_checksums",
    "effective_cache_size",
    "effective_io_concurrency",
    "fsync",
    "full_page_writes",
    "hash_mem_multiplier",
    "huge_pages",
    "idle_in_transaction_session_timeout",
    "jit",
    "log_min_duration_statement",
    "maintenance_work_mem",
    "max_connections",
    "max_locks_per_transaction",
    "max_parallel_maintenance_workers",
    "max_parallel_workers",
    "max_parallel_workers_per_gather",
    "max_prepared_transactions",
    "max_wal_senders",
    "max_wal_size",
    "max_worker_processes",
    "min_wal_size",
    "pg_stat_statements.max",
    "pg_stat_statements.track",
    "random_page_cost",
    "reserved_connections",
    "shared_buffers",
    "shared_preload_libraries",
    "superuser_reserved_connections",
    "synchronous_commit",
    "temp_buffers",
    "track_activities",
    "track_counts",
    "track_io_timing",
    "wal_buffers",
    "wal_compression",
    "wal_level",
    "work_mem",
)

# Settings that only pg_read_all_settings sees: when one of them is absent, it is hidden, not unknown.
GUARDED_SETTING_NAMES = ("shared_preload_libraries",)

# A crash loses all counters, and only those of the cluster tell when. Of these two one alone was reset by somebody.
SERVER = f"""
SELECT {OWN} (SELECT system_identifier FROM pg_control_system())::text AS system_identifier,
       current_database() AS database,
       split_part(current_setting('server_version'), ' ', 1) AS version,
       current_setting('server_version_num')::int AS version_num,
       pg_postmaster_start_time() AS postmaster_start,
       (SELECT least(b.stats_reset, a.stats_reset) FROM pg_stat_bgwriter b, pg_stat_archiver a) AS counters_since,
       pg_is_in_recovery() AS in_recovery
"""

NOW = f"SELECT {OWN} clock_timestamp()"

SETTINGS = f"""
SELECT {OWN} name, setting, unit, source, pending_restart FROM pg_settings WHERE name = ANY (%(names)s) ORDER BY name
"""

# The agent logs in anew each time, and then a view costs more to plan than to read: here and below stands what
# pg_stat_activity and pg_locks are made of. Sessions whose backend_type is hidden may be anything; they are counted
# apart, so that nobody takes the rest for all.
CONNECTIONS = f"""
SELECT {OWN} (SELECT datname FROM pg_database WHERE oid = datid) AS database, coalesce(state, 'unknown') AS state,
       backend_type IS NULL AS hidden, count(*) AS connections
FROM pg_stat_get_activity(NULL)
WHERE pid <> pg_backend_pid() AND (backend_type = 'client backend' OR (backend_type IS NULL AND datid <> 0))
GROUP BY datid, 2, 3
"""

# reserved_connections came with PostgreSQL 16.
USABLE_MAXIMUM = f"""
SELECT {OWN} current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
       - coalesce(current_setting('reserved_connections', true), '0')::int
"""

DATABASE = f"SELECT {OWN} * FROM pg_stat_database WHERE datname = current_database()"

STATEMENTS_EXTENSION = f"""
SELECT {OWN} n.nspname AS schema, e.extversion AS version
FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
WHERE e.extname = 'pg_stat_statements'
"""

# Its settings are those of a library that was loaded when the server started; one that only stands in a file is hidden.
STATEMENTS_PRELOADED = f"SELECT {OWN} count(*) > 0 FROM pg_settings WHERE name = 'pg_stat_statements.max'"

STATEMENTS_INFO = f"SELECT {OWN} dealloc, stats_reset FROM {{schema}}.pg_stat_statements_info"

# Oldest version of the extension with toplevel and pg_stat_statements_info: what PostgreSQL 14 ships.
OLDEST_STATEMENTS_VERSION = (1, 9)

_USER_SCHEMAS = r"n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"

DATABASE_BYTES = f"SELECT {OWN} pg_database_size(current_database())"

# Tables, partitioned tables, materialized views and indexes at once: a login pays for each relation that it opens, and
# for each catalog that a query reads. The size functions wait for a relation that somebody holds or wants exclusively;
# so such a one is passed over (main_bytes NULL). main_bytes is of its data, more_bytes of all else of its own; what is
# toasted is apart.
RELATIONS = f"""
WITH exclusive AS MATERIALIZED (
  SELECT relation FROM pg_lock_status()
  WHERE locktype = 'relation' AND mode = 'AccessExclusiveLock' AND pid <> pg_backend_pid()
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
), relations AS MATERIALIZED (
  SELECT {OWN} c.oid, n.nspname, c.relname, c.relkind, c.relispartition, c.relpersistence, c.reltoastrelid,
         CASE WHEN c.reltuples >= 0 THEN c.reltuples::bigint END AS estimated_rows, i.indrelid, i.indisvalid,
         c.relkind <> 'p' AND c.oid NOT IN (SELECT relation FROM exclusive)
           AND c.reltoastrelid NOT IN (SELECT relation FROM exclusive) AS measured
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_index i ON i.indexrelid = c.oid
  WHERE c.relkind IN ('r', 'm', 'p', 'i') AND {_USER_SCHEMAS}
)
SELECT r.oid::bigint AS oid, r.nspname AS schema, r.relname AS name, r.relkind AS kind,
       r.relispartition AS is_partition, r.indrelid::bigint AS table_oid, r.indisvalid AS valid, r.estimated_rows,
       CASE WHEN r.relkind <> 'i' AND r.relispartition
            THEN (SELECT n.nspname || '.' || c.relname
                  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                  WHERE c.oid = pg_partition_root(r.oid)) END AS partition_of,
       CASE WHEN r.measured THEN pg_relation_size(r.oid) END AS main_bytes,
       CASE WHEN r.measured
            THEN pg_relation_size(r.oid, 'fsm')
                 + CASE WHEN r.relkind <> 'i' THEN pg_relation_size(r.oid, 'vm') ELSE 0 END
                 + CASE WHEN r.relpersistence = 'u' THEN pg_relation_size(r.oid, 'init') ELSE 0 END END AS more_bytes,
       CASE WHEN r.measured AND r.reltoastrelid <> 0 THEN pg_total_relation_size(r.reltoastrelid) END AS toast_bytes,
       CASE WHEN r.relkind = 'i' THEN pg_stat_get_numscans(r.oid) END AS scans
FROM relations r
ORDER BY r.nspname, r.relname
"""

GROWTH_TABLE = f"""
SELECT {OWN} c.oid, n.nspname AS schema, c.relname AS name, c.relkind AS kind
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.oid = to_regclass(%(table)s)
"""

GROWTH_EXACT = f"SELECT {OWN} count(*) FROM {{table}}"

# As the planner does: the density at the last vacuum or analyze, times the size now. NULL when that never happened.
GROWTH_ESTIMATE = f"""
SELECT {OWN} CASE WHEN bool_or(c.reltuples < 0 AND s.bytes > 0) THEN NULL
            ELSE coalesce(sum(CASE WHEN c.reltuples <= 0 THEN 0
                                   WHEN c.relpages = 0 THEN c.reltuples
                                   ELSE c.reltuples / c.relpages * s.bytes / b.bytes END), 0)::bigint END
FROM (SELECT coalesce(relid::oid, %(oid)s) AS oid, coalesce(isleaf, true) AS leaf
      FROM (SELECT) one LEFT JOIN LATERAL pg_partition_tree(%(oid)s) ON true) tree
JOIN pg_class c ON c.oid = tree.oid AND tree.leaf
CROSS JOIN LATERAL (SELECT pg_relation_size(c.oid) AS bytes) s
CROSS JOIN (SELECT current_setting('block_size')::int AS bytes) b
"""

# Open and prepared transactions both hold back vacuum. Hidden sessions are counted: 0 is never said in ignorance.
TRANSACTIONS = f"""
SELECT {OWN} greatest(
         (SELECT extract(epoch FROM max(clock_timestamp() - xact_start))
          FROM pg_stat_get_activity(NULL) WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'),
         (SELECT extract(epoch FROM max(clock_timestamp() - prepared)) FROM pg_prepared_xacts),
         0)::float8 AS seconds,
       (SELECT count(*) FROM pg_stat_get_activity(NULL) WHERE backend_type IS NULL AND datid <> 0) AS hidden
"""

OLDEST_XID_AGE = f"SELECT {OWN} max(age(datfrozenxid)) FROM pg_database"

_REPLAY_POSITION = """
CASE WHEN pg_is_in_recovery() THEN coalesce(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())
     ELSE pg_current_wal_lsn() END
"""

STANDBYS = f"""
SELECT {OWN} application_name, host(client_addr) AS address, state, sync_state,
       pg_wal_lsn_diff({_REPLAY_POSITION}, replay_lsn)::bigint AS lag_bytes,
       extract(epoch FROM replay_lag)::float8 AS lag_seconds
FROM pg_stat_replication ORDER BY application_name, pid
"""

# The age of the last replayed transaction is a lag only while WAL waits: an idle primary makes it grow.
RECEIVER = f"""
SELECT {OWN} pg_wal_lsn_diff(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())::bigint AS lag_bytes,
       CASE WHEN pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() THEN 0
            ELSE extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()) END::float8 AS lag_seconds,
       (SELECT status FROM pg_stat_wal_receiver) AS state
"""

INACTIVE_SLOTS = f"""
SELECT {OWN} slot_name AS name, slot_type AS type, wal_status,
       pg_wal_lsn_diff({_REPLAY_POSITION}, restart_lsn)::bigint AS retained_bytes
FROM pg_replication_slots WHERE NOT active ORDER BY 1
"""

# An index that is being built is invalid too, and no fault.
INVALID_INDEXES = f"""
SELECT {OWN} n.nspname AS schema, t.relname AS table, c.relname AS name,
       EXISTS (SELECT FROM pg_stat_progress_create_index p WHERE p.index_relid = c.oid) AS building
FROM pg_index i
JOIN pg_class c ON c.oid = i.indexrelid
JOIN pg_class t ON t.oid = i.indrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE NOT i.indisvalid AND c.relkind = 'i' AND {_USER_SCHEMAS}
ORDER BY 1, 2, 3
"""

# The addresses are those of the connection's ends, NULL over a Unix socket. The data directory is NULL when hidden.
PLACE = f"""
SELECT {OWN} CASE WHEN pg_has_role('pg_read_all_settings', 'USAGE') THEN current_setting('data_directory') END
         AS data_directory,
       host(inet_server_addr()) AS server_address, host(inet_client_addr()) AS client_address,
       pg_backend_pid() AS backend_pid
"""

# Of the data directory itself there is no location.
TABLESPACES = f"SELECT {OWN} pg_tablespace_location(oid) AS directory FROM pg_tablespace"

# pg_get_userbyid makes up a name for who is not there any more.
NAMES = f"""
SELECT {OWN} 'roles' AS kind, oid, pg_get_userbyid(oid::oid) AS name FROM unnest(%(roles)s::bigint[]) AS oid
UNION ALL SELECT 'databases', oid::bigint, datname FROM pg_database
"""

# Counters of a statement that may be added up, those that windows are over; times are in milliseconds.
STATEMENT_COUNTERS = tuple(FIGURES)
_EXTREME_COLUMNS = (("min_exec_time", "min"), ("max_exec_time", "max"))
LONGEST_QUERY = 2000
# 1.11 renamed the block times, and tells of each entry since when it counts; both came with PostgreSQL 17.
FIRST_WITH_STATS_SINCE = (1, 11)

STATEMENT_TEXTS = f"""
SELECT {OWN} userid::bigint AS userid, dbid::bigint AS dbid, queryid::text AS queryid, toplevel,
       left(query, {LONGEST_QUERY}) AS query
FROM {{schema}}.pg_stat_statements(true) WHERE queryid::text = ANY (%(queryids)s)
"""


def all_statements(extension_version: tuple) -> str:
    """The query for all statements without their texts, which stand in a file that grows large."""
    newest = extension_version >= FIRST_WITH_STATS_SINCE
    columns = [f"{_renamed(extension_version).get(name, name)} AS {name}" for name in STATEMENT_COUNTERS]
    columns += [f"{name} AS {name}" for name in ("stddev_exec_time", "min_exec_time", "max_exec_time")]
    columns += [
        f"{name if newest else 'NULL::timestamptz'} AS {name}" for name in ("stats_since", "minmax_stats_since")
    ]
    return f"""
SELECT {OWN} userid::bigint AS userid, dbid::bigint AS dbid, queryid::text AS queryid, toplevel,
       {", ".join(columns)}
FROM {{schema}}.pg_stat_statements(false)
"""


def _renamed(extension_version: tuple) -> dict:
    """What is called otherwise before 1.11 of the extension."""
    if extension_version >= FIRST_WITH_STATS_SINCE:
        return {}
    return {f"shared_{name}": name for name in ("blk_read_time", "blk_write_time")}


def statements(extension_version: tuple) -> str:
    """The query for statements: the first %(limit)s by total time one row each, all others in one row (place NULL).

    Every place is a group of one, so the aggregates only do something in the last. Column names are those of the newest
    version: 1.11 of the extension renamed the block times. Rows of other roles, with a hidden queryid, are in the last.
    """
    renamed = _renamed(extension_version)
    columns = [f"sum({renamed.get(name, name)}) AS {name}" for name in STATEMENT_COUNTERS]
    columns += [f"{function}({name}) AS {name}" for name, function in _EXTREME_COLUMNS]
    # From 1.11 on an entry tells since when it counts: one that was evicted and came back starts anew.
    columns.append(
        "min(stats_since) AS stats_since"
        if extension_version >= FIRST_WITH_STATS_SINCE
        else "NULL::timestamptz AS stats_since"
    )
    return f"""
WITH ranked AS MATERIALIZED (
  SELECT {OWN} s.*, CASE WHEN s.queryid IS NULL THEN NULL
                   ELSE row_number() OVER (ORDER BY s.queryid IS NULL, s.total_exec_time DESC, s.queryid) END AS place
  FROM {{schema}}.pg_stat_statements s
), kept AS (
  SELECT CASE WHEN place <= %(limit)s THEN place END AS kept_place, ranked.* FROM ranked
)
SELECT kept_place AS place, count(*) AS statements, count(*) FILTER (WHERE queryid IS NULL) AS hidden,
       min(userid::bigint) AS userid, min(dbid::bigint) AS dbid, min(queryid)::text AS queryid,
       bool_and(toplevel) AS toplevel,
       (SELECT rolname FROM pg_roles WHERE oid = min(userid::bigint)) AS user,
       (SELECT datname FROM pg_database WHERE oid = min(dbid::bigint)) AS database,
       left(min(query), {LONGEST_QUERY}) AS query,
       {", ".join(columns)}
FROM kept GROUP BY kept_place ORDER BY kept_place NULLS LAST
"""
