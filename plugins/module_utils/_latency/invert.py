# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From how many calls take at most so long to how long so many take: a mixture turned round, for many ranks at once."""

from __future__ import annotations

import math
from bisect import bisect_right
from typing import Callable, Dict, List, NamedTuple, Sequence, Tuple

# Time -> how many calls of this part took at most so long; never falls.
Count = Callable[[float], float]
# A part, and its counts at the two ends of a bracket.
_Live = Tuple[Count, float, float]


class Bracket(NamedTuple):
    """Below `low` there are fewer calls than the rank; up to `high` there are as many."""

    low: float
    high: float
    # On a straight line between the counts at the two ends, with a jump at each single call.
    between: float


class _Part(NamedTuple):
    """What is to do: the ranks in a bracket, the parts that count something in it, the counts of all others."""

    ranks: List[float]
    low: float
    high: float
    live: List[_Live]
    others: float


class Mixture:
    """parts: functions that count calls. singles: times of one call each."""

    def __init__(self, parts: Sequence[Count], singles: Sequence[float]) -> None:
        self._parts = parts
        self._singles = sorted(singles)

    def brackets(
        self, ranks: Sequence[float], low: float, high: float, narrow: float, still: float
    ) -> Dict[float, Bracket]:
        """A bracket for each rank. Its ends are equal, or differ by less than the part `narrow`.

        low, high: where to look, above 0. Below low, the bracket begins at 0; no rank is beyond the calls up to high.
        still: a part that has no more calls than this in a bracket is taken to have none there.
        """
        found: Dict[float, Bracket] = {}
        live = [(part, part(low), part(high)) for part in self._parts]
        below = sum(count for _part, count, _all in live) + bisect_right(self._singles, low)
        found.update((rank, Bracket(0.0, low, low)) for rank in ranks if rank <= below)
        parts = [_Part([rank for rank in ranks if rank > below], low, high, live, 0.0)]
        while parts:
            part = parts.pop()
            if not part.live:
                found.update((rank, self._single(rank, part)) for rank in part.ranks)
            elif part.high <= part.low * (1 + narrow):
                found.update((rank, self._between(rank, part)) for rank in part.ranks)
            else:
                parts += [half for half in self._halves(part, still) if half.ranks]
        return found

    def _halves(self, part: _Part, still: float) -> Tuple[_Part, _Part]:
        middle = math.sqrt(part.low * part.high)
        left: List[_Live] = []
        right: List[_Live] = []
        left_others = right_others = part.others
        total = part.others + bisect_right(self._singles, middle)
        for function, at_low, at_high in part.live:
            count = function(middle)
            total += count
            if count - at_low > still:
                left.append((function, at_low, count))
            else:
                left_others += count
            if at_high - count > still:
                right.append((function, count, at_high))
            else:
                right_others += count
        return (
            _Part([rank for rank in part.ranks if rank <= total], part.low, middle, left, left_others),
            _Part([rank for rank in part.ranks if rank > total], middle, part.high, right, right_others),
        )

    def _single(self, rank: float, part: _Part) -> Bracket:
        """Nothing but single calls is in the bracket, so one of them it is."""
        place = math.ceil(rank - part.others) - 1
        time = self._singles[place] if 0 <= place < len(self._singles) else part.high
        time = min(max(time, part.low), part.high)
        return Bracket(time, time, time)

    def _between(self, rank: float, part: _Part) -> Bracket:
        low, high = part.low, part.high
        at_low = part.others + sum(count for _function, count, _high in part.live)
        slope = (part.others + sum(count for _function, _low, count in part.live) - at_low) / (high - low)
        first = bisect_right(self._singles, low)
        for jumps, single in enumerate([*self._singles[first : bisect_right(self._singles, high)], high]):
            missing = rank - at_low - first - jumps
            if missing <= slope * (single - low):
                return Bracket(low, high, max(low, low + missing / slope) if slope else low)
            if missing - 1 <= slope * (single - low):
                return Bracket(low, high, single)
        return Bracket(low, high, high)
