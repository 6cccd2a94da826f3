# SPDX-License-Identifier: GPL-3.0-or-later
"""The agent against a real server: what it keeps, says and sends, and a server that goes away and comes back."""

from __future__ import annotations

import contextlib
import json
import re
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from ansible_collections.midi.capacity.plugins.module_utils import _agent_take
from ansible_collections.midi.capacity.plugins.module_utils._agent import config as configuration
from ansible_collections.midi.capacity.plugins.module_utils._agent_store import FULL, Store
from ansible_collections.midi.capacity.plugins.module_utils._query_text import OWN

from demo.servers import EmbeddedPostgres
from tests.integration.agent_runs import Agent, with_statements
from tests.integration.conftest import query


@pytest.fixture
def agent(tmp_path: Path, postgres: EmbeddedPostgres) -> Agent:
    with_statements(postgres)
    return Agent(tmp_path, postgres)


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
    assert agent.sent() == []
    postgres.stop()
    assert agent("capture").returncode == 0 and agent("snapshot").returncode == 0
    assert agent("check").returncode == 2
    postgres.start()
    assert agent("snapshot").returncode == 0 and agent("check").returncode == 0
    assert [(message["kind"], message["state"]) for message in agent.sent()] == [
        ("change", "critical"),
        ("recovery", "ok"),
    ]
    assert "4 snapshots since" in agent("status").stdout


def test_whatever_the_agent_sends_is_marked_so_that_no_percentile_is_of_it(
    postgres: EmbeddedPostgres, agent: Agent
) -> None:
    query(postgres, "SELECT pg_stat_statements_reset()")
    assert agent("snapshot").returncode == 0 and agent("capture").returncode == 0
    texts = {text for (text,) in query(postgres, "SELECT query FROM pg_stat_statements")}
    assert len(texts) > 20
    assert {text for text in texts if OWN not in text} == {"SELECT pg_stat_statements_reset()"}


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
        assert [entry["value"] for entry in agent.states() if entry["metric"] == "postgres_down"] == [number]
        assert down.findall((tmp_path / "capacity.prom").read_text()) == [str(number)]
    assert agent.news() == [("postgres_down", "change", "critical"), ("postgres_down", "recovery", "ok")]
    assert agent("snapshot").returncode == 0 and len(agent.sent()) == 2


def test_a_capture_that_may_not_log_in_knows_nothing_of_the_server(postgres: EmbeddedPostgres, agent: Agent) -> None:
    for allowed in ("false", "true"):
        query(postgres, f"ALTER DATABASE postgres WITH ALLOW_CONNECTIONS {allowed}", dbname="template1")
        assert agent("capture").returncode == 0
    assert agent.news() == [("postgres_down", "change", "unknown"), ("postgres_down", "recovery", "ok")]
    assert "not currently accepting connections" in agent.sent()[0]["alerts"][0]["reason"]


def test_the_host_is_looked_at_while_the_server_is_down(
    tmp_path: Path, postgres: EmbeddedPostgres, agent: Agent
) -> None:
    agent.configure(thresholds=[{"metric": "disk_used_percent", "warn": 0.001, "critical": 0.002, "hysteresis": 0}])
    postgres.stop()
    # Whether the server is on this host at all has to be seen first.
    assert agent("snapshot").returncode == 0 and [name for name, _kind, _state in agent.news()] == ["postgres_down"]
    postgres.start()
    agent.configure(thresholds=[{"metric": "disk_used_percent", "enabled": False}])
    assert agent("snapshot").returncode == 0
    postgres.stop()
    agent.configure(thresholds=[{"metric": "disk_used_percent", "warn": 0.001, "critical": 0.002, "hysteresis": 0}])
    assert agent("snapshot").returncode == 0
    assert {name for name, _kind, state in agent.news()[2:] if state == "critical"} == {
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


def test_what_probes_measured_is_shown(agent: Agent) -> None:
    good = {"name": "good", "sql": "SELECT pg_sleep(0.01)", "runs": 2}
    agent.configure(probes=[good, {"name": "bad_one", "sql": "SELECT none"}])
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
    config, _problems = configuration.read(agent.configure())
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


def test_a_snapshot_connects_once(postgres: EmbeddedPostgres, agent: Agent) -> None:
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
    assert len(agent.sent()) == (words == "test-alert")


def test_what_was_tested_before_the_first_snapshot_is_known_after_it(agent: Agent) -> None:
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
    assert agent.news() == [("agent_failures", "change", "warning")]
    assert reason in agent.sent()[0]["alerts"][0]["detail"]


def test_what_is_wrong_with_the_configuration_is_told_whole(tmp_path: Path, agent: Agent) -> None:
    (tmp_path / "state/conf/agent.json").write_text('{"state_dir": "here", "keep_dayz": 3}')
    found = agent("snapshot")
    assert found.returncode == 3 and found.stdout == ""
    for told in ("host is missing", "state_dir is 'here': write an absolute path", "did you mean keep_days"):
        assert told in found.stderr
