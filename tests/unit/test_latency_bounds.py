# SPDX-License-Identifier: GPL-3.0-or-later
"""_latency: the bounds of a percentile hold whatever the calls were, and are as near as they can be."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import pytest
from ansible_collections.midi.capacity.plugins.module_utils._latency.bounds import Bounds
from ansible_collections.midi.capacity.plugins.module_utils._latency.cells import Cell, difference
from ansible_collections.midi.capacity.plugins.module_utils._latency.estimate import below, estimate
from ansible_collections.midi.capacity.plugins.module_utils._latency.invert import Mixture
from ansible_collections.midi.capacity.plugins.module_utils._latency.rank import rank
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.scale import scaled
from tests.unit.statement_counters import Counters

PERCENTILES = (1, 25, 50, 75, 90, 95, 99, 99.9, 100)
TIME = st.floats(1e-3, 1e6) | st.sampled_from([0.5, 1.0, 2.0, 1000.0])
# Few, or many times the same few: so that there are ranks, ties and two peaks.
TIMES = st.lists(TIME, min_size=1, max_size=12) | st.lists(
    st.tuples(TIME, st.integers(1, 60)).map(lambda found: [found[0]] * found[1]), min_size=1, max_size=4
).map(lambda parts: [time for part in parts for time in part])
# Of one statement: what was before, the windows, and how its shortest and longest are reset.
STATEMENT = st.tuples(
    st.lists(TIME, max_size=5), st.lists(TIMES, min_size=1, max_size=4), st.sampled_from(["never", "before", "within"])
)


def cells_of(before: Sequence[float], windows: Sequence[Sequence[float]], reset: str) -> list[Cell]:
    counters = Counters().count(before)
    cells = []
    for place, window in enumerate(windows):
        if reset == "before":
            counters.reset_minmax(f"reset {place}")
        earlier = counters.read()
        if reset == "within":
            counters.count(window[:1])
            counters.reset_minmax(f"reset {place}")
            counters.count(window[1:])
        else:
            counters.count(window)
        cell = difference(earlier if earlier["calls"] else None, counters.read())
        assert cell is not None
        cells.append(cell)
    return cells


def truth(times: Sequence[float], percentile: float) -> float:
    return sorted(times)[rank(percentile, len(times)) - 1]


@settings(max_examples=scaled(60, 5000))
@given(st.lists(STATEMENT, min_size=1, max_size=4), st.sampled_from([1, 20, 200]))
def test_the_bounds_hold_and_the_estimate_is_within(statements: list[Any], least: int) -> None:
    cells = {place: cells_of(*statement) for place, statement in enumerate(statements)}
    times = [time for _before, windows, _reset in statements for window in windows for time in window]
    found = estimate(cells, PERCENTILES, least)
    assert found["calls"] == len(times)
    estimates = []
    for percentile in PERCENTILES:
        answer = found["percentiles"][f"p{percentile:g}"]
        assert answer["lower_ms"] <= truth(times, percentile) <= answer["upper_ms"], percentile
        assert answer["lower_ms"] <= answer["estimate_ms"] <= answer["upper_ms"], percentile
        estimates.append(answer["estimate_ms"])
    assert estimates == sorted(estimates)


@settings(max_examples=scaled(15, 1000))
@given(st.lists(STATEMENT, min_size=1, max_size=3), st.sampled_from([0.25, 1024.0]))
def test_times_in_another_unit_give_the_same(statements: list[Any], factor: float) -> None:
    def answers(unit: float) -> list[float]:
        cells = {
            place: cells_of(
                [time * unit for time in before], [[time * unit for time in window] for window in windows], reset
            )
            for place, (before, windows, reset) in enumerate(statements)
        }
        return [number for answer in estimate(cells, PERCENTILES)["percentiles"].values() for number in answer.values()]

    # Halving brackets of other numbers ends elsewhere in them.
    assert answers(factor) == pytest.approx([number * factor for number in answers(1)], rel=0.02)


@settings(max_examples=scaled(100, 2000))
@given(st.lists(st.floats(0.01, 1e4), min_size=3, max_size=60), st.data())
def test_the_counts_of_a_cell_hold_everywhere(times: list[float], data: st.DataObject) -> None:
    cell = difference(None, Counters().count(times).read())
    assert cell is not None
    found = Bounds(cell)
    x = data.draw(st.floats(0.005, 2e4) | st.sampled_from(times))
    assert found.least(x) <= sum(time <= x for time in times) <= found.most(x)


@settings(max_examples=scaled(40, 2000))
@given(st.lists(st.tuples(st.floats(0.01, 1e4), st.integers(1, 300)), min_size=2, max_size=3), st.booleans())
def test_they_hold_to_the_last_call(parts: list[tuple[float, int]], wide: bool) -> None:
    """Two or three groups are the extreme cases: what rounding takes away is a call too few or too many."""
    times = [time for time, count in parts for _call in range(count)]
    cell = difference(None, Counters().count(times).read())
    assert cell is not None
    found = Bounds(dataclasses.replace(cell, lowest_ms=0.001, highest_ms=1e6) if wide else cell)
    for time, _count in parts:
        for x in (time, math.nextafter(time, 0)):
            assert found.least(x) <= sum(each <= x for each in times) <= found.most(x)


def made_of(parts: dict[float, int], lowest: float | None = None, highest: float | None = None) -> Bounds:
    """The bounds that the counters of these calls give, in a range that may be wider than theirs."""
    calls = sum(parts.values())
    mean = sum(time * count for time, count in parts.items()) / calls
    squares = sum((time - mean) ** 2 * count for time, count in parts.items())
    return Bounds(Cell(calls, mean, squares, lowest or min(parts), highest or max(parts)))


@pytest.mark.parametrize(
    ("parts", "lowest", "highest"),
    [
        # Two groups of calls are the extreme case of Cantelli's inequality,
        ({10: 90, 40: 10}, 1e-9, 1e9),
        ({10: 5, 40: 95}, 1e-9, 1e9),
        # and three with both ends of the range that of the other parabola.
        ({10: 40, 18: 30, 40: 30}, 10, 40),
        ({1: 10, 5: 80, 9: 10}, 1, 9),
    ],
)
def test_nothing_nearer_would_hold(parts: dict[float, int], lowest: float, highest: float) -> None:
    """Of these calls the counts are exactly what is said to be possible, so every better bound is wrong."""
    found = made_of(parts, lowest, highest)
    times = sorted(parts)
    inner = times[-2]
    assert found.most(inner) == sum(count for time, count in parts.items() if time <= inner)
    # Just below a group, which none of its calls are.
    outer = times[1]
    assert found.least(outer * (1 - 1e-12)) == sum(count for time, count in parts.items() if time < outer)


def test_beyond_the_range_the_counts_are_known() -> None:
    found = made_of({10: 40, 18: 30, 40: 30})
    assert (found.least(9.9), found.most(9.9)) == (0, 0)
    assert (found.least(40), found.most(40)) == (100, 100)


def test_the_bounds_of_a_usual_statement_are_of_use() -> None:
    """10,000 calls of 10 ms on the average, deviation 3 ms: P95 is between 9 and 24 ms, not between 0 and 700."""
    times = [4 + 0.6 * (place % 21) for place in range(10_000)] + [1, 700]
    found = estimate({"a": cells_of([0.5], [times], "before")})["percentiles"]
    assert 8 < found["p95"]["lower_ms"] < found["p95"]["upper_ms"] < 45
    assert found["p50"]["upper_ms"] < 20


@pytest.mark.parametrize("calls", [[7.5], [2.0, 9.0], [1.0, 4.0, 9.0], [1.0, 4.0, 5.0, 9.0]])
def test_few_calls_are_told_exactly(calls: list[float]) -> None:
    found = estimate({"a": cells_of([0.1, 3.0, 100.0], [calls], "before")})
    assert (found["method"], found["confidence"]) == ("exact: each call is known", "usual")
    for name, answer in found["percentiles"].items():
        assert list(answer.values()) == pytest.approx([truth(calls, float(name[1:]))] * 3, rel=1e-9), name


def test_many_statements_of_few_calls_are_told_exactly() -> None:
    windows = {statement: [[1.0 + statement], [2.0 + statement, 50.0]] for statement in range(20)}
    found = estimate({statement: cells_of([], each, "before") for statement, each in windows.items()}, PERCENTILES)
    times = [time for each in windows.values() for window in each for time in window]
    for name, answer in found["percentiles"].items():
        assert list(answer.values()) == pytest.approx([truth(times, float(name[1:]))] * 3, rel=1e-9), name


@pytest.mark.parametrize(
    ("lower", "upper", "limit", "answer"),
    [
        (10, 199.9, 200, "yes"),
        (10, 200, 200, "undecidable"),
        (199.9, 300, 200, "undecidable"),
        (200, 300, 200, "no"),
        (None, None, 200, "undecidable"),
    ],
)
def test_whether_a_percentile_is_below_a_limit(lower: Any, upper: Any, limit: float, answer: str) -> None:
    assert below({"lower_ms": lower, "upper_ms": upper, "estimate_ms": 1}, limit) == answer


@settings(max_examples=scaled(30, 2000))
@given(st.lists(STATEMENT, min_size=1, max_size=2), TIME)
def test_what_is_said_of_a_limit_is_true(statements: list[Any], limit: float) -> None:
    cells = {place: cells_of(*statement) for place, statement in enumerate(statements)}
    times = [time for _before, windows, _reset in statements for window in windows for time in window]
    found = estimate(cells, (95,))["percentiles"]["p95"]
    answer = below(found, limit)
    assert answer == "undecidable" or (answer == "yes") == (truth(times, 95) < limit)


def step(at: float, calls: int) -> Any:
    return lambda x: calls if x >= at else 0


def test_a_mixture_turned_round() -> None:
    mixture = Mixture([step(3, 10), step(50, 5), lambda x: min(85.0, max(0.0, x - 100))], [1.0, 2.0, 60.0])
    found = mixture.brackets([1, 2, 3, 12, 13, 18, 18.5, 60, 103], 0.5, 1000, 0.001, 0)
    for time, ranks in {1: [1], 2: [2], 3: [3, 12], 50: [13], 60: [18]}.items():
        for place in ranks:
            assert found[place].low <= time <= found[place].high <= found[place].low * 1.001
    assert found[1].between == 1 and found[2].between == 2 and found[18].between == 60
    for place in (18.5, 60, 103):
        assert found[place].between == pytest.approx(100 + place - 18, rel=1e-3)
    # Below where it looks.
    assert mixture.brackets([5], 10, 1000, 0.001, 0)[5] == (0, 10, 10)


def test_a_jump_within_a_bracket_is_not_passed_over() -> None:
    mixture = Mixture([lambda x: min(100.0, 100 * math.log10(x))], [5.0] * 50)
    found = mixture.brackets([60, 69, 75, 119, 121], 1, 10, 0.2, 0)
    assert found[69].between == pytest.approx(10**0.69, rel=0.01)
    assert found[75].between == found[119].between == 5
    assert found[121].between == pytest.approx(10**0.71, rel=0.01)


@settings(max_examples=scaled(60, 2000))
@given(TIMES, TIMES)
def test_an_entry_that_came_back_unseen_breaks_nothing(one: list[float], other: list[float]) -> None:
    """Before PostgreSQL 17 nothing says so if it grew enough, and then the two contradict each other."""
    cell = difference(Counters(None).count(one).read(), Counters(None).count(other).read())
    if cell is not None:
        answers = estimate({"a": [cell, cell], "b": [cell]}, PERCENTILES)["percentiles"].values()
        assert all(math.isfinite(number) for answer in answers for number in answer.values())
        assert cell.restarted_calls or cell.calls == len(other) - len(one)
