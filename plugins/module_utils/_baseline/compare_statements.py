# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Statements of two baselines' windows, one beside the other."""

from __future__ import annotations

from typing import Any, Dict, Iterator, List, Tuple

from ansible_collections.midi.capacity.plugins.module_utils._baseline.compare_cautions import same_server
from ansible_collections.midi.capacity.plugins.module_utils._baseline.compare_figures import (
    STATEMENT,
    STATEMENT_SHARE_PERCENT,
    Figure,
)
from ansible_collections.midi.capacity.plugins.module_utils._baseline.view import Json, View
from ansible_collections.midi.capacity.plugins.module_utils._windows.shares import percent

SHOWN_NEW = 5


def slower_or_faster(old: View, new: View) -> Iterator[Tuple[Figure, Json, Tuple[float, float]]]:
    """Statements of both windows that count: the figure, which it is, and its mean time before and after."""
    by_text = not same_server(old, new)
    before, after = _statements(old, by_text), _statements(new, by_text)
    for key in before:
        if key not in after:
            continue
        one, other = before[key], after[key]
        if max(one["share_percent"], other["share_percent"]) >= STATEMENT_SHARE_PERCENT:
            yield STATEMENT, _which(other), (one["mean_exec_time_ms"], other["mean_exec_time_ms"])


def new_statements(old: View, new: View) -> List[Json]:
    """Of the later window those that did not run in the earlier one, most time first."""
    if not old.window or not old.window["statements"]:
        return []
    by_text = not same_server(old, new)
    before = _statements(old, by_text)
    found = [entry for key, entry in _statements(new, by_text).items() if key not in before]
    names = ("calls", "mean_exec_time_ms", "share_percent")
    return [
        {**_which(entry), **{name: entry[name] for name in names}}
        for entry in found
        if entry["share_percent"] >= STATEMENT_SHARE_PERCENT
    ][:SHOWN_NEW]


def _which(entry: Json) -> Json:
    return {"database": entry["database"], "query": entry["query"]}


def _statements(view: View, by_text: bool) -> Dict[Any, Json]:
    """The window's statements by what they are known by; by_text: the numbers of one server say nothing of another."""
    found = (view.window or {}).get("statements")
    if found is None:
        return {}
    known: Dict[Any, Json] = {}
    for row in found["rows"]:
        if row["own"] or not row["calls"]:
            continue
        key = (
            (row["database"], row["query"], row["toplevel"])
            if by_text
            else (row["userid"], row["dbid"], row["queryid"], row["toplevel"])
        )
        entry = known.setdefault(key, {**_which(row), "calls": 0, "total_exec_time_ms": 0})
        entry["calls"] += row["calls"]
        entry["total_exec_time_ms"] += row["total_exec_time_ms"]
    whole = found["total"]["total_exec_time_ms"]
    for entry in known.values():
        entry["mean_exec_time_ms"] = entry["total_exec_time_ms"] / entry["calls"]
        entry["share_percent"] = percent(entry["total_exec_time_ms"], whole) or 0.0
    return known
