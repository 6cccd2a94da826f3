# SPDX-License-Identifier: GPL-3.0-or-later
"""The demo as a user runs it: `python -m demo` in a directory of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg2

from demo.home import Home
from demo.servers import EmbeddedPostgres, EmbeddedRedis

ROOT = Path(__file__).resolve().parents[2]
LONGEST_SECONDS = 120


class DemoRuns:
    """Runs of the demo in one home."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.home = Home(directory)
        self.postgres = EmbeddedPostgres(directory / "postgres")
        self.redis = EmbeddedRedis(directory / "redis")

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """One command to its end. A traceback fails the test."""
        done = subprocess.run(
            self._command(*arguments),
            cwd=ROOT,
            env=self._environment(environment),
            capture_output=True,
            text=True,
            timeout=LONGEST_SECONDS,
            check=False,
        )
        assert "Traceback" not in done.stderr, done.stderr
        return done

    def succeeds(self, *arguments: str, **environment: str) -> str:
        """The output of a command that has to succeed, without a word on stderr."""
        done = self.run(*arguments, **environment)
        assert (done.returncode, done.stderr) == (0, ""), f"{done.stderr}\n{done.stdout}"
        return done.stdout

    def fails(self, *arguments: str, **environment: str) -> str:
        """The one message of a command that has to fail."""
        done = self.run(*arguments, **environment)
        return one_message(done.returncode, done.stderr)

    @contextmanager
    def started(self, *arguments: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
        """A command that runs; it is killed if the test leaves it behind, or takes far too long."""
        process = subprocess.Popen(
            self._command(*arguments),
            cwd=ROOT,
            env=self._environment(environment),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        watchdog = threading.Timer(LONGEST_SECONDS, process.kill)
        watchdog.start()
        try:
            yield process
        finally:
            watchdog.cancel()
            if process.poll() is None:
                process.kill()
            process.communicate()

    def rows(self, statement: str) -> list[tuple]:
        """Rows from the library."""
        connection = psycopg2.connect(host=str(self.postgres.socket), user="postgres", dbname="midi_library")
        connection.autocommit = True
        try:
            with connection.cursor() as cursor:
                cursor.execute(statement)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()

    def value(self, statement: str):
        return self.rows(statement)[0][0]

    def databases(self) -> set[str]:
        return {name for (name,) in self.rows("SELECT datname FROM pg_database WHERE NOT datistemplate")}

    def processes(self) -> list[str]:
        """Command lines of all processes that work in the home or name it."""
        return processes_of(self.directory)

    def _command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "demo", *arguments]

    def _environment(self, extra: dict[str, str]) -> dict[str, str]:
        return {**os.environ, "DEMO_HOME": str(self.directory), "DEMO_FILES": "", "DEMO_PG_PORT": "", **extra}


@contextmanager
def demo_in(directory: Path) -> Iterator[DemoRuns]:
    """Runs of the demo in a directory, which is cleaned in the end."""
    demo = DemoRuns(directory)
    try:
        yield demo
    finally:
        demo.run("clean")
        assert demo.processes() == []


def processes_of(directory: Path) -> list[str]:
    """Command lines of all processes that work in a directory or name it."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
            inside = (process / "cwd").readlink().is_relative_to(directory)
        except OSError:
            continue
        if (inside or str(directory) in command) and int(process.name) != os.getpid():
            found.append(command)
    return found


def one_message(returncode: int, stderr: str) -> str:
    """stderr of a run that failed as it should: status 1 and a single line."""
    assert returncode == 1, stderr
    assert "Traceback" not in stderr
    assert len(stderr.splitlines()) == 1, stderr
    return stderr


def wait_for_line(process: subprocess.Popen[str], start: str) -> None:
    """Read the output up to a line that starts so; the test fails if there is none."""
    seen = []
    for line in process.stdout:
        if line.startswith(start):
            return
        seen.append(line)
    raise AssertionError(f"no line starts with {start!r}: {''.join(seen)} {process.stderr.read()}")


def interrupt(process: subprocess.Popen[str]) -> str:
    """Ctrl-C, and the message that comes of it."""
    process.send_signal(signal.SIGINT)
    _out, err = process.communicate()
    return one_message(process.returncode, err)
