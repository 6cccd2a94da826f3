# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The history of the agent: a SQLite database for its owner alone. The only place that imports sqlite3.

Every change is one transaction that is on disk when it is done (WAL, synchronous=FULL): who is killed loses what was
being written and nothing else.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import urllib.parse
import zlib

from ansible_collections.midi.capacity.plugins.module_utils import _agent_command
from ansible_collections.midi.capacity.plugins.module_utils._agent import counters
from ansible_collections.midi.capacity.plugins.module_utils._agent.schema import MIGRATIONS, VERSION
from ansible_collections.midi.capacity.plugins.module_utils._errors import OperatorError

MODE = 0o600
# Kinds of snapshots.
FULL, STATEMENTS = "full", "statements"
# How long a reader and a writer wait for each other.
BUSY_SECONDS = 10
_NAMES = ", ".join(counters.NAMES)
_PLACES = ", ".join("?" for _name in counters.NAMES)
_NOT_LAST = "id NOT IN (SELECT max(id) FROM snapshot GROUP BY kind)"
_HEAD = ("id", "kind", "taken_at", "boot_id", "monotonic_seconds", "system_identifier")
_IDENTITY = ("userid", "dbid", "queryid", "toplevel", "user", "database", "query")
# What could not be read when a statement was first seen is kept when it can be.
_LEARNED = ", ".join(f"{name} = coalesce({name}, excluded.{name})" for name in _IDENTITY[4:])
_LEARNS = " OR ".join(f"({name} IS NULL AND excluded.{name} IS NOT NULL)" for name in _IDENTITY[4:])


class StoreError(OperatorError):
    """The history cannot be opened, read or written."""


class Store:
    """One open history."""

    def __init__(self, connection, path: str) -> None:
        self._connection = connection
        self.path = path

    @classmethod
    def open(cls, path: str, create: bool = True) -> Store:
        """Opens the history, and makes it where there is none if it may. Raises StoreError."""
        try:
            # SQLite gives its other files the mode of this one.
            os.close(os.open(path, os.O_RDWR | (os.O_CREAT if create else 0), MODE))
        except OSError as error:
            if not create and isinstance(error, FileNotFoundError):
                remedy = f"the first snapshot begins it: wait for the schedule, or run {_agent_command.name()} snapshot"
                raise StoreError("there is no history yet", path, remedy) from None
            remedy = "run as the account that the agent runs as"
            raise StoreError(f"the history cannot be opened: {error.strerror}", path, remedy) from None
        with _told(path):
            connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
            try:
                connection.execute("PRAGMA foreign_keys = ON")
                # Before the first table, or it has no effect; later it would write to a file that is only read.
                if connection.execute("PRAGMA page_count").fetchone()[0] == 0:
                    connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("PRAGMA synchronous = FULL")
                store = cls(connection, path)
                store._migrate()
            except BaseException:
                connection.close()
                raise
        return store

    @classmethod
    def read_only(cls, path: str) -> Store:
        """The history as it is: nothing of it is written, be it of an older version. Raises StoreError."""
        # Of a history that nobody has open, all is in its file, and SQLite would leave files beside it.
        mode = "mode=ro" if os.path.exists(f"{path}-wal") else "mode=ro&immutable=1"
        with _told(path):
            connection = sqlite3.connect(
                f"file:{urllib.parse.quote(path)}?{mode}", timeout=BUSY_SECONDS, isolation_level=None, uri=True
            )
            store = cls(connection, path)
            try:
                store.version()
            except BaseException:
                connection.close()
                raise
        return store

    def version(self) -> int:
        """Of its schema; 0 where no table is there yet. Raises StoreError for one that we do not know."""
        with _told(self.path):
            at = self._connection.execute("PRAGMA user_version").fetchone()[0]
        if at > VERSION:
            raise StoreError(
                f"the history was written by a newer version: its schema is {at}, and this one knows {VERSION}",
                self.path,
                "install the newer version again",
            )
        return at

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_error) -> None:
        self.close()

    @contextlib.contextmanager
    def transaction(self):
        """All that is written in it, or nothing; in another one, a part of that. Raises StoreError."""
        if self._connection.in_transaction:
            yield
            return
        with _told(self.path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                # After a full disk SQLite may have rolled back by itself.
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def newest(self, kind: str, system_identifier: str) -> dict:
        """{key: row} of all statements of a server as the last snapshot of the kind found them."""
        columns = ", ".join(f"newest.{name}" for name in counters.NAMES)
        found = self._rows(
            f"SELECT userid, dbid, queryid, toplevel, {columns} FROM newest JOIN statement ON id = statement_id"
            " WHERE kind = ? AND system_identifier = ?",
            (kind, system_identifier),
        )
        return {_key(row): counters.from_columns(row[4:]) for row in found}

    def add(self, kind: str, document: dict, clock: dict, found: dict | None, limit: int) -> int:
        """Stores a snapshot and gives its number.

        document: the snapshot, without the rows of its statements.
        clock: {taken_at, boot_id, monotonic_seconds}.
        found: {key: row} of all statements with their user, database and, for those whose text is not stored yet,
        query; None where they could not be read.
        limit: how many statements, of those that ran since the last snapshot of the kind, have rows at both ends.
        """
        with self.transaction():
            system, before = None, {}
            if found is not None:
                system = document["server"]["system_identifier"]
                before = self.newest(kind, system)
                # Of statements without a row nothing else would tell it.
                statements = {**document["statements"], "lost": counters.lost(before, found)}
                document = {**document, "statements": statements}
            cursor = self._execute(
                "INSERT INTO snapshot (kind, taken_at, boot_id, monotonic_seconds, system_identifier, document)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (kind, clock["taken_at"], clock["boot_id"], clock["monotonic_seconds"], system, _packed(document)),
            )
            if found is not None:
                self._add_statements(kind, cursor.lastrowid, system, before, found, limit)
            return cursor.lastrowid

    def heads(self, kind: str, since: str = "") -> list:
        """[{id, kind, taken_at, boot_id, monotonic_seconds, system_identifier}], the first that was stored first.

        since: ISO 8601.
        """
        found = self._rows(
            f"SELECT {', '.join(_HEAD)} FROM snapshot WHERE kind = ? AND taken_at >= ? ORDER BY id", (kind, since)
        )
        return [dict(zip(_HEAD, row)) for row in found]

    def last_head(self, kind: str, with_statements: bool = False) -> dict | None:
        """As heads(), the last that was stored; with_statements: the last of those whose statements could be read."""
        condition = " AND system_identifier IS NOT NULL" if with_statements else ""
        found = self._rows(
            f"SELECT {', '.join(_HEAD)} FROM snapshot WHERE kind = ?{condition} ORDER BY id DESC LIMIT 1", (kind,)
        )
        return dict(zip(_HEAD, found[0])) if found else None

    def document(self, number: int) -> dict:
        """The snapshot as it was stored, its statements with the rows that are kept, the rest, and who was absent."""
        ((packed,),) = self._rows("SELECT document FROM snapshot WHERE id = ?", (number,))
        document = _unpacked(packed)
        if document.get("statements") is not None:
            rows = self.rows(number)
            whole = document["statements"]["all"]
            document["statements"].update(rows=rows, rest=counters.rest(whole, rows), absent=self.absent(number))
        return document

    def rows(self, number: int) -> list:
        """The rows of statements that a snapshot keeps, most time first."""
        identity = ", ".join(_IDENTITY)
        columns = ", ".join(f"counter.{name}" for name in counters.NAMES)
        found = self._rows(
            f"SELECT {identity}, {columns} FROM counter JOIN statement ON id = statement_id WHERE snapshot_id = ?"
            " AND calls IS NOT NULL ORDER BY total_exec_time DESC, id",
            (number,),
        )
        width = len(_IDENTITY)
        rows = [{**dict(zip(_IDENTITY, row)), **counters.from_columns(row[width:])} for row in found]
        return [{**row, "toplevel": bool(row["toplevel"]), "query": row["query"] or ""} for row in rows]

    def absent(self, number: int) -> list:
        """Statements that had none then and have a row in the next: [{userid, dbid, queryid, toplevel}]."""
        names = _IDENTITY[:4]
        found = self._rows(
            f"SELECT {', '.join(names)} FROM counter JOIN statement ON id = statement_id WHERE snapshot_id = ?"
            " AND calls IS NULL ORDER BY id",
            (number,),
        )
        return [dict(zip(names, _key(row))) for row in found]

    def without_text(self, system_identifier: str, keys) -> set:
        """Those of the keys whose text is not stored yet."""
        stored = self._rows(
            "SELECT userid, dbid, queryid, toplevel FROM statement WHERE system_identifier = ? AND query IS NOT NULL",
            (system_identifier,),
        )
        return set(keys) - {_key(row) for row in stored}

    def add_readings(self, number: int, readings: dict) -> None:
        """readings: {metric: {value, subject, reason}} of a snapshot."""
        rows = [(number, name, entry["value"], entry["subject"], entry["reason"]) for name, entry in readings.items()]
        with self.transaction():
            self._connection.executemany("INSERT OR REPLACE INTO reading VALUES (?, ?, ?, ?, ?)", rows)

    def readings(self, since: str = "") -> list:
        """[{id, taken_at, readings: {metric: {value, subject, reason}}}] of full snapshots, the first one first."""
        found: dict = {}
        for number, taken_at in self._rows(
            "SELECT id, taken_at FROM snapshot WHERE kind = 'full' AND taken_at >= ? ORDER BY id", (since,)
        ):
            found[number] = {"id": number, "taken_at": taken_at, "readings": {}}
        for number, metric, value, subject, reason in self._rows(
            "SELECT r.snapshot_id, r.metric, r.value, r.subject, r.reason FROM reading r JOIN snapshot s"
            " ON s.id = r.snapshot_id WHERE s.taken_at >= ? AND s.kind = 'full'",
            (since,),
        ):
            found[number]["readings"][metric] = {"value": value, "subject": subject, "reason": reason}
        return list(found.values())

    def begin_run(self, command: str, started_at: str) -> int:
        with self.transaction():
            return self._execute("INSERT INTO run (command, started_at) VALUES (?, ?)", (command, started_at)).lastrowid

    def end_run(self, number: int, outcome: str, reason: str = "", snapshot_id=None, cost: dict | None = None) -> None:
        with self.transaction():
            self._execute(
                "UPDATE run SET outcome = ?, reason = ?, snapshot_id = ?, cost = ? WHERE id = ?",
                (outcome, reason, snapshot_id, json.dumps(cost) if cost else None, number),
            )

    def runs(self, limit: int, command: str = "") -> list:
        """The last ones, the newest first: {id, command, started_at, outcome, reason, snapshot_id, cost}.

        command: of this one only.
        """
        names = ("id", "command", "started_at", "outcome", "reason", "snapshot_id", "cost")
        found = self._rows(
            f"SELECT {', '.join(names)} FROM run WHERE ? IN ('', command) ORDER BY id DESC LIMIT ?", (command, limit)
        )
        runs = [dict(zip(names, row)) for row in found]
        return [{**run, "cost": json.loads(run["cost"]) if run["cost"] else None} for run in runs]

    def memory(self, name: str) -> dict | None:
        """The document that was remembered by this name, or None."""
        found = self._rows("SELECT document FROM memory WHERE name = ?", (name,))
        return json.loads(found[0][0]) if found else None

    def remember(self, name: str, document: dict) -> None:
        with self.transaction():
            self._execute("INSERT OR REPLACE INTO memory VALUES (?, ?)", (name, json.dumps(document, sort_keys=True)))

    def bytes(self) -> int:
        """What it takes on disk, with what SQLite keeps beside it."""
        return sum(os.path.getsize(self.path + end) for end in ("", "-wal") if os.path.exists(self.path + end))

    def prune(self, before: dict, max_bytes: int) -> int:
        """Removes what is older than it may be, and then the oldest until the rest fits; gives how many snapshots went.

        before: {kind: ISO 8601}. The last snapshot of a kind stays whatever it is: the next window begins there.
        """
        gone = 0
        for kind, moment in before.items():
            gone += self._remove("kind = ? AND taken_at < ?", (kind, moment))
        with self.transaction():
            # Runs tell what became of snapshots, and are of no use without them.
            self._execute("DELETE FROM run WHERE started_at < ?", (min(before.values()),))
        self._shrink()
        while self._used_bytes() > max_bytes:
            may_go = [row[0] for row in self._rows(f"SELECT id FROM snapshot WHERE {_NOT_LAST} ORDER BY id", ())]
            if not may_go:
                break
            gone += self._remove("id <= ?", (may_go[len(may_go) // 10],))
            self._shrink()
        return gone

    def problems(self) -> list:
        """What SQLite finds wrong with the file; empty when nothing is."""
        found = [row[0] for row in self._rows("PRAGMA quick_check", ())]
        return [] if found == ["ok"] else found

    def _migrate(self) -> None:
        for number in range(self.version(), VERSION):
            with self.transaction():
                # Another run may have been faster.
                if self._connection.execute("PRAGMA user_version").fetchone()[0] != number:
                    continue
                for statement in filter(str.strip, MIGRATIONS[number].split(";\n")):
                    self._connection.execute(statement)
                self._connection.execute(f"PRAGMA user_version = {number + 1}")

    def _add_statements(self, kind: str, number: int, system: str, before: dict, found: dict, limit: int) -> None:
        """before: all statements as the last snapshot of the kind found them."""
        self._connection.executemany(
            "INSERT INTO statement (system_identifier, userid, dbid, queryid, toplevel, user, database, query)"
            f" VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET {_LEARNED} WHERE {_LEARNS}",
            [(system, *map(row.get, _IDENTITY)) for row in found.values()],
        )
        numbers = {
            _key(row): row[4]
            for row in self._rows(
                "SELECT userid, dbid, queryid, toplevel, id FROM statement WHERE system_identifier = ?", (system,)
            )
        }
        names = counters.kept(before, found, limit)
        previous = self._rows(
            "SELECT max(id) FROM snapshot WHERE kind = ? AND system_identifier = ? AND id < ?", (kind, system, number)
        )[0][0]
        self._add_counters(number, numbers, {name: found[name] for name in names})
        if previous is not None:
            self._add_counters(previous, numbers, {name: before.get(name, {}) for name in names})
        self._connection.executemany(
            f"INSERT OR REPLACE INTO newest (kind, statement_id, {_NAMES}) VALUES (?, ?, {_PLACES})",
            [
                (kind, numbers[name], *counters.to_columns(row))
                for name, row in found.items()
                if name not in before or counters.to_columns(before[name]) != counters.to_columns(row)
            ],
        )
        there = {numbers[name] for name in found}
        gone = [
            (kind, row[0])
            for row in self._rows("SELECT statement_id FROM newest WHERE kind = ?", (kind,))
            if row[0] not in there
        ]
        self._connection.executemany("DELETE FROM newest WHERE kind = ? AND statement_id = ?", gone)

    def _add_counters(self, number: int, numbers: dict, rows: dict) -> None:
        self._connection.executemany(
            f"INSERT OR IGNORE INTO counter (snapshot_id, statement_id, {_NAMES}) VALUES (?, ?, {_PLACES})",
            [(number, numbers[name], *counters.to_columns(row)) for name, row in rows.items()],
        )

    def _remove(self, condition: str, arguments: tuple) -> int:
        with self.transaction():
            return self._execute(f"DELETE FROM snapshot WHERE {condition} AND {_NOT_LAST}", arguments).rowcount

    def _used_bytes(self) -> int:
        ((pages,), (free,), (size,)) = (
            self._rows(f"PRAGMA {name}", ())[0] for name in ("page_count", "freelist_count", "page_size")
        )
        return (pages - free) * size

    def _shrink(self) -> None:
        """Gives the room of what was removed back to the disk, and statements that no snapshot has go too."""
        with self.transaction():
            self._execute(
                "DELETE FROM statement WHERE id NOT IN (SELECT statement_id FROM counter)"
                " AND id NOT IN (SELECT statement_id FROM newest)",
                (),
            )
        with _told(self.path):
            # Each step of it frees a page, and execute() takes one.
            self._connection.executescript("PRAGMA incremental_vacuum")
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def _execute(self, statement: str, arguments: tuple):
        with _told(self.path):
            return self._connection.execute(statement, arguments)

    def _rows(self, statement: str, arguments: tuple) -> list:
        with _told(self.path):
            return self._connection.execute(statement, arguments).fetchall()


def _key(row) -> tuple:
    return row[0], row[1], row[2], bool(row[3])


def _packed(document: dict) -> bytes:
    return zlib.compress(json.dumps(document, separators=(",", ":"), sort_keys=True).encode())


def _unpacked(packed: bytes) -> dict:
    return json.loads(zlib.decompress(packed))


@contextlib.contextmanager
def _told(path: str):
    """Faults of SQLite, as people need them."""
    try:
        yield
    except sqlite3.Error as error:
        raise _explained(str(error), path) from None


def _explained(message: str, path: str) -> StoreError:
    if "disk I/O" in message and _has_no_room(path):
        message += ", because the disk is full"
    remedies = (
        ("full", f"free room on the disk of {os.path.dirname(path)}; what was stored before is whole"),
        ("malformed", "move the file out of the way: the next snapshot begins a new history"),
        ("not a database", "move the file out of the way: the next snapshot begins a new history"),
        ("locked", "another run holds it: run again when that is done"),
        ("readonly", "run as the account that the agent runs as"),
        ("unable to open", "see that its directory can be written to by the account that the agent runs as"),
    )
    remedy = next((remedy for word, remedy in remedies if word in message), "look at the disk that it is on")
    return StoreError(f"the history cannot be used: {message}", path, remedy)


def _has_no_room(path: str) -> bool:
    """Not even for what SQLite keeps beside a history while it is open."""
    try:
        found = os.statvfs(os.path.dirname(path))
    except OSError:
        return False
    return found.f_bavail * found.f_frsize < 1 << 15
