# SPDX-License-Identifier: GPL-3.0-or-later
"""An embedded PostgreSQL 18 in a directory of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

from demo import processes
from demo.account import as_server_account, give_to_server_account, server_account, server_account_id
from demo.embedded import START_SECONDS, after, postgres_bin, size, socket_directory
from demo.errors import ServerError
from demo.home import remove, write_whole
from demo.processes import kill, until

USUAL_PORT = 5432
# No process has this number: Linux counts to 4194304.
NO_PROCESS = 4194305
_UNFINISHED = "data.unfinished-"
_HBA = """\
local all all peer map=demo
local replication all peer map=demo
host all all 127.0.0.1/32 scram-sha-256
"""


class EmbeddedPostgres:
    """One PostgreSQL cluster under `home`: data/, server.log, run/ (socket)."""

    def __init__(self, home: Path, settings: Mapping[str, str] | None = None, port: int | None = None) -> None:
        """settings: written to postgresql.conf when the cluster is made, not later.

        port: listen on 127.0.0.1 as well; without one there is the Unix socket alone.
        """
        self.home = home.absolute()
        self.data = self.home / "data"
        self.log = self.home / "server.log"
        self.settings = dict(settings or {})
        self.tcp_port = port

    @property
    def port(self) -> int:
        """The number in the socket's name, and of the TCP port if there is one."""
        return self.tcp_port or USUAL_PORT

    @property
    def socket(self) -> Path:
        """The directory of the Unix socket."""
        return socket_directory(self.home)

    @property
    def pg_ctl(self) -> list[str]:
        """The command that runs pg_ctl as the account that owns the cluster."""
        return [*self._prefix, str(postgres_bin() / "pg_ctl")]

    def exists(self) -> bool:
        """Whether the cluster has been made, to the end."""
        return self.data.exists()

    def create(self) -> None:
        """initdb, once; an initdb that was cut off is done again.

        It works under a name of its own, because a killed one's children may go on for a moment.
        """
        if self.exists():
            return
        self._make_directories()
        for left in self.home.glob(f"{_UNFINISHED}*"):
            shutil.rmtree(left, ignore_errors=True)
        unfinished = self.home / f"{_UNFINISHED}{os.getpid()}"
        self._run(
            str(postgres_bin() / "initdb"), "--pgdata", str(unfinished), "--username=postgres", "--auth-local=peer",
            "--auth-host=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8", "--data-checksums", "--no-sync",
        )  # fmt: skip
        self._configure(unfinished)
        unfinished.rename(self.data)

    def start(self, *arguments: str) -> None:
        """Start unless it runs; done when it answers.

        arguments: for the postgres command line, for example `-c max_connections=100`. Somebody whose restart was
        interrupted may still be at it: then whichever comes first has started it.
        """
        for _attempt in until(START_SECONDS):
            if not self.running():
                self._start(arguments)
            if self.answers():
                return
        raise ServerError("PostgreSQL runs and does not answer", f"log: {self.log}", "stop it, then run it again")

    def answers(self) -> bool:
        """Whether it takes connections."""
        place = ["--quiet", "--host", str(self.socket), "--port", str(self.port)]
        return subprocess.run([str(postgres_bin() / "pg_isready"), *place], check=False).returncode == 0

    def _start(self, arguments: tuple[str, ...]) -> None:
        self._require_ownership()
        self._make_directories()
        self._write_listen()
        self._forget_killed_process()
        options = ["-o", " ".join(arguments)] if arguments else []
        for _attempt in until(START_SECONDS):
            seen = size(self.log)
            try:
                self._ctl("start", "--wait", "--timeout", str(START_SECONDS), "--log", str(self.log), *options)
            except ServerError:
                if self.running():
                    return
                # A killed server's children end on their own, and until then no other one may start.
                if "pre-existing shared memory block" not in after(self.log, seen):
                    raise
            else:
                return
        raise ServerError("PostgreSQL did not start: children of a killed server still run", str(self.data))

    def restart(self) -> None:
        """Stop and start with the same command line; whoever is connected is cut off."""
        self._write_listen()
        self._ctl("restart", "--wait", "--mode=fast", "--timeout", str(START_SECONDS), "--log", str(self.log))

    def stop(self) -> None:
        """Stop, and wait until no process of it is left."""
        if self.running():
            try:
                self._ctl("stop", "--wait", "--mode=fast", "--timeout", str(START_SECONDS))
            except ServerError:
                # Committed work is in the WAL, so the next start loses nothing.
                self._ctl("stop", "--wait", "--mode=immediate", "--timeout", str(START_SECONDS))
        if self.data.exists():
            left = processes.working_in(self.data, "postgres")
            if not processes.wait_for_end(left, seconds=5):
                for pid in left:
                    kill(pid)
                processes.wait_for_end(left, START_SECONDS)

    def running(self) -> bool:
        pid = self._pid()
        return pid is not None and processes.runs(pid, "postgres", self.data)

    def listens_as_wanted(self) -> bool:
        """Whether the server that runs has its socket where it belongs, and a TCP port if and only if one is wanted."""
        lines = self._pid_file_lines()
        has_port = lines[3:4] == [str(self.port)] and lines[5:6] == ["127.0.0.1" if self.tcp_port else ""]
        return has_port and (self.socket / f".s.PGSQL.{self.port}").exists()

    def version(self) -> str:
        """For example 18.6."""
        done = subprocess.run([postgres_bin() / "postgres", "--version"], capture_output=True, text=True, check=True)
        return done.stdout.split()[-1]

    def _configure(self, directory: Path) -> None:
        # Whoever runs the demo and the server's own account may log in as any role, and nobody else may at all.
        accounts = {server_account(), *(["root"] if os.geteuid() == 0 else [])}
        with (directory / "pg_ident.conf").open("a") as file:
            file.writelines(f'demo "{account}" all\n' for account in sorted(accounts))
        (directory / "pg_hba.conf").write_text(_HBA)
        with (directory / "postgresql.conf").open("a") as file:
            file.write("\n# where the demo's server listens\ninclude_if_exists 'listen.conf'\n")
            file.writelines(f"{name} = {value}\n" for name, value in self.settings.items())

    @cached_property
    def _prefix(self) -> list[str]:
        return as_server_account(postgres_bin() / "postgres", self.home.parent)

    def _pid_file_lines(self) -> list[str]:
        try:
            return [line.strip() for line in (self.data / "postmaster.pid").read_text().split("\n")]
        except FileNotFoundError:
            return []

    def _pid(self) -> int | None:
        first = (self._pid_file_lines() or [""])[0]
        return int(first) if first.isdigit() else None

    def _forget_killed_process(self) -> None:
        """After a kill -9 the files still name the server's process, and that number may be taken.

        By another program, or by the dead process itself where nobody collects it. PostgreSQL would refuse to start.
        Only the number goes: from what else the file says PostgreSQL finds children of the killed server.
        """
        pid = self._pid()
        if pid is not None and processes.listed(pid):
            rest = self._pid_file_lines()[1:]
            (self.data / "postmaster.pid").write_text("\n".join([str(NO_PROCESS), *rest]))
            remove(self.socket / f".s.PGSQL.{self.port}.lock")

    def _require_ownership(self) -> None:
        if self.data.exists() and self.data.stat().st_uid != server_account_id():
            raise ServerError(
                f"the cluster's files do not belong to {server_account()}, which the server runs as",
                str(self.data),
                "run it as the account that made them",
            )

    def _make_directories(self) -> None:
        self.home.mkdir(parents=True, exist_ok=True)
        self.socket.mkdir(parents=True, exist_ok=True)
        for directory in (self.home, self.socket):
            directory.chmod(0o700)
            give_to_server_account(directory)

    def _write_listen(self) -> None:
        """Where to listen can change from start to start: with the port asked for, and with the checkout's path."""
        directory = str(self.socket).replace("\\", "\\\\").replace("'", "''")
        path = self.data / "listen.conf"
        write_whole(
            path,
            f"unix_socket_directories = '\"{directory}\"'\n"
            "unix_socket_permissions = 0700\n"
            f"listen_addresses = '{'127.0.0.1' if self.tcp_port else ''}'\n"
            f"port = {self.port}\n",
        )
        give_to_server_account(path)

    def _ctl(self, action: str, *arguments: str) -> None:
        seen = size(self.log)
        command = [*self.pg_ctl, action, "--silent", "--pgdata", str(self.data), *arguments]
        done = subprocess.run(command, cwd="/", capture_output=True, text=True, check=False)
        if done.returncode != 0:
            reason = worst(after(self.log, seen)) or done.stderr.strip().replace("\n", " ")
            raise ServerError(f"PostgreSQL did not {action}: {reason.rstrip('.')}", f"log: {self.log}")

    def _run(self, *command: str) -> None:
        done = subprocess.run([*self._prefix, *command], cwd="/", capture_output=True, text=True, check=False)
        if done.returncode < 0:
            raise ServerError(f"{Path(command[0]).name} was ended by signal {-done.returncode}", remedy="run it again")
        if done.returncode != 0:
            raise ServerError(f"{Path(command[0]).name} failed: {worst(done.stderr) or done.stderr.strip()}")


def worst(text: str) -> str:
    """The last complaint in PostgreSQL's output, without the time and process before it; empty if there is none."""
    for line in reversed(text.splitlines()):
        for level in ("PANIC:", "FATAL:", "error:"):
            if level in line:
                return line.partition(level)[2].strip()
    return ""
