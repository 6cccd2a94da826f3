# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings and sizes of two baselines, one beside the other."""

from __future__ import annotations

from typing import Dict, List

from ansible_collections.midi.capacity.plugins.module_utils._baseline.settings import value
from ansible_collections.midi.capacity.plugins.module_utils._baseline.view import Json, View


def settings(old: View, new: View) -> List[Json]:
    """Settings whose values differ, or that one of the two does not have."""
    before, after = old.snapshot["settings"], new.snapshot["settings"]
    if before is None or after is None:
        return []
    found = []
    for name in sorted({*before, *after}):
        one, other = before.get(name), after.get(name)
        shown = [None if row is None else value(name, row) for row in (one, other)]
        if shown[0] != shown[1]:
            source = other["source"] if other else one["source"] if one else ""
            found.append({"name": name, "before": shown[0], "after": shown[1], "source": source})
    return found


def sizes(old: View, new: View) -> List[Json]:
    """Tables and indexes whose size differs, most changed first."""
    found = []
    for kind, part, size in (("table", "tables", "total_bytes"), ("index", "indexes", "bytes")):
        before, after = old.snapshot["sizes"][part], new.snapshot["sizes"][part]
        if before is None or after is None:
            continue
        one, other = _by_name(before, size), _by_name(after, size)
        found += [
            {"kind": kind, "name": name, "before_bytes": one.get(name), "after_bytes": other.get(name)}
            for name in {*one, *other}
            if one.get(name) != other.get(name)
        ]
    return sorted(found, key=lambda entry: (-abs(_change(entry)), entry["kind"], entry["name"]))


def _by_name(entries: List[Json], size: str) -> Dict[str, int]:
    return {f"{entry['schema']}.{entry['name']}": entry[size] for entry in entries}


def _change(entry: Json) -> int:
    return int((entry["after_bytes"] or 0) - (entry["before_bytes"] or 0))
