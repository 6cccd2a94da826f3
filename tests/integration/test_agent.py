# SPDX-License-Identifier: GPL-3.0-or-later
"""The agent against a real server: what it keeps, says and sends, and a server that goes away and comes back."""

from __future__ import annotations

import contextlib
import json
import re
import sqlite3
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


def news(directory: Path) -> list[tuple[str, str, str]]:
    """What was sent, in short."""
    return [(told["alerts"][0]["metric"], told["kind"], told["state"]) for told in sent(directory)]


def test_captures_tell_at_once_that_a_server_is_down_and_up_again(
    tmp_path: Path, postgres: EmbeddedPostgres, agent: Agent
) -> None:
    assert agent("snapshot").returncode == 0
    down = re.compile(r"^midi_capacity_postgres_down\S* (\d)$", re.MULTILINE)
    for act, number, status in ((postgres.stop, 1, 2), (postgres.start, 0, 0)):
        act()
        assert agent("capture").returncode == 0
        checked = agent("check")
        assert checked.returncode == status and f"'postgres_down'={number};" in checked.stdout
        assert [entry["value"] for entry in states(agent) if entry["metric"] == "postgres_down"] == [number]
        assert down.findall((tmp_path / "capacity.prom").read_text()) == [str(number)]
    assert news(tmp_path) == [("postgres_down", "change", "critical"), ("postgres_down", "recovery", "ok")]
    assert agent("snapshot").returncode == 0 and len(sent(tmp_path)) == 2


def states(agent: Agent) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(agent("status", "--json").stdout)["states"]
    return found


def test_a_capture_that_may_not_log_in_knows_nothing_of_the_server(
    tmp_path: Path, postgres: EmbeddedPostgres, agent: Agent
) -> None:
    for allowed in ("false", "true"):
        query(postgres, f"ALTER DATABASE postgres WITH ALLOW_CONNECTIONS {allowed}", dbname="template1")
        assert agent("capture").returncode == 0
    assert news(tmp_path) == [("postgres_down", "change", "unknown"), ("postgres_down", "recovery", "ok")]
    assert "not currently accepting connections" in sent(tmp_path)[0]["alerts"][0]["reason"]


def no_database(history: Path) -> None:
    history.write_text("no database, but longer than the header of one is, which has sixteen bytes")


def no_table_of_runs(history: Path) -> None:
    with contextlib.closing(sqlite3.connect(history)) as connection:
        [(page,)] = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'run'")
        [(size,)] = connection.execute("PRAGMA page_size")
    with history.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * size)


def no_lock(history: Path) -> None:
    (history.parent / "lock").unlink()
    (history.parent / "lock").mkdir()


@pytest.mark.parametrize(
    ("damage", "reason"),
    [(no_database, "file is not a database"), (no_table_of_runs, "is malformed"), (no_lock, "lock cannot be opened")],
)
def test_a_run_that_cannot_begin_says_so_once(
    tmp_path: Path, agent: Agent, damage: Callable[[Path], None], reason: str
) -> None:
    assert agent("snapshot").returncode == 0
    damage(tmp_path / "state/agent/history.db")
    for _run in range(2):
        failed = agent("snapshot")
        assert failed.returncode == 3 and reason in failed.stderr
    assert news(tmp_path) == [("agent_failures", "change", "warning")]
    assert reason in sent(tmp_path)[0]["alerts"][0]["detail"]


def test_what_is_wrong_with_the_configuration_is_told_whole(tmp_path: Path, agent: Agent) -> None:
    (tmp_path / "state/conf/agent.json").write_text('{"state_dir": "here", "keep_dayz": 3}')
    found = agent("snapshot")
    assert found.returncode == 3 and found.stdout == ""
    for told in ("host is missing", "state_dir is 'here': write an absolute path", "did you mean keep_days"):
        assert told in found.stderr
