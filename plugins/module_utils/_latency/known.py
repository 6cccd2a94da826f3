# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The calls of a cell that the counters give away one by one, and what is left of the cell without them."""

from __future__ import annotations

import dataclasses
import math
from typing import List, Optional, Tuple

from ansible_collections.midi.capacity.plugins.module_utils._latency.cells import EPSILON, Cell

# One call that took at least and at most so long, in ms: the two differ by what floats are rounded.
Call = Tuple[float, float]


def known_calls(cell: Cell) -> Tuple[List[Call], Optional[Cell]]:
    """The shortest and the longest call where they are certain, and all calls where at most two are left.

    The rest of the cell has three calls or more, or is None.
    """
    calls: List[Call] = []
    rest = cell
    for value, certain in ((cell.min_ms, cell.min_is_certain), (cell.max_ms, cell.max_is_certain)):
        if value is not None and certain and rest.calls > 1:
            calls.append((value, value))
            rest = _without(rest, value)
    if rest.calls > 2:
        return calls, _narrowed(rest)
    return [*calls, *_last(rest)], None


def _without(cell: Cell, value: float) -> Cell:
    left = cell.calls - 1
    apart = value - cell.mean_ms
    gone = apart * apart * cell.calls / left
    error = cell.mean_error_ms * cell.calls / left
    return dataclasses.replace(
        cell,
        calls=left,
        mean_ms=cell.mean_ms - apart / left,
        squares=max(0.0, cell.squares - gone),
        mean_error_ms=error + 4 * EPSILON * (cell.mean_ms + abs(apart)),
        squares_error=cell.squares_error + error * (2 * abs(apart) + error) + 8 * EPSILON * (cell.squares + gone),
    )


def _narrowed(cell: Cell) -> Cell:
    """Samuelson 1968: no value is farther from the mean than this."""
    farthest = math.sqrt((cell.squares + cell.squares_error) * (cell.calls - 1) / cell.calls) + 2 * cell.mean_error_ms
    lowest, highest = _inside(cell, cell.mean_ms - farthest, cell.mean_ms + farthest)
    return dataclasses.replace(cell, lowest_ms=lowest, highest_ms=highest)


def _last(cell: Cell) -> List[Call]:
    """One call is the mean; two are as far from it as the deviation."""
    mean, error = cell.mean_ms, cell.mean_error_ms
    if cell.calls == 1:
        return [_inside(cell, mean - error, mean + error)]
    near = math.sqrt(max(0.0, cell.squares - cell.squares_error) / 2) - error
    far = math.sqrt((cell.squares + cell.squares_error) / 2) + error
    return [_inside(cell, mean - far, mean - near), _inside(cell, mean + near, mean + far)]


def _inside(cell: Cell, low: float, high: float) -> Call:
    """Within what is certain of the cell; counters that contradict each other must not turn the two round."""
    low, high = (min(max(value, cell.lowest_ms), cell.highest_ms) for value in (low, high))
    return low, high
