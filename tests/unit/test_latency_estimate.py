# SPDX-License-Identifier: GPL-3.0-or-later
"""_latency.estimate: how near it comes to what is known of every call, and what it says about itself."""

from __future__ import annotations

import dataclasses
import math
import random
import statistics
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import pytest
from ansible_collections.midi.capacity.plugins.module_utils._latency.cells import Cell, difference
from ansible_collections.midi.capacity.plugins.module_utils._latency.estimate import below, estimate
from ansible_collections.midi.capacity.plugins.module_utils._latency.fit import fit
from ansible_collections.midi.capacity.plugins.module_utils._latency.rank import rank

from tests.scale import scaled
from tests.unit.statement_counters import Counters
from tests.unit.statement_workloads import WINDOWS, WORKLOADS, Workload, lognormal

SEEDS = range(scaled(1, 25))
# What was before the window, in parts as long as its own.
EARLIER = 6


class Run(NamedTuple):
    cells: dict[str, list[Cell]]
    times: list[float]

    def truth(self, percentile: float) -> float:
        return self.times[rank(percentile, len(self.times)) - 1]


def run(workload: Workload, seed: int, reset: bool, parts: int = WINDOWS) -> Run:
    """A window of this workload, which ran before as well. reset: the shortest and the longest, before each part."""
    chance = random.Random(seed)
    entries: defaultdict[str, Counters] = defaultdict(Counters)
    cells: defaultdict[str, list[Cell]] = defaultdict(list)
    times: list[float] = []
    for part in range(-EARLIER, parts):
        if reset:
            for entry in entries.values():
                entry.reset_minmax(f"part {part}")
        earlier = {statement: entry.read() for statement, entry in entries.items()}
        called: defaultdict[str, list[float]] = defaultdict(list)
        for statement, time in workload(chance, max(part, 0)):
            called[statement].append(time)
        for statement, its_times in called.items():
            entries[statement].count(its_times)
            times += its_times if part >= 0 else []
        for statement, entry in entries.items():
            cell = difference(earlier.get(statement), entry.read()) if part >= 0 else None
            if cell:
                cells[statement].append(cell)
    return Run(dict(cells), sorted(times))


def by_mean_and_deviation(cells: Mapping[str, Sequence[Cell]]) -> float:
    """P95 of a normal distribution: what is done where nobody thought of it."""
    every = [cell for each in cells.values() for cell in each]
    calls = sum(cell.calls for cell in every)
    mean = sum(cell.calls * cell.mean_ms for cell in every) / calls
    variance = sum(cell.squares + cell.calls * (cell.mean_ms - mean) ** 2 for cell in every) / calls
    return mean + 1.645 * math.sqrt(variance)


def near(estimated: float, true: float) -> bool:
    return abs(estimated - true) <= max(true / 4, 1)


class Score(NamedTuple):
    """Shares of runs, and the median relative error."""

    near: float
    error: float


def score(pairs: Sequence[tuple[float, float]]) -> Score:
    return Score(
        statistics.mean(near(*pair) for pair in pairs),
        statistics.median(abs(estimated / true - 1) for estimated, true in pairs),
    )


def scores(reset: bool) -> dict[str, Score]:
    """Of P50, P95 and P99, and of P95 by mean and deviation; on the way all bounds are held against the truth."""
    pairs: defaultdict[str, list[tuple[float, float]]] = defaultdict(list)
    for seed in SEEDS:
        for name, workload in WORKLOADS.items():
            done = run(workload, seed, reset)
            found = estimate(done.cells)
            assert found["calls"] == len(done.times)
            for percentile in (50, 95, 99):
                answer, true = found["percentiles"][f"p{percentile}"], done.truth(percentile)
                assert answer["lower_ms"] <= true <= answer["upper_ms"], (name, seed, percentile)
                pairs[f"p{percentile}"].append((answer["estimate_ms"], true))
            pairs["normal"].append((by_mean_and_deviation(done.cells), done.truth(95)))
    return {name: score(found) for name, found in pairs.items()}


def test_the_estimate_is_near_where_the_longest_calls_are_known() -> None:
    found = scores(reset=True)
    assert found["p95"].near >= 0.85 and found["p95"].error < 0.06
    assert found["p50"].near >= 0.8 and found["p99"].near >= 0.8
    # So it is worth its trouble.
    assert found["normal"].near <= found["p95"].near - 0.12 and found["normal"].error > 2.5 * found["p95"].error


def test_the_estimate_is_of_use_where_they_are_not() -> None:
    found = scores(reset=False)
    assert found["p95"].near >= 0.8 and found["p95"].error < 0.08
    assert found["p50"].near >= 0.75 and found["p99"].near >= 0.75
    assert found["normal"].near <= found["p95"].near - 0.08 and found["normal"].error > 2 * found["p95"].error


def test_the_longest_call_is_what_tells_two_statements_apart() -> None:
    """Of the same mean and deviation: one that waits now and then, and one that is evenly slow."""
    chance = random.Random(2)
    waits = [2000.0 if chance.random() < 0.002 else 10 + chance.random() for _call in range(5000)]
    deviation, mean = statistics.pstdev(waits), statistics.fmean(waits)
    even = [chance.gammavariate((mean / deviation) ** 2, deviation**2 / mean) for _call in range(5000)]
    found = {}
    for name, times in (("waits", waits), ("even", even)):
        cell = difference(None, Counters().count(times).read())
        assert cell is not None
        found[name] = estimate({"a": [cell]})["percentiles"]["p95"]["estimate_ms"]
        assert near(found[name], sorted(times)[rank(95, 5000) - 1]), name
    assert found["waits"] < found["even"] / 2


def test_a_long_tail_behind_an_offset() -> None:
    """Neither from zero nor without a tail: a shape that begins just below the shortest call."""
    done = run(lambda chance, _part: (("a", 20 + lognormal(chance, 6, 1.0)) for _call in range(500)), 1, reset=True)
    found = estimate(done.cells)["percentiles"]
    for percentile in (50, 95, 99):
        # Of what comes on top of the offset.
        estimated, true = found[f"p{percentile}"]["estimate_ms"] - 20, done.truth(percentile) - 20
        assert estimated == pytest.approx(true, rel=0.15), percentile


def test_percentiles_of_few_calls_are_not_shifted() -> None:
    """The fifth of nine calls is their middle, and not what five ninths are below."""
    times = [10 * math.exp(0.5 * statistics.NormalDist().inv_cdf((place - 0.5) / 9)) for place in range(1, 10)]
    cell = difference(None, Counters().count(times).read())
    assert cell is not None
    found = estimate({"a": [cell]}, [(100 * place - 50) / 9 for place in (3, 4, 5, 6, 7)])["percentiles"].values()
    off = [math.log(answer["estimate_ms"] / true) for answer, true in zip(found, times[2:7], strict=True)]
    assert statistics.fmean(off) == pytest.approx(0, abs=0.04)


def test_a_shape_stays_within_the_calls_of_its_cell() -> None:
    cell = difference(None, Counters().count([8, 9, 10, 11, 12]).read())
    assert cell is not None
    count = fit(cell)
    assert count(7.999) == 0 and 0 < count(8) < count(11.999) < 5 and count(12) == 5


def test_no_longest_is_longer_than_any_of_before() -> None:
    cell = Cell(300, 10, 300 * 64, 0.1, 100)
    usual, capped = fit(cell, lambda calls: 1e6), fit(cell, lambda calls: 10)
    assert [usual(x) for x in (1, 10, 30, 90)] == [capped(x) for x in (1, 10, 30, 90)]


def test_the_newest_life_tells_what_is_usual() -> None:
    """As always the mixture has two cells of which the longest is not known; only their lives differ."""
    cell = Cell(300, 10, 300 * 64, 0.1, 5000)
    steady, wild = (Cell(90_000, 10, 90_000 * 64, 0.1, longest, 0.1, longest) for longest in (60, 4000))

    def p99(*lives: Cell) -> float:
        cells = [dataclasses.replace(cell, life=life) for life in lives]
        return float(estimate({"a": cells})["percentiles"]["p99"]["estimate_ms"])

    assert p99(wild, steady) == p99(steady, steady) != p99(steady, wild) == p99(wild, wild)


def test_a_range_from_nothing_hides_no_call() -> None:
    """Nearly all are known; of the others one took a quarter of an hour, and the rest perhaps no time."""
    wide = Cell(5, 200_000, 7.9e11, 0, 1e6)
    cells = [Cell(1, 1.0, 0, 1.0, 1.0, 1.0, 1.0) for _call in range(50)]
    found = estimate({"a": cells, "b": [wide]}, (50,))["percentiles"]["p50"]
    assert found["lower_ms"] == found["upper_ms"] == 1


def test_what_an_estimate_says_about_itself() -> None:
    done = run(WORKLOADS["lognormal"], 1, reset=True)
    found = estimate(done.cells, (50, 99.9))
    assert found["calls"] == 3600 and list(found["percentiles"]) == ["p50", "p99.9"]
    assert found["method"] == "estimated: max-selected mixture of 12 cells"
    assert (found["confidence"], found["reasons"], found["restarted_share_percent"]) == ("usual", [], 0)


def test_without_the_longest_calls_confidence_is_low() -> None:
    found = estimate(run(WORKLOADS["lognormal"], 1, reset=False).cells)
    assert found["confidence"] == "low"
    (reason,) = found["reasons"]
    assert reason.startswith("for ") and reason.endswith("% of the calls the longest one in the window is not known")


def test_calls_that_are_known_exactly_need_no_longest() -> None:
    counters = Counters().count([1, 100])
    cells = []
    for times in ([5], [7, 9], [6]):
        earlier = counters.read()
        cells.append(difference(earlier, counters.count(times).read()))
    found = estimate({"a": [cell for cell in cells if cell]})
    assert (found["calls"], found["method"], found["confidence"]) == (4, "exact: each call is known", "usual")
    assert found["percentiles"]["p50"]["upper_ms"] == pytest.approx(6)


def test_calls_of_entries_that_came_back_are_told() -> None:
    statements: dict[str, list[Cell]] = {}
    for statement, since in (("stayed", "09:00"), ("came back", "09:30")):
        later = Counters(since).count([3.0] * (90 if since == "09:00" else 30) + [9.0])
        cell = difference(Counters("09:00").count([4]).read() if since != "09:00" else None, later.read())
        assert cell is not None
        statements[statement] = [cell]
    found = estimate(statements)
    assert (found["confidence"], found["restarted_share_percent"]) == ("low", 25.41)
    assert found["reasons"] == [
        "25.41 % of the calls are of entries that were evicted or reset in the window, and what these had counted"
        " before is lost"
    ]


@pytest.mark.parametrize("statements", [{}, {"a": []}])
def test_without_a_call_there_is_no_percentile(statements: dict[str, list[Cell]]) -> None:
    found = estimate(statements)
    assert (found["calls"], found["method"], found["restarted_share_percent"]) == (0, "none: there was no call", None)
    nothing = {"estimate_ms": None, "lower_ms": None, "upper_ms": None}
    assert found["percentiles"] == {"p50": nothing, "p95": nothing, "p99": nothing}
    assert below(nothing, 200) == "undecidable"


def test_what_is_no_percentile_is_refused() -> None:
    with pytest.raises(ValueError, match="a percentile is more than 0"):
        estimate({}, (0,))


def test_calls_of_no_time_are_no_trouble() -> None:
    """A clock may be that coarse."""
    cell = difference(None, Counters().count([0.0] * 50).read())
    assert cell is not None
    assert estimate({"a": [cell]})["percentiles"]["p95"] == {"estimate_ms": 0, "lower_ms": 0, "upper_ms": 0}


def test_whether_p95_is_below_a_limit_needs_no_estimate() -> None:
    done = run(WORKLOADS["row locks"], 1, reset=True)
    answer: dict[str, Any] = estimate(done.cells)["percentiles"]["p95"]
    assert below(answer, done.truth(95) * 8) == "yes" and below(answer, done.truth(95) / 20) == "no"
    assert below(answer, done.truth(95)) == "undecidable"
