# SPDX-License-Identifier: GPL-3.0-or-later
"""A playbook as an operator runs it, against embedded servers, with an inventory of its own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.midi.capacity.plugins.module_utils._agent_store import FULL, Store

from demo.servers import EmbeddedPostgres, EmbeddedRedis

ROOT = Path(__file__).resolve().parents[2]
PHASE1 = str(ROOT / "playbooks" / "phase1.yml")
LONGEST_SECONDS = 300
ENVIRONMENT = {**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "ANSIBLE_NOCOLOR": "1"}


@dataclass
class Run:
    """What a run printed. text: with all white space as single blanks, because long messages are wrapped."""

    output: str
    returncode: int

    @property
    def text(self) -> str:
        return " ".join(self.output.split())

    def changed(self, host: str) -> int:
        """From the recap."""
        return int(self._recap(host, "changed"))

    def _recap(self, host: str, field: str) -> str:
        found = re.search(rf"^{re.escape(host)} +:.*\b{field}=(\d+)", self.output, re.MULTILINE)
        assert found, self.output
        return found[1]


def playbook_command(
    playbook: str, directory: Path, inventory: dict[str, Any], *arguments: str, **extra: Any
) -> list[str]:
    """The command of a run, whose inventory it writes. extra: variables, as `-e` gives them."""
    path = directory / "inventory.yml"
    # JSON is YAML.
    path.write_text(json.dumps(inventory))
    command = [str(Path(sys.executable).parent / "ansible-playbook"), playbook, "-i", str(path), *arguments]
    return [*command, "-e", json.dumps(extra)] if extra else command


def run_playbook(
    playbook: str,
    directory: Path,
    inventory: dict[str, Any],
    *arguments: str,
    environment: dict[str, str] | None = None,
    **extra: Any,
) -> Run:
    """One run, from a directory of its own. extra: variables, as `-e` gives them."""
    done = subprocess.run(
        playbook_command(playbook, directory, inventory, *arguments, **extra),
        cwd=directory,
        env={**ENVIRONMENT, **(environment or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LONGEST_SECONDS,
        check=False,
    )
    assert "Traceback" not in done.stdout + done.stderr, done.stdout + done.stderr
    return Run(done.stdout + done.stderr, done.returncode)


class Runs:
    """Runs that have to end well, or to fail; `run` is the playbook's own."""

    def run(self, *arguments: str, **extra: Any) -> Run:
        raise NotImplementedError

    def succeeds(self, *arguments: str, **extra: Any) -> Run:
        done = self.run(*arguments, **extra)
        assert done.returncode == 0, done.output
        return done

    def fails(self, *arguments: str, **extra: Any) -> str:
        """What a run that has to fail says, in one line."""
        done = self.run(*arguments, **extra)
        assert done.returncode == 2, done.output
        return done.text


class Phase1(Runs):
    """Hosts db and cache, which are embedded servers, and what an operator writes about them."""

    def __init__(self, directory: Path, postgres: EmbeddedPostgres, redis: EmbeddedRedis | None = None) -> None:
        self.directory = directory
        self.postgres = postgres
        self.state = directory / "state"
        self.reports = directory / "reports"
        self.variables: dict[str, Any] = {
            "ansible_connection": "local",
            "ansible_python_interpreter": sys.executable,
            "capacity_become": False,
            "capacity_state_dir": str(self.state),
            "capacity_report_dir": str(self.reports),
            "capacity_postgres_connection": {"login_unix_socket": str(postgres.socket)},
            "postgres_tuning_packages": [],
            "postgres_tuning_settings": {"max_connections": 256},
            "postgres_tuning_restart_method": "pg_ctl",
            "postgres_tuning_restart_pg_ctl": postgres.pg_ctl,
            "postgres_tuning_restart_log": str(postgres.log),
            "postgres_tuning_restart_timeout_seconds": 30,
            "monitoring_cron_packages": [],
            "monitoring_cron_schedule": "none",
            "capacity_baseline_packages": [],
            "capacity_baseline_window_seconds": 1,
            "redis_cache_packages": [],
            "redis_cache_maxmemory": "64mb",
        }
        if redis:
            self.variables["capacity_redis_connection"] = {"login_unix_socket": str(redis.socket)}
        # Host by host with its variables; one that is taken out is in no group.
        self.hosts: dict[str, dict[str, Any]] = {"db": {}, **({"cache": {}} if redis else {})}

    def run(
        self, *arguments: str, playbook: str = PHASE1, environment: dict[str, str] | None = None, **extra: Any
    ) -> Run:
        """One run. extra: further variables, as `-e` gives them."""
        return run_playbook(playbook, self.directory, self._inventory(), *arguments, environment=environment, **extra)

    def begin(self, *arguments: str, playbook: str = PHASE1, **extra: Any) -> subprocess.Popen[str]:
        """A run that goes on, in a process group of its own, with what it prints as a pipe.

        A task is named when it begins; where hosts that skip it are not shown, that waits for its first result.
        """
        command = playbook_command(playbook, self.directory, self._inventory(), *arguments, **extra)
        return subprocess.Popen(
            command,
            cwd=self.directory,
            env={**ENVIRONMENT, "PYTHONUNBUFFERED": "1", "ANSIBLE_DISPLAY_SKIPPED_HOSTS": "true"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def _inventory(self) -> dict[str, Any]:
        return {
            "all": {"vars": self.variables, "children": {"postgres": self._group("db"), "redis": self._group("cache")}}
        }

    def _group(self, host: str) -> dict[str, Any]:
        return {"hosts": {host: self.hosts[host]} if host in self.hosts else {}}

    def history(self) -> list[dict[str, Any]]:
        """The snapshots that the agent keeps, as they were stored."""
        with Store.open(str(self.state / "agent" / "history.db")) as store:
            return [store.document(head["id"]) for head in store.heads(FULL)]

    def facts(self) -> dict[str, Any]:
        """Everything that check mode must leave as it is: files with their content, and the servers' settings files."""
        files = [path for directory in (self.state, self.reports) for path in directory.rglob("*") if path.is_file()]
        files += [self.postgres.data / "postgresql.auto.conf", self.postgres.data / "postmaster.pid"]
        return {str(path): path.read_bytes() for path in files}
