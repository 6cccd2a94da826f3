# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From captures of statements to percentiles of the time between the first and the last of them."""

from __future__ import annotations

from typing import Any, Dict, Hashable, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.midi.capacity.plugins.module_utils._latency.cells import Cell, difference
from ansible_collections.midi.capacity.plugins.module_utils._latency.estimate import estimate
from ansible_collections.midi.capacity.plugins.module_utils._query_text import OWN
from ansible_collections.midi.capacity.plugins.module_utils._windows import servers
from ansible_collections.midi.capacity.plugins.module_utils._windows.shares import percent
from ansible_collections.midi.capacity.plugins.module_utils._windows.statements import key

Json = Dict[str, Any]

# Less than that of the calls in rows is no basis for a percentile of all.
ENOUGH_PERCENT = 90.0


def latency(captures: Sequence[Tuple[Mapping[str, Any], Json]], limit: int) -> Optional[Json]:
    """What _latency.estimate says of them, with `covered_percent`: how many of all calls it is over.

    captures: (head, document) in their order. None where no two that follow each other have statements of one server.
    limit: how many statements had rows.
    """
    cells: Dict[Hashable, List[Cell]] = {}
    every, windows = 0, 0
    for (_head, earlier), (_later_head, later) in zip(captures, captures[1:]):
        if not _are_one(earlier, later):
            continue
        windows += 1
        every += _add(cells, earlier, later)
    if not windows:
        return None
    found = estimate(cells)
    covered = percent(found["calls"], max(every, found["calls"]))
    if covered is not None and covered < ENOUGH_PERCENT:
        found["confidence"] = "low"
        found["reasons"].append(
            f"{covered:g} % of the calls are of the {limit} statements with most time that have rows of their own"
        )
    return {**found, "covered_percent": covered}


def _add(cells: Dict[Hashable, List[Cell]], earlier: Json, later: Json) -> int:
    """Adds what each statement did between the two; gives how many calls there were of all that could have a cell."""
    reset = earlier["statements"]["stats_reset"] != later["statements"]["stats_reset"]
    before = {} if reset else {key(row): row for row in earlier["statements"]["rows"]}
    absent = {key(row) for row in earlier["statements"].get("absent", ())}
    every = _calls(later) - (0 if reset else _calls(earlier))
    for row in later["statements"]["rows"]:
        name = key(row)
        if not (reset or name in before or name in absent):
            continue
        cell = difference(before.get(name), row)
        if cell is None:
            continue
        # What functions run is in the time of whoever called them; and the agent's own is not what is asked for.
        if row["toplevel"] and OWN not in row["query"]:
            cells.setdefault(name, []).append(cell)
        else:
            every -= cell.calls
    return max(0, every)


def _are_one(earlier: Json, later: Json) -> bool:
    return bool(earlier["statements"] and later["statements"] and servers.obstacle(earlier, later) is None)


def _calls(document: Json) -> int:
    found = document["statements"]
    return int(found["rest"]["calls"] + sum(row["calls"] for row in found["rows"]))
