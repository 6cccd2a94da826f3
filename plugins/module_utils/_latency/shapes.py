# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shapes of one group of calls, by its mean and deviation."""

from __future__ import annotations

import math
from typing import Callable, NamedTuple

from ansible_collections.midi.capacity.plugins.module_utils._latency import gamma, normal

_EULER = 0.5772156649015329


class Shape(NamedTuple):
    # Time -> which share of calls takes at most so long.
    below: Callable[[float], float]
    # Number of calls -> how long the longest of them takes, about.
    longest: Callable[[float], float]


def beyond_longest(calls: float) -> float:
    """The share that lies beyond the mean of the longest of so many; exactly so for exponential tails (Gumbel 1958)."""
    return math.exp(-_EULER) / max(calls, 1.0)


def gamma_shape(mean: float, deviation: float, begin: float = 0.0) -> Shape:
    shape = ((mean - begin) / deviation) ** 2
    scale = (mean - begin) / shape
    return Shape(
        lambda x: gamma.lower(shape, (x - begin) / scale),
        lambda calls: begin + scale * gamma.upper_quantile(shape, beyond_longest(calls)),
    )


def lognormal_shape(mean: float, deviation: float, begin: float = 0.0) -> Shape:
    variance = math.log1p((deviation / (mean - begin)) ** 2)
    width = math.sqrt(variance)
    middle = math.log(mean - begin) - variance / 2
    return Shape(
        lambda x: normal.cdf((math.log(x - begin) - middle) / width) if x > begin else 0.0,
        lambda calls: begin + math.exp(middle + width * normal.upper_quantile(beyond_longest(calls))),
    )
