# SPDX-License-Identifier: GPL-3.0-or-later
"""capacity-agent of this checkout: a configuration of its own, runs of it, and what it kept, said and sent."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from ansible_collections.midi.capacity.plugins.module_utils._agent_store import Store

from demo.servers import EmbeddedPostgres, kill
from tests.integration.conftest import ROOT, query

PROGRAM = """
import sys
from ansible_collections.midi.capacity.plugins.module_utils._agent_cli import main
sys.exit(main(sys.argv[2:], sys.argv[1]))
"""
# The disk and the CPU of whoever tests are nobody's concern.
NOT_OF_THE_HOST = [{"metric": name, "enabled": False} for name in ("disk_used_percent", "cpu_busy_percent")]


def with_statements(postgres: EmbeddedPostgres) -> None:
    """Has a server that runs count its statements."""
    query(postgres, "ALTER SYSTEM SET shared_preload_libraries = 'pg_stat_statements'")
    postgres.stop()
    postgres.start()
    query(postgres, "CREATE EXTENSION pg_stat_statements")


def crash(postgres: EmbeddedPostgres) -> None:
    """kill -9 to its first process."""
    kill(int((postgres.data / "postmaster.pid").read_text().splitlines()[0]))


class Agent:
    """The agent of one server, its files under `home`, with a channel that keeps what it is sent, a line each."""

    def __init__(self, home: Path, server: EmbeddedPostgres, /, **fields: Any) -> None:
        """fields: of the configuration, beside or instead of the usual ones."""
        self.home = home
        # Runs before the program, in its process.
        self.preamble = ""
        self.environment = {"PYTHONPATH": str(ROOT / ".collections"), "PATH": "/usr/bin:/bin"}
        self.directory = home / "state/agent"
        self.history = self.directory / "history.db"
        self.config = home / "state/conf/agent.json"
        self.textfile = home / "capacity.prom"
        for path in (self.directory, self.config.parent, home / "run"):
            path.mkdir(parents=True, exist_ok=True)
        self._sent = home / "sent"
        document = {
            "host": "db1",
            "database": "postgres",
            "state_dir": str(home / "state"),
            "runtime_dir": str(home / "run"),
            "log_file": str(home / "agent.log"),
            "textfile": str(self.textfile),
            "postgres": {"login_host": str(server.socket), "login_user": "postgres"},
            "channels": [{"type": "command", "argv": ["/bin/sh", "-c", f"cat >> {self._sent}"]}],
            "thresholds": NOT_OF_THE_HOST,
        }
        self.config.write_text(json.dumps({**document, **fields}))

    def __call__(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """One run, to its end."""
        return subprocess.run(
            self._command(*arguments), capture_output=True, text=True, env=self.environment, check=False
        )

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """A run that goes on."""
        return subprocess.Popen(
            self._command(*arguments),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=self.environment,
        )

    def configure(self, **fields: Any) -> dict[str, Any]:
        """Other fields in the configuration; gives it."""
        document: dict[str, Any] = {**json.loads(self.config.read_text()), **fields}
        self.config.write_text(json.dumps(document))
        return document

    def sent(self) -> list[dict[str, Any]]:
        """The messages that arrived."""
        return [json.loads(line) for line in self._sent.read_text().splitlines() if line] if self._sent.exists() else []

    def news(self) -> list[tuple[str, str, str]]:
        """What was sent, in short: metric, kind, state."""
        return [(told["alerts"][0]["metric"], told["kind"], told["state"]) for told in self.sent()]

    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self("status", "--json").stdout)
        return found

    def states(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.status()["states"]
        return found

    def store(self) -> Store:
        """The history, to be closed."""
        return Store.open(str(self.history))

    def _command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-c", self.preamble + PROGRAM, str(self.config), *arguments]
