# SPDX-License-Identifier: GPL-3.0-or-later
"""The agent and logins: one that is refused, a role that may see little, a database that is gone, others who log in."""

from __future__ import annotations

import contextlib
import socket
import struct
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest
from ansible_collections.midi.capacity.plugins.module_utils import _agent_take, _postgres
from ansible_collections.midi.capacity.plugins.module_utils._agent import config as configuration
from ansible_collections.midi.capacity.plugins.module_utils._agent.window import Window, between
from ansible_collections.midi.capacity.plugins.module_utils._agent_store import FULL

from demo.servers import EmbeddedPostgres
from tests.integration.agent_runs import Agent, with_statements
from tests.integration.conftest import query

MARKED = "SELECT sum(marked) FROM generate_series(1, 20000) marked"
LOGIN_REMEDY = "run the role monitoring_cron again, which has the database role made and its password set"
_PROTOCOL = 3 << 16


@pytest.fixture
def agent(tmp_path: Path, postgres: EmbeddedPostgres) -> Agent:
    """Logs in by a password as a role that may see everything."""
    with_statements(postgres)
    query(postgres, "CREATE ROLE watcher LOGIN PASSWORD 'right' IN ROLE pg_monitor")
    query(postgres, "CREATE DATABASE watched")
    query(postgres, "CREATE EXTENSION pg_stat_statements", dbname="watched")
    rules = postgres.data / "pg_hba.conf"
    rules.write_text("local all watcher scram-sha-256\n" + rules.read_text())
    query(postgres, "SELECT pg_reload_conf()")
    return Agent(tmp_path, postgres, postgres=login(postgres))


def login(postgres: EmbeddedPostgres, password: str = "right") -> dict[str, str]:
    role = {"login_user": "watcher", "login_password": password, "login_db": "watched"}
    return {"login_host": str(postgres.socket), **role}


@contextlib.contextmanager
def logging_in(postgres: EmbeddedPostgres) -> Iterator[None]:
    """Somebody who was asked for a password and does not give it yet."""
    names = b"user\0watcher\0database\0watched\0\0"
    with socket.socket(socket.AF_UNIX) as opened:
        opened.connect(str(postgres.socket / f".s.PGSQL.{postgres.port}"))
        opened.sendall(struct.pack("!ii", 8 + len(names), _PROTOCOL) + names)
        assert opened.recv(1) == b"R"
        yield


def test_somebody_who_logs_in_is_a_connection_without_a_database(postgres: EmbeddedPostgres, agent: Agent) -> None:
    other = psycopg2.connect(host=str(postgres.socket), user="postgres", dbname="postgres")
    with contextlib.closing(other), logging_in(postgres):
        assert (None,) in query(postgres, "SELECT datname FROM pg_stat_activity WHERE backend_type = 'client backend'")
        done = agent("snapshot")
    assert done.returncode == 0, done.stderr
    with agent.store() as store:
        connections = store.document(store.heads(FULL)[-1]["id"])["connections"]
    assert connections["total"] == 2 and connections["by_database"] == {"postgres": 1}


def windows(agent: Agent) -> list[Window]:
    """Between snapshots that have statements."""
    with agent.store() as store:
        heads = [head for head in store.heads(FULL) if head["system_identifier"]]
        ends = [(store.document(head["id"]), head) for head in heads]
    return [between(*earlier, *later, 3600) for earlier, later in zip(ends, ends[1:], strict=False)]


def marked(window: Window) -> int:
    assert window.found is not None
    rows = window.found["statements"]["rows"]
    return sum(row["calls"] for row in rows if "marked" in row["query"] and not row["own"])


def missing(agent: Agent) -> dict[str, dict[str, str]]:
    """What the last snapshot could not read, by its part."""
    return {entry["part"]: entry for entry in agent.status()["missing"]}


def assert_nobody_is_sent_to_a_server_that_runs(agent: Agent) -> None:
    status, doctor = agent("status").stdout, agent("doctor").stdout
    assert f"What to do: {LOGIN_REMEDY}\n" in status
    assert "PostgreSQL does not run" not in status and "its process is not known" in status
    for said in (status, doctor):
        assert f"to mend it: {LOGIN_REMEDY}\n" in said
        assert "server runs" not in said and "process runs" not in said
    assert agent.sent()[-1]["alerts"][0]["remedy"] == LOGIN_REMEDY


def bad(agent: Agent) -> dict[str, str]:
    return {entry["metric"]: entry["state"] for entry in agent.states() if entry["state"] != "ok"}


def test_a_wrong_password_is_told_once_and_never_written_down(postgres: EmbeddedPostgres, agent: Agent) -> None:
    assert agent("snapshot").returncode == 0
    agent.configure(postgres=login(postgres, "very-wrong"))
    for command in ("capture", "snapshot", "capture", "snapshot"):
        done = agent(command)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    found = missing(agent)["server"]
    assert 'password authentication failed for user "watcher"' in found["reason"]
    assert found["remedy"] == LOGIN_REMEDY
    assert agent("check").returncode == 3 and bad(agent) == {"postgres_down": "unknown"}
    assert_nobody_is_sent_to_a_server_that_runs(agent)
    agent.configure(postgres=login(postgres))
    assert agent("capture").returncode == 0 and agent("snapshot").returncode == 0
    assert agent.news() == [("postgres_down", "change", "unknown"), ("postgres_down", "recovery", "ok")]
    assert agent("check").returncode == 0
    written = [path for path in agent.home.rglob("*") if path.is_file() and "pg" not in path.parts[-2:]]
    own = [path for path in written if path != agent.config and postgres.home not in path.parents]
    assert agent.history in own and agent.home / "agent.log" in own
    assert [path for path in own if b"very-wrong" in path.read_bytes() or b"right" in path.read_bytes()] == []


def test_a_role_that_is_gone_or_may_not_log_in_is_no_server_that_is_down(
    postgres: EmbeddedPostgres, agent: Agent
) -> None:
    assert agent("snapshot").returncode == 0
    for order, reason in (
        ("ALTER ROLE watcher NOLOGIN", "not permitted to log in"),
        ("DROP ROLE watcher", "password authentication failed"),
    ):
        query(postgres, order)
        assert agent("snapshot").returncode == 0
        assert reason in missing(agent)["server"]["reason"]
        assert_nobody_is_sent_to_a_server_that_runs(agent)
    # Where no password is asked for, it is the role itself that is missed.
    rules = postgres.data / "pg_hba.conf"
    rules.write_text("local all watcher trust\n" + rules.read_text())
    query(postgres, "SELECT pg_reload_conf()")
    assert agent("snapshot").returncode == 0
    assert missing(agent)["server"]["reason"].endswith('role "watcher" does not exist')
    assert_nobody_is_sent_to_a_server_that_runs(agent)


def test_what_is_said_in_words_that_nobody_here_knows_is_no_server_that_is_down(
    postgres: EmbeddedPostgres, agent: Agent
) -> None:
    """As from a server that speaks another language; the embedded ones have no translations."""
    config, _problems = configuration.read(agent.configure())
    assert config is not None
    error = _postgres.Unreachable("Passwort-Authentifizierung", "here", _postgres.REACH_REMEDY)
    assert _agent_take.not_reached(config, error) == {
        "down": None,
        "reason": "Passwort-Authentifizierung",
        "remedy": "the server runs and does not let the agent in: look into the server's log",
    }
    postgres.stop()
    assert _agent_take.not_reached(config, error)["remedy"] == _postgres.REACH_REMEDY


def test_what_a_role_without_pg_monitor_cannot_see_is_unknown_with_the_way_out(
    postgres: EmbeddedPostgres, agent: Agent
) -> None:
    others = [psycopg2.connect(host=str(postgres.socket), user="postgres", dbname="watched") for _other in range(2)]
    with contextlib.ExitStack() as opened:
        for other in others:
            opened.callback(other.close)
            other.cursor().execute("SELECT count(*) FROM pg_class")
        query(postgres, MARKED)
        assert agent("snapshot").returncode == 0 and agent("snapshot").returncode == 0
        assert bad(agent) == {} and missing(agent) == {}
        query(postgres, MARKED)
        query(postgres, "REVOKE pg_monitor FROM watcher")
        for _sample in range(2):
            assert agent("capture").returncode == 0 and agent("snapshot").returncode == 0
        found = missing(agent)
        for part in ("settings", "connections", "statements", "health.oldest_transaction_seconds", "host.disks"):
            assert 'from role "watcher"' in found[part]["reason"], part
            assert found[part]["remedy"] == 'as a superuser run GRANT pg_monitor TO "watcher"'
        unknown = bad(agent)
        assert set(unknown.values()) == {"unknown"}
        assert {"connections_used_percent", "oldest_transaction_seconds", "statement_mean_ms"} <= set(unknown)
        told = {alert["metric"]: alert for message in agent.sent() for alert in message["alerts"]}
        assert set(told) == set(unknown) and agent("check").returncode == 3
        for alert in told.values():
            assert "watcher" in alert["reason"], alert
        assert agent("doctor").stdout.count('GRANT pg_monitor TO "watcher"') == 4
        # What needs no privilege is looked at as ever.
        assert "buffer_hit_ratio_percent" not in unknown
        query(postgres, MARKED)
        query(postgres, "GRANT pg_monitor TO watcher")
        before = len(agent.sent())
        for _sample in range(2):
            assert agent("snapshot").returncode == 0
        over = [alert["metric"] for message in agent.sent()[before:] for alert in message["alerts"]]
        assert sorted(over) == sorted(unknown) and bad(agent) == {} and missing(agent) == {}
        # One call before all windows, two in the one that is from the last snapshot that had statements to this.
        assert [marked(window) for window in windows(agent)] == [0, 2, 0]


def test_a_database_that_was_dropped_is_unknown_and_another_one_when_it_is_back(
    postgres: EmbeddedPostgres, agent: Agent
) -> None:
    for _call in range(20):
        query(postgres, "SELECT count(*) FROM pg_class", dbname="watched")
    assert agent("snapshot").returncode == 0
    query(postgres, "DROP DATABASE watched")
    assert agent("snapshot").returncode == 0 and agent("capture").returncode == 0
    assert 'database "watched" does not exist' in missing(agent)["server"]["reason"]
    query(postgres, "CREATE DATABASE watched")
    query(postgres, "CREATE EXTENSION pg_stat_statements", dbname="watched")
    for _call in range(100):
        query(postgres, "SELECT count(*) FROM pg_class", dbname="watched")
    assert agent("snapshot").returncode == 0
    assert agent.news() == [("postgres_down", "change", "unknown"), ("postgres_down", "recovery", "ok")]
    reasons = {entry["part"]: entry["reason"] for entry in agent.status()["last_snapshot"]["reasons"]}
    assert reasons["database"] == "another database of the same name: it was dropped and made again"
