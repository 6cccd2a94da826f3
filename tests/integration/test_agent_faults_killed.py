# SPDX-License-Identifier: GPL-3.0-or-later
"""kill -9 at any moment of a run: the history is whole, what was stored stays, and the next run works."""

from __future__ import annotations

import contextlib
import random
import signal
import sqlite3
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.midi.capacity.plugins.module_utils._agent_store import FULL, STATEMENTS

from demo.servers import EmbeddedPostgres
from tests.integration.agent_runs import NOT_OF_THE_HOST, Agent, with_statements
from tests.integration.conftest import query
from tests.scale import scaled

KILLS = scaled(15, 200)
# What a run of the command stores.
KINDS = {"snapshot": {FULL, STATEMENTS}, "capture": {STATEMENTS}}


@pytest.fixture
def agent(tmp_path: Path, postgres: EmbeddedPostgres) -> Agent:
    with_statements(postgres)
    # Every snapshot has something to say, so that runs are killed while they send and remember it as well.
    limits = [{"metric": "statements_used_percent", "warn": 0.001, "hysteresis": 0}]
    return Agent(tmp_path, postgres, thresholds=[*NOT_OF_THE_HOST, *limits], repeat_seconds=1)


def stored(agent: Agent) -> dict[str, list[int]]:
    """The numbers of all snapshots, of a history that is whole: each can be read, with its readings."""
    with contextlib.closing(sqlite3.connect(agent.history)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    with agent.store() as store:
        assert store.problems() == []
        heads = {kind: store.heads(kind) for kind in KINDS["snapshot"]}
        found = {kind: [head["id"] for head in listed] for kind, listed in heads.items()}
        # Those of before were looked at when they were the last.
        for number in (number for numbers in found.values() for number in numbers[-3:]):
            assert store.document(number)["statements"]["rows"]
        readings = store.readings(heads[FULL][-3:][0]["taken_at"])
        assert [entry["id"] for entry in readings] == found[FULL][-3:]
        assert all(entry["readings"]["agent_failures"]["value"] == 0 for entry in readings)
    return found


def runs(agent: Agent) -> list[dict[str, Any]]:
    """The newest first."""
    with agent.store() as store:
        return store.runs(10000)


def killed(agent: Agent, command: str, seconds: float) -> bool:
    """Whether the run was at its work then: it had begun, and had not ended."""
    known = len(runs(agent))
    run = agent.start(command)
    try:
        run.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        run.kill()
        run.communicate()
    found = runs(agent)
    assert len(found) <= known + 1
    return run.returncode == -signal.SIGKILL and len(found) > known


def test_whoever_is_killed_loses_what_was_being_written_and_nothing_else(
    postgres: EmbeddedPostgres, agent: Agent
) -> None:
    chosen = random.Random(9)
    took = {}
    for command in KINDS:
        started = time.monotonic()
        assert agent(command).returncode == 0
        took[command] = time.monotonic() - started
    before = stored(agent)
    outcomes: list[bool] = []
    for _attempt in range(20 * KILLS):
        query(postgres, "SELECT count(*) FROM pg_class")
        command = chosen.choice(list(KINDS))
        if not killed(agent, command, chosen.uniform(0.3, 1.1) * took[command]):
            before = stored(agent)
            continue
        after = stored(agent)
        # All of its snapshot or nothing, and all of the others.
        more = {kind: len(after[kind]) - len(before[kind]) for kind in after}
        assert {kind for kind, number in more.items() if number} in (set(), KINDS[command]), more
        assert set(more.values()) <= {0, 1} and all(after[kind][: len(before[kind])] == before[kind] for kind in after)
        outcomes.append(bool(any(more.values())))
        assert agent("snapshot").returncode == 0 and runs(agent)[0]["outcome"] == "done"
        whole = stored(agent)
        assert {kind: len(whole[kind]) - len(after[kind]) for kind in whole} == {FULL: 1, STATEMENTS: 1}
        assert "midi_capacity_postgres_down" in agent.textfile.read_text()
        before = whole
        if len(outcomes) == KILLS:
            break
    assert len(outcomes) == KILLS, f"only {len(outcomes)} runs were killed at their work"
    assert agent("deadman").returncode == 0 and agent("check").returncode == 1
    print(f"{KILLS} kills: {outcomes.count(False)} before the snapshot was stored, {outcomes.count(True)} after it")
