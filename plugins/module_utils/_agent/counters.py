# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Counters of statements: their columns in the history, and which statements a snapshot keeps a row of.

A row is a dict with pg_stat_statements' names of 1.11 and newer, as in a snapshot; times are milliseconds, moments ISO
8601 in UTC. A statement is known by its key.
"""

from __future__ import annotations

import datetime
import functools
from typing import Any, Dict, Iterable, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.midi.capacity.plugins.module_utils import _moments
from ansible_collections.midi.capacity.plugins.module_utils._windows.statements import FIGURES, Key

Row = Dict[str, Any]

SUMS = tuple(FIGURES)
_MOMENTS = ("stats_since", "minmax_stats_since")
_NUMBERS = (*SUMS, "stddev_exec_time", "min_exec_time", "max_exec_time")
# The columns of the history, in its order.
NAMES = (*_NUMBERS, *_MOMENTS)
_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)


def to_columns(row: Mapping[str, Any]) -> Tuple[Any, ...]:
    """The values of NAMES, moments in milliseconds since 1970; a counter that the row does not have is NULL."""
    return (*map(row.get, _NUMBERS), *(_milliseconds(row.get(name)) for name in _MOMENTS))


def from_columns(values: Sequence[Any]) -> Row:
    return {name: _moment(value) if name in _MOMENTS else value for name, value in zip(NAMES, values)}


def changed(before: Optional[Row], now: Row) -> bool:
    """Whether the statement ran, or began anew, since `before`; None is a statement that was not there."""
    if before is None:
        return bool(now["calls"])
    return before["calls"] != now["calls"] or _began_anew(before, now)


def spent_ms(before: Optional[Row], now: Row) -> float:
    """How long the statement ran since `before`, as far as that can be known: one that began anew counts from zero."""
    counted = 0.0 if before is None or _began_anew(before, now) else before["total_exec_time"]
    return float(now["total_exec_time"] - counted)


def kept(before: Mapping[Key, Row], now: Mapping[Key, Row], limit: int) -> List[Key]:
    """The statements that ran since `before` and took most time of it, most first; at most `limit`."""
    ran = [name for name, row in now.items() if changed(before.get(name), row)]
    ran.sort(key=lambda name: (-spent_ms(before.get(name), now[name]), name))
    return ran[:limit]


def lost(before: Mapping[Key, Row], now: Mapping[Key, Row]) -> int:
    """Of how many statements the counters of `before` are gone, as far as that shows."""
    return sum(1 for name, row in before.items() if name not in now or _began_anew(row, now[name]))


def total(rows: Iterable[Mapping[str, Any]]) -> Dict[str, Any]:
    """The sums of all counters that may be added up, and in `statements` how many rows they are of."""
    found: Dict[str, Any] = dict.fromkeys(("statements", *SUMS), 0)
    for row in rows:
        found["statements"] += 1
        for name in SUMS:
            found[name] += row.get(name) or 0
    return found


def rest(whole: Mapping[str, Any], rows: Iterable[Mapping[str, Any]]) -> Dict[str, Any]:
    """What `whole`, a total, has beside these rows. Rounding of sums of times never makes it negative."""
    listed = total(rows)
    return {name: max(0, whole[name] - listed[name]) for name in whole}


def _began_anew(before: Row, now: Row) -> bool:
    # None is of an extension that did not tell it before it was updated.
    since = before.get("stats_since"), now.get("stats_since")
    return bool(now["calls"] < before["calls"] or (None not in since and since[0] != since[1]))


def _milliseconds(moment: Optional[str]) -> Optional[int]:
    return None if moment is None else (_moments.parsed(moment) - _EPOCH) // datetime.timedelta(milliseconds=1)


@functools.lru_cache(maxsize=1 << 14)
def _moment(milliseconds: Optional[int]) -> Optional[str]:
    return None if milliseconds is None else _moments.written(_EPOCH + datetime.timedelta(milliseconds=milliseconds))
