# SPDX-License-Identifier: GPL-3.0-or-later
"""What the demo does: up, stop, clean, status, psql, redis-cli."""

from __future__ import annotations

import contextlib
import os
import secrets
import shlex
import sys
import time
from pathlib import Path

import psycopg2
from psycopg2.extensions import encrypt_password

from demo import database, disk, library, options, ports
from demo.errors import DemoError
from demo.home import Home, write_whole
from demo.lock import locked
from demo.progress import Progress
from demo.servers import EmbeddedPostgres, EmbeddedRedis, postgres_bin, redis_bin, remove_socket_directory, tail, worst

_NO_SPACE = "No space left on device"


class Demo:
    """The demo in one directory, with the environment's wishes."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = environment
        self.home = Home(options.home_directory(environment))

    def up(self) -> None:
        """Start the servers and load the library, as far as that is still to do.

        When it fails, what it started is stopped again and what was there before is still there.
        """
        started = time.monotonic()
        files = options.wanted_files(self.environment)
        port = options.wanted_port(self.environment)
        self.home.prepare()
        with locked(self.home.lock, "make demo"), contextlib.ExitStack() as undo:
            undo.callback(self._remove_if_empty)
            postgres, redis = self._servers(port)
            # Whatever can be refused is refused before anything is started.
            disk.require_some_room(self.home.directory)
            if port is not None and not (postgres.running() and postgres.listens_as_wanted()):
                ports.require_free(port)
            if not postgres.exists():
                disk.require_room(self.home.directory, files or options.USUAL_FILES)
            try:
                self._start(postgres, redis, undo)
                note, said = self._library(postgres, files)
            except psycopg2.Error as error:
                raise self._explained(error, postgres) from None
            undo.pop_all()
        print(f'library: {note.files:,} files in database "{library.DATABASE}", {said}')
        print(f"PostgreSQL {postgres.version()}: socket {postgres.socket}, port {postgres.port}")
        if port is not None:
            address = f"-h {ports.LOOPBACK} -p {port} -U postgres {library.DATABASE}"
            print(f"  over TCP: PGPASSFILE={shlex.quote(str(self.home.pgpass))} psql {address}")
        print(f"Redis: socket {redis.socket}")
        print(f"up after {time.monotonic() - started:.1f} s")

    def next(self) -> None:
        """Print what to look at and how to go on."""
        # So that they can be copied from a demo in another place.
        usual = self.home.directory == options.home_directory({})
        place = "" if usual else f"DEMO_HOME={shlex.quote(str(self.home.directory))} "
        rows = [
            *(("the report", str(path)) for path in sorted(self.home.reports.glob("*/baseline-*.md"))),
            *(("the keys", str(path)) for path in sorted(self.home.reports.glob("*/*-strategy.md"))),
            *(("the history", f"{path} history") for path in sorted(self.home.state.glob("bin/capacity-agent"))),
            ("the library", f"{place}.venv/bin/python -m demo psql"),
            ("the cache", f"{place}.venv/bin/python -m demo redis-cli"),
            ("the servers", f"{place}make demo-stop stops them, {place}make demo-clean removes all of it"),
            ("your own host", "README.md, in five lines"),
        ]
        print("\n".join(f"{name:<14} {what}" for name, what in rows))

    def stop(self) -> None:
        """Stop the servers; afterwards no process is left."""
        if not self.home.exists():
            print(f"no demo in {self.home.directory}")
            return
        with locked(self.home.lock, "make demo-stop"):
            self._stop()
        print("the demo is stopped; `make demo` starts it again with its library")

    def clean(self) -> None:
        """Stop the servers and remove all files."""
        if not self.home.exists():
            print(f"no demo in {self.home.directory}")
            return
        with locked(self.home.lock, "make demo-clean"):
            self._stop()
            for directory in (self.home.postgres, self.home.redis):
                remove_socket_directory(directory)
            self.home.remove()
        print(f"{self.home.directory} is removed")

    def status(self) -> bool:
        """Print what runs and what is loaded; whether all of it is there."""
        if not self.home.exists():
            print(f"no demo in {self.home.directory}: `make demo` makes one")
            return False
        postgres, redis = self._running_servers()
        runs = postgres.running()
        print(f"PostgreSQL: {f'runs, socket {postgres.socket}, port {postgres.port}' if runs else 'stopped'}")
        answers = redis.running()
        print(f"Redis: {f'runs, socket {redis.socket}' if answers else 'stopped'}")
        note = library.loaded(postgres) if runs else None
        if runs:
            print(f"library: {f'{note.files:,} files, loaded at {note.loaded_at}' if note else 'not loaded'}")
        return runs and answers and note is not None

    def psql(self, arguments: list[str]) -> None:
        """Become psql, connected to the library."""
        postgres, _redis = self._running_servers()
        if not (self.home.exists() and postgres.running()):
            raise _not_running(self.home.directory)
        place = {
            "PGHOST": str(postgres.socket),
            "PGPORT": str(postgres.port),
            "PGUSER": "postgres",
            "PGDATABASE": library.DATABASE,
        }
        # By its path, or it would look for itself on PATH.
        psql = str(postgres_bin() / "psql")
        os.execve(psql, [psql, *arguments], {**self.environment, **place})

    def redis_cli(self, arguments: list[str]) -> None:
        """Become redis-cli, connected to the demo's Redis."""
        _postgres, redis = self._running_servers()
        if not (self.home.exists() and redis.running()):
            raise _not_running(self.home.directory)
        os.execve(redis_bin() / "redis-cli", ["redis-cli", "-s", str(redis.socket), *arguments], self.environment)

    def _servers(self, port: int | None) -> tuple[EmbeddedPostgres, EmbeddedRedis]:
        return EmbeddedPostgres(self.home.postgres, port=port), EmbeddedRedis(self.home.redis)

    def _running_servers(self) -> tuple[EmbeddedPostgres, EmbeddedRedis]:
        """As the last `up` made them, whatever the environment says now."""
        return self._servers(self.home.read_servers().get("postgres", {}).get("tcp_port"))

    def _start(self, postgres: EmbeddedPostgres, redis: EmbeddedRedis, undo: contextlib.ExitStack) -> None:
        postgres.create()
        if not postgres.running():
            undo.callback(postgres.stop)
        elif not postgres.listens_as_wanted():
            print("PostgreSQL is started again, because the port to listen on is another one now")
            postgres.stop()
        postgres.start()
        redis.create()
        if not redis.running():
            undo.callback(redis.stop)
            redis.start()
        if postgres.tcp_port is not None:
            self._set_password(postgres)
        self.home.write_servers(
            {
                "postgres": {
                    "socket": str(postgres.socket),
                    "port": postgres.port,
                    "tcp_port": postgres.tcp_port,
                    "data": str(postgres.data),
                    "log": str(postgres.log),
                    "pg_ctl": postgres.pg_ctl,
                },
                "redis": {"socket": str(redis.socket)},
                "state_dir": str(self.home.state),
                "report_dir": str(self.home.reports),
            }
        )

    def _library(self, postgres: EmbeddedPostgres, files: int | None) -> tuple[library.Note, str]:
        """The note of the library that is there, or of one that is loaded now, and which of both it is."""
        note = library.loaded(postgres)
        if note is not None:
            _require_same(note, files)
            return note, f"already loaded at {note.loaded_at}"
        note = self._load(postgres, files or options.USUAL_FILES)
        return note, f"loaded in {note.seconds:.1f} s"

    def _load(self, postgres: EmbeddedPostgres, files: int) -> library.Note:
        library.drop_unfinished(postgres)
        disk.require_room(self.home.directory, files, fixed_bytes=0)
        progress = Progress(sys.stdout, rows=library.expected_rows(files))
        try:
            with contextlib.closing(progress):
                return library.load(postgres, files, progress)
        except psycopg2.Error:
            # To make room at once. Where the server is gone too, the next run does it.
            with contextlib.suppress(psycopg2.Error, DemoError):
                library.drop_unfinished(postgres)
            raise

    def _explained(self, error: psycopg2.Error, postgres: EmbeddedPostgres) -> DemoError:
        log = tail(postgres.log, 40)
        if isinstance(error, psycopg2.errors.DiskFull) or (error.pgcode is None and _NO_SPACE in log):
            return DemoError(
                "the disk filled up; what was loaded so far is dropped, now or by the next run",
                str(self.home.directory),
                "make room, then run `make demo` again",
            )
        lines = str(error).strip().splitlines() or ["the connection was lost"]
        reason = (error.pgcode is None and worst(log)) or lines[0]
        return DemoError(f"PostgreSQL: {reason.rstrip('.')}", f"log: {postgres.log}", "run `make demo` again")

    def _set_password(self, postgres: EmbeddedPostgres) -> None:
        """A password for TCP, made once and kept in a pgpass file; the server gets only its hash."""
        known = self.home.pgpass.read_text().strip().split(":") if self.home.pgpass.exists() else []
        password = known[4] if len(known) == 5 else secrets.token_urlsafe(24)
        entry = f"{ports.LOOPBACK}:{postgres.port}:*:postgres:{password}\n"
        with database.connected(postgres) as connection:
            hashed = encrypt_password(password, "postgres", scope=connection, algorithm="scram-sha-256")
            database.run(connection, "ALTER ROLE postgres PASSWORD %s", (hashed,))
        write_whole(self.home.pgpass, entry, mode=0o600)

    def _remove_if_empty(self) -> None:
        """After a refusal on the very first run nothing is left of it."""
        if not self.home.postgres.exists():
            self.home.remove()

    def _stop(self) -> None:
        postgres, redis = self._servers(None)
        postgres.stop()
        redis.stop()


def _require_same(note: library.Note, files: int | None) -> None:
    if files is not None and files != note.files:
        raise DemoError(
            f"the library that is loaded has {note.files:,} files, and DEMO_FILES asks for {files:,}",
            remedy="leave DEMO_FILES out to keep it, or `make demo-clean` first, which removes it",
        )


def _not_running(directory: Path) -> DemoError:
    return DemoError("the demo does not run", str(directory), "run `make demo`")
