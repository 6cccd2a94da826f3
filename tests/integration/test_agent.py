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
from ansible_collections.midi.capacity.plugins.module_utils import _agent_take
from ansible_collections.midi.capacity.plugins.module_utils._agent import config as configuration
from ansible_collections.midi.capacity.plugins.module_utils._agent_store import FULL, Store

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


def changed(directory: Path, **fields: Any) -> dict[str, Any]:
    """Other fields in the agent's configuration; gives it."""
    path = directory / "state/conf/agent.json"
    config: dict[str, Any] = {**json.loads(path.read_text()), **fields}
    path.write_text(json.dumps(config))
    return config


def test_the_host_is_looked_at_while_the_server_is_down(
    tmp_path: Path, postgres: EmbeddedPostgres, agent: Agent
) -> None:
    changed(tmp_path, thresholds=[{"metric": "disk_used_percent", "warn": 0.001, "critical": 0.002, "hysteresis": 0}])
    postgres.stop()
    # Whether the server is on this host at all has to be seen first.
    assert agent("snapshot").returncode == 0 and [name for name, _kind, _state in news(tmp_path)] == ["postgres_down"]
    postgres.start()
    changed(tmp_path, thresholds=[{"metric": "disk_used_percent", "enabled": False}])
    assert agent("snapshot").returncode == 0
    postgres.stop()
    changed(tmp_path, thresholds=[{"metric": "disk_used_percent", "warn": 0.001, "critical": 0.002, "hysteresis": 0}])
    assert agent("snapshot").returncode == 0
    assert {name for name, _kind, state in news(tmp_path)[2:] if state == "critical"} == {
        "postgres_down",
        "disk_used_percent",
    }
    newest = json.loads(agent("history", "--json").stdout)[-1]["readings"]
    assert newest["disk_used_percent"]["value"] > 0 and newest["cpu_busy_percent"]["value"] >= 0
    with Store.open(str(tmp_path / "state/agent/history.db")) as store:
        host = store.document(store.heads(FULL)[-1]["id"])["host"]
    assert host["memory"]["usable_bytes"] == host["memory"]["total_bytes"] > 0
    assert host["memory"]["cgroup"]["limit_bytes"] is None
    # The data directory, what of it may be a file system of its own, and the agent's.
    assert {disk["path"] for disk in host["disks"]} >= {str(postgres.data), str(tmp_path / "state")}


def test_what_probes_measured_is_shown(tmp_path: Path, agent: Agent) -> None:
    good = {"name": "good", "sql": "SELECT pg_sleep(0.01)", "runs": 2}
    changed(tmp_path, probes=[good, {"name": "bad_one", "sql": "SELECT none"}])
    assert agent("snapshot").returncode == 0
    [first, second] = json.loads(agent("status", "--json").stdout)["probes"]
    assert first["runs"] == 2 and first["max_ms"] >= first["p50_ms"] >= 10
    lines = agent("status").stdout.splitlines()
    at = lines.index("Probes at the last snapshot")
    assert re.fullmatch(r"  good     P50 [\d.]+ ms, P95 [\d.]+ ms, longest [\d.]+ ms of 2 runs", lines[at + 1])
    assert lines[at + 2] == f"  bad_one  {second['reason']}" and "none" in second["reason"]


def test_texts_are_read_over_the_one_connection_and_are_not_worth_a_snapshot(
    tmp_path: Path, postgres: EmbeddedPostgres, agent: Agent
) -> None:
    """The connection is cut right before the texts are read."""
    config, _problems = configuration.read(changed(tmp_path))
    assert config is not None
    backends = "FROM pg_stat_activity WHERE application_name = 'capacity-agent'"

    def cut(_system: str, rows: dict) -> set:
        assert query(postgres, f"SELECT count(pg_terminate_backend(pid, 5000)) {backends}") == [(1,)]
        return set(rows)

    taken = _agent_take.full(config, None, cut)
    assert (
        taken.document["server"]
        and taken.document["statements"]
        and taken.document["reach"]["postgres"]["down"] is False
    )
    assert [entry["part"] for entry in taken.document["missing"]] == ["statements.texts"]
    with Store.open(str(tmp_path / "state/agent/history.db")) as store:
        head = {"taken_at": "2026-11-24T00:00:00.000Z", "boot_id": "", "monotonic_seconds": 1.0}
        number = store.add(FULL, taken.document, head, taken.rows, 100)
        assert {row["query"] for row in store.rows(number)} == {""}
    assert query(postgres, f"SELECT count(*) {backends}") == [(0,)]
    assert agent("snapshot").returncode == 0
    with Store.open(str(tmp_path / "state/agent/history.db")) as store:
        known = store.rows(number)
    assert [row["user"] for row in known if row["query"]] != [] and {row["user"] for row in known} == {"postgres"}


def test_a_snapshot_connects_once(tmp_path: Path, postgres: EmbeddedPostgres, agent: Agent) -> None:
    query(postgres, "ALTER SYSTEM SET log_connections = 'authorization'")
    query(postgres, "SELECT pg_reload_conf()")
    assert agent("snapshot").returncode == 0 and agent("capture").returncode == 0
    log = Path(postgres.log).read_text()
    assert log.count("application_name=capacity-agent") == 2


@pytest.mark.parametrize(
    ("words", "status"),
    [("check", 3), ("status", 3), ("history", 3), ("doctor", 2), ("silence", 3), ("silence --for 1h --reason x", 3)]
    + [("test-alert", 0)],
)
def test_who_only_looks_makes_no_history(tmp_path: Path, agent: Agent, words: str, status: int) -> None:
    found = agent(*words.split())
    assert found.returncode == status
    assert "there is no history yet" in (found.stdout if words in ("check", "doctor") else found.stderr)
    assert "capacity-agent snapshot" in found.stdout + found.stderr
    assert [path.name for path in (tmp_path / "state/agent").iterdir() if path.name != "lock"] == []
    if words == "check":
        assert found.stdout.startswith("CAPACITY UNKNOWN: there is no history yet") and found.stdout.count("\n") == 1
    assert len(sent(tmp_path)) == (words == "test-alert")


def test_what_was_tested_before_the_first_snapshot_is_known_after_it(tmp_path: Path, agent: Agent) -> None:
    assert agent("test-alert").returncode == 0 and agent("snapshot").returncode == 0
    assert json.loads(agent("status", "--json").stdout)["delivery"]["outcomes"] == {"command": None}


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
