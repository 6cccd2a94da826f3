# SPDX-License-Identifier: GPL-3.0-or-later
"""The agent against a real server: what it keeps, says and sends, and a server that goes away and comes back."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from demo.servers import EmbeddedPostgres
from tests.integration.conftest import ROOT, query

PROGRAM = """
import sys
from ansible_collections.midi.capacity.plugins.module_utils._agent_cli import main
sys.exit(main(sys.argv[2:], sys.argv[1]))
"""
Agent = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def agent(tmp_path: Path, postgres: EmbeddedPostgres) -> Agent:
    """capacity-agent with a channel that keeps what it is sent, a line each."""
    query(postgres, "ALTER SYSTEM SET shared_preload_libraries = 'pg_stat_statements'")
    postgres.stop()
    postgres.start()
    query(postgres, "CREATE EXTENSION pg_stat_statements")
    for name in ("state/agent", "state/conf", "run"):
        (tmp_path / name).mkdir(parents=True)
    sent = tmp_path / "sent"
    config = {
        "host": "db1",
        "database": "postgres",
        "state_dir": str(tmp_path / "state"),
        "runtime_dir": str(tmp_path / "run"),
        "log_file": str(tmp_path / "agent.log"),
        "textfile": str(tmp_path / "capacity.prom"),
        "postgres": {"login_host": str(postgres.socket), "login_user": "postgres"},
        "channels": [{"type": "command", "argv": ["/bin/sh", "-c", f"cat >> {sent}"]}],
        # The disk and the CPU of whoever tests are nobody's concern.
        "thresholds": [{"metric": name, "enabled": False} for name in ("disk_used_percent", "cpu_busy_percent")],
    }
    path = tmp_path / "state/conf/agent.json"
    path.write_text(json.dumps(config))

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", PROGRAM, str(path), *arguments],
            capture_output=True,
            text=True,
            env={"PYTHONPATH": str(ROOT / ".collections"), "PATH": "/usr/bin:/bin"},
            check=False,
        )

    return run


def sent(directory: Path) -> list[dict[str, Any]]:
    path = directory / "sent"
    return [json.loads(line) for line in path.read_text().splitlines() if line] if path.exists() else []


def test_snapshots_fill_the_history_and_a_server_that_stops_is_told_once(
    tmp_path: Path, postgres: EmbeddedPostgres, agent: Agent
) -> None:
    assert agent("snapshot").returncode == 0
    for _number in range(20):
        query(postgres, "SELECT count(*) FROM pg_class")
    assert agent("capture").returncode == 0 and agent("snapshot").returncode == 0
    first, second = json.loads(agent("history", "--json").stdout)
    assert "buffer_hit_ratio_percent" not in first["readings"]
    assert second["readings"]["statement_p95_ms"]["value"] > 0
    checked = agent("check")
    assert checked.returncode == 0 and checked.stdout.startswith("CAPACITY OK: ")
    assert agent("doctor").returncode == 0 and agent("deadman").returncode == 0
    assert "midi_capacity_postgres_down" in (tmp_path / "capacity.prom").read_text()
    assert sent(tmp_path) == []
    postgres.stop()
    assert agent("capture").returncode == 0 and agent("snapshot").returncode == 0
    assert agent("check").returncode == 2
    postgres.start()
    assert agent("snapshot").returncode == 0 and agent("check").returncode == 0
    assert [(message["kind"], message["state"]) for message in sent(tmp_path)] == [
        ("change", "critical"),
        ("recovery", "ok"),
    ]
    assert "4 snapshots since" in agent("status").stdout


def test_what_is_wrong_with_the_configuration_is_told_whole(tmp_path: Path, agent: Agent) -> None:
    (tmp_path / "state/conf/agent.json").write_text('{"state_dir": "here", "keep_dayz": 3}')
    found = agent("snapshot")
    assert found.returncode == 3 and found.stdout == ""
    for told in ("host is missing", "state_dir is 'here': write an absolute path", "did you mean keep_days"):
        assert told in found.stderr
