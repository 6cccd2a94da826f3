# SPDX-License-Identifier: GPL-3.0-or-later
"""_agent.latency: which calls of captures percentiles are over, and how many of all of them that is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from ansible_collections.midi.capacity.plugins.module_utils._agent import counters
from ansible_collections.midi.capacity.plugins.module_utils._agent.latency import latency
from ansible_collections.midi.capacity.plugins.module_utils._query_text import OWN

from tests.unit.baseline_example import baseline, statement
from tests.unit.statement_counters import Counters

LONG_AGO, RESET = "2026-11-12T03:00:00.000Z", "2026-11-24T00:12:00.000Z"
LIMIT = 100


def row(name: str, times: Sequence[float], **more: Any) -> dict[str, Any]:
    """A statement whose calls took so long, all of them."""
    return {**statement(name, 0, 0, queryid=name), **Counters(None).count(times).read(), **more}


def capture(minute: int, *rows: dict[str, Any], others: int = 0, **more: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """others: calls of statements that have no row."""
    at = f"2026-11-24T00:{minute:02}:00.000Z"
    rest = {**counters.total([]), "statements": bool(others), "calls": others}
    statements = {"stats_reset": LONG_AGO, "dealloc": 0, "rows": list(rows), "rest": rest, **more.pop("of", {})}
    server = {**baseline()["snapshot"]["server"], **more.pop("server", {})}
    return {"taken_at": at}, {"taken_at": at, "server": server, "statements": statements, "missing": [], **more}


def absent(name: str) -> dict[str, Any]:
    return {"absent": [{"userid": 10, "dbid": 5, "queryid": name, "toplevel": True}]}


def calls(*captures: Any) -> Any:
    found = latency(captures, LIMIT)
    return found and (found["calls"], found["covered_percent"])


def test_it_is_over_the_calls_between_the_first_capture_and_the_last() -> None:
    found = latency(
        [capture(5, row("a", [9.0])), capture(10, row("a", [9.0, 1.0])), capture(15, row("a", [9.0, 1.0, 3.0]))], LIMIT
    )
    assert found is not None and (found["calls"], found["covered_percent"]) == (2, 100)
    p50, p99 = (found["percentiles"][name] for name in ("p50", "p99"))
    assert p50["lower_ms"] == pytest.approx(1, 0.01) and p99["upper_ms"] == pytest.approx(3, 0.01)


@pytest.mark.parametrize("number", [0, 1])
def test_it_takes_two_captures(number: int) -> None:
    assert latency([capture(5, row("a", [1.0]))] * number, LIMIT) is None


def test_without_a_call_there_is_none_and_all_of_them_are_covered() -> None:
    assert calls(capture(5, row("a", [1.0])), capture(10, row("a", [1.0]))) == (0, None)


@pytest.mark.parametrize(
    "change",
    [
        {"statements": None},
        {"server": {"system_identifier": "1"}},
        {"server": {"version": "17.1", "version_num": 170001}},
        # A standby that took over has counters of its own.
        {"server": {"postmaster_start": "2026-11-13T03:00:00.000Z"}},
    ],
)
def test_of_two_servers_nothing_is_compared(change: dict[str, Any]) -> None:
    def first(minute: int, number: int) -> Any:
        return capture(minute, row("a", [1.0] * number))

    other = capture(10, row("a", [1.0] * 50), **change)
    assert calls(first(5, 1), other) is None
    # What is on either side of it counts.
    assert calls(first(1, 1), first(5, 4), other, first(15, 8), first(20, 9)) == (4, 100)


def test_a_statement_that_nobody_knows_to_be_new_is_left_out() -> None:
    new = row("b", [1.0] * 5)
    before = capture(5, row("a", [1.0]))
    assert calls(before, capture(10, row("a", [1.0] * 2), new)) == (1, 16.67)
    assert calls(capture(5, row("a", [1.0]), of=absent("b")), capture(10, row("a", [1.0] * 2), new)) == (6, 100)


def test_after_a_reset_all_are_new() -> None:
    before = capture(5, row("a", [1.0] * 50), others=900)
    assert calls(before, capture(10, row("a", [1.0] * 2), of={"stats_reset": RESET})) == (2, 100)
    # More than before, which would look as if it had gone on.
    assert calls(before, capture(10, row("a", [1.0] * 60), of={"stats_reset": RESET})) == (60, 100)
    # And of those without a row all count that there are since then.
    assert calls(before, capture(10, row("a", [1.0] * 2), others=98, of={"stats_reset": RESET})) == (2, 2.0)


def test_what_is_of_functions_or_our_own_is_no_call_and_none_that_is_missing() -> None:
    found = calls(
        capture(5, row("a", [1.0]), row("f", [1.0], toplevel=False), row("o", [1.0], query=f"SELECT {OWN} 1")),
        capture(
            10, row("a", [1.0] * 3), row("f", [1.0] * 99, toplevel=False), row("o", [1.0] * 99, query=f"SELECT {OWN} 1")
        ),
    )
    assert found == (2, 100)


@pytest.mark.parametrize(("others", "confident"), [(0, True), (10, True), (12, False), (900, False)])
def test_few_of_all_calls_are_a_weak_basis(others: int, confident: bool) -> None:
    fast = [1.0] * 100
    found = latency([capture(5, of=absent("a")), capture(10, row("a", fast), others=others)], LIMIT)
    assert found is not None and found["covered_percent"] == pytest.approx(100 * 100 / (100 + others), abs=0.01)
    told = f"{found['covered_percent']:g} % of the calls are of the 100 statements with most time"
    assert (found["confidence"] == "usual") == confident == (not any(told in reason for reason in found["reasons"]))
