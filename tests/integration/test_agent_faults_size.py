# SPDX-License-Identifier: GPL-3.0-or-later
"""The agent at a server with very many statements or tables: bounded, over one connection, in nobody's way."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from ansible_collections.midi.capacity.plugins.module_utils._agent_store import FULL

from demo.servers import EmbeddedPostgres
from tests.integration.agent_runs import Agent
from tests.integration.conftest import query

STATEMENTS = 10_000
TABLES = 5_000
# Far from what it takes, and far below the deadline of a run.
SECONDS, MOST_BYTES = 60, 256 << 20
# Every login holds a lock on its database for a moment, which is none on a table.
_SESSIONS = """
SELECT count(DISTINCT a.pid), coalesce(array_agg(DISTINCT l.mode) FILTER (WHERE l.mode <> ''), '{}')
FROM pg_stat_activity a LEFT JOIN pg_locks l ON l.pid = a.pid AND l.locktype = 'relation'
WHERE a.application_name = 'capacity-agent'
"""


@pytest.fixture
def postgres(tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    settings = {
        "shared_preload_libraries": "'pg_stat_statements'",
        "pg_stat_statements.max": str(2 * STATEMENTS),
        "fsync": "off",
        "max_locks_per_transaction": "256",
    }
    server = EmbeddedPostgres(tmp_path / "pg", settings)
    server.create()
    server.start()
    query(server, "CREATE EXTENSION pg_stat_statements")
    yield server
    server.stop()


@pytest.fixture
def agent(tmp_path: Path, postgres: EmbeddedPostgres) -> Agent:
    return Agent(tmp_path, postgres)


class Watcher:
    """Looks at the sessions of the agent and their locks all the time."""

    def __init__(self, postgres: EmbeddedPostgres) -> None:
        self.most_sessions = 0
        self.modes: set[str] = set()
        self.looks = 0
        self._postgres = postgres
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> Watcher:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._done.set()
        self._thread.join()

    def _look(self) -> None:
        opened = psycopg2.connect(host=str(self._postgres.socket), user="postgres", dbname="postgres")
        opened.autocommit = True
        with contextlib.closing(opened), opened.cursor() as cursor:
            # Often, and not so often that it takes the processor from whom it watches.
            while not self._done.wait(0.005):
                cursor.execute(_SESSIONS)
                ((sessions, modes),) = cursor.fetchall()
                self.looks += bool(sessions)
                self.most_sessions = max(self.most_sessions, sessions)
                self.modes |= set(modes)


def runs(agent: Agent) -> list[dict[str, Any]]:
    with agent.store() as store:
        return store.runs(100)


def watched(postgres: EmbeddedPostgres, agent: Agent, *commands: str) -> None:
    """These, one after the other: bounded, and in nobody's way."""
    with Watcher(postgres) as watcher:
        for command in commands:
            done = agent(command)
            assert done.returncode == 0, done.stderr
    assert watcher.looks >= len(commands) and watcher.most_sessions == 1
    assert watcher.modes == {"AccessShareLock"}
    for run in runs(agent)[: len(commands)]:
        assert run["outcome"] == "done"
        assert run["cost"]["wall_seconds"] < SECONDS and run["cost"]["peak_bytes"] < MOST_BYTES, run["cost"]
        print(run["command"], run["cost"])


def in_one_session(postgres: EmbeddedPostgres, statements: Iterator[str]) -> None:
    opened = psycopg2.connect(host=str(postgres.socket), user="postgres", dbname="postgres")
    with contextlib.closing(opened), opened.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
            opened.commit()


def last(agent: Agent) -> dict[str, Any]:
    with agent.store() as store:
        found: dict[str, Any] = store.document(store.heads(FULL)[-1]["id"])
    return found


def test_ten_thousand_statements(postgres: EmbeddedPostgres, agent: Agent) -> None:
    # Names of what is read are part of what tells statements apart, constants are not.
    in_one_session(postgres, (f"SELECT x{number}.a FROM (SELECT 1 AS a) x{number}" for number in range(STATEMENTS)))
    watched(postgres, agent, "snapshot", "capture", "snapshot")
    first = agent.history.stat().st_size
    statements = last(agent)["statements"]
    assert statements["all"]["statements"] > STATEMENTS and len(statements["rows"]) < 100
    # Once known, they cost nothing until they run.
    watched(postgres, agent, "snapshot")
    assert agent.history.stat().st_size < first + 50_000
    in_one_session(postgres, (f"SELECT x{number}.a FROM (SELECT 1 AS a) x{number}" for number in range(STATEMENTS)))
    watched(postgres, agent, "capture", "snapshot")
    statements = last(agent)["statements"]
    assert len(statements["rows"]) == 100 and statements["rest"]["statements"] > STATEMENTS - 100
    assert agent("check").returncode == 0 and agent.sent() == []


def test_five_thousand_tables(postgres: EmbeddedPostgres, agent: Agent) -> None:
    in_one_session(postgres, (f"CREATE TABLE t{number} (a int PRIMARY KEY)" for number in range(TABLES)))
    agent.configure(growth_table="t7", growth_count="exact")
    watched(postgres, agent, "snapshot", "capture", "snapshot")
    sizes = last(agent)["sizes"]
    for kind in ("tables", "indexes"):
        assert len(sizes[kind]) + sizes[f"{kind}_rest"]["count"] == TABLES and len(sizes[kind]) == 100
    assert last(agent)["missing"] == [] and last(agent)["growth"]["rows"] == 0
    # The statements that made them are in it once, the tables are not.
    first = agent.history.stat().st_size
    watched(postgres, agent, "snapshot")
    assert agent.history.stat().st_size < first + 50_000


def test_a_table_that_somebody_changes(postgres: EmbeddedPostgres, agent: Agent) -> None:
    """Whoever changes a table waits for nobody of ours, and is not waited for longer than two seconds."""
    in_one_session(postgres, (f"CREATE TABLE t{number} (a int PRIMARY KEY)" for number in range(10)))
    agent.configure(growth_table="t7", growth_count="exact")
    with contextlib.closing(psycopg2.connect(host=str(postgres.socket), user="postgres", dbname="postgres")) as other:
        other.cursor().execute("ALTER TABLE t7 ADD COLUMN b int")
        watched(postgres, agent, "snapshot")
        found = {entry["part"]: entry["reason"] for entry in last(agent)["missing"]}
        assert set(found) == {"growth", "sizes.tables"}, found
    assert agent("snapshot").returncode == 0 and last(agent)["missing"] == []
