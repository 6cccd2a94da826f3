# SPDX-License-Identifier: GPL-3.0-or-later
"""The library in the demo's PostgreSQL: whether it is there, and its life from an empty database to a complete one."""

from __future__ import annotations

import contextlib
import io
import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg2
from ansible_collections.midi.capacity.plugins.module_utils._library.copy_text import CopyFile
from ansible_collections.midi.capacity.plugins.module_utils._library.model import Library, Table
from ansible_collections.midi.capacity.plugins.module_utils._library.tables import TABLES
from ansible_collections.midi.capacity.plugins.module_utils._stress_sql import TEST_SETTING

from demo import database, processes
from demo.errors import DemoError
from demo.progress import Progress
from demo.servers import EmbeddedPostgres

DATABASE = "midi_library"
# Under this name until it is complete, so that an interrupted load is never taken for a library.
UNFINISHED = "midi_library_loading"
SEED = 20251129
SCHEMA = Path(__file__).parent / "schema"
_READ_BYTES = 1 << 17
_DROP_SECONDS = 60
# For this load alone: what a crash would take is dropped by the next run anyway.
_SESSION = ("SET maintenance_work_mem = '256MB'", "SET synchronous_commit = off")


@dataclass(frozen=True)
class Note:
    """What the database remembers of its load, as its comment. end, loaded_at: ISO 8601."""

    files: int
    rows: int
    seed: int
    end: str
    loaded_at: str
    seconds: float


def loaded(server: EmbeddedPostgres) -> Note | None:
    """The library's note, checked against what is there; None where there is no library. Raises DemoError."""
    statement = "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s"
    with database.connected(server) as connection:
        found = database.run(connection, statement, (DATABASE,))
    if not found:
        return None
    try:
        note = Note(**json.loads(found[0][0] or ""))
    except (ValueError, TypeError):
        raise _foreign("does not say how it was loaded") from None
    missing = _missing_tables(server)
    if missing:
        raise _foreign(f"lacks {', '.join(missing)}")
    return note


def drop_unfinished(server: EmbeddedPostgres) -> None:
    """Drop what an interrupted load left, along with its sessions, which may outlive the process that opened them."""
    with database.connected(server) as connection:
        for _attempt in processes.until(_DROP_SECONDS):
            try:
                database.run(connection, f"DROP DATABASE IF EXISTS {UNFINISHED} WITH (FORCE)")
            except psycopg2.errors.ObjectInUse:
                continue
            return
    raise DemoError(f'the database "{UNFINISHED}" of an earlier load is still in use', remedy="run `make demo-stop`")


def load(server: EmbeddedPostgres, files: int, progress: Progress, now: datetime | None = None) -> Note:
    """Load a new library; when all of it is there it gets its name, and the mark of a database for tests.

    Raises psycopg2.Error, KeyboardInterrupt.
    """
    now = (now or datetime.now(UTC)).replace(microsecond=0)
    library = Library(files=files, seed=SEED, end=now)
    with database.connected(server) as connection:
        database.run(connection, f"CREATE DATABASE {UNFINISHED}")
    with database.connected(server, UNFINISHED) as connection:
        for statement in _SESSION:
            database.run(connection, statement)
        _run_script(connection, progress, "1_tables.sql")
        for table in TABLES:
            _load_table(connection, library, table, progress)
        _run_script(connection, progress, "2_keys_and_indexes.sql", "keys and indexes")
        _run_script(connection, progress, "3_foreign_keys.sql", "foreign keys")
        _run_script(connection, progress, "4_triggers_and_views.sql")
        with _timed(progress, "VACUUM ANALYZE"):
            database.run(connection, "VACUUM (ANALYZE)")
    note = Note(files, progress.done, SEED, now.isoformat(), _now_text(), round(progress.seconds, 1))
    with database.connected(server) as connection:
        statements = (
            f"COMMENT ON DATABASE {UNFINISHED} IS %s",
            f"ALTER DATABASE {UNFINISHED} SET {TEST_SETTING} = on",
            f"ALTER DATABASE {UNFINISHED} RENAME TO {DATABASE}",
        )
        # All at once: statements sent together are one transaction.
        database.run(connection, "; ".join(statements), (json.dumps(asdict(note)),))
    progress.total()
    return note


def expected_rows(files: int) -> float:
    """About how many rows a library of that size has in all tables."""
    return files * sum(table.per_file for table in TABLES)


class _WatchedFile:
    """A CopyFile that tells how far it is, and keeps the error that psycopg2 turns into the server's."""

    def __init__(self, file: CopyFile, table: str, progress: Progress) -> None:
        self._file = file
        self._table = table
        self._progress = progress
        self._started = time.monotonic()
        self.error: BaseException | None = None

    def read(self, size: int) -> bytes:
        try:
            seen = self._file.rows
            piece = self._file.read(size)
            if self._file.rows != seen:
                self._progress.rows(self._table, self._file.rows, self.seconds)
        except BaseException as error:
            self.error = error
            raise
        return piece

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._started


def _load_table(connection: Any, library: Library, table: Table, progress: Progress) -> None:
    """One table in one transaction, which makes the table anew: then its rows need no freezing later."""
    rows = CopyFile(table.batches(library))
    file = _WatchedFile(rows, table.name, progress)
    columns = ", ".join(table.columns)
    try:
        database.run(connection, "BEGIN")
        database.run(connection, f"TRUNCATE {table.name}")
        # When the server goes away meanwhile, psycopg2 prints part of an exception, besides raising it.
        with connection.cursor() as cursor, contextlib.redirect_stderr(io.StringIO()):
            cursor.copy_expert(f"COPY {table.name} ({columns}) FROM STDIN (FREEZE)", file, _READ_BYTES)
        database.run(connection, "COMMIT")
    except psycopg2.Error as error:
        if file.error is not None:
            raise file.error from None
        # Ctrl-C outside read(): psycopg2 tells the server, and then tells what the server says of it.
        if isinstance(error, psycopg2.errors.QueryCanceled):
            raise KeyboardInterrupt from None
        raise
    progress.table(table.name, rows.rows, file.seconds)


def _run_script(connection: Any, progress: Progress, name: str, title: str = "") -> None:
    statements = [part.strip() for part in (SCHEMA / name).read_text().split("\n\n")]
    with _timed(progress, title):
        for statement in statements:
            if _is_statement(statement):
                progress.step(next(line for line in statement.splitlines() if not line.startswith("--")).rstrip(" ;("))
                database.run(connection, statement)


def _is_statement(text: str) -> bool:
    return any(line and not line.startswith("--") for line in text.splitlines())


@contextlib.contextmanager
def _timed(progress: Progress, title: str) -> Iterator[None]:
    """With a title, a line that says how long it took."""
    started = time.monotonic()
    yield
    if title:
        progress.line(f"{title:<24} {time.monotonic() - started:.1f} s")


def _missing_tables(server: EmbeddedPostgres) -> list[str]:
    wanted = [table.name for table in TABLES]
    with database.connected(server, DATABASE) as connection:
        statement = "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"
        found = {name for (name,) in database.run(connection, statement)}
    return [name for name in wanted if name not in found]


def _foreign(why: str) -> DemoError:
    return DemoError(
        f'the database "{DATABASE}" {why}: it is not the library as the demo loads it',
        remedy="keep what you need of it, then `make demo-clean` and `make demo` for a new one",
    )


def _now_text() -> str:
    return datetime.now(UTC).replace(microsecond=0).isoformat()
