# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two groups of calls in one cell, such as hits and misses of a cache: both lognormal, and relatively as wide.

Where the two are, how wide they are and how many are slow are four unknowns; the mean, the deviation, the shortest and
the longest call are four figures.
"""

from __future__ import annotations

import math
from typing import NamedTuple, Optional

from ansible_collections.midi.capacity.plugins.module_utils._latency import normal
from ansible_collections.midi.capacity.plugins.module_utils._latency.shapes import Shape, beyond_longest

# Widths that are tried, as deviations of the logarithm: up to where one group alone is as wide.
_WIDTHS = [0.005 * 1.4**step for step in range(18)]
_HALVINGS = 12


class _Figures(NamedTuple):
    calls: int
    mean: float
    second_moment: float
    shortest: float
    longest: float


class _Groups(NamedTuple):
    width: float
    fast_mean: float
    slow_mean: float
    slow_share: float
    # The logarithm of how many times longer their longest call is than the one that was seen.
    excess: float


def two_groups(calls: int, mean: float, deviation: float, shortest: float, longest: float) -> Optional[Shape]:
    """Those whose longest call is nearest to the one seen; None where no two groups have the other figures."""
    if shortest <= 0:
        return None
    figures = _Figures(calls, mean, mean * mean + deviation * deviation, shortest, longest)
    found = [groups for groups in (_groups(figures, width) for width in _WIDTHS) if groups]
    for place in range(1, len(found)):
        if found[place - 1].excess * found[place].excess <= 0:
            return _shape(_between(figures, found[place - 1], found[place]))
    return _shape(min(found, key=lambda groups: abs(groups.excess))) if found else None


def _groups(figures: _Figures, width: float) -> Optional[_Groups]:
    """The shortest call is the one to be expected of the fast ones, so their mean follows from the width."""
    calls, mean = figures.calls, figures.mean
    half = width * width / 2
    fast = figures.shortest * math.exp(width * normal.upper_quantile(beyond_longest(calls)) + half)
    if fast >= mean:
        return None
    # mean = (1 - share) fast + share slow, and so for the squares; those of both groups are larger by the same factor.
    slow = (figures.second_moment * math.exp(-2 * half) - fast * fast) / (mean - fast) - fast
    if slow <= mean:
        return None
    share = (mean - fast) / (slow - fast)
    reach = width * normal.upper_quantile(beyond_longest(calls * share)) - half
    return _Groups(width, fast, slow, share, math.log(slow / figures.longest) + reach)


def _between(figures: _Figures, narrow: _Groups, wide: _Groups) -> _Groups:
    """Where the excess changes its sign."""
    for _halving in range(_HALVINGS):
        groups = _groups(figures, (narrow.width + wide.width) / 2)
        if groups is None:
            break
        if groups.excess * narrow.excess > 0:
            narrow = groups
        else:
            wide = groups
    return narrow


def _shape(groups: _Groups) -> Shape:
    width, slow = groups.width, groups.slow_share
    fast_middle = math.log(groups.fast_mean) - width * width / 2
    slow_middle = math.log(groups.slow_mean) - width * width / 2

    def below(x: float) -> float:
        if x <= 0:
            return 0.0
        place = math.log(x)
        return (1 - slow) * normal.cdf((place - fast_middle) / width) + slow * normal.cdf((place - slow_middle) / width)

    return Shape(
        below,
        lambda calls: math.exp(slow_middle + width * normal.upper_quantile(beyond_longest(calls * slow))),
    )
