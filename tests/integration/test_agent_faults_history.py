# SPDX-License-Identifier: GPL-3.0-or-later
"""The agent's history over time: how much of it is kept, one that cannot be used, and nobody who writes it any more."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg2
import pytest
from ansible_collections.midi.capacity.plugins.module_utils import _moments
from ansible_collections.midi.capacity.plugins.module_utils._agent_snapshot import PRUNE_SECONDS
from ansible_collections.midi.capacity.plugins.module_utils._agent_store import FULL, STATEMENTS

from demo.servers import EmbeddedPostgres
from tests.integration.agent_runs import Agent, with_statements
from tests.integration.host_clock import HostClock, PostgresOfHost
from tests.scale import scaled

HOUR, DAY = 3600, 86400
# Of the clock, there and back again.
STEPS = (-0.4 * DAY, 0.8 * DAY, -0.4 * DAY)
MOST_BYTES = 1 << 20


@pytest.fixture
def clock(tmp_path: Path) -> HostClock:
    return HostClock(tmp_path)


@pytest.fixture
def postgres(tmp_path: Path, clock: HostClock) -> Iterator[EmbeddedPostgres]:
    server = PostgresOfHost(tmp_path / "pg", clock)
    server.create()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def agent(tmp_path: Path, postgres: EmbeddedPostgres, clock: HostClock) -> Agent:
    with_statements(postgres)
    return clock.given_to(Agent(tmp_path, postgres))


def taken(agent: Agent, kind: str = FULL) -> list[str]:
    with agent.store() as store:
        assert store.problems() == []
        return [head["taken_at"] for head in store.heads(kind)]


def test_what_is_too_old_goes(agent: Agent, clock: HostClock) -> None:
    agent.configure(keep_days=2, keep_captures_days=1)
    moments = []
    for _step in range(scaled(14, 60)):
        clock.passes(8 * HOUR)
        assert agent("snapshot").returncode == 0
        moments.append(taken(agent)[-1])
        for kind, days in ((FULL, 2), (STATEMENTS, 1)):
            kept = taken(agent, kind)
            age = _moments.elapsed(kept[0], moments[-1])
            # It is looked at once in a while.
            assert age <= days * DAY + PRUNE_SECONDS + 8 * HOUR
            assert kept == [moment for moment in moments if moment >= kept[0]]
    assert len(taken(agent)) < len(moments) and len(taken(agent, STATEMENTS)) < len(taken(agent))
    gone = agent("prune")
    assert gone.returncode == 0 and "snapshots removed; the history has" in gone.stdout
    assert agent("check").returncode == 0 and agent.sent() == []


def test_a_clock_that_is_years_ahead_for_a_while_does_not_cost_the_history(agent: Agent, clock: HostClock) -> None:
    agent.configure(keep_days=4)
    for _step in range(4):
        clock.passes(8 * HOUR)
        assert agent("snapshot").returncode == 0
    before = taken(agent)
    clock.is_set(10 * 365 * DAY)
    for _step in range(2):
        clock.passes(HOUR)
        assert agent("snapshot").returncode == 0
    assert taken(agent)[:4] == before
    clock.is_set(-10 * 365 * DAY)
    clock.passes(HOUR)
    assert agent("snapshot").returncode == 0
    assert taken(agent)[:4] == before and len(taken(agent)) == 7
    # And what is too old still goes.
    for _step in range(5):
        clock.passes(DAY)
        assert agent("snapshot").returncode == 0
    assert not set(before) & set(taken(agent))


def test_what_is_too_much_goes(postgres: EmbeddedPostgres, agent: Agent, clock: HostClock) -> None:
    agent.configure(max_bytes=MOST_BYTES, statements_limit=1000)
    moments = []
    for _hour in range(scaled(10, 40)):
        with contextlib.closing(psycopg2.connect(host=str(postgres.socket), user="postgres")) as connection:
            for number in range(800):
                connection.cursor().execute(f"SELECT x{number}.a FROM (SELECT 1 AS a) x{number}")
        clock.passes(HOUR)
        assert agent("snapshot").returncode == 0
        kept = taken(agent)
        moments.append(kept[-1])
        assert moments[-len(kept) :] == kept
        assert sum(path.stat().st_size for path in agent.directory.iterdir()) <= MOST_BYTES
    assert 1 < len(taken(agent)) < len(moments)
    # The window is as it would be with all of them.
    with agent.store() as store:
        newest = store.readings()[-1]["readings"]
    assert 800 / HOUR <= newest["statements_per_second"]["value"] < 1000 / HOUR
    assert agent("doctor").returncode == 0


def newer(history: Path) -> None:
    with contextlib.closing(sqlite3.connect(history)) as connection:
        connection.execute("PRAGMA user_version = 99")


def overwritten(history: Path) -> None:
    with history.open("r+b") as file:
        file.write(b"no database any more, since somebody wrote over it")


def cut(history: Path) -> None:
    with history.open("r+b") as file:
        file.truncate(history.stat().st_size // 2)


LOST = b"\xff" * 4096


def pages_lost(history: Path) -> None:
    with contextlib.closing(sqlite3.connect(history)) as connection:
        [(page,)] = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'snapshot'")
        [(size,)] = connection.execute("PRAGMA page_size")
    assert size == len(LOST)
    with history.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(LOST)


@pytest.mark.parametrize(
    ("damage", "reason", "remedy"),
    [
        (newer, "written by a newer version: its schema is 99", "install the newer version again"),
        (overwritten, "file is not a database", "move the file out of the way"),
        (cut, "is malformed", "move the file out of the way"),
        (pages_lost, "is malformed", "move the file out of the way"),
    ],
)
def test_a_history_that_cannot_be_used_is_told_and_left_alone(
    agent: Agent, damage: Callable[[Path], None], reason: str, remedy: str
) -> None:
    assert agent("snapshot").returncode == 0 and agent("capture").returncode == 0
    whole = agent.history.read_bytes()
    damage(agent.history)
    damaged = agent.history.read_bytes()
    for command, status in (("snapshot", 3), ("capture", 3), ("deadman", 3), ("prune", 3), ("check", 3), ("doctor", 2)):
        done = agent(command)
        told = done.stdout + done.stderr
        assert done.returncode == status and reason in told and remedy in told, (command, done)
        assert "Traceback" not in told
        # Where it can be opened, the run is written down.
        assert LOST in agent.history.read_bytes() if damage is pages_lost else agent.history.read_bytes() == damaged
    assert agent.news() == [("agent_failures", "change", "warning")]
    assert reason in agent.sent()[0]["alerts"][0]["detail"]
    assert sorted(path.name for path in agent.directory.iterdir()) == ["history.db", "lock"]
    # Out of the way, a new one begins; back in its place, it goes on.
    agent.history.rename(agent.home / "damaged.db")
    assert agent("snapshot").returncode == 0 and len(taken(agent)) == 1
    # What was told is remembered in the history where that can be written, and then went with it.
    assert agent.news()[1:] == ([] if damage is pages_lost else [("agent_failures", "recovery", "ok")])
    agent.history.write_bytes(whole)
    assert agent("snapshot").returncode == 0 and len(taken(agent)) == 2


def test_the_dead_man_tells_when_nobody_takes_snapshots(agent: Agent, clock: HostClock) -> None:
    dead = ("snapshot_age_intervals", "change", "critical")
    assert agent("snapshot").returncode == 0
    for hours in (0.9, 1):
        clock.passes(hours * HOUR)
        # He goes by the clock that nobody sets.
        for step in STEPS:
            clock.is_set(step)
            assert agent("deadman").returncode == 0 and agent("check").returncode == 0
    assert agent.news() == []
    clock.passes(0.2 * HOUR)
    for step in STEPS:
        clock.is_set(step)
        assert agent("capture").returncode == 0
        assert agent("deadman").returncode == 0 and agent("check").returncode == 2
        assert agent.news() == [dead]
    assert "2.1" in agent.sent()[0]["subject"]
    assert agent("snapshot").returncode == 0 and agent("deadman").returncode == 0
    assert agent.news() == [dead, ("snapshot_age_intervals", "recovery", "ok")]


def test_a_dead_man_who_never_saw_a_snapshot_says_so(agent: Agent) -> None:
    assert agent("deadman").returncode == 0 and agent("deadman").returncode == 0
    assert agent.news() == [("snapshot_age_intervals", "change", "unknown")]
    assert agent("snapshot").returncode == 0
    assert agent.news()[1:] == [("snapshot_age_intervals", "recovery", "ok")]
