# SPDX-License-Identifier: GPL-3.0-or-later
"""Windows held against what really ran: never more of it, never less than nothing, and never without saying why."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.midi.capacity.plugins.module_utils import _moments
from ansible_collections.midi.capacity.plugins.module_utils._agent.latency import latency
from ansible_collections.midi.capacity.plugins.module_utils._agent.window import STEP_SECONDS, STEP_SHARE, between
from ansible_collections.midi.capacity.plugins.module_utils._windows import snapshots
from ansible_collections.midi.capacity.plugins.module_utils._windows.statements import FIGURES, key
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.scale import scaled
from tests.unit.counting_server import BEGIN, CountingServer, Reading, agent_documents, key_of

NAMES = "abcd"
TIMES = st.lists(st.sampled_from([0.5, 1.0, 2.0, 40.0]), min_size=1, max_size=4)
RUNS = st.tuples(st.just("run"), st.sampled_from(NAMES), TIMES)
KNOWN = [("reset_statements",), ("reset_database",), ("crash",), ("stop_at_once",), ("restart",)]
UNSEEN = [("reset_one", name) for name in NAMES] + [("evict",), ("evict",), ("reset_shared",)]
# No two moments are ever the same by the clock.
STEPS = (-90000.37, -3599.71, -40.13, -1.07, 1.09, 40.19, 3600.41, 90000.53)
CLOCK = [("reboot",), *(("set_clock", step) for step in STEPS)]
HOUR = 3600
EXAMPLES = settings(max_examples=scaled(120, 5000), deadline=None)


def steps(*kinds: Any) -> st.SearchStrategy[list[Any]]:
    """What a server lives through: mostly statements, and now and then one of these."""
    return st.lists(RUNS | RUNS | st.sampled_from(kinds) if kinds else RUNS, max_size=10)


def live(server: CountingServer, life: list[Any], seconds: float = HOUR) -> Reading:
    """So long, with these in it; and a look at it then."""
    for name, *arguments in life:
        server.wait(seconds / (len(life) + 1))
        getattr(server, name)(*arguments)
    server.wait(seconds / (len(life) + 1))
    return Reading(server)


def told(reasons: list[dict[str, str]], *parts: str) -> list[str]:
    return [entry["reason"] for entry in reasons if entry["part"] in parts]


def holds(
    server: CountingServer, since: Reading, found: dict[str, Any], reasons: list[dict[str, str]], silent: bool
) -> None:
    """Nothing is negative, nothing counts twice, and what is less than what ran has a reason.

    silent: whether counters of a statement may have been lost without a sign.
    """
    calls, total_ms = server.executed(since)
    assert all(entry["reason"] for entry in reasons)
    part, database = found["statements"], found["database"]
    for name, there in (("statements", part), ("database", database)):
        assert there is not None or told(reasons, name, "window", "server")
        assert there is None or there["seconds"] >= 0
    if part is not None:
        sums = [part["total"], *([part["rest"]] if part["rest"] else []), *part["rows"]]
        assert all(figures[name] >= 0 for figures in sums for name in FIGURES.values())
        assert part["evictions"] >= 0 and part["gone"] >= 0
        for row in part["rows"]:
            ran, took_ms = server.executed(since, row["queryid"])
            assert row["calls"] <= ran and row["total_exec_time_ms"] <= took_ms + 1e-6
        assert part["total"]["calls"] <= calls and part["total"]["total_exec_time_ms"] <= total_ms + 1e-6
        assert part["total"]["calls"] == calls or silent or told(reasons, "statements")
        assert (part["rest"] is None) == bool(part["incomplete"])
        assert all(row["reason"] for row in part["undetermined"])
    if database is not None:
        assert 0 <= database["xact_commit"] <= calls
        assert database["xact_commit"] == calls or told(reasons, "database")


def exact(server: CountingServer, since: Reading, found: dict[str, Any]) -> None:
    calls, total_ms = server.executed(since)
    assert found["statements"]["total"]["calls"] == calls == found["database"]["xact_commit"]
    assert found["statements"]["total"]["total_exec_time_ms"] == pytest.approx(total_ms)
    for row in found["statements"]["rows"]:
        assert row["calls"] == server.executed(since, row["queryid"])[0]


@EXAMPLES
@given(st.booleans(), steps(), steps(), st.integers(0, 4))
def test_where_nothing_is_lost_the_window_is_what_ran(
    since: bool, past: list[Any], life: list[Any], limit: int
) -> None:
    server = CountingServer(since)
    earlier = live(server, past)
    later = live(server, life)
    found = snapshots.window(earlier.document(earlier.most(4)), later.document(later.most(limit)))
    assert found["reasons"] == [] or limit < len(later.rows)
    assert found["seconds"] == HOUR and found["statements"]["incomplete"] is None
    exact(server, earlier, found)


@EXAMPLES
@given(st.booleans(), steps(*KNOWN, *UNSEEN), steps(*KNOWN, *UNSEEN), st.integers(0, 4), st.integers(0, 4))
def test_windows_of_a_server_that_loses_what_it_counted(
    since: bool, past: list[Any], life: list[Any], first: int, second: int
) -> None:
    server = CountingServer(since)
    earlier = live(server, past)
    later = live(server, life)
    found = snapshots.window(earlier.document(earlier.most(first)), later.document(later.most(second)))
    holds(server, earlier, found, found["reasons"], silent=server.forgot(earlier))


@EXAMPLES
@given(
    st.booleans(), steps(*KNOWN, *UNSEEN, *CLOCK), steps(*KNOWN, *UNSEEN, *CLOCK), st.integers(0, 4),
    st.sets(st.sampled_from(NAMES)),
)  # fmt: skip
def test_windows_of_the_agent_whatever_becomes_of_counters_and_clock(
    since: bool, past: list[Any], life: list[Any], limit: int, also: set[str]
) -> None:
    server = CountingServer(since)
    earlier = live(server, past)
    later = live(server, life)
    before, after = agent_documents(earlier, later, limit, {key_of(name): None for name in also})
    window = between(before, earlier.head, after, later.head, HOUR)
    assert (window.found is None) == bool(told(window.reasons, "window"))
    if earlier.head["boot_id"] == later.head["boot_id"]:
        assert window.seconds == pytest.approx(HOUR)
    else:
        assert told(window.reasons, "clock") and (window.seconds is None or window.seconds > 0)
    if window.found is not None:
        # What came and was reset in between nobody saw; and before PostgreSQL 17 one that was reset and did more since
        # looks as if it had gone on.
        silent = server.forgot(earlier, but=earlier.rows if since else ())
        holds(server, earlier, window.found, window.reasons, silent)
        # A step that is no larger than clocks are kept in time is none.
        assert window.found["seconds"] == pytest.approx(window.seconds, abs=max(STEP_SECONDS, STEP_SHARE * HOUR))


@settings(max_examples=scaled(50, 3000), deadline=None)
@given(st.booleans(), st.lists(steps(*KNOWN, *UNSEEN, *CLOCK), min_size=2, max_size=4), st.integers(0, 4))
def test_percentiles_are_over_no_call_that_did_not_run(since: bool, lives: list[list[Any]], limit: int) -> None:
    server = CountingServer(since)
    readings = [live(server, life, 300) for life in lives]
    pairs = [agent_documents(*pair, limit, {}) for pair in zip(readings, readings[1:], strict=False)]
    captures = []
    for place, reading in enumerate(readings):
        # Of what ran before it and of what ran after it.
        ends = [*(pairs[place - 1][1:] if place else ()), *(pair[0] for pair in pairs[place : place + 1])]
        rows = {key(row) for document in ends for row in document["statements"]["rows"]}
        captures.append((reading.head, reading.document(sorted(rows), ends[-1]["statements"].get("absent"))))
    found = latency(captures, limit)
    if found is not None:
        assert found["calls"] <= server.executed(readings[0])[0]
        assert found["covered_percent"] is None or 0 <= found["covered_percent"] <= 100


@given(st.booleans(), steps(), steps(), steps(), st.integers(1, 4))
@settings(max_examples=scaled(40, 1000), deadline=None)
def test_another_server_of_the_same_origin_has_no_window(
    since: bool, past: list[Any], others: list[Any], life: list[Any], limit: int
) -> None:
    """After a failover the same address leads to what was a standby, with counters of its own."""
    server, other = CountingServer(since), CountingServer(since)
    other.started = "2026-10-02T00:00:00.000Z"
    live(other, others)
    earlier = live(server, past)
    server.fail_over(other)
    later = live(server, life)
    before, after = agent_documents(earlier, later, limit, {})
    window = between(before, earlier.head, after, later.head, HOUR)
    assert window.found is not None
    assert window.found["statements"] is None and window.found["database"] is None
    assert "another server" in told(window.reasons, "statements")[0]
    assert latency([(earlier.head, before), (later.head, after)], limit) is None


def test_a_clock_that_shows_an_hour_twice_or_not_at_all_is_none_of_ours() -> None:
    """Summer time ends and begins: the moments of all of it are in UTC, and local time never comes in."""
    for begin in ("2026-10-25T00:30:00.000Z", "2026-03-29T00:30:00.000Z"):
        server = CountingServer(True)
        server.set_clock(_moments.elapsed(BEGIN, begin))
        earlier = live(server, [("run", "a", [1.0])])
        later = live(server, [("run", "a", [1.0, 2.0])])
        before, after = agent_documents(earlier, later, 4, {})
        window = between(before, earlier.head, after, later.head, HOUR)
        assert (window.seconds, window.reasons) == (HOUR, []) and window.found is not None
        exact(server, earlier, window.found)


def test_counters_beyond_what_a_double_holds_are_exact() -> None:
    """Those of PostgreSQL have 64 bits; at their end they would go backwards, and that is unknown."""
    server = CountingServer(True)
    server.run("a", [1.0])
    earlier, later = Reading(server), live(server, [])
    for reading, calls in ((earlier, 2**63 - 3), (later, 2**63 - 1)):
        reading.rows[key_of("a")].update(calls=calls, rows=calls)
    found = snapshots.window(earlier.document([key_of("a")]), later.document([key_of("a")]))
    assert [row["calls"] for row in found["statements"]["rows"]] == [2] == [found["statements"]["total"]["calls"]]
    later.rows[key_of("a")].update(calls=-(2**63))
    found = snapshots.window(earlier.document([key_of("a")]), later.document([key_of("a")]))
    assert found["statements"]["rows"] == [] and len(found["statements"]["undetermined"]) == 1
    assert found["statements"]["incomplete"] and found["statements"]["total"]["calls"] == 0
