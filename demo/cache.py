# SPDX-License-Identifier: GPL-3.0-or-later
"""An embedded Redis 6.2 in a directory of its own, on a Unix socket only."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from demo import processes
from demo.account import as_server_account, give_to_server_account
from demo.embedded import START_SECONDS, after, redis_bin, size, socket_directory, tail
from demo.errors import ServerError
from demo.home import write_whole
from demo.processes import kill, until

_PROGRAM = "redis-server"
# What it logs when it was told to stop and does not, because it could not save.
_STAYS = "errors trying to shut down the server"


class EmbeddedRedis:
    """One Redis under `home`: redis.conf, dump and append-only files, server.log, run/ (socket)."""

    def __init__(self, home: Path, settings: Mapping[str, str] | None = None) -> None:
        """settings: written to redis.conf when it is made, not later."""
        self.home = home.absolute()
        self.log = self.home / "server.log"
        self.configuration = self.home / "redis.conf"
        self.settings = dict(settings or {})

    @property
    def socket(self) -> Path:
        """The Unix socket."""
        return socket_directory(self.home) / "redis.sock"

    def create(self) -> None:
        """Write redis.conf, once: from then on it is the server's own."""
        if self.configuration.exists():
            return
        self._make_directories()
        wanted = {"port": "0", "unixsocketperm": "700", "daemonize": "yes", **self.settings}
        self._write(f"{name} {_quoted(value)}" for name, value in wanted.items())

    def start(self, *arguments: str) -> None:
        """Start unless it runs; done when it answers.

        arguments: for its command line, for example `--maxmemory 100mb`.
        """
        if self.running():
            return
        if not self.socket.exists():
            # One that runs without its socket, because somebody removed it, cannot be reached any more.
            self.stop()
        self._make_directories()
        reason = ""
        if not self._pids():
            # The paths anew, because the checkout may have been moved; the rest is as CONFIG REWRITE left it.
            self._write(line for line in self._lines() if line.split(" ")[0] not in self._paths())
            prefix = as_server_account(redis_bin() / "redis-server", self.home.parent)
            command = [*prefix, str(redis_bin() / "redis-server"), str(self.configuration), *arguments]
            done = subprocess.run(command, cwd="/", capture_output=True, text=True, check=False)
            reason = (done.stdout + done.stderr).strip().replace("\n", " ") if done.returncode != 0 else ""
        for _attempt in until(START_SECONDS):
            if self.running():
                return
            if reason or not self._pids():
                break
        raise ServerError(f"Redis did not start: {(reason or tail(self.log, 1)).rstrip('.')}", f"log: {self.log}")

    def stop(self) -> None:
        """Stop and wait until the process is gone, so that its files are closed."""
        pids, seen = self._pids(), size(self.log)
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        for _attempt in until(START_SECONDS):
            if not any(processes.alive(pid) for pid in pids):
                return
            if _STAYS in after(self.log, seen):
                break
        # It cannot save, for example because the disk is full, and then does not stop on its own.
        for pid in pids:
            kill(pid)
        processes.wait_for_end(pids, START_SECONDS)

    def running(self) -> bool:
        """Whether it answers, if only to ask for a password."""
        try:
            with self.client() as client:
                return bool(client.ping())
        except (redis.BusyLoadingError, redis.TimeoutError):
            return False
        except (redis.AuthenticationError, redis.ResponseError):
            return True
        except redis.RedisError:
            return False

    def client(self) -> redis.Redis:
        """A client that asks once: whoever waits for the server polls."""
        return redis.Redis(unix_socket_path=str(self.socket), decode_responses=True, retry=Retry(NoBackoff(), 0))

    def _paths(self) -> dict[str, str]:
        return {
            "unixsocket": str(self.socket),
            "dir": str(self.home),
            "pidfile": str(self.home / "redis.pid"),
            "logfile": str(self.log),
        }

    def _lines(self) -> list[str]:
        return self.configuration.read_text().splitlines()

    def _write(self, lines: Iterable[str]) -> None:
        paths = [f"{name} {_quoted(value)}" for name, value in self._paths().items()]
        write_whole(self.configuration, "".join(f"{line}\n" for line in [*lines, *paths]))
        give_to_server_account(self.configuration)

    def _pids(self) -> list[int]:
        """Its processes: those that work in its directory, which CONFIG SET dir changes; that have its socket or file
        in their title; the one whose number it wrote; or else the one that answers."""
        if not self.home.exists():
            return []
        pids = set(processes.working_in(self.home, _PROGRAM))
        pids |= set(processes.naming(_PROGRAM, str(self.socket), str(self.configuration)))
        with contextlib.suppress(FileNotFoundError, ValueError):
            pid = int((self.home / "redis.pid").read_text())
            if processes.runs(pid, _PROGRAM, self.home):
                pids.add(pid)
        if not pids:
            with contextlib.suppress(redis.RedisError), self.client() as client:
                pids.add(int(client.info("server")["process_id"]))
        return sorted(pids)

    def _make_directories(self) -> None:
        for directory in (self.home, self.socket.parent):
            directory.mkdir(parents=True, exist_ok=True)
            directory.chmod(0o700)
            give_to_server_account(directory)


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
