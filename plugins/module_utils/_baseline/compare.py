# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two baselines, and what got worse from one to the other."""

from __future__ import annotations

from typing import List, Optional

from ansible_collections.midi.capacity.plugins.module_utils import _moments
from ansible_collections.midi.capacity.plugins.module_utils._baseline.compare_cautions import cautions, same_server
from ansible_collections.midi.capacity.plugins.module_utils._baseline.compare_figures import (
    DOWN,
    FIGURES,
    NEITHER,
    UP,
    Figure,
)
from ansible_collections.midi.capacity.plugins.module_utils._baseline.compare_parts import settings, sizes
from ansible_collections.midi.capacity.plugins.module_utils._baseline.compare_statements import (
    new_statements,
    slower_or_faster,
)
from ansible_collections.midi.capacity.plugins.module_utils._baseline.report import checked
from ansible_collections.midi.capacity.plugins.module_utils._baseline.view import Json, View
from ansible_collections.midi.capacity.plugins.module_utils._windows import snapshots

WORSE = "worse"
BETTER = "better"
CHANGED = "changed"
SAME = "same"
_ORDER = (WORSE, BETTER, CHANGED, SAME)


def compare(before: Json, after: Json) -> Json:
    """What changed between two baselines, what got worse first. Raises UnknownSchema.

    before, after    label, taken_at, inventory_hostname of each
    seconds          from one to the other, negative if the second was taken first
    cautions         what makes the comparison uncertain, sentences
    changes          name, title, unit, how, before, after, change, change_percent (None from 0), verdict (worse,
                     better, changed, same), exceeds (how many times the least change that counts), statement (None,
                     or its database and query)
    not_compared     title, reason: figures that one of the two lacks
    settings         name, before and after as SHOW prints them or None, source
    sizes            kind (table, index), name, before_bytes, after_bytes (None where there is none), most changed first
    new_statements   of the later window: database, query, calls, mean_exec_time_ms, share_percent
    between          the window from one to the other as package _windows makes it, or None
    """
    old, new = checked(before), checked(after)
    changes = [_change(figure, figure.read(old), figure.read(new)) for figure in FIGURES]
    known = [change for change in changes if change is not None]
    for figure, statement, times in slower_or_faster(old, new):
        found = _change(figure, *times)
        if found is not None and found["verdict"] != SAME:
            known.append({**found, "statement": statement})
    known.sort(key=lambda change: (_ORDER.index(change["verdict"]), -change["exceeds"], change["title"]))
    return {
        "before": _who(old),
        "after": _who(new),
        "seconds": _moments.elapsed(before["taken_at"], after["taken_at"]),
        "cautions": cautions(old, new),
        "changes": known,
        "not_compared": _not_compared(old, new),
        "settings": settings(old, new),
        "sizes": sizes(old, new),
        "new_statements": new_statements(old, new),
        "between": _between(old, new),
    }


def _who(view: View) -> Json:
    return {name: view.baseline[name] for name in ("label", "taken_at", "inventory_hostname")}


def _change(figure: Figure, before: Optional[float], after: Optional[float]) -> Optional[Json]:
    if before is None or after is None:
        return None
    change = after - before
    share = None if before == 0 else 100.0 * change / abs(before)
    exceeds = _exceeds(figure, change, share)
    return {
        "name": figure.name,
        "title": figure.title,
        "unit": figure.unit,
        "how": figure.how,
        "before": before,
        "after": after,
        "change": change,
        "change_percent": None if share is None else round(share, 2),
        "verdict": _verdict(figure, change, exceeds),
        "exceeds": round(exceeds, 2),
        "statement": None,
    }


def _exceeds(figure: Figure, change: float, share: Optional[float]) -> float:
    """How many times a change is what counts at least; below 1 it does not count."""
    absolute = abs(change) / figure.least
    if not figure.percent or share is None:
        return absolute
    relative = abs(share) / figure.percent
    return relative if absolute >= 1 else min(relative, absolute)


def _verdict(figure: Figure, change: float, exceeds: float) -> str:
    if exceeds < 1:
        return SAME
    if figure.worse == NEITHER:
        return CHANGED
    return WORSE if figure.worse == (UP if change > 0 else DOWN) else BETTER


def _not_compared(old: View, new: View) -> List[Json]:
    found = []
    for figure in FIGURES:
        lacking = [name for name, view in (("before", old), ("after", new)) if figure.read(view) is None]
        if lacking:
            found.append({"title": figure.title, "reason": _reason(figure, lacking, old, new)})
    return found


def _reason(figure: Figure, lacking: List[str], old: View, new: View) -> str:
    """Why; that a figure is in neither is often no fault: nobody has a standby."""
    view = old if "before" in lacking else new
    known = view.reason(figure.part)
    where = "neither has it" if len(lacking) == 2 else f"{lacking[0]} does not have it"
    return f"{where}: {known}" if known else where


def _between(old: View, new: View) -> Optional[Json]:
    if not same_server(old, new) or new.snapshot["taken_at"] <= old.snapshot["taken_at"]:
        return None
    return snapshots.window(old.snapshot, new.snapshot)
