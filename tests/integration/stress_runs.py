# SPDX-License-Identifier: GPL-3.0-or-later
"""Stress tests against an embedded PostgreSQL: a small MIDI library, and the playbook as an operator runs it."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ansible_collections.midi.capacity.plugins.module_utils._stress_sql import TEST_SETTING

from demo import library
from demo.progress import Progress
from demo.servers import EmbeddedPostgres
from tests.integration.conftest import query
from tests.integration.playbook_runs import ROOT, Run, Runs, run_playbook

PLAYBOOK = str(ROOT / "playbooks" / "stress_test.yml")
LIBRARY = library.DATABASE
FILES = 1000


def load_library(server: EmbeddedPostgres) -> None:
    """The demo's library, which is marked for tests, with FILES files."""
    library.load(server, FILES, Progress(io.StringIO(), rows=library.expected_rows(FILES)), datetime.now(UTC))


def mark(server: EmbeddedPostgres, name: str = "postgres") -> None:
    query(server, f"ALTER DATABASE {name} SET {TEST_SETTING} = on")


def run_directory(root: Path, name: str = "run") -> Path:
    """What the role makes for a run before it begins."""
    directory = root / "stress" / name
    directory.mkdir(parents=True)
    (root / "stress" / "lock").touch()
    (directory / "watched").touch()
    return directory


class Operator(Runs):
    """Runs the playbook."""

    def __init__(self, directory: Path, server: EmbeddedPostgres, login_db: str) -> None:
        self.directory = directory
        self.server = server
        self.state = directory / "state"
        self.reports = directory / "reports"
        self.variables: dict[str, Any] = {
            "ansible_connection": "local",
            "ansible_python_interpreter": sys.executable,
            "capacity_become": False,
            "capacity_state_dir": str(self.state),
            "capacity_report_dir": str(self.reports),
            "capacity_postgres_connection": {"login_unix_socket": str(server.socket), "login_db": login_db},
            "capacity_growth_table": "files",
            "capacity_baseline_packages": [],
            "capacity_baseline_stress_progress_seconds": 1,
        }

    def run(self, *arguments: str, **extra: Any) -> Run:
        inventory = {"all": {"vars": self.variables, "children": {"postgres": {"hosts": {"db": {}}}}}}
        return run_playbook(PLAYBOOK, self.directory, inventory, *arguments, **extra)

    def document(self) -> dict[str, Any]:
        """The newest report as data; the one on the host is the same."""
        newest = sorted((self.reports / "db").glob("stress-*.json"))[-1]
        run = newest.stem.removeprefix("stress-")
        assert (self.state / "stress" / f"{run}.json").read_text() == newest.read_text()
        return json.loads(newest.read_text())

    def report(self) -> str:
        return sorted((self.reports / "db").glob("stress-*.md"))[-1].read_text()

    def files(self) -> dict[str, bytes]:
        """All that it has left, with its content."""
        found = [path for root in (self.state, self.reports) for path in root.rglob("*") if path.is_file()]
        return {str(path): path.read_bytes() for path in found}


class Begun:
    """A module that runs while the test goes on."""

    def __init__(self, home: Path, name: str, **options: Any) -> None:
        arguments = home / f"arguments-{uuid.uuid4()}.json"
        arguments.write_text(json.dumps({"ANSIBLE_MODULE_ARGS": {**options, "_ansible_remote_tmp": str(home)}}))
        command = [sys.executable, "-m", f"ansible_collections.midi.capacity.plugins.modules.{name}", str(arguments)]
        environment = {**os.environ, "PYTHONPATH": str(ROOT / ".collections")}
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd="/", env=environment, text=True
        )

    def result(self) -> dict[str, Any]:
        """What it says when it has ended."""
        out, error = self.process.communicate(timeout=60)
        assert out.strip() and "Traceback" not in error, error
        return json.loads(out)
