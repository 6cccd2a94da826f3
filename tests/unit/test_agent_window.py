# SPDX-License-Identifier: GPL-3.0-or-later
"""_agent.window: how long it was by a clock that nobody sets, and what is said of clocks, gaps and reboots."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from ansible_collections.midi.capacity.plugins.module_utils import _moments
from ansible_collections.midi.capacity.plugins.module_utils._agent.window import Window, between
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.baseline_example import CACHE, HOST, baseline, statement

HOUR = 3600.0
BEGIN = "2026-11-24T00:10:00.000Z"
REST = baseline()["snapshot"]["statements"]["rest"]
NO_REST = dict.fromkeys(REST, 0)


def head(passed: float, step: float = 0.0, boot: str = "one", since_boot: float | None = None) -> dict[str, Any]:
    """passed: seconds since the beginning, by the clock that nobody sets; step: what the other one was set by."""
    taken_at = _moments.after(BEGIN, passed + step)
    return {"taken_at": taken_at, "boot_id": boot, "monotonic_seconds": 500.0 + passed if since_boot is None else 9.0}


def document(of: dict[str, Any], **parts: Any) -> dict[str, Any]:
    statements = {"stats_reset": "2026-11-12T03:00:00.000Z", "dealloc": 0, "rows": [], "rest": dict(NO_REST)}
    snapshot = baseline(statements=statements, **parts)["snapshot"]
    return {**snapshot, "taken_at": of["taken_at"]}


def window(passed: float = HOUR, interval: float = HOUR, parts: Any = ({}, {}), **clock: Any) -> Window:
    before, after = head(0), head(passed, **clock)
    return between(document(before, **parts[0]), before, document(after, **parts[1]), after, interval)


def told(found: Window) -> list[tuple[str, str]]:
    return [(entry["part"], entry["reason"]) for entry in found.reasons]


@pytest.mark.parametrize(
    ("clock", "seconds", "reasons"),
    [
        ({}, 3600, []),
        # As much as clocks are put right by and kept in time.
        ({"step": 3.5}, 3600, []),
        ({"step": -3.5}, 3600, []),
        ({"step": 300}, 3600, ["clock: the clock was set forward by 5 min in it"]),
        ({"step": -300}, 3600, ["clock: the clock was set back by 5 min in it"]),
        # Back beyond the beginning: it would be turned round.
        ({"step": -3 * HOUR}, 3600, ["clock: the clock was set back by 3 h in it"]),
        ({"step": 86400.0 * 365}, 3600, ["clock: the clock was set forward by 365 d in it"]),
        ({"passed": 5399}, 5399, []),
        ({"passed": 5401}, 5401, ["gap: 1 h 30 min without a snapshot, at one every 1 h"]),
        ({"passed": 60, "interval": 30}, 60, ["gap: 1 min without a snapshot, at one every 30 s"]),
        (
            {"passed": 3 * HOUR, "step": 300},
            3 * HOUR,
            [
                "clock: the clock was set forward by 5 min in it",
                "gap: 3 h without a snapshot, at one every 1 h",
            ],
        ),
    ],
)
def test_how_long_it_was(clock: dict[str, Any], seconds: float, reasons: list[str]) -> None:
    found = window(**clock)
    assert found.seconds == seconds and [f"{part}: {reason}" for part, reason in told(found)] == reasons
    assert found.found is not None
    # The same of its parts, whose beginning is on the clock of the end.
    for part in (found.found, found.found["statements"], found.found["database"]):
        assert part["seconds"] == pytest.approx(seconds, abs=max(2, seconds / 1000))


REBOOTED = ("clock", "the host was started again in it, so its length is by a clock that may be set")


def test_over_a_reboot_there_is_only_the_clock() -> None:
    found = window(boot="two", since_boot=9)
    assert (found.seconds, told(found)) == (HOUR, [REBOOTED])
    # What the processors did before is in no counter of the second boot.
    host = ({"host": host_of(100)}, {"host": host_of(9000)})
    assert window(boot="two", since_boot=9, parts=host).cpu_busy_percent is None
    assert window(parts=host).cpu_busy_percent is not None


@pytest.mark.parametrize(
    ("step", "why"), [(-HOUR, "less than a second between the two"), (-2 * HOUR, "the earlier one has to come first")]
)
def test_over_a_reboot_with_a_clock_that_went_back_there_is_no_window(step: float, why: str) -> None:
    found = window(step=step, boot="two", since_boot=9)
    assert (found.seconds, found.found) == (None, None)
    assert told(found)[0] == REBOOTED
    assert told(found)[1][0] == "window" and why in told(found)[1][1]


def test_a_clock_that_nobody_sets_and_goes_back_is_of_another_boot() -> None:
    """A container that was moved may keep its boot id."""
    before, after = head(0), {**head(HOUR), "monotonic_seconds": 9.0}
    found = between(document(before), before, document(after), after, HOUR)
    assert (found.seconds, told(found)) == (HOUR, [REBOOTED])


def cache_at(of: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {**copy.deepcopy(CACHE), "taken_at": of["taken_at"][:19] + "Z", **changes}


@pytest.mark.parametrize("step", [0, 300, -300, -3 * HOUR])
def test_the_cache_is_put_on_the_same_clock(step: float) -> None:
    after = head(HOUR, step)
    counters = {**CACHE["counters"], "hits": CACHE["counters"]["hits"] + 8, "misses": CACHE["counters"]["misses"] + 2}
    found = window(step=step, parts=({"redis": cache_at(head(0))}, {"redis": cache_at(after, counters=counters)}))
    assert found.cache is not None and (found.cache["seconds"], found.cache["hit_ratio_percent"]) == (HOUR, 80)
    assert "reasons" not in found.cache


def test_what_is_said_of_the_parts_is_among_the_reasons() -> None:
    after = head(HOUR)
    found = window(
        parts=(
            {"redis": cache_at(head(0)), "missing": [{"part": "statements", "reason": "not loaded"}]},
            {"redis": cache_at(after, run_id="other", uptime_seconds=60)},
        )
    )
    assert [part for part, _reason in told(found)] == ["statements", "cache"]
    assert found.found is not None and "reasons" not in found.found
    # Without a cache at one end there is nothing to say of it.
    for parts in (({"redis": cache_at(head(0))}, {}), ({}, {"redis": cache_at(after)})):
        assert (window(parts=parts).cache, window(parts=parts).reasons) == (None, [])


def test_a_cache_that_was_read_twice_in_a_second_has_no_window() -> None:
    found = window(passed=0.4, parts=({"redis": cache_at(head(0))}, {"redis": cache_at(head(0.4))}))
    assert found.seconds == pytest.approx(0.4) and found.found is not None and found.cache is None
    assert [part for part, _reason in told(found)] == ["cache"]


def host_of(busy_seconds: float, **cpu: Any) -> dict[str, Any]:
    states = {"user": busy_seconds, "system": 0.0, "idle": 16 * HOUR - busy_seconds, "iowait": 0.0}
    return {**copy.deepcopy(HOST), "cpu": {**copy.deepcopy(HOST["cpu"]), "states_seconds": states, **cpu}}


def rows(**calls: int) -> dict[str, Any]:
    return {
        "stats_reset": None, "dealloc": 0, "rest": dict(NO_REST),
        "rows": [statement(name, 10 * number, number, queryid=name) for name, number in calls.items()],
    }  # fmt: skip


def test_rows_that_only_the_earlier_one_has_are_among_the_others() -> None:
    """It has those of the window before it too; they are no statements that are gone."""
    before, after = head(0), head(HOUR)
    earlier, later = document(before), document(after)
    earlier["statements"], later["statements"] = rows(a=1, b=5), rows(a=3)
    later["statements"]["rest"] = {**NO_REST, "statements": 1, "calls": 7, "rows": 7, "total_exec_time": 70,
                                   "shared_blks_hit": 70, "shared_blks_read": 7}  # fmt: skip
    kept = copy.deepcopy(earlier)
    found = between(earlier, before, later, after, HOUR)
    assert earlier == kept
    assert found.found is not None and found.reasons == []
    part = found.found["statements"]
    assert (part["gone"], part["total"]["calls"], part["rest"]["calls"], part["incomplete"]) == (0, 4, 2, None)


@pytest.mark.parametrize("end", [0, 1])
def test_without_statements_at_one_end_the_rest_of_the_window_is_there(end: int) -> None:
    before, after = head(0), head(HOUR)
    ends = [document(before), document(after)]
    ends[end]["statements"] = None
    ends[end]["missing"] = [{"part": "statements", "reason": "not loaded"}]
    found = between(ends[0], before, ends[1], after, HOUR)
    assert found.found is not None and found.found["statements"] is None and found.found["database"] is not None
    assert told(found) == [("statements", f"at the {('beginning', 'end')[end]}: not loaded")]


@given(st.floats(0.01, 1e6), st.floats(-1e8, 1e8), st.booleans(), st.floats(1, 1e5))
def test_no_window_is_negative_or_turned_round(passed: float, step: float, rebooted: bool, interval: float) -> None:
    clock: dict[str, Any] = {"boot": "two", "since_boot": 9} if rebooted else {}
    found = window(passed, interval, step=step, **clock)
    assert found.seconds is None or found.seconds > 0
    if not rebooted:
        assert found.seconds == pytest.approx(passed, abs=1e-6)
    if found.found is None:
        assert any(part == "window" for part, _reason in told(found))
    else:
        assert found.found["from"] < found.found["to"] and found.found["seconds"] > 0
    set_by = [reason for part, reason in told(found) if part == "clock"]
    assert len(set_by) <= 1 and (set_by or abs(step) < max(2.0, passed / 1000) + 0.01)
