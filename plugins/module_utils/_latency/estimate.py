# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Percentiles of how long statements took in a window: estimated, and between bounds that hold for certain."""

from __future__ import annotations

from typing import Any, Dict, Hashable, List, Mapping, Optional, Sequence, Tuple, Union

from ansible_collections.midi.capacity.plugins.module_utils._latency.bounds import Bounds
from ansible_collections.midi.capacity.plugins.module_utils._latency.cells import LEAST_CALLS, Cell, merge
from ansible_collections.midi.capacity.plugins.module_utils._latency.fit import fit, usual_reach
from ansible_collections.midi.capacity.plugins.module_utils._latency.invert import Mixture
from ansible_collections.midi.capacity.plugins.module_utils._latency.known import Call, known_calls
from ansible_collections.midi.capacity.plugins.module_utils._latency.rank import rank
from ansible_collections.midi.capacity.plugins.module_utils._report.human import plural
from ansible_collections.midi.capacity.plugins.module_utils._windows.shares import percent

Json = Dict[str, Any]
Percentile = Union[int, float]
# Of each rank the time, at least and at most.
_Limits = Dict[int, Tuple[float, float]]

PERCENTILES: Tuple[Percentile, ...] = (50, 95, 99)
YES, NO, UNDECIDABLE = "yes", "no", "undecidable"
# How narrow the brackets are in which answers are looked for, as a part of the time.
_NARROW_BOUNDS = 0.003
_NARROW_ESTIMATE = 0.01
# The share of all calls that parts may have within a bracket, all together, and be left alone.
_STILL = 1e-4
# The least time that is looked at where one may be 0, as a part of the longest.
_LEAST = 1e-12
# Shares of the calls, in percent, from which on an estimate is a weak one.
_MANY_RESTARTED = 10.0
_MANY_UNSEEN = 10.0


def estimate(
    statements: Mapping[Hashable, Sequence[Cell]],
    percentiles: Sequence[Percentile] = PERCENTILES,
    least: int = LEAST_CALLS,
) -> Json:
    """See the package's docstring. least: as for cells.merge."""
    merged = [merge(cells, least) for cells in statements.values()]
    every = [cell for cells in merged for cell in cells]
    calls = sum(cell.calls for cell in every)
    ranks = {percentile: rank(percentile, calls) for percentile in percentiles}
    limits = _limits(every, sorted(set(ranks.values()))) if calls else {}
    likely = _likely(merged, limits) if calls else {}
    restarted = percent(sum(cell.restarted_calls for cell in every), calls)
    unseen = percent(sum(cell.calls for cell in every if cell.max_ms is None and not cell.known_exactly), calls)
    reasons = _reasons(unseen, restarted)
    return {
        "calls": calls,
        "percentiles": {
            f"p{percentile:g}": {
                "estimate_ms": likely.get(place),
                "lower_ms": limits[place][0] if calls else None,
                "upper_ms": limits[place][1] if calls else None,
            }
            for percentile, place in ranks.items()
        },
        "method": _method(every),
        "confidence": "low" if reasons else "usual",
        "reasons": reasons,
        "restarted_share_percent": restarted,
    }


def below(percentile: Mapping[str, Optional[float]], limit_ms: float) -> str:
    """Whether one of an estimate's percentiles is below a limit, by its bounds alone: yes, no or undecidable."""
    lower, upper = percentile["lower_ms"], percentile["upper_ms"]
    if upper is not None and upper < limit_ms:
        return YES
    return NO if lower is not None and lower >= limit_ms else UNDECIDABLE


def _limits(cells: Sequence[Cell], ranks: Sequence[int]) -> _Limits:
    """What holds for certain. The counts of all cells add up, at their least as at their most."""
    bounds: List[Bounds] = []
    known: List[Call] = []
    for cell in cells:
        single, rest = known_calls(cell)
        known += single
        if rest is not None:
            bounds.append(Bounds(rest))
    longest = max(cell.highest_ms for cell in cells)
    if longest <= 0:
        return dict.fromkeys(ranks, (0.0, 0.0))
    begin = max(min(cell.lowest_ms for cell in cells) * (1 - _NARROW_BOUNDS), longest * _LEAST)
    at_most = Mixture([part.most for part in bounds], [low for low, _high in known])
    at_least = Mixture([part.least for part in bounds], [high for _low, high in known])
    lower = at_most.brackets(ranks, begin, longest, _NARROW_BOUNDS, still=0)
    upper = at_least.brackets(ranks, begin, longest, _NARROW_BOUNDS, still=0)
    return {place: (lower[place].low, upper[place].high) for place in ranks}


def _likely(merged: Sequence[Sequence[Cell]], limits: _Limits) -> Dict[int, float]:
    """What is likely, by the shapes of the cells; never beyond what is certain."""
    parts = []
    known: List[float] = []
    for cells in merged:
        # The newest is the one with the most calls.
        life = next((cell.life for cell in reversed(cells) if cell.life), None)
        reach = usual_reach(life) if life else None
        for cell in cells:
            if cell.known_exactly:
                known += [(low + high) / 2 for low, high in known_calls(cell)[0]]
            else:
                parts.append(fit(cell, reach))
    calls = sum(cell.calls for cells in merged for cell in cells)
    end = max(upper for _lower, upper in limits.values())
    begin = max(min(lower for lower, _upper in limits.values()), end * _LEAST)
    if end <= 0:
        return dict.fromkeys(limits, 0.0)
    # Half a call less than the rank is in the middle of the call that is asked for.
    found = Mixture(parts, known).brackets(
        [place - 0.5 for place in limits], begin, end, _NARROW_ESTIMATE, still=_STILL * calls / max(1, len(parts))
    )
    return {place: min(max(found[place - 0.5].between, lower), upper) for place, (lower, upper) in limits.items()}


def _method(cells: Sequence[Cell]) -> str:
    if not cells:
        return "none: there was no call"
    fitted = sum(not cell.known_exactly for cell in cells)
    return f"estimated: max-selected mixture of {plural(fitted, 'cell')}" if fitted else "exact: each call is known"


def _reasons(unseen: Optional[float], restarted: Optional[float]) -> List[str]:
    reasons = []
    if unseen and unseen >= _MANY_UNSEEN:
        reasons.append(f"for {unseen:g} % of the calls the longest one in the window is not known")
    if restarted and restarted >= _MANY_RESTARTED:
        reasons.append(
            f"{restarted:g} % of the calls are of entries that were evicted or reset in the window, and what these had"
            " counted before is lost"
        )
    return reasons
