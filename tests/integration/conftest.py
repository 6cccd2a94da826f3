# SPDX-License-Identifier: GPL-3.0-or-later
"""Real servers for the modules: an embedded PostgreSQL 18 and Redis, and a way to run a module as Ansible does."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from demo.servers import EmbeddedPostgres, EmbeddedRedis
from tests.integration.demo_runs import processes_of

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def postgres(tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    """A new PostgreSQL that runs."""
    server = EmbeddedPostgres(tmp_path / "pg")
    server.create()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[EmbeddedRedis]:
    """A new Redis that runs."""
    server = EmbeddedRedis(tmp_path / "redis")
    server.create()
    server.start()
    yield server
    server.stop()
    assert processes_of(server.home) == []


def query(server: EmbeddedPostgres, statement: str, arguments: Any = None, **connection: str) -> list[tuple]:
    """Rows of one autocommitted statement, or [] where it returns none."""
    opened = psycopg2.connect(host=str(server.socket), user="postgres", **{"dbname": "postgres", **connection})
    opened.autocommit = True
    try:
        with opened.cursor() as cursor:
            cursor.execute(statement, arguments)
            return cursor.fetchall() if cursor.description else []
    finally:
        opened.close()


RunModule = Callable[..., dict]

# What a shell runs in the background ignores Ctrl-C, and so would all that the tests start and interrupt.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def run_module(tmp_path: Path) -> RunModule:
    """run_module(name, check=False, diff=True, fails=False, **options) -> the module's result.

    The module runs in a process of its own, with the options as Ansible hands them over. Its outcome is asserted.
    """

    def run(name: str, /, *, check: bool = False, diff: bool = True, fails: bool = False, **options: Any) -> dict:
        arguments = tmp_path / "module-arguments.json"
        internal = {"_ansible_check_mode": check, "_ansible_diff": diff, "_ansible_remote_tmp": str(tmp_path)}
        arguments.write_text(json.dumps({"ANSIBLE_MODULE_ARGS": {**options, **internal}}))
        command = [sys.executable, "-m", f"ansible_collections.midi.capacity.plugins.modules.{name}", str(arguments)]
        environment = {**os.environ, "PYTHONPATH": str(ROOT / ".collections")}
        done = subprocess.run(command, capture_output=True, text=True, cwd="/", env=environment, check=False)
        assert done.stdout.strip(), done.stderr
        result = json.loads(done.stdout)
        assert result.get("failed", False) == fails, result
        assert "Traceback" not in done.stderr, done.stderr
        return result

    return run
