# SPDX-License-Identifier: GPL-3.0-or-later
"""The server in the container after phase 1, asked from inside, and what phase 1 left beside it."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

CONTAINER = "midi-library-postgres"
DIRECTORY = Path(os.environ.get("MOLECULE_EPHEMERAL_DIRECTORY", "/nowhere"))


def sql(statement: str) -> str:
    command = [
        "docker",
        "exec",
        CONTAINER,
        "psql",
        "--host",
        "/tmp",
        "--tuples-only",
        "--no-align",
        "--command",
        statement,
    ]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("max_worker_processes", "12"),
        ("work_mem", "16MB"),
        ("shared_preload_libraries", "pg_stat_statements"),
        # On the command line, and so as it was.
        ("max_connections", "100"),
    ],
)
def test_the_setting_is_in_effect(setting: str, value: str) -> None:
    assert sql(f"SHOW {setting}") == value


def test_statements_are_counted() -> None:
    assert int(sql("SELECT count(*) FROM pg_stat_statements")) > 0


def test_it_is_the_same_container_with_its_command_line() -> None:
    shown = subprocess.run(
        ["docker", "inspect", "--format", "{{json .Config.Cmd}}", CONTAINER], capture_output=True, text=True, check=True
    ).stdout
    assert "max_connections=100" in shown


def test_the_agent_logs_in_over_tcp_with_a_password_of_its_own() -> None:
    service = (DIRECTORY / "state/conf/pg_service.conf").read_text()
    assert "port=15433" in service and "user=midi_monitor" in service
    environment = {
        **os.environ,
        "PGSERVICEFILE": str(DIRECTORY / "state/conf/pg_service.conf"),
        "PGSERVICE": "midi_capacity",
    }
    statement = "import psycopg2; print(psycopg2.connect('').cursor().connection.info.user)"
    command = ["python3", "-c", statement]
    assert subprocess.check_output(command, env=environment, text=True).strip() == "midi_monitor"


def test_the_baseline_is_that_of_the_server_in_the_container() -> None:
    baseline = json.loads((DIRECTORY / f"reports/{CONTAINER}/baseline-phase1.json").read_text())
    assert baseline["snapshot"]["server"]["system_identifier"] == sql(
        "SELECT system_identifier FROM pg_control_system()"
    )
    # Several servers of a machine may publish a port, so which of its processes this one is, is not guessed.
    assert {entry["part"] for entry in baseline["snapshot"]["missing"]} <= {"host.cgroup"}
