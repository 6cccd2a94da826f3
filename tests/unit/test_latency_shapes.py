# SPDX-License-Identifier: GPL-3.0-or-later
"""_latency: special functions against known values and identities, and shapes against what they are made from."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
from ansible_collections.midi.capacity.plugins.module_utils._latency import gamma, normal
from ansible_collections.midi.capacity.plugins.module_utils._latency.groups import two_groups
from ansible_collections.midi.capacity.plugins.module_utils._latency.rank import rank
from ansible_collections.midi.capacity.plugins.module_utils._latency.shapes import (
    Shape,
    beyond_longest,
    gamma_shape,
    lognormal_shape,
)
from hypothesis import given
from hypothesis import strategies as st

SHAPES = st.floats(0.05, 99)


@pytest.mark.parametrize(
    ("shape", "x", "lower", "upper"),
    [
        # scipy 1.17: gammainc, gammaincc
        (0.01, 0.5, 0.9943732438060326, 0.005626756193967183),
        (0.3, 0.001, 0.1402424589248674, 0.8597575410751326),
        (2.5, 7, 0.9843905838997331, 0.01560941610066691),
        (30, 20, 0.021818217525557418, 0.9781817824744425),
        (99, 120, 0.9778065057793996, 0.022193494220600414),
    ],
)
def test_the_incomplete_gamma_function(shape: float, x: float, lower: float, upper: float) -> None:
    assert gamma.lower(shape, x) == pytest.approx(lower, rel=1e-8)
    assert gamma.upper(shape, x) == pytest.approx(upper, rel=1e-8)


@pytest.mark.parametrize(
    ("shape", "x", "lower"),
    [
        (100, 100, 0.5132987982791487),
        (100, 130, 0.9972495916326934),
        (1000, 950, 0.055054686230738045),
        (1e6, 1e6 + 1500, 0.9331388957641022),
    ],
)
def test_of_large_shapes(shape: float, x: float, lower: float) -> None:
    assert gamma.lower(shape, x) == pytest.approx(lower, abs=1e-6)


@given(st.floats(0, 50))
def test_where_it_is_an_elementary_function(x: float) -> None:
    assert gamma.lower(1, x) == pytest.approx(-math.expm1(-x), abs=1e-9)
    assert gamma.lower(0.5, x) == pytest.approx(math.erf(math.sqrt(x)), abs=1e-9)


@given(SHAPES, st.floats(1e-3, 200))
def test_its_recurrence(shape: float, x: float) -> None:
    """DLMF 8.8.5. It links the series, the fraction and, at the upper end, the expansion."""
    term = math.exp(shape * math.log(x) - x - math.lgamma(shape + 1))
    assert gamma.lower(shape + 1, x) == pytest.approx(gamma.lower(shape, x) - term, abs=1e-6)


@given(SHAPES | st.floats(100, 1e5), st.floats(0.01, 3), st.floats(1, 2))
def test_it_is_a_share_and_grows(shape: float, part: float, factor: float) -> None:
    low, high = gamma.lower(shape, shape * part), gamma.lower(shape, shape * part * factor)
    assert 0 <= low <= high + 1e-9 and high <= 1
    assert gamma.upper(shape, shape * part) == pytest.approx(1 - low, abs=1e-9)
    assert gamma.lower(shape, 0) == 0 and gamma.upper(shape, -1) == 1


@given(st.floats(0.1, 99) | st.floats(100, 1e6), st.floats(1e-8, 0.2))
def test_its_quantile_turns_it_round(shape: float, tail: float) -> None:
    x = gamma.upper_quantile(shape, tail)
    assert gamma.upper(shape, x * 0.998) >= tail >= gamma.upper(shape, x * 1.002)


@pytest.mark.parametrize(("z", "below"), [(0, 0.5), (1.6448536269514722, 0.95), (-8, 6.220960574271785e-16)])
def test_the_normal_distribution(z: float, below: float) -> None:
    assert normal.cdf(z) == pytest.approx(below, rel=1e-12)
    assert normal.upper_quantile(1 - below) == pytest.approx(z, abs=1e-9) or z < -5


@pytest.mark.parametrize(
    ("percentile", "calls", "place"),
    [(50, 1, 1), (50, 2, 1), (50, 3, 2), (95, 20, 19), (95, 21, 20), (99, 100, 99), (99.9, 1000, 999), (100, 7, 7)]
    # In floats the first would be one more.
    + [(99.9, 41_000, 40_959), (55, 100, 55), (0.1, 1000, 1), (0.1, 1001, 2), (95, 0, 0)],
)
def test_which_call_a_percentile_is(percentile: float, calls: int, place: int) -> None:
    assert rank(percentile, calls) == place


@pytest.mark.parametrize("percentile", [0, -1, 100.1])
def test_what_is_no_percentile(percentile: float) -> None:
    with pytest.raises(ValueError, match=f"a percentile is more than 0 and at most 100, not {percentile}"):
        rank(percentile, 10)


def moments(below: Callable[[float], float], begin: float, end: float) -> tuple[float, float]:
    """Mean and deviation, by the areas above the curve of the shares."""
    steps = 4000
    ratio = (end / begin) ** (1 / steps)
    mean, square, x = begin, begin**2, begin
    for _step in range(steps):
        following = x * ratio
        above = 1 - below((x + following) / 2)
        mean += above * (following - x)
        square += above * (following**2 - x**2)
        x = following
    return mean, math.sqrt(square - mean**2)


@pytest.mark.parametrize("make", [gamma_shape, lognormal_shape])
@pytest.mark.parametrize(("deviation", "begin"), [(4, 0), (15, 0), (4, 5)])
def test_shapes_have_the_moments_that_they_are_made_with_and_know_their_longest(
    make: Callable[[float, float, float], Shape], deviation: float, begin: float
) -> None:
    shape = make(10, deviation, begin)
    assert moments(shape.below, 1e-6, 1e4) == pytest.approx((10, deviation), rel=1e-3)
    for calls in (10, 1000, 1e6):
        assert 1 - shape.below(shape.longest(calls)) == pytest.approx(beyond_longest(calls), rel=0.02)


def two(fast: float, slow: float, share: float, width: float, calls: int) -> tuple[float, float, float, float]:
    """Mean, deviation and the shortest and longest call to be expected, of two lognormal groups of these means."""
    mean = (1 - share) * fast + share * slow
    square = ((1 - share) * fast**2 + share * slow**2) * math.exp(width**2)
    shortest = fast * math.exp(-width * normal.upper_quantile(beyond_longest(calls)) - width**2 / 2)
    longest = slow * math.exp(width * normal.upper_quantile(beyond_longest(calls * share)) - width**2 / 2)
    return mean, math.sqrt(square - mean**2), shortest, longest


@pytest.mark.parametrize(
    ("fast", "slow", "share", "width"),
    [(1, 40, 0.1, 0.2), (0.1, 300, 0.01, 0.5), (2, 300, 0.03, 0.5), (5, 20, 0.6, 0.05), (1, 1000, 0.002, 0.3)],
)
def test_two_groups_are_found_again(fast: float, slow: float, share: float, width: float) -> None:
    calls = 5000
    figures = two(fast, slow, share, width, calls)
    shape = two_groups(calls, *figures)
    assert shape is not None
    assert moments(shape.below, fast / 1e3, slow * 1e3) == pytest.approx(figures[:2], rel=5e-3)
    assert shape.longest(calls) == pytest.approx(figures[3], rel=5e-3)
    # Between the two, where nothing is, the share of the fast ones.
    assert shape.below(math.sqrt(fast * slow)) == pytest.approx(1 - share, abs=0.01)


@pytest.mark.parametrize(
    ("mean", "deviation", "shortest", "longest"),
    [
        # A call of no time says nothing of how wide a group is.
        (10, 5, 0, 50),
        # All calls took the same.
        (10, 0, 10, 10),
    ],
)
def test_where_there_are_no_two_groups(mean: float, deviation: float, shortest: float, longest: float) -> None:
    assert two_groups(1000, mean, deviation, shortest, longest) is None
