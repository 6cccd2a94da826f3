# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tables of the history, as SQL for SQLite 3.31 and newer. A list of migrations: what stands here stays.

snapshot    one for each that was taken. kind: full, or statements for a light capture of the statements alone.
            taken_at: the server's clock, this host's where the server is down; ISO 8601 in UTC with milliseconds.
            boot_id and monotonic_seconds: the boot and the clock that nobody sets, so that a step of the other shows.
                        system_identifier: of the server, NULL where its statements could not be read.
            document: the snapshot as JSON, compressed, without the rows of its statements.
statement   a statement, its text once.
counter     the raw counters of a statement in a snapshot; times in milliseconds, moments in milliseconds since 1970.
            All NULL: it had no entry then, and has one in the next.
newest      the counters of all statements as the last snapshot of a kind found them; nothing older.
reading     a metric as a snapshot gave it. value NULL: it could not be had, for the reason.
run         each run of the agent that did, or could not do, something. outcome NULL: it was cut off.
memory      documents by name: states of alerts, silences.
"""

from __future__ import annotations

# Of the first version; whoever adds a counter adds a migration.
_COUNTERS = """
  calls INTEGER,
  rows INTEGER,
  total_exec_time REAL,
  shared_blks_hit INTEGER,
  shared_blks_read INTEGER,
  shared_blks_dirtied INTEGER,
  shared_blks_written INTEGER,
  temp_blks_read INTEGER,
  temp_blks_written INTEGER,
  shared_blk_read_time REAL,
  shared_blk_write_time REAL,
  wal_bytes INTEGER,
  stddev_exec_time REAL,
  min_exec_time REAL,
  max_exec_time REAL,
  stats_since INTEGER,
  minmax_stats_since INTEGER
"""

MIGRATIONS = (
    f"""
CREATE TABLE snapshot (
  id INTEGER PRIMARY KEY,
  kind TEXT NOT NULL CHECK (kind IN ('full', 'statements')),
  taken_at TEXT NOT NULL,
  boot_id TEXT NOT NULL,
  monotonic_seconds REAL NOT NULL,
  system_identifier TEXT,
  document BLOB NOT NULL
);
CREATE INDEX snapshot_kind ON snapshot (kind, id);
CREATE TABLE statement (
  id INTEGER PRIMARY KEY,
  system_identifier TEXT NOT NULL,
  userid INTEGER NOT NULL,
  dbid INTEGER NOT NULL,
  queryid TEXT NOT NULL,
  toplevel INTEGER NOT NULL,
  user TEXT,
  database TEXT,
  query TEXT,
  UNIQUE (system_identifier, userid, dbid, queryid, toplevel)
);
CREATE TABLE counter (
  snapshot_id INTEGER NOT NULL REFERENCES snapshot (id) ON DELETE CASCADE,
  statement_id INTEGER NOT NULL,
  {_COUNTERS.strip()},
  PRIMARY KEY (snapshot_id, statement_id)
) WITHOUT ROWID;
CREATE TABLE newest (
  kind TEXT NOT NULL,
  statement_id INTEGER NOT NULL,
  {_COUNTERS.strip()},
  PRIMARY KEY (kind, statement_id)
) WITHOUT ROWID;
CREATE TABLE reading (
  snapshot_id INTEGER NOT NULL REFERENCES snapshot (id) ON DELETE CASCADE,
  metric TEXT NOT NULL,
  value REAL,
  subject TEXT,
  reason TEXT,
  PRIMARY KEY (snapshot_id, metric)
) WITHOUT ROWID;
CREATE TABLE run (
  id INTEGER PRIMARY KEY,
  command TEXT NOT NULL,
  started_at TEXT NOT NULL,
  outcome TEXT,
  reason TEXT,
  snapshot_id INTEGER,
  cost TEXT
);
CREATE TABLE memory (
  name TEXT PRIMARY KEY,
  document TEXT NOT NULL
) WITHOUT ROWID;
""",
)
VERSION = len(MIGRATIONS)
