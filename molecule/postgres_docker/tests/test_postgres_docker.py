# SPDX-License-Identifier: GPL-3.0-or-later
"""The server in the container after role postgres_tuning, asked from inside."""

from __future__ import annotations

import subprocess

import pytest

CONTAINER = "midi-library-postgres"


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
