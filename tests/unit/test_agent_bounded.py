# SPDX-License-Identifier: GPL-3.0-or-later
"""_agent.bounded and _agent.counters: what a snapshot keeps, and what of the rest is summed up."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from ansible_collections.midi.capacity.plugins.module_utils._agent import counters
from ansible_collections.midi.capacity.plugins.module_utils._agent.bounded import MOST_INDEXES, MOST_TABLES, bounded
from ansible_collections.midi.capacity.plugins.module_utils._windows.statements import Key
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.baseline_example import baseline, index, missing, table

LONG_AGO, LATER = "2026-10-01T00:00:00.000Z", "2026-11-24T00:15:00.123Z"


def snapshot(tables: Any, indexes: Any, **parts: Any) -> dict[str, Any]:
    sizes = {"database_bytes": 1, "tables": tables, "indexes": indexes, "counts": {"tables": 9000}}
    return baseline(sizes=sizes, **parts)["snapshot"]


def test_the_largest_are_kept_and_the_others_counted() -> None:
    tables = [table(f"t{size:04}", size, 1) for size in range(5000)]
    indexes = [index(f"i{size:04}", "t", size) for size in range(101)]
    before = snapshot(tables, indexes)
    kept = copy.deepcopy(before)
    found = bounded(before)
    assert before == kept
    sizes = found["sizes"]
    assert [entry["total_bytes"] for entry in sizes["tables"]] == list(range(4999, 4999 - MOST_TABLES, -1))
    assert sizes["tables_rest"] == {"count": 4900, "bytes": sum(range(4900))}
    assert len(sizes["indexes"]) == MOST_INDEXES and sizes["indexes_rest"] == {"count": 1, "bytes": 0}
    assert (sizes["database_bytes"], sizes["counts"]) == (1, {"tables": 9000})
    assert {**found, "sizes": None} == {**before, "sizes": None}


def test_of_the_same_size_the_name_decides_so_that_it_is_the_same_each_time() -> None:
    names = [f"t{number}" for number in range(300)]
    once, again = (
        bounded(snapshot([table(name, 7, 1) for name in order], []))["sizes"]["tables"]
        for order in (names, names[::-1])
    )
    assert once == again and [entry["name"] for entry in once] == sorted(names)[:MOST_TABLES]


def test_what_was_not_read_stays_so_and_what_has_no_size_is_the_smallest() -> None:
    found = bounded(snapshot(None, None))["sizes"]
    assert [found[name] for name in ("tables", "tables_rest", "indexes", "indexes_rest")] == [None] * 4
    busy = {**table("busy", 0, 1), "total_bytes": None}
    found = bounded(snapshot([busy, table("small", 1, 1)], []))["sizes"]
    assert [entry["name"] for entry in found["tables"]] == ["small", "busy"]
    assert found["tables_rest"] == {"count": 0, "bytes": 0}
    assert bounded(snapshot([busy] * 101, []))["sizes"]["tables_rest"] == {"count": 1, "bytes": 0}


def test_reasons_are_no_longer_than_anybody_reads() -> None:
    found = bounded(snapshot([], [], missing=missing("growth", "x" * 9999, "mend it") + missing("host", "y")))
    assert found["missing"] == [
        {"part": "growth", "reason": "x" * 500, "remedy": "mend it"},
        {"part": "host", "reason": "y", "remedy": ""},
    ]


# Statements.


def row(calls: int, total_ms: float = 0.0, since: str | None = None) -> dict[str, Any]:
    return {**dict.fromkeys(counters.SUMS, 0), "calls": calls, "total_exec_time": total_ms, "stats_since": since}


def key(name: str) -> Key:
    return 10, 5, name, True


@pytest.mark.parametrize(
    ("before", "now", "changed", "spent"),
    [
        (None, row(3, 30.0), True, 30),
        # Planned only, and never run.
        (None, row(0), False, 0),
        (row(3, 30.0), row(3, 30.0), False, 0),
        (row(3, 30.0), row(5, 70.0), True, 40),
        # It began anew: from zero, though nobody knows what it did before that.
        (row(3, 30.0), row(2, 20.0), True, 20),
        (row(3, 30.0, LONG_AGO), row(3, 50.0, LATER), True, 50),
        (row(3, 30.0, LONG_AGO), row(9, 50.0, LATER), True, 50),
        # The extension tells it since it was updated.
        (row(3, 30.0), row(4, 40.0, LONG_AGO), True, 10),
        (row(3, 30.0), row(3, 30.0, LONG_AGO), False, 0),
    ],
)
def test_whether_a_statement_ran_and_how_long(before: Any, now: Any, changed: bool, spent: float) -> None:
    assert (counters.changed(before, now), counters.spent_ms(before, now)) == (changed, spent)


def test_those_that_ran_and_took_most_are_kept() -> None:
    before = {key("idle"): row(9, 9e9), key("a"): row(1, 100.0), key("b"): row(1, 1.0)}
    now = {**before, key("a"): row(2, 101.0), key("b"): row(2, 6.0), key("new"): row(1, 3.0), key("same"): row(1, 3.0)}
    assert counters.kept(before, now, 9) == [key("b"), key("new"), key("same"), key("a")]
    assert counters.kept(before, now, 2) == [key("b"), key("new")]
    assert counters.kept(before, before, 9) == counters.kept(before, now, 0) == []


def test_whose_counters_are_gone() -> None:
    before = {key("a"): row(5, 1.0, LONG_AGO), key("b"): row(5), key("c"): row(5), key("d"): row(5)}
    now = {key("a"): row(9, 1.0, LATER), key("b"): row(4), key("c"): row(6), key("new"): row(1)}
    assert counters.lost(before, now) == 3
    assert counters.lost(before, before) == counters.lost({}, now) == 0


MOMENTS = st.none() | st.sampled_from([LONG_AGO, LATER])
ROWS = st.fixed_dictionaries(
    {name: st.none() | st.integers(0, 2**62) for name in counters.SUMS}
    | {name: st.none() | st.floats(0, 1e9) for name in ("stddev_exec_time", "min_exec_time", "max_exec_time")}
    | {"stats_since": MOMENTS, "minmax_stats_since": MOMENTS}
)


@given(ROWS)
def test_what_goes_into_the_history_s_columns_comes_out(row: dict[str, Any]) -> None:
    columns = counters.to_columns(row)
    assert len(columns) == len(counters.NAMES) and counters.from_columns(columns) == row
    assert not any(isinstance(value, str) for value in columns)
    # What a row does not have is as if nobody knew it.
    fewer = {name: value for name, value in row.items() if value is not None}
    assert counters.to_columns(fewer) == columns


COUNTED = st.builds(row, st.integers(0, 50), st.floats(0, 1e6))


@given(st.lists(COUNTED, max_size=6), st.data())
def test_the_rest_is_what_the_whole_has_beside_the_rows(every: list[dict[str, Any]], data: st.DataObject) -> None:
    chosen = data.draw(st.sets(st.integers(0, 5))) & set(range(len(every)))
    whole = counters.total(every)
    rest = counters.rest(whole, [every[place] for place in chosen])
    others = counters.total([row for place, row in enumerate(every) if place not in chosen])
    assert set(rest) == set(whole) == {"statements", *counters.SUMS}
    assert all(value >= 0 for value in rest.values())
    assert (rest["statements"], rest["calls"]) == (others["statements"], others["calls"])
    assert rest["total_exec_time"] == pytest.approx(others["total_exec_time"], abs=1e-6)


def test_the_total_passes_over_what_nobody_knows() -> None:
    assert counters.total([{**row(3), "wal_bytes": None}, {**row(4), "wal_bytes": 5}])["wal_bytes"] == 5
    assert counters.total([]) == dict.fromkeys(("statements", *counters.SUMS), 0)
