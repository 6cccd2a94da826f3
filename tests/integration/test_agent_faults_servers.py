# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers that stop and start: told within one run of the agent, whichever comes first, and once that it is over."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from demo.servers import EmbeddedPostgres, EmbeddedRedis
from tests.integration.agent_runs import Agent, crash, with_statements
from tests.integration.conftest import query


@pytest.fixture
def agent(tmp_path: Path, postgres: EmbeddedPostgres, redis_server: EmbeddedRedis) -> Agent:
    with_statements(postgres)
    return Agent(tmp_path, postgres, redis={"login_unix_socket": str(redis_server.socket)})


@pytest.mark.parametrize("stop", [EmbeddedPostgres.stop, crash], ids=["stopped", "killed"])
@pytest.mark.parametrize(("first", "then"), [("capture", "snapshot"), ("snapshot", "capture")])
def test_postgresql_is_down_from_the_next_run_on_and_up_again(
    postgres: EmbeddedPostgres, agent: Agent, stop: Callable[[EmbeddedPostgres], None], first: str, then: str
) -> None:
    assert agent("snapshot").returncode == 0
    down, up = ("postgres_down", "change", "critical"), ("postgres_down", "recovery", "ok")
    stop(postgres)
    assert agent(first).returncode == 0 and agent.news() == [down]
    # What cannot be read because of it is no news of its own.
    for command in (then, first, then):
        assert agent(command).returncode == 0 and agent.news() == [down]
    postgres.start()
    assert agent(then).returncode == 0 and agent.news() == [down, up]
    for command in (first, then, "snapshot"):
        assert agent(command).returncode == 0 and agent.news() == [down, up]
    readings = [entry["readings"] for entry in json.loads(agent("history", "--json").stdout)]
    assert [entry["postgres_down"]["value"] for entry in readings].count(1) == 2
    assert all(entry["redis_down"]["value"] == 0 for entry in readings)


def test_redis_is_down_from_the_next_snapshot_on_and_up_again(redis_server: EmbeddedRedis, agent: Agent) -> None:
    with redis_server.client() as client:
        client.get("nothing")
    assert agent("snapshot").returncode == 0
    down, up = ("redis_down", "change", "critical"), ("redis_down", "recovery", "ok")
    redis_server.stop()
    for command in ("snapshot", "capture", "snapshot"):
        assert agent(command).returncode == 0 and agent.news() == [down]
    assert agent("check").returncode == 2
    redis_server.start()
    for command in ("snapshot", "capture", "snapshot"):
        assert agent(command).returncode == 0 and agent.news() == [down, up]
    assert agent("check").returncode == 0
    readings = [entry["readings"] for entry in json.loads(agent("history", "--json").stdout)]
    assert [entry["redis_down"]["value"] for entry in readings] == [0, 1, 1, 0, 0]
    assert all(entry["postgres_down"]["value"] == 0 for entry in readings)


def test_both_are_told_of_and_the_rest_waits(
    postgres: EmbeddedPostgres, redis_server: EmbeddedRedis, agent: Agent
) -> None:
    assert agent("snapshot").returncode == 0
    postgres.stop()
    redis_server.stop()
    for _run in range(3):
        assert agent("snapshot").returncode == 0
    told = [("postgres_down", "change", "critical"), ("redis_down", "change", "critical")]
    assert agent.news() == told
    postgres.start()
    redis_server.start()
    assert agent("snapshot").returncode == 0
    assert agent.news() == [*told, ("postgres_down", "recovery", "ok"), ("redis_down", "recovery", "ok")]


@pytest.fixture
def without_statements(tmp_path: Path, postgres: EmbeddedPostgres) -> Agent:
    return Agent(tmp_path, postgres)


def test_a_server_without_pg_stat_statements_has_windows_of_all_else(
    postgres: EmbeddedPostgres, without_statements: Agent
) -> None:
    agent = without_statements
    for _hour in range(3):
        query(postgres, "SELECT count(*) FROM pg_class")
        assert agent("snapshot").returncode == 0
    first, *others = [entry["readings"] for entry in json.loads(agent("history", "--json").stdout)]
    assert "buffer_hit_ratio_percent" not in first
    for readings in others:
        assert readings["buffer_hit_ratio_percent"]["value"] > 0 and readings["transactions_per_second"]["value"] > 0
        assert "not in database" in readings["statement_mean_ms"]["reason"]
    unknown = {entry["metric"] for entry in agent.states() if entry["state"] == "unknown"}
    assert unknown == {"statement_mean_ms", "statement_p95_ms", "statements_used_percent", "statements_evicted"}
