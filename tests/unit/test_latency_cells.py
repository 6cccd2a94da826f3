# SPDX-License-Identifier: GPL-3.0-or-later
"""_latency.cells: what two readings of an entry say of the calls between them, held against those calls."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import pytest
from ansible_collections.midi.capacity.plugins.module_utils._latency.bounds import Bounds
from ansible_collections.midi.capacity.plugins.module_utils._latency.cells import Cell, difference, merge
from ansible_collections.midi.capacity.plugins.module_utils._latency.known import known_calls
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.scale import scaled
from tests.unit.statement_counters import Counters

TIMES = st.lists(st.floats(1e-3, 1e6), min_size=1, max_size=40)
# Times that differ in their last digits only, which rounding is worst for.
ALIKE = st.floats(1, 1e6).flatmap(
    lambda middle: st.lists(st.floats(middle, middle * (1 + 1e-9)), min_size=1, max_size=20)
)


def between(before: Sequence[float], window: Sequence[float], since: str | None = "09:00") -> Cell:
    counters = Counters(since).count(before)
    earlier = counters.read()
    found = difference(earlier, counters.count(window).read())
    assert found is not None
    return found


def holds(cell: Cell, times: Sequence[float], seen: bool = True) -> None:
    """What the cell says is true of these calls. seen: and its shortest and longest are of them."""
    assert cell.calls == len(times)
    exact = [Fraction(time) for time in times]
    mean = sum(exact) / len(exact)
    assert abs(Fraction(cell.mean_ms) - mean) <= cell.mean_error_ms
    assert abs(Fraction(cell.squares) - sum((time - mean) ** 2 for time in exact)) <= cell.squares_error
    assert cell.lowest_ms <= min(times) and max(times) <= cell.highest_ms
    assert not seen or (cell.min_ms in (None, min(times)) and cell.max_ms in (None, max(times)))


def test_what_happened_between_two_readings() -> None:
    cell = between([1, 2, 3, 10], [4, 6, 8])
    assert (cell.calls, cell.mean_ms, cell.squares) == (3, 6, pytest.approx(8))
    # Of before is the shortest as well as the longest, so no more is certain than what mean and deviation say.
    assert (cell.min_ms, cell.max_ms) == (None, None)
    assert (cell.lowest_ms, cell.highest_ms) == (
        pytest.approx(6 - (8 * 2 / 3) ** 0.5),
        pytest.approx(6 + 5.333**0.5, 1e-3),
    )
    assert cell.restarted_calls == 0
    assert cell.life is not None and (cell.life.calls, cell.life.min_ms, cell.life.max_ms) == (7, 1, 10)


def test_without_a_call_there_is_no_cell() -> None:
    counters = Counters().count([1, 2])
    assert difference(counters.read(), counters.read()) is None
    assert difference(None, Counters().read()) is None


def test_an_entry_that_is_new_has_seen_all_its_calls() -> None:
    cell = difference(None, Counters().count([5, 1, 3]).read())
    assert cell is not None and (cell.calls, cell.mean_ms, cell.min_ms, cell.max_ms) == (3, 3, 1, 5)
    assert cell.min_is_certain and cell.max_is_certain and cell.known_exactly and cell.restarted_calls == 0
    assert cell.life is None


def test_an_entry_that_was_planned_only_is_as_good_as_new() -> None:
    counters = Counters()
    planned = counters.read()
    cell = difference(planned, counters.count([5, 1]).read())
    assert cell is not None and (cell.calls, cell.min_ms, cell.max_ms, cell.restarted_calls) == (2, 1, 5, 0)


@pytest.mark.parametrize(
    ("window", "shortest", "longest"),
    [([4, 60, 8], None, 60), ([4, 0.5, 8], 0.5, None), ([0.5, 60], 0.5, 60), ([4, 10, 1], None, None)],
)
def test_what_goes_beyond_those_of_before_is_of_the_window(
    window: list[float], shortest: float | None, longest: float | None
) -> None:
    cell = between([1, 2, 3, 10], window)
    assert (cell.min_ms, cell.max_ms) == (shortest, longest)
    assert (cell.min_is_certain, cell.max_is_certain) == (shortest is not None, longest is not None)


def test_a_reset_before_the_window_makes_them_its_own() -> None:
    counters = Counters().count([1, 2, 3, 100])
    counters.reset_minmax("10:00")
    earlier = counters.read()
    cell = difference(earlier, counters.count([5, 7, 9]).read())
    assert cell is not None and (cell.min_ms, cell.max_ms, cell.known_exactly) == (5, 9, True)


def test_a_call_between_the_reset_and_the_reading_may_be_their_source() -> None:
    counters = Counters().count([1, 2, 3, 100])
    counters.reset_minmax("10:00")
    earlier = counters.count([4, 50]).read()
    cell = difference(earlier, counters.count([5, 7, 9]).read())
    assert cell is not None and (cell.min_ms, cell.max_ms) == (None, None)
    assert 4 <= cell.lowest_ms <= 5 and 9 <= cell.highest_ms <= 50


def test_after_a_reset_in_the_window_they_prove_nothing() -> None:
    counters = Counters().count([1, 2, 3])
    earlier = counters.read()
    counters.count([900])
    counters.reset_minmax("10:00")
    cell = difference(earlier, counters.count([5, 7, 9]).read())
    assert cell is not None and (cell.min_ms, cell.max_ms) == (5, 9)
    assert not cell.min_is_certain and not cell.max_is_certain
    assert cell.lowest_ms < 5 and cell.highest_ms >= 900
    # And where nothing was called since, there are none.
    counters.reset_minmax("11:00")
    cell = difference(earlier, counters.read())
    assert cell is not None and (cell.min_ms, cell.max_ms) == (None, None) and cell.highest_ms >= 900


def test_reading_before_and_after_the_reset_makes_them_certain() -> None:
    counters = Counters().count([1, 2, 3, 100])
    before = counters.read()
    counters.count([6])
    counters.reset_minmax("10:00")
    after = counters.read()
    end = counters.count([5, 7, 9, 8, 8, 6]).read()
    cells = [cell for cell in (difference(before, after), difference(after, end)) if cell]
    assert [cell.calls for cell in cells] == [1, 6]
    assert cells[1].max_is_certain and (cells[1].min_ms, cells[1].max_ms) == (5, 9)
    assert known_calls(cells[0])[0] == [(pytest.approx(6), pytest.approx(6))]


def reading(**changes: Any) -> dict[str, Any]:
    entry = Counters(None).count([2, 4, 6, 8]).read()
    return {**entry, **changes}


@pytest.mark.parametrize(
    "earlier",
    [
        reading(calls=9),
        reading(total_exec_time=20.1),
        reading(max_exec_time=8.1),
        reading(min_exec_time=1.9, max_exec_time=8.1),
        reading(stddev_exec_time=3),
        # Of before the extension was updated.
        reading(stats_since="09:00", calls=9),
    ],
)
def test_what_never_shrinks_has_shrunk_so_it_is_counted_from_zero(earlier: dict[str, Any]) -> None:
    later = reading()
    cell = difference(earlier, later)
    assert cell is not None and (cell.calls, cell.restarted_calls) == (4, 4)
    assert (cell.mean_ms, cell.min_ms, cell.max_ms) == (5, 2, 8)


def test_before_postgresql_17_entries_do_not_have_their_beginnings() -> None:
    def bare(times: list[float]) -> dict[str, Any]:
        return {name: value for name, value in Counters().count(times).read().items() if not name.endswith("_since")}

    found = difference(bare([5, 9]), bare([5, 9, 20, 6, 7]))
    assert found is not None and (found.calls, found.max_ms, found.restarted_calls) == (3, 20, 0)


def test_a_shortest_call_that_is_longer_than_before_is_one_of_another_entry() -> None:
    cell = difference(
        reading(min_exec_time=1, calls=2, total_exec_time=3, max_exec_time=2, stddev_exec_time=0.5), reading()
    )
    assert cell is not None and (cell.calls, cell.restarted_calls) == (4, 4)


@pytest.mark.parametrize(
    "before",
    [
        # Nothing of these has shrunk. But the calls between would be shorter than the shortest on the average,
        # or longer than the longest,
        Counters(None).count([2] * 7 + [8] * 23),
        Counters(None).count([2] * 23 + [8] * 7),
        # or farther from it than the two allow.
        Counters(None).count([2] + [5] * 28 + [8]),
    ],
)
def test_what_cannot_be_a_difference_is_one_of_another_entry(before: Counters) -> None:
    later = Counters(None).count([2] * 20 + [5] * 4 + [8] * 20)
    assert before.calls < later.calls and before.total < later.total and before.squares < later.squares
    cell = difference(before.read(), later.read())
    assert cell is not None and (cell.calls, cell.restarted_calls) == (44, 44)


def test_an_entry_with_another_beginning_is_counted_from_zero() -> None:
    earlier = Counters("09:00").count([1, 100]).read()
    cell = difference(earlier, Counters("09:30").count([5, 7, 9]).read())
    assert cell is not None and (cell.calls, cell.restarted_calls, cell.min_ms, cell.max_ms) == (3, 3, 5, 9)
    # A reset of the shortest and longest alone is none.
    counters = Counters().count([1, 100])
    earlier = counters.read()
    counters.reset_minmax("10:00")
    cell = difference(earlier, counters.count([50]).read())
    assert cell is not None and (cell.calls, cell.restarted_calls) == (1, 0)


@given(TIMES | ALIKE, TIMES | ALIKE, st.sampled_from([None, "09:00"]))
@example([1e6] * 40, [1e-3, 2e-3], None)
def test_a_difference_is_true_of_the_calls(before: list[float], window: list[float], since: str | None) -> None:
    holds(between(before, window, since), window)


def test_what_rounding_may_do_is_little() -> None:
    """After 20,000 calls; a margin that is too large would make every bound a useless one."""
    found = between([0.5, 2.5] * 10_000, [1, 2, 4] * 100)
    assert found.mean_error_ms < 1e-11 * found.mean_ms and found.squares_error < 1e-9 * found.squares


@settings(max_examples=scaled(60, 2000))
@given(
    st.floats(1, 1e6).flatmap(
        lambda middle: st.lists(
            st.lists(st.floats(middle, middle * (1 + 1e-12)), min_size=5, max_size=20), min_size=2, max_size=4
        )
    )
)
def test_merged_cells_of_calls_that_are_alike_are_true_of_them(windows: list[list[float]]) -> None:
    """Each of an entry of its own, so that nothing but rounding is left of the deviations."""
    cells = [difference(None, Counters().count(window).read()) for window in windows]
    (found,) = merge([cell for cell in cells if cell], 1000)
    holds(found, [time for window in windows for time in window])


# How far off mean and squares are, as parts of what they may be.
OFF = st.tuples(st.floats(-1, 1), st.floats(-1, 1), st.floats(0, 0.2), st.floats(0, 0.2))


def off(times: Sequence[float], mean_off: float, squares_off: float, mean_margin: float, squares_margin: float) -> Cell:
    """A cell of these calls whose mean and squares are off within what it says."""
    mean, squares = statistics.fmean(times), statistics.pvariance(times) * len(times)
    mean_error, squares_error = mean * mean_margin + 1e-9 * mean, squares * squares_margin + 1e-9 * mean**2
    return Cell(
        len(times),
        mean + mean_off * mean_error * 0.99,
        max(0.0, squares + squares_off * squares_error * 0.99),
        *(min(times), max(times)) * 2,
        mean_error,
        squares_error,
    )


@given(st.lists(st.floats(0.01, 100), min_size=1, max_size=20), OFF)
@example([8, 9], (1, 0, 0.125, 0))
def test_what_a_cell_may_be_off_is_minded_throughout(times: list[float], margins: Any) -> None:
    cell = off(times, *margins)
    calls, rest = known_calls(cell)
    left = sorted(times)[1:-1] if len(times) > 1 else times
    if rest is None:
        for time, (low, high) in zip(sorted(times), sorted(calls, key=sum), strict=True):
            assert low * (1 - 1e-9) <= time <= high * (1 + 1e-9)
    else:
        holds(rest, left, seen=False)
    bounds = Bounds(rest or cell)
    for x in times:
        assert bounds.least(x) <= sum(time <= x for time in (left if rest else times)) <= bounds.most(x)


@given(st.lists(st.floats(0.01, 100), min_size=5, max_size=9), OFF, st.lists(st.floats(0.01, 100), min_size=5), OFF)
def test_and_by_sums(times: list[float], margins: Any, others: list[float], other_margins: Any) -> None:
    (found,) = merge([off(times, *margins), off(others, *other_margins)], 1000)
    holds(found, times + others)


@settings(max_examples=scaled(60, 2000))
@given(st.lists(TIMES, min_size=1, max_size=6), st.integers(0, 2), st.integers(1, 60))
def test_merged_cells_are_true_of_all_their_calls(windows: list[list[float]], resets: int, least: int) -> None:
    counters = Counters().count([3, 30, 300])
    cells: list[Cell] = []
    for place, window in enumerate(windows):
        if place < resets:
            counters.reset_minmax(f"10:0{place}")
        earlier = counters.read()
        cell = difference(earlier, counters.count(window).read())
        assert cell is not None
        cells.append(cell)
    found = merge(cells, least)
    assert sum(cell.calls for cell in found) == sum(map(len, windows))
    # Which windows are in which of them: in order, but for those that stay as they are.
    open_windows = [window for window, cell in zip(windows, cells, strict=True) if not cell.known_exactly]
    for cell in found[: len(found) - sum(cell.known_exactly for cell in cells)]:
        times: list[float] = []
        while len(times) < cell.calls:
            times += open_windows.pop(0)
        holds(cell, times)
        assert cell.calls >= least or not open_windows


def cell(calls: int, **more: Any) -> Cell:
    return Cell(calls, 10, 4, 1, 20, **more)


def test_cells_are_merged_until_they_have_enough_calls() -> None:
    assert [found.calls for found in merge([cell(n) for n in (50, 100, 60, 500, 90, 120, 30)])] == [210, 500, 240]
    assert [found.calls for found in merge([cell(n) for n in (50, 60)])] == [110]
    assert [found.calls for found in merge([cell(n) for n in (50, 2, 60, 1)])] == [110, 2, 1]
    assert [found.calls for found in merge([cell(n) for n in (200, 199, 1000)])] == [200, 1199]
    assert merge([]) == []


@pytest.mark.parametrize(
    ("one", "other", "longest"),
    [
        # Both known; one known and beyond what the other can have; and within it.
        ({"max_ms": 20}, {"max_ms": 15, "highest_ms": 15}, 20),
        ({"max_ms": 20}, {"highest_ms": 19}, 20),
        ({"max_ms": 20}, {"highest_ms": 21}, None),
        ({"highest_ms": 19}, {"highest_ms": 21}, None),
    ],
)
def test_the_longest_of_two_cells(one: dict[str, float], other: dict[str, float], longest: float | None) -> None:
    cells = [
        Cell(**{"calls": 9, "mean_ms": 10, "squares": 4, "lowest_ms": 1, "highest_ms": 20, **more})
        for more in (one, other)
    ]
    for order in (cells, cells[::-1]):
        assert [found.max_ms for found in merge(order)] == [longest]
    # The shortest is its mirror image.
    mirrored = [
        Cell(9, 10, 4, 30 - each.highest_ms, 29, None if each.max_ms is None else 30 - each.max_ms) for each in cells
    ]
    assert [found.min_ms for found in merge(mirrored)] == [None if longest is None else 30 - longest]


def test_merging_keeps_what_was_restarted_and_the_newest_life() -> None:
    lives = [cell(100), cell(200)]
    cells = [cell(9, restarted_calls=9, life=lives[0]), cell(8, life=lives[1]), cell(7)]
    (found,) = merge(cells)
    assert found.restarted_calls == 9 and found.life is lives[1]


@settings(max_examples=scaled(60, 2000))
@given(st.lists(st.floats(1e-3, 1e6), min_size=3, max_size=4) | ALIKE.filter(lambda times: len(times) in (3, 4)), TIMES)
def test_few_calls_are_known_exactly(times: list[float], before: list[float]) -> None:
    """Beside the shortest and the longest there are two that mean and deviation tell."""
    counters = Counters().count(before)
    counters.reset_minmax("10:00")
    earlier = counters.read()
    found = difference(earlier, counters.count(times).read())
    assert found is not None and found.known_exactly
    calls, rest = known_calls(found)
    assert rest is None
    for time, (low, high) in zip(sorted(times), sorted(calls), strict=True):
        assert low <= time <= high


@settings(max_examples=scaled(60, 2000))
@given((TIMES | ALIKE).filter(lambda times: len(times) > 4), TIMES)
def test_what_is_left_beside_known_calls_is_true_of_the_others(times: list[float], before: list[float]) -> None:
    counters = Counters().count(before)
    counters.reset_minmax("10:00")
    earlier = counters.read()
    found = difference(earlier, counters.count(times).read())
    assert found is not None
    calls, rest = known_calls(found)
    assert sorted(calls) == [(min(times),) * 2, (max(times),) * 2] and rest is not None
    holds(rest, sorted(times)[1:-1], seen=False)
