# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The shape of the calls of a cell, chosen by its longest and its shortest call.

Any number of shapes have the same mean and deviation. How long the longest of so many calls is tells them apart: of
gamma and lognormal, beginning at 0 or just below the shortest call, the one is taken whose longest is nearest to the
one that was seen. Where none is near, or the near ones have many calls shorter than the shortest, there are two groups.
"""

from __future__ import annotations

import math
from typing import Callable, List, Optional, Tuple

from ansible_collections.midi.capacity.plugins.module_utils._latency.cells import Cell
from ansible_collections.midi.capacity.plugins.module_utils._latency.groups import two_groups
from ansible_collections.midi.capacity.plugins.module_utils._latency.shapes import Shape, gamma_shape, lognormal_shape

# Just below the shortest call.
_BEGIN = 0.95
# How far off the longest call of a shape may be, as a logarithm, and which share of it may be below the shortest.
_FAR = 0.3
_MISPLACED = 0.1
# A deviation of more means than this makes a shape one peak at its beginning.
_PEAKED = 3.0
# A deviation of less, as a part of the mean, makes a point of it.
_LEAST_DEVIATION = 1e-6
# So few calls have no shape.
_LEAST_CALLS = 3

Count = Callable[[float], float]
# Number of calls -> how many means the longest of them is.
Reach = Callable[[float], float]


def fit(cell: Cell, reach: Optional[Reach] = None) -> Count:
    """Time -> about how many calls of the cell took at most so long.

    reach: what is usual for the statement, for cells whose longest call is not known.
    """
    calls, mean = cell.calls, cell.mean_ms
    lowest, highest = cell.lowest_ms, cell.highest_ms
    deviation = math.sqrt(cell.squares / calls)
    if deviation <= _LEAST_DEVIATION * mean or not lowest < mean < highest:
        return lambda x: calls if x >= mean else 0.0
    shortest = lowest if cell.min_ms is None else cell.min_ms
    longest = cell.max_ms
    if longest is None and reach is not None:
        longest = min(highest, mean * reach(calls))
    below = (_shape(calls, mean, deviation, shortest, longest) if longest else gamma_shape(mean, deviation)).below

    def count(x: float) -> float:
        if x >= highest:
            return calls
        return calls * below(x) if x >= lowest else 0.0

    return count


def usual_reach(cell: Cell) -> Optional[Reach]:
    """Of a cell whose longest call is known."""
    mean, deviation = cell.mean_ms, math.sqrt(cell.squares / cell.calls)
    if cell.calls < _LEAST_CALLS or not cell.max_ms or deviation <= _LEAST_DEVIATION * mean:
        return None
    shortest = cell.lowest_ms if cell.min_ms is None else cell.min_ms
    shape = _shape(cell.calls, mean, deviation, shortest, cell.max_ms)
    return lambda calls: shape.longest(calls) / mean


def _shape(calls: int, mean: float, deviation: float, shortest: float, longest: float) -> Shape:
    candidates: List[Tuple[float, Shape]] = [
        (abs(math.log(shape.longest(calls) / longest)), shape) for shape in _shapes(mean, deviation, shortest)
    ]
    candidates.sort(key=lambda candidate: candidate[0])
    for off, shape in candidates:
        if off <= _FAR and shape.below(shortest) <= _MISPLACED:
            return shape
    return two_groups(calls, mean, deviation, shortest, longest) or candidates[0][1]


def _shapes(mean: float, deviation: float, shortest: float) -> List[Shape]:
    shapes = [lognormal_shape(mean, deviation)]
    for begin in (0.0, _BEGIN * shortest):
        if deviation < _PEAKED * (mean - begin):
            shapes.append(gamma_shape(mean, deviation, begin))
            if begin:
                shapes.append(lognormal_shape(mean, deviation, begin))
    return shapes
