# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of the calls of one statement in a stretch of time: differences of counters, and sums of such."""

from __future__ import annotations

import dataclasses
import math
from typing import Any, List, Mapping, Optional, Sequence, Tuple

Entry = Mapping[str, Any]

# Calls that a cell should have: with fewer, its longest one says little about its shape.
LEAST_CALLS = 200
# The distance from 1 to the next float.
EPSILON = 2.0**-52
# Sums that went down by more than this part of them were begun anew.
_ROUNDING = 1e-9


@dataclasses.dataclass(frozen=True)
class Cell:
    """calls, at least 1; mean_ms; squares: the sum of the squared deviations from the mean, in ms^2.

    lowest_ms, highest_ms: no call was shorter or longer, for certain.
    min_ms, max_ms: the shortest and the longest that was seen; None where what the counters have may be of before. One
        that equals lowest_ms or highest_ms is certain; beside another one there were calls that nobody saw.
    mean_error_ms, squares_error: how far off the two may be, because floats are rounded.
    restarted_calls: those that were counted from zero, because the entry was evicted or reset and came back.
    life: all that the entry has counted until then; only where max_ms is None, to have an idea of it.
    """

    calls: int
    mean_ms: float
    squares: float
    lowest_ms: float
    highest_ms: float
    min_ms: Optional[float] = None
    max_ms: Optional[float] = None
    mean_error_ms: float = 0.0
    squares_error: float = 0.0
    restarted_calls: int = 0
    life: Optional[Cell] = None

    @property
    def min_is_certain(self) -> bool:
        return self.min_ms == self.lowest_ms

    @property
    def max_is_certain(self) -> bool:
        return self.max_ms == self.highest_ms

    @property
    def known_exactly(self) -> bool:
        """Mean and deviation tell two calls from each other, and the shortest and the longest are known beside them."""
        return self.calls <= 2 + self.min_is_certain + self.max_is_certain


def difference(earlier: Optional[Entry], later: Entry) -> Optional[Cell]:
    """What an entry counted between two readings, see the package's docstring; None if there was no call."""
    if not earlier or not earlier["calls"]:
        return _counted(None, later)
    if _began_anew(earlier, later):
        return _restarted(later)
    cell = _counted(earlier, later)
    # Before PostgreSQL 17 an entry can be dropped, come back and grow unseen. Then the two contradict each other.
    return cell if cell is None or _is_possible(cell) else _restarted(later)


def merge(cells: Sequence[Cell], least: int = LEAST_CALLS) -> List[Cell]:
    """Consecutive cells of one statement put together until each has `least` calls; one, if all together have fewer.

    Those whose calls are known exactly stay as they are, and come last.
    """
    groups: List[Cell] = []
    group: Optional[Cell] = None
    for cell in cells:
        if cell.known_exactly:
            continue
        group = cell if group is None else _sum(group, cell)
        if group.calls >= least:
            groups.append(group)
            group = None
    if group is not None:
        # What is left over goes with the last one.
        groups[-1:] = [_sum(groups[-1], group) if groups else group]
    return [*groups, *(cell for cell in cells if cell.known_exactly)]


def _counted(before: Optional[Entry], later: Entry) -> Optional[Cell]:
    calls = later["calls"] - (before["calls"] if before else 0)
    if calls <= 0:
        return None
    mean = (later["total_exec_time"] - (before["total_exec_time"] if before else 0.0)) / calls
    # Each of these calls was added to a sum of about this size, and rounded.
    mean_error = EPSILON * later["total_exec_time"]
    squares, squares_error = _squares(before, later, calls, mean)
    # Samuelson 1968: no value is farther from the mean.
    farthest = math.sqrt((squares + squares_error) * (calls - 1) / calls) + 2 * mean_error
    lowest, highest = max(0.0, mean - farthest), mean + farthest
    if _seen_all(before, later):
        lowest, highest = max(lowest, later["min_exec_time"]), min(highest, later["max_exec_time"])
    shortest, longest = _seen(before, later)
    return Cell(
        calls=calls,
        mean_ms=mean,
        squares=squares,
        # What was seen is exact; of the others the last digits may be off.
        lowest_ms=lowest if shortest is None else min(lowest, shortest),
        highest_ms=highest if longest is None else max(highest, longest),
        min_ms=shortest,
        max_ms=longest,
        mean_error_ms=mean_error,
        squares_error=squares_error,
        life=_counted(None, later) if before and longest is None else None,
    )


def _restarted(later: Entry) -> Optional[Cell]:
    cell = _counted(None, later)
    return cell and dataclasses.replace(cell, restarted_calls=cell.calls)


def _is_possible(cell: Cell) -> bool:
    """Bhatia and Davis 2000: the range bounds the deviation."""
    above = cell.highest_ms - cell.mean_ms + 2 * cell.mean_error_ms
    below = cell.mean_ms - cell.lowest_ms + 2 * cell.mean_error_ms
    return cell.squares - cell.squares_error <= cell.calls * above * below


def _began_anew(earlier: Entry, later: Entry) -> bool:
    since = earlier.get("stats_since"), later.get("stats_since")
    if None not in since and since[0] != since[1]:
        return True
    # These only grow, and the shortest only shrinks.
    if later["calls"] < earlier["calls"] or later["total_exec_time"] < earlier["total_exec_time"]:
        return True
    if _deviations(later) < _deviations(earlier) * (1 - _ROUNDING):
        return True
    if later.get("minmax_stats_since") != earlier.get("minmax_stats_since") or not earlier["max_exec_time"]:
        return False
    return bool(later["max_exec_time"] < earlier["max_exec_time"] or later["min_exec_time"] > earlier["min_exec_time"])


def _deviations(entry: Entry) -> float:
    """The sum of the squared deviations, which PostgreSQL keeps; it shows the root of their mean."""
    return float(entry["calls"] * entry["stddev_exec_time"] ** 2)


def _squares(before: Optional[Entry], later: Entry, calls: int, mean: float) -> Tuple[float, float]:
    """The squared deviations of the window from its own mean, and how far off they may be.

    Chan, Golub and LeVeque 1983, turned round: two parts have the sum of their squares, and of the distance of means.
    """
    whole = squares = _deviations(later)
    shift = 0.0
    if before:
        shift = mean - before["total_exec_time"] / before["calls"]
        squares = max(0.0, whole - _deviations(before) - shift**2 * calls * before["calls"] / later["calls"])
    # Each of these calls was added to a sum of about this size. And the means are off: PostgreSQL's, and ours.
    error = EPSILON * (calls + 16) * whole
    mean_error = EPSILON * later["total_exec_time"]
    deviation = math.sqrt((squares + error) / calls)
    return squares, error + calls * mean_error * (16 * deviation + 8 * abs(shift) + 16 * mean_error)


def _seen_all(before: Optional[Entry], later: Entry) -> bool:
    """Whether no call of the window is missing in the shortest and the longest of the counters."""
    begin = before.get("minmax_stats_since") if before else later.get("stats_since")
    return bool(later.get("minmax_stats_since") == begin)


def _seen(before: Optional[Entry], later: Entry) -> Tuple[Optional[float], Optional[float]]:
    """The shortest and the longest call that the counters saw in the window; None where it may be of before."""
    shortest, longest = later["min_exec_time"], later["max_exec_time"]
    if not longest:
        # Reset, and no call since.
        return None, None
    if before is None or not _seen_all(before, later) or not before["max_exec_time"]:
        return shortest, longest
    return (
        shortest if shortest < before["min_exec_time"] else None,
        longest if longest > before["max_exec_time"] else None,
    )


def _sum(one: Cell, other: Cell) -> Cell:
    """Chan, Golub and LeVeque 1983."""
    calls = one.calls + other.calls
    apart = other.mean_ms - one.mean_ms
    share = one.calls * other.calls / calls
    squares = one.squares + other.squares + apart**2 * share
    error = one.mean_error_ms + other.mean_error_ms
    return Cell(
        calls=calls,
        mean_ms=one.mean_ms + apart * other.calls / calls,
        squares=squares,
        lowest_ms=min(one.lowest_ms, other.lowest_ms),
        highest_ms=max(one.highest_ms, other.highest_ms),
        min_ms=_shortest(one, other),
        max_ms=_longest(one, other),
        mean_error_ms=max(one.mean_error_ms, other.mean_error_ms) + 4 * EPSILON * max(one.mean_ms, other.mean_ms),
        squares_error=one.squares_error
        + other.squares_error
        + share * error * (2 * abs(apart) + error)
        + 8 * EPSILON * squares,
        restarted_calls=one.restarted_calls + other.restarted_calls,
        life=other.life or one.life,
    )


def _shortest(*cells: Cell) -> Optional[float]:
    """Of those that were seen, unless another one may have been shorter."""
    seen = min((cell.min_ms for cell in cells if cell.min_ms is not None), default=None)
    unseen = min((cell.lowest_ms for cell in cells if cell.min_ms is None), default=seen)
    return seen if seen is not None and unseen is not None and seen <= unseen else None


def _longest(*cells: Cell) -> Optional[float]:
    """Of those that were seen, unless another one may have been longer."""
    seen = max((cell.max_ms for cell in cells if cell.max_ms is not None), default=None)
    unseen = max((cell.highest_ms for cell in cells if cell.max_ms is None), default=seen)
    return seen if seen is not None and unseen is not None and seen >= unseen else None
