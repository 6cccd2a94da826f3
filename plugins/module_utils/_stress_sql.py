# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The queries of a stress test, PostgreSQL 14 to 18. Text only."""

from __future__ import annotations

from ansible_collections.midi.capacity.plugins.module_utils._query_text import OWN

# What marks a database as one for tests. It is read where ALTER DATABASE stores it: a session may set anything.
TEST_SETTING = "midi_capacity.test"

GUARD = f"""
SELECT {OWN} current_database() AS database, pg_is_in_recovery() AS in_recovery,
       (SELECT s.setconfig FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase
        WHERE d.datname = current_database() AND s.setrole = 0) AS settings
"""

# Whether each column of a table has to be given a value; no row for a table that is not there.
COLUMNS = f"""
SELECT {OWN} a.attname AS name,
       a.attnotnull AND NOT a.atthasdef AND a.attidentity = '' AND a.attgenerated = '' AS needed
FROM pg_attribute a
WHERE a.attrelid = to_regclass(%(table)s) AND a.attnum > 0 AND NOT a.attisdropped
"""

IDS_OF_FILES = f"SELECT {OWN} pg_get_serial_sequence('files', 'id')"

# Rows that came in since the statistics began, of a table with its partitions; those of failed transactions count.
INSERTED = f"""
SELECT {OWN} coalesce(sum(pg_stat_get_tuples_inserted(tree.oid)), 0)::bigint
FROM (SELECT coalesce(relid::oid, named.oid) AS oid
      FROM (SELECT to_regclass(%(table)s)::oid AS oid) named
      LEFT JOIN LATERAL pg_partition_tree(named.oid) ON true) tree
"""

PATIENCE = f"SELECT {OWN} set_config('statement_timeout', '5s', false)"

SAMPLE = f"""
SELECT {OWN} count(*) AS total,
       count(*) FILTER (WHERE datname = current_database()) AS in_database,
       count(*) FILTER (WHERE state = 'active') AS active,
       count(*) FILTER (WHERE state = 'idle') AS idle,
       count(*) FILTER (WHERE state LIKE 'idle in transaction%%') AS idle_in_transaction,
       count(*) FILTER (WHERE wait_event_type = 'Lock') AS waiting
FROM pg_stat_activity
WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
"""
