# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many calls of a cell took at most so long: at least, and at most. What holds whatever the calls were.

The share of calls that took x or longer is at most the mean of any parabola that is nowhere below 0, and from x on
nowhere below 1. One that touches 0 below the mean gives Cantelli's inequality. Within a range, one that is 0 at the
shortest, and 1 at x and at the longest, gives more around the mean (De Schepper and Heijnen 1995, General restrictions
on tail probabilities). Downwards it is the same. And calls are whole.
"""

from __future__ import annotations

import math

from ansible_collections.midi.capacity.plugins.module_utils._latency.cells import Cell

# What a share may be off, for all that is rounded here.
_SLACK = 1e-9


class Bounds:
    """Of a cell of which the number of calls, the mean, the deviation and the range are known, and no more."""

    def __init__(self, cell: Cell) -> None:
        self.calls = cell.calls
        self.lowest, self.highest = cell.lowest_ms, cell.highest_ms
        # The true one is in the range.
        self._mean = min(max(cell.mean_ms, cell.lowest_ms), cell.highest_ms)
        self._least_mean = self._mean - cell.mean_error_ms
        self._most_mean = self._mean + cell.mean_error_ms
        self._variance = (cell.squares + cell.squares_error) / cell.calls
        self._range = cell.highest_ms - cell.lowest_ms
        # The second parabola wants the variance at its least, and has the mean twice, times less than the range.
        least_variance = max(0.0, cell.squares - cell.squares_error) / cell.calls
        self._least_variance = least_variance - 2 * self._range * cell.mean_error_ms

    def least(self, x: float) -> int:
        """That many calls took at most x, or more."""
        if x >= self.highest:
            return self.calls
        if x <= self.lowest:
            return 0
        apart = x - self._mean
        share = (self._least_variance + (self.highest - self._mean) * apart) / (self._range * (x - self.lowest))
        apart = x - self._most_mean
        if apart > 0:
            square = apart * apart
            share = max(share, square / (square + self._variance))
        return max(0, math.ceil(self.calls * (share - _SLACK)))

    def most(self, x: float) -> int:
        """That many calls took at most x, or fewer."""
        if x >= self.highest:
            return self.calls
        if x < self.lowest:
            return 0
        apart = self._mean - x
        more = (self._least_variance + (self._mean - self.lowest) * apart) / (self._range * (self.highest - x))
        apart = self._least_mean - x
        if apart > 0:
            square = apart * apart
            more = max(more, square / (square + self._variance))
        return min(self.calls, math.floor(self.calls * (1 - more + _SLACK)))
