# SPDX-License-Identifier: GPL-3.0-or-later
"""Windows over cumulative counters: what happened between two snapshots, and what cannot be known about it."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from ansible_collections.midi.capacity.plugins.module_utils._windows import caches, snapshots
from ansible_collections.midi.capacity.plugins.module_utils._windows.errors import NotAWindow
from ansible_collections.midi.capacity.plugins.module_utils._windows.reset import UnknownReset, begin
from ansible_collections.midi.capacity.plugins.module_utils._windows.shares import percent
from ansible_collections.midi.capacity.plugins.module_utils._windows.statements import FIGURES
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.baseline_example import CACHE, NO_COUNTERS, baseline, missing, statement

BEGIN, MIDDLE, END = (f"2026-11-24T00:{minute}:00.000Z" for minute in (10, 15, 20))
RESET = "2026-11-24T00:18:00.000Z"
LONG_AGO = "2026-10-01T00:00:00.000Z"
NO_REST = {"statements": 0, "calls": 0, "rows": 0, "total_exec_time": 0, "shared_blks_hit": 0, "shared_blks_read": 0}
NO_REST |= NO_COUNTERS
DATABASE = {"blks_hit": 900, "blks_read": 100, "xact_commit": 50, "temp_bytes": 0, "deadlocks": 2, "numbackends": 9}
DATABASE |= {"blk_read_time": 1.5, "session_time": None, "stats_reset": None}


def row(query: str = "SELECT 1", calls: int = 10, total_ms: float = 100, **more: Any) -> dict[str, Any]:
    return statement(query, total_ms, calls, queryid=query, **more)


def shot(at: str, *rows: dict[str, Any], **parts: Any) -> dict[str, Any]:
    """A snapshot of which all statements have a row. rest, dealloc, reset: what its statements say besides."""
    rest = {**NO_REST, **parts.pop("rest", {})}
    statements = {"stats_reset": parts.pop("reset", LONG_AGO), "dealloc": parts.pop("dealloc", 0), "rest": rest}
    statements["rows"] = list(rows)
    parts = {"database": dict(DATABASE), "statements": statements, **parts}
    return baseline(taken_at=at, **parts)["snapshot"]


def server(**changes: Any) -> dict[str, Any]:
    return {**baseline()["snapshot"]["server"], **changes}


def window(*shots: dict[str, Any]) -> dict[str, Any]:
    return snapshots.window(*shots)


def told(found: dict[str, Any], part: str) -> str:
    return "; ".join(entry["reason"] for entry in found["reasons"] if entry["part"] == part)


def test_what_happened_between_two_snapshots() -> None:
    before = shot(BEGIN, row("a", 10, 100), row("quiet", 5, 5), rest={"statements": 0})
    after = shot(
        END, row("a", 30, 700, shared_blks_hit=150, wal_bytes=7), row("b", 1, 900), row("quiet", 5, 5), database={
            **DATABASE, "blks_hit": 990, "blks_read": 110, "xact_commit": 53, "deadlocks": 2, "blk_read_time": 4.0
        },
    )  # fmt: skip
    found = window(before, after)
    assert (found["from"], found["to"], found["seconds"]) == (BEGIN, END, 600)
    assert found["server"] == {"restarted_at": None, "version": "16.4"}
    assert found["reasons"] == []
    part = found["statements"]
    # Most time first; what did not run is not there.
    assert [(entry["query"], entry["calls"], entry["total_exec_time_ms"]) for entry in part["rows"]] == [
        ("b", 1, 900),
        ("a", 20, 600),
    ]
    a = part["rows"][1]
    assert a["mean_exec_time_ms"] == 30 and a["shared_blks_hit"] == 50 and a["wal_bytes"] == 7 and a["since"] is None
    assert (a["queryid"], a["userid"], a["dbid"], a["toplevel"]) == ("a", 10, 5, True)
    assert (a["user"], a["database"], a["own"]) == ("midiuser", "midi_library", False)
    assert part["total"]["calls"] == 21 and part["total"]["total_exec_time_ms"] == 1500
    assert part["total"]["mean_exec_time_ms"] == pytest.approx(1500 / 21)
    assert part["rest"]["calls"] == 0 and part["rest"]["mean_exec_time_ms"] is None
    assert (part["incomplete"], part["undetermined"], part["gone"], part["evictions"]) == (None, [], 0, 0)
    assert found["database"] == {
        "from": BEGIN,
        "to": END,
        "seconds": 600,
        "blks_hit": 90,
        "blks_read": 10,
        "xact_commit": 3,
        "temp_bytes": 0,
        "deadlocks": 0,
        "blk_read_time_ms": 2.5,
        "hit_ratio_percent": 90.0,
    }


def test_statements_are_told_apart_by_all_of_their_key() -> None:
    keys: list[dict[str, Any]] = [{}, {"userid": 11}, {"dbid": 6}, {"toplevel": False}]
    before = shot(BEGIN, *(row("a", 10, 10, **key) for key in keys))
    after = shot(END, *(row("a", 11 + place, 20, **key) for place, key in enumerate(keys)))
    found = window(before, after)["statements"]["rows"]
    assert sorted(entry["calls"] for entry in found) == [1, 2, 3, 4]


def test_queries_of_snapshots_are_marked() -> None:
    found = window(shot(BEGIN), shot(END, row("SELECT /* midi.capacity */ 1")))
    assert [entry["own"] for entry in found["statements"]["rows"]] == [True]


def test_what_has_no_row_is_in_total_and_rest() -> None:
    before = shot(BEGIN, row("a", 1, 1), rest={"statements": 5, "calls": 50, "total_exec_time": 500})
    after = shot(END, row("a", 2, 3), rest={"statements": 6, "calls": 80, "total_exec_time": 800})
    part = window(before, after)["statements"]
    assert (part["total"]["calls"], part["total"]["total_exec_time_ms"]) == (31, 302)
    assert (part["rest"]["calls"], part["rest"]["total_exec_time_ms"], part["rest"]["mean_exec_time_ms"]) == (
        30,
        300,
        10,
    )


def test_a_row_that_may_have_been_among_the_others_before_is_undetermined() -> None:
    before = shot(BEGIN, rest={"statements": 5, "calls": 50, "total_exec_time": 500})
    after = shot(END, row("a", 60, 600), rest={"statements": 4, "calls": 1, "total_exec_time": 10})
    found = window(before, after)
    assert found["statements"]["rows"] == []
    assert [(entry["query"], entry["reason"]) for entry in found["statements"]["undetermined"]] == [
        ("a", "the earlier snapshot may have had it among those without a row")
    ]
    assert "what one statement did in the window cannot be known" in told(found, "statements")
    # What all of them did is known all the same.
    assert found["statements"]["total"]["calls"] == 11
    # It is new if it says that it counts since a moment in the window.
    after["statements"]["rows"][0]["stats_since"] = MIDDLE
    (entry,) = window(before, after)["statements"]["rows"]
    assert (entry["calls"], entry["since"]) == (60, None)


def test_a_row_that_is_gone() -> None:
    found = window(shot(BEGIN, row("a"), row("b")), shot(END, row("a", 12, 120)))
    assert found["statements"]["gone"] == 1
    assert found["statements"]["incomplete"] == "one statement dropped out"
    assert found["statements"]["rest"] is None
    assert found["statements"]["total"]["calls"] == 2
    assert told(found, "statements") == "at the end there is nothing of one statement any more: dropped"
    # With fewer rows than statements it may be among the others, and the sums are right.
    rest = {"statements": 1, "calls": 15, "total_exec_time": 150, "shared_blks_hit": 150, "shared_blks_read": 15}
    rest["rows"] = 15
    found = window(shot(BEGIN, row("a"), row("b")), shot(END, row("a", 12, 120), rest=rest))
    assert found["statements"]["incomplete"] is None
    assert found["statements"]["total"]["calls"] == 7
    assert told(found, "statements").endswith("any more: dropped, or among those without a row")


def test_statements_without_a_row_that_lost_their_counters_make_the_total_a_lower_bound() -> None:
    """Only the history knows it; the sums grew by more than what the rows did."""
    before = shot(BEGIN, row("a"), rest={"statements": 2, "calls": 10})
    after = shot(END, row("a", 12, 120), rest={"statements": 2, "calls": 90})
    assert window(before, after)["statements"]["total"]["calls"] == 82
    after["statements"]["lost"] = 1
    found = window(before, after)
    assert (found["statements"]["incomplete"], found["statements"]["rest"]) == (
        "the counters of one statement were reset", None,
    )  # fmt: skip
    assert found["statements"]["total"]["calls"] == 2
    assert told(found, "statements") == "the counters of one statement were reset, with what was done until then"
    # After a reset of all that is no news.
    after["statements"].update(stats_reset=RESET, lost=9)
    assert window(before, after)["statements"]["incomplete"] is None


def test_evictions_make_the_total_a_lower_bound() -> None:
    found = window(shot(BEGIN, row("a"), dealloc=3), shot(END, row("a", 12, 120), dealloc=5))
    part = found["statements"]
    assert (part["evictions"], part["rest"], part["total"]["calls"]) == (2, None, 2)
    assert part["incomplete"] == "statements were dropped 2 times to make room for others"
    assert "with what they had done" in told(found, "statements")


def test_an_entry_that_came_back_counts_from_then_on() -> None:
    old = row("a", 10, 100, stats_since=LONG_AGO)
    found = window(shot(BEGIN, old), shot(END, row("a", 12, 120, stats_since=MIDDLE)))
    (entry,) = found["statements"]["rows"]
    assert (entry["calls"], entry["since"]) == (12, MIDDLE)
    assert found["statements"]["incomplete"] == "statements were reset one by one"
    assert "of one statement the counters began anew in the window" in told(found, "statements")
    # It was without a row before, and statements were dropped: it may be new or back.
    before = shot(BEGIN, rest={"statements": 5})
    (entry,) = window(before, shot(END, row("a", 12, stats_since=MIDDLE), dealloc=1))["statements"]["rows"]
    assert entry["since"] == MIDDLE
    # Without a row before, and of a moment after the end: nobody knows on which side of the step it began.
    later = shot(END, row("a", 12, stats_since="2026-11-24T09:00:00.000Z"))
    assert len(window(before, later)["statements"]["undetermined"]) == 1
    assert window(before, later)["statements"]["rows"] == []
    # The same entry as before is no new one.
    (entry,) = window(shot(BEGIN, old), shot(END, {**old, "calls": 11}))["statements"]["rows"]
    assert (entry["calls"], entry["since"]) == (1, None)


@pytest.mark.parametrize("backwards", [{"calls": 9}, {"total_ms": 50}, {"wal_bytes": 1}])
def test_a_counter_that_went_backwards_is_never_guessed(backwards: dict[str, Any]) -> None:
    before = row("a", 10, 100, wal_bytes=2)
    after = {"calls": 20, "total_ms": 200, "wal_bytes": 2, **backwards}
    found = window(shot(BEGIN, before), shot(END, row("a", **after)))
    assert found["statements"]["rows"] == []
    assert [entry["reason"] for entry in found["statements"]["undetermined"]] == [
        "its counters began anew in the window, at an unknown time"
    ]
    assert found["statements"]["incomplete"]


def test_sums_that_went_backwards_are_no_total() -> None:
    before = shot(BEGIN, row("a"), rest={"statements": 2, "calls": 90})
    found = window(before, shot(END, row("a", 11, 110), rest={"statements": 2, "calls": 5}))
    assert found["statements"]["incomplete"] == "the sum of all statements grew by less than that of the rows"
    assert found["statements"]["total"]["calls"] == 1


def test_a_reset_makes_the_window_shorter() -> None:
    before = shot(BEGIN, row("a", 100, 1000), row("b"), dealloc=9)
    after = shot(END, row("a", 3, 30), reset=RESET, database={**DATABASE, "blks_hit": 5, "stats_reset": RESET})
    found = window(before, after)
    part = found["statements"]
    assert (part["from"], part["to"], part["seconds"]) == (RESET, END, 120)
    assert [(entry["calls"], entry["since"]) for entry in part["rows"]] == [(3, None)]
    assert (part["gone"], part["evictions"], part["incomplete"], part["total"]["calls"]) == (0, 0, None, 3)
    assert (found["database"]["from"], found["database"]["seconds"], found["database"]["blks_hit"]) == (RESET, 120, 5)
    for name in ("statements", "database"):
        assert told(found, name) == "its counters were reset at 2026-11-24 00:18:00 UTC and count from then on"


def test_a_crash_makes_the_window_of_the_database_shorter() -> None:
    begun, ended = server(counters_since=LONG_AGO), server(counters_since=RESET)
    # One that is less than before proves that all of them began anew.
    later = shot(END, server=ended, reset=RESET, database={**DATABASE, "xact_commit": 70, "deadlocks": 1})
    found = window(shot(BEGIN, server=begun), later)
    assert (found["database"]["from"], found["database"]["xact_commit"]) == (RESET, 70)
    assert "its counters were reset at 2026-11-24 00:18:00 UTC" in told(found, "database")
    # Its own reset came later.
    later["database"]["stats_reset"] = "2026-11-24T00:19:00.000Z"
    assert window(shot(BEGIN, server=begun), later)["database"]["seconds"] == 60
    # Snapshots of before do not say it.
    assert window(shot(BEGIN), later)["database"]["seconds"] == 60


def test_what_may_have_been_a_crash_or_not_is_never_counted_twice() -> None:
    """pg_stat_reset_shared() moves the time of the cluster's counters as a crash does, and no database loses any."""
    begun, ended = server(counters_since=LONG_AGO), server(counters_since=RESET)
    more = {**DATABASE, "xact_commit": 70}
    # The statements were there all the time, so there was no crash.
    found = window(shot(BEGIN, server=begun), shot(END, server=ended, database=more))
    assert (found["database"]["from"], found["database"]["xact_commit"], found["reasons"]) == (BEGIN, 20, [])
    # They were reset as well, or nobody could look at them.
    for other in ({"reset": RESET}, {"statements": None}):
        found = window(shot(BEGIN, server=begun), shot(END, server=ended, database=more, **other))
        assert found["database"] is None
        assert told(found, "database").startswith("a crash may have lost its counters in the window, or somebody")


def test_a_stop_in_mode_immediate_loses_the_counters_of_the_database_alone() -> None:
    begun, ended = server(counters_since=LONG_AGO), server(counters_since=RESET, postmaster_start=RESET)
    less = {**DATABASE, "xact_commit": 7, "deadlocks": 1}
    found = window(shot(BEGIN, server=begun), shot(END, server=ended, database=less))
    assert (found["database"]["from"], found["database"]["xact_commit"]) == (RESET, 7)
    # What has grown past what it was does not show it.
    found = window(shot(BEGIN, server=begun), shot(END, server=ended, database={**DATABASE, "xact_commit": 70}))
    assert found["database"] is None and "a crash may have lost its counters" in told(found, "database")
    assert found["statements"]


def test_a_database_that_was_made_again_is_another_one() -> None:
    """Its counters may have grown past those of the first, and no time of a reset tells."""
    ends = [shot(at, database={**DATABASE, "datid": datid}) for at, datid in ((BEGIN, 5), (END, 6))]
    found = window(*ends)
    assert found["database"] is None
    assert told(found, "database") == "another database of the same name: it was dropped and made again"
    assert found["statements"]


NOT_THERE = "the time of their reset has changed, to one that is not in the window"
CLOCK_WAS_SET = "the time of their reset is after the end of the window: the clock was set"
RESETS: list[tuple[str | None, str | None, str | None]] = [
    # Before, then, and since when the counters count or why nobody knows.
    (None, None, None),
    (LONG_AGO, LONG_AGO, None),
    # The clock was set back after a reset: the same is the same.
    ("2027-01-01T00:00:00.000Z", "2027-01-01T00:00:00.000Z", None),
    (None, MIDDLE, MIDDLE),
    (LONG_AGO, MIDDLE, MIDDLE),
    ("2027-01-01T00:00:00.000Z", MIDDLE, MIDDLE),
    (LONG_AGO, END, END),
    (LONG_AGO, BEGIN, NOT_THERE),
    (LONG_AGO, "2026-09-01T00:00:00.000Z", NOT_THERE),
    (LONG_AGO, None, NOT_THERE),
    (LONG_AGO, "2026-11-24T00:20:00.001Z", CLOCK_WAS_SET),
    (None, "2027-01-01T00:00:00.000Z", CLOCK_WAS_SET),
]


@pytest.mark.parametrize(("before", "after", "expected"), RESETS)
def test_from_when_on_counters_count(before: str | None, after: str | None, expected: str | None) -> None:
    if expected in (NOT_THERE, CLOCK_WAS_SET):
        with pytest.raises(UnknownReset, match=f"^{expected}$"):
            begin(before, after, BEGIN, END)
    else:
        assert begin(before, after, BEGIN, END) == expected


@pytest.mark.parametrize(("before", "after", "reason"), [one for one in RESETS if one[2] in (NOT_THERE, CLOCK_WAS_SET)])
def test_a_reset_outside_the_window_bars_the_part(before: str | None, after: str | None, reason: str) -> None:
    ends = [{**DATABASE, "stats_reset": reset} for reset in (before, after)]
    found = window(shot(BEGIN, database=ends[0]), shot(END, database=ends[1]))
    assert found["database"] is None and found["statements"] is not None and told(found, "database") == reason
    found = window(shot(BEGIN, reset=before), shot(END, reset=after))
    assert found["statements"] is None and found["database"] is not None and told(found, "statements") == reason


def test_counters_of_the_database_that_went_backwards_bar_it() -> None:
    found = window(shot(BEGIN), shot(END, database={**DATABASE, "xact_commit": 49}))
    assert found["database"] is None
    assert told(found, "database") == "counters began anew at an unknown time: xact_commit was 50, then 49"


def test_a_database_without_a_block_has_no_ratio() -> None:
    assert window(shot(BEGIN), shot(END))["database"]["hit_ratio_percent"] is None


def test_a_restart_is_told_and_the_counters_that_outlived_it_count() -> None:
    found = window(shot(BEGIN, row()), shot(END, row(calls=11, total_ms=110), server=server(postmaster_start=RESET)))
    assert found["server"]["restarted_at"] == RESET
    assert told(found, "server").startswith("it was started again at 2026-11-24 00:18:00 UTC; counters outlive a stop")
    assert found["statements"]["total"]["calls"] == 1


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"version": "16.5", "version_num": 160005}, "its version was 16.4, then 16.5"),
        ({"in_recovery": True}, "it was promoted, or this is another server of the same origin"),
    ],
)
def test_a_change_that_bars_nothing_is_told(change: dict[str, Any], reason: str) -> None:
    found = window(shot(BEGIN), shot(END, server=server(**change)))
    assert told(found, "server").startswith(reason)
    assert found["statements"] and found["database"]
    assert found["server"]["version"] == (None if "version" in change else "16.4")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (server(system_identifier="1"), "another server: system identifier 7711527333102537146, then 1"),
        (server(version="17.1", version_num=170001), "another major version: PostgreSQL 16.4, then 17.1"),
        (None, "which server it was could not be read at one of the two ends"),
    ],
)
def test_another_server_has_no_window(change: dict[str, Any] | None, reason: str) -> None:
    found = window(shot(BEGIN, row()), shot(END, row(calls=11, total_ms=110), server=change))
    assert found["statements"] is None and found["database"] is None and found["server"]["restarted_at"] is None
    assert told(found, "statements") == told(found, "database") == reason


def test_a_server_that_ran_at_the_beginning_already_is_another_one() -> None:
    """A standby took over: the identifier is the same, and the counters are its own."""
    found = window(shot(BEGIN, row()), shot(END, row(calls=11, total_ms=110), server=server(postmaster_start=LONG_AGO)))
    assert found["statements"] is None and found["database"] is None and found["server"]["restarted_at"] is None
    assert (
        told(found, "statements")
        == told(found, "database")
        == (
            "another server of the same origin, or the clock was set: it has run since 2026-10-01 00:00:00 UTC,"
            " and the one at the beginning since 2026-11-12 03:00:00 UTC"
        )
    )


def test_fewer_evictions_than_before_are_none() -> None:
    found = window(shot(BEGIN, row(), dealloc=9), shot(END, row(calls=11, total_ms=110), dealloc=0))
    assert found["statements"] is None
    assert told(found, "statements").endswith("at an unknown time: fewer evictions are counted than before")


def test_another_database_bars_the_database_only() -> None:
    found = window(shot(BEGIN), shot(END, server=server(database="other")))
    assert found["statements"] and found["database"] is None
    assert told(found, "database") == "another database: midi_library, then other"


def test_what_could_not_be_read_says_why() -> None:
    hidden = shot(BEGIN, row(), missing=missing("statements", "some are hidden"))
    found = window(hidden, shot(END, row()))
    assert found["statements"]["total"]["calls"] == 0
    assert told(found, "statements") == "at the beginning: some are hidden"
    absent = shot(END, statements=None, database=None, missing=missing("statements", "not loaded"))
    found = window(shot(BEGIN), absent)
    assert found["statements"] is None and found["database"] is None
    assert told(found, "statements") == "at the end: not loaded"


@pytest.mark.parametrize(
    ("later", "told"),
    [
        (BEGIN, "there is less than a second between the two, both of 20"),
        (LONG_AGO, "the earlier one has to come first"),
    ],
)
def test_without_time_between_them_there_is_no_window(later: str, told: str) -> None:
    with pytest.raises(NotAWindow, match=told):
        window(shot(BEGIN), shot(later))
    with pytest.raises(NotAWindow, match=told):
        caches.window(cache(BEGIN), cache(later))


def cache(at: str, **changes: Any) -> dict[str, Any]:
    return {**copy.deepcopy(CACHE), "taken_at": at.replace(".000", ""), **changes}


COUNTERS = {"hits": 830080, "misses": 170020, "evicted_keys": 1207, "expired_keys": 34001, "total_commands": 1500150}


def test_what_a_cache_did() -> None:
    assert caches.window(cache(BEGIN), cache(END, counters=COUNTERS)) == {
        "from": "2026-11-24T00:10:00Z",
        "to": "2026-11-24T00:20:00Z",
        "seconds": 600,
        "hits": 80,
        "misses": 20,
        "evicted_keys": 7,
        "expired_keys": 1,
        "total_commands": 150,
        "hit_ratio_percent": 80.0,
        "reasons": [],
    }


def test_a_cache_without_lookups_has_no_ratio() -> None:
    found = caches.window(cache(BEGIN), cache(END))
    assert (found["hits"], found["hit_ratio_percent"]) == (0, None)


def test_a_counter_of_the_cache_that_nobody_knows() -> None:
    found = caches.window(cache(BEGIN), cache(END, counters={**COUNTERS, "misses": None}))
    assert (found["hits"], found["misses"], found["hit_ratio_percent"]) == (80, None, None)


def test_a_cache_that_was_started_again_counts_from_then_on() -> None:
    found = caches.window(cache(BEGIN), cache(END, run_id="new", uptime_seconds=120, counters=COUNTERS))
    assert (found["from"], found["seconds"], found["hits"]) == ("2026-11-24T00:18:00Z", 120, 830080)
    assert "started again at 2026-11-24 00:18:00 UTC" in found["reasons"][0]["reason"]


CACHES_NOT_COMPARABLE = [
    ({"run_id": "new", "uptime_seconds": 86400}, "another Redis"),
    ({"run_id": "new", "uptime_seconds": None}, "it was started again, at an unknown time"),
    ({"run_id": "new", "uptime_seconds": -9}, "it was started again, at an unknown time: since then the clock was set"),
    ({"run_id": None}, "whether it is the same process is unknown"),
    ({"counters": {**COUNTERS, "hits": 3}}, "its counters were reset in the window (CONFIG RESETSTAT)"),
]


@pytest.mark.parametrize(("changes", "reason"), CACHES_NOT_COMPARABLE)
def test_a_cache_that_cannot_be_compared_has_no_figures(changes: dict[str, Any], reason: str) -> None:
    found = caches.window(cache(BEGIN), cache(END, **changes))
    figures = {name: found[name] for name in (*COUNTERS, "hit_ratio_percent")}
    assert set(figures.values()) == {None}
    assert [entry["part"] for entry in found["reasons"]] == ["cache"]
    assert found["reasons"][0]["reason"].startswith(reason)


def test_percent() -> None:
    assert [percent(1, 3), percent(0, 5), percent(1, 0), percent(None, 1), percent(1, None)] == [
        33.33,
        0.0,
        None,
        None,
        None,
    ]


WORK = st.dictionaries(st.sampled_from("abcdef"), st.tuples(st.integers(0, 50), st.integers(0, 10**6)), max_size=6)


def after_work(at: str, state: dict[str, tuple[int, int]], kept: int) -> dict[str, Any]:
    """A snapshot of a server that did this; the statements with least time are in its rest."""
    ordered = sorted(state.items(), key=lambda entry: (-entry[1][1], entry[0]))
    others = ordered[kept:]
    calls, total_ms = (sum(figures[place] for _query, figures in others) for place in (0, 1))
    blocks = {"shared_blks_hit": 10 * calls, "shared_blks_read": calls}
    rest = {"statements": len(others), "calls": calls, "rows": calls, "total_exec_time": total_ms, **blocks}
    rows = [row(query, calls, total) for query, (calls, total) in ordered[:kept]]
    return shot(at, *rows, rest=rest, database={**DATABASE, "xact_commit": sum(done for done, _ms in state.values())})


def grown(state: dict[str, tuple[int, int]], work: dict[str, tuple[int, int]]) -> dict[str, tuple[int, int]]:
    names = {*state, *work}
    nothing = (0, 0)
    return {
        name: (
            state.get(name, nothing)[0] + work.get(name, nothing)[0],
            state.get(name, nothing)[1] + work.get(name, nothing)[1],
        )
        for name in names
    }


@given(WORK, WORK, WORK, st.integers(0, 6))
def test_windows_add_up(past: Any, first: Any, second: Any, kept: int) -> None:
    states = [past, grown(past, first), grown(grown(past, first), second)]
    shots = [after_work(at, state, kept) for at, state in zip((BEGIN, MIDDLE, END), states, strict=True)]
    parts = [window(*pair) for pair in ((shots[0], shots[1]), (shots[1], shots[2]), (shots[0], shots[2]))]
    one, two, both = ({**part["statements"], "commits": part["database"]["xact_commit"]} for part in parts)
    assert one["commits"] + two["commits"] == both["commits"]
    assert one["incomplete"] is two["incomplete"] is both["incomplete"] is None
    for name in FIGURES.values():
        assert one["total"][name] + two["total"][name] == both["total"][name]
    if kept == 6:
        figures = [{entry["query"]: entry for entry in part["rows"]} for part in (one, two, both)]
        assert set(figures[0]) | set(figures[1]) == set(figures[2])
        for query, entry in figures[2].items():
            for name in FIGURES.values():
                assert entry[name] == sum(part[query][name] for part in figures[:2] if query in part)


@given(WORK, WORK, st.integers(0, 6), st.booleans())
def test_nothing_is_ever_negative_and_rows_never_exceed_the_total(
    first: Any, second: Any, kept: int, evicted: bool
) -> None:
    """The second state has nothing to do with the first: as after evictions, resets and whatever else."""
    later = after_work(END, second, kept)
    later["statements"]["dealloc"] = int(evicted)
    # The same commits, so that only statements are what is odd here.
    later["database"] = earlier_database = dict(DATABASE)
    earlier = {**after_work(BEGIN, first, kept), "database": earlier_database}
    part = window(earlier, later)["statements"]
    for entry in [*part["rows"], part["total"], *([part["rest"]] if part["rest"] else [])]:
        assert all(entry[name] >= 0 for name in FIGURES.values())
    for name in FIGURES.values():
        assert sum(entry[name] for entry in part["rows"]) <= part["total"][name]
