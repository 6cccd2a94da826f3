# SPDX-License-Identifier: GPL-3.0-or-later
"""Hours of a server's life, with all that happens to counters and clocks: no window is negative, none counts twice."""

from __future__ import annotations

import contextlib
import math
import os
import random
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import psycopg2
import pytest
from ansible_collections.midi.capacity.plugins.module_utils._agent.window import Window, between
from ansible_collections.midi.capacity.plugins.module_utils._agent_store import FULL

from demo.servers import EmbeddedRedis, until
from tests.integration.agent_runs import Agent, crash
from tests.integration.conftest import query
from tests.integration.host_clock import HostClock, PostgresOfHost
from tests.scale import scaled

HOUR = 3600
GAP_HOURS = 5
STEP_SECONDS = 7200
# More than PostgreSQL keeps of them here.
STORM = 300
STARTED = ("server", "it was started again at")
AGENT_WAITS = "SELECT 1 FROM pg_stat_activity WHERE application_name = 'capacity-agent' AND wait_event_type = 'Lock'"
# Statements that are counted, each with the time of one call: one that stays in a storm, and one that may go.
MARKED = {
    "often": "SELECT sum(often) FROM generate_series(1, 20000) often",
    "seldom": "SELECT sum(seldom) FROM generate_series(1, 20000) seldom",
}


class Expected(NamedTuple):
    """What a window has to say of what happened in it.

    counts: both halves of what was run, or only the second, after the event. told: (part, words) among its reasons.
    loses: statements may be unknown in it, which it says. cache: as counts, None for not known. halves: there was a
    snapshot right before the event.
    """

    counts: str = "both"
    told: tuple[tuple[str, str], ...] = ()
    loses: bool = False
    cache: str | None = "both"
    halves: bool = False


class Life:
    """A host with its servers and its agent."""

    def __init__(self, postgres: PostgresOfHost, cache: EmbeddedRedis, agent: Agent, clock: HostClock) -> None:
        self.postgres = postgres
        self.cache = cache
        self.agent = agent
        self.clock = clock
        self.hours = 1
        self.locked = 0

    def run(self, calls: dict[str, int]) -> None:
        for name, number in calls.items():
            for _call in range(number):
                query(self.postgres, MARKED[name])
        with self.cache.client() as client:
            for _call in range(calls["often"]):
                client.get("marked")

    def snapshot(self) -> None:
        done = self.agent("snapshot")
        assert done.returncode == 0, done.stderr

    def quiet(self) -> Expected:
        return Expected()

    def capture(self) -> Expected:
        assert self.agent("capture").returncode == 0
        return Expected()

    def overlap(self) -> Expected:
        """A run that waits for a lock is stopped there, so that another one certainly finds it at work."""
        with contextlib.closing(psycopg2.connect(host=str(self.postgres.socket), user="postgres")) as holder:
            holder.cursor().execute("LOCK TABLE growing IN ACCESS EXCLUSIVE MODE")
            first = self.agent.start("snapshot")
            assert any(query(self.postgres, AGENT_WAITS) for _attempt in until(20))
            os.kill(first.pid, signal.SIGSTOP)
        second = self.agent("snapshot")
        os.kill(first.pid, signal.SIGCONT)
        assert first.communicate(timeout=60) and first.returncode == 0 and second.returncode == 0, second.stderr
        self.locked += 1
        return Expected(halves=True)

    def restart(self) -> Expected:
        self.postgres.restart()
        return Expected(told=(STARTED,))

    def stop_at_once(self) -> Expected:
        """As in a crash PostgreSQL loses its own counters; pg_stat_statements saves its."""
        stop = [*self.postgres.pg_ctl, "stop", "--wait", "--mode=immediate", "--pgdata", str(self.postgres.data)]
        subprocess.run(stop, cwd="/", check=True, capture_output=True)
        self.postgres.start()
        return Expected(told=(STARTED, ("database", "were reset at")))

    def crash(self) -> Expected:
        crash(self.postgres)
        self.postgres.start()
        return Expected(counts="second", told=(STARTED, ("statements", "were reset at"), ("database", "were reset at")))

    def reset(self) -> Expected:
        query(self.postgres, "SELECT pg_stat_statements_reset()")
        return Expected(counts="second", told=(("statements", "were reset at"),))

    def storm(self) -> Expected:
        with contextlib.closing(psycopg2.connect(host=str(self.postgres.socket), user="postgres")) as connection:
            for number in range(1, STORM):
                connection.cursor().execute(f"SELECT {', '.join(['1'] * number)}")
        return Expected(told=(("statements", "to make room for others"),), loses=True)

    def set_forward(self) -> Expected:
        self.clock.is_set(STEP_SECONDS)
        return Expected(told=(("clock", "the clock was set forward by 2 h"),))

    def set_back(self) -> Expected:
        self.clock.is_set(-STEP_SECONDS)
        return Expected(told=(("clock", "the clock was set back by 2 h"),))

    def gap(self) -> Expected:
        self.clock.passes((GAP_HOURS - 1) * HOUR)
        self.hours = GAP_HOURS
        return Expected(told=(("gap", "without a snapshot"),))

    def cache_restart(self) -> Expected:
        self.cache.stop()
        self.cache.start()
        with self.cache.client() as client:
            client.set("marked", 1)
        return Expected(told=(("cache", "it was started again at"),), cache="second")

    def cache_reset(self) -> Expected:
        """Redis tells of no reset; it shows in a counter that is less than before."""
        with self.cache.client() as client:
            for _miss in range(20):
                client.get("none")
            self.snapshot()
            client.config_resetstat()
        return Expected(told=(("cache", "were reset in the window"),), cache=None, halves=True)


EVENTS: tuple[Callable[[Life], Expected], ...] = (
    Life.quiet,
    Life.capture,
    Life.overlap,
    Life.restart,
    Life.reset,
    Life.storm,
    Life.set_forward,
    Life.set_back,
    Life.gap,
    Life.stop_at_once,
    Life.crash,
    Life.cache_restart,
    Life.cache_reset,
    Life.overlap,
)


@pytest.fixture
def life(tmp_path: Path) -> Iterator[Life]:
    clock = HostClock(tmp_path)
    settings = {"shared_preload_libraries": "'pg_stat_statements'", "pg_stat_statements.max": "100"}
    postgres = PostgresOfHost(tmp_path / "pg", clock, settings)
    cache = EmbeddedRedis(tmp_path / "redis")
    postgres.create()
    cache.create()
    try:
        postgres.start()
        cache.start()
        query(postgres, "CREATE EXTENSION pg_stat_statements")
        query(postgres, "CREATE TABLE growing AS SELECT generate_series(1, 10)")
        with cache.client() as client:
            client.set("marked", 1)
        redis = {"login_unix_socket": str(cache.socket)}
        agent = Agent(tmp_path, postgres, redis=redis, growth_table="growing", growth_count="exact")
        yield Life(postgres, cache, clock.given_to(agent), clock)
    finally:
        postgres.stop()
        cache.stop()


class Ran(NamedTuple):
    """What was run between two snapshots, and what the window has to say of it."""

    name: str
    calls: dict[str, int]
    hits: int | None
    seconds: float
    expected: Expected


def ran(name: str, before: dict[str, int], after: dict[str, int], seconds: float, expected: Expected) -> Ran:
    both = {mark: before[mark] + after[mark] for mark in MARKED}
    halves = {"both": both, "second": after}
    hits = None if expected.cache is None else halves[expected.cache]["often"]
    return Ran(name, halves[expected.counts], hits, seconds, expected)


def an_hour(life: Life, event: Callable[[Life], Expected], chosen: random.Random) -> list[Ran]:
    """Half of it, the event, the other half and its snapshot."""
    before, after = ({"often": chosen.randint(3, 5), "seldom": chosen.randint(0, 1)} for _half in range(2))
    life.hours = 1
    life.clock.passes(HOUR / 2)
    life.run(before)
    expected = event(life)
    life.run(after)
    life.clock.passes(HOUR / 2)
    life.snapshot()
    check_told(life.agent, event.__name__, expected)
    name, nothing = event.__name__, dict.fromkeys(MARKED, 0)
    if expected.halves:
        return [
            ran(f"before {name}", before, nothing, HOUR / 2, Expected()),
            ran(name, nothing, after, HOUR / 2, expected),
        ]
    return [ran(name, before, after, life.hours * HOUR, expected)]


def check_told(agent: Agent, name: str, expected: Expected) -> None:
    reasons = agent.status()["last_snapshot"]["reasons"]
    for part, words in expected.told:
        assert any(entry["part"] == part and words in entry["reason"] for entry in reasons), (name, reasons)
    parts = {part for part, _words in expected.told}
    assert {entry["part"] for entry in reasons} - {"statements"} <= parts, (name, reasons)


def windows(agent: Agent) -> list[Window]:
    """Between the snapshots of the history, as the agent makes them of it."""
    with agent.store() as store:
        heads = store.heads(FULL)
        documents = [store.document(head["id"]) for head in heads]
    ends = list(zip(documents, heads, strict=True))
    return [between(*earlier, *later, HOUR) for earlier, later in zip(ends, ends[1:], strict=False)]


def check_window(window: Window, ran: Ran) -> None:
    assert window.seconds is not None and abs(window.seconds - ran.seconds) < 300, (ran, window.seconds)
    assert window.found is not None and window.found["statements"] is not None, (ran, window.reasons)
    statements = window.found["statements"]
    for name, number in ran.calls.items():
        rows = [row for row in statements["rows"] if f"sum({name})" in row["query"]]
        counted = sum(row["calls"] for row in rows)
        if counted == number:
            continue
        # Fewer, never more, and the window says so: the statement was dropped, or counts since a later moment.
        unknown = any(f"sum({name})" in row["query"] for row in statements["undetermined"])
        dropped = statements["evictions"] and statements["incomplete"] and (not rows or rows[0]["since"])
        assert ran.expected.loses and counted < number and (unknown or dropped), (ran, name, rows, window.reasons)
    assert window.cache is not None and window.cache["hits"] == ran.hits, (ran, window.cache, window.reasons)
    for part in (statements["total"], *statements["rows"], window.found["database"] or {}):
        assert all(value >= 0 for value in part.values() if isinstance(value, (int, float))), (ran, part)


def check_readings(agent: Agent) -> None:
    with agent.store() as store:
        found = store.readings()
        assert store.problems() == []
    for entry in found:
        for name, reading in entry["readings"].items():
            value = reading["value"]
            assert value is not None or reading["reason"], (entry["taken_at"], name)
            assert value is None or (math.isfinite(value) and value >= 0), (entry["taken_at"], name, value)
            assert value is None or not name.endswith("_percent") or value <= 100, (entry["taken_at"], name, value)


def check_history(life: Life, names: list[str]) -> None:
    """Its table names what happened to time, once each, and the runs that found another one at work are in it."""
    lines = [line for line in life.agent("history").stdout.splitlines() if line.startswith("  ... ")]
    assert [line for line in lines if "without a snapshot" in line] == names.count("gap") * [
        "  ... 5 h without a snapshot; no run was started: look at the schedule"
    ]
    for way, event in (("forward", "set_forward"), ("back", "set_back")):
        told = [line for line in lines if line == f"  ... the clock was set {way} by 2 h"]
        assert len(told) == names.count(event), lines
    assert len(lines) == sum(names.count(name) for name in ("gap", "set_forward", "set_back"))
    with life.agent.store() as store:
        outcomes = [run["outcome"] for run in store.runs(1000, "snapshot")]
    assert outcomes.count("locked") == life.locked == names.count("overlap")
    assert set(outcomes) == {"done", "locked"}


def test_no_window_is_negative_or_counts_twice_whatever_happens_in_it(life: Life) -> None:
    chosen = random.Random(4)
    rounds = scaled(len(EVENTS) + 2, 100)
    events = [*EVENTS, *(chosen.choice(EVENTS) for _number in range(rounds - len(EVENTS)))]
    life.snapshot()
    hours = [part for event in events for part in an_hour(life, event, chosen)]
    found = windows(life.agent)
    assert len(found) == len(hours)
    for window, part in zip(found, hours, strict=True):
        check_window(window, part)
    check_readings(life.agent)
    check_history(life, [event.__name__ for event in events])
