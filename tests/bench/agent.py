# SPDX-License-Identifier: GPL-3.0-or-later
"""capacity-agent as benchmarks run it: from the checkout, a process for each command, in a directory of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demo.servers import EmbeddedPostgres
from tests.integration.agent_runs import PROGRAM, ROOT


@dataclass(frozen=True)
class Ran:
    """One command that succeeded: its wall time, its CPU time (user and system), and what it printed."""

    seconds: float
    cpu_seconds: float
    output: str


class Agent:
    """The program, configured by its defaults but for what is handed over."""

    def __init__(self, directory: Path, **config: Any) -> None:
        for name in ("state/agent", "run"):
            (directory / name).mkdir(parents=True, exist_ok=True)
        self.history = directory / "state/agent/history.db"
        self._config = directory / "agent.json"
        # As the role has it: a log, and a textfile for node_exporter.
        files = {"log_file": str(directory / "agent.log"), "textfile": str(directory / "capacity.prom")}
        places = {"state_dir": str(directory / "state"), "runtime_dir": str(directory / "run"), **files}
        self._config.write_text(json.dumps({"host": "db1", "database": "midi_library", **places, **config}))

    def run(self, *arguments: str) -> Ran:
        """Raises RuntimeError with what it said where it fails."""
        command = [sys.executable, "-c", PROGRAM, str(self._config), *arguments]
        environment = {"PYTHONPATH": str(ROOT / ".collections"), "PATH": "/usr/bin:/bin"}
        with tempfile.TemporaryFile() as output:
            begun = time.monotonic()
            process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, env=environment)
            _pid, status, used = os.wait4(process.pid, 0)
            seconds = time.monotonic() - begun
            process.returncode = os.waitstatus_to_exitcode(status)
            output.seek(0)
            said = output.read().decode()
        if process.returncode != 0:
            raise RuntimeError(f"capacity-agent {' '.join(arguments)}: exit status {process.returncode}: {said}")
        return Ran(seconds, used.ru_utime + used.ru_stime, said)


def login(server: EmbeddedPostgres, user: str, database: str) -> dict[str, Any]:
    """How the agent's configuration has the server."""
    return {
        "login_host": str(server.socket),
        "login_port": server.port,
        "login_user": user,
        "login_db": database,
    }
