# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A snapshot no larger than the history should have it, whatever the database has."""

from __future__ import annotations

from typing import Any, Dict, List, Optional

Json = Dict[str, Any]

# Rows that a snapshot keeps of each; all others are counted and summed up.
MOST_TABLES = 100
MOST_INDEXES = 100


def bounded(snapshot: Json) -> Json:
    """The snapshot with its largest tables and indexes, and `tables_rest` and `indexes_rest` of the others."""
    sizes = dict(snapshot["sizes"])
    sizes["tables"], sizes["tables_rest"] = _largest(sizes["tables"], "total_bytes", MOST_TABLES)
    sizes["indexes"], sizes["indexes_rest"] = _largest(sizes["indexes"], "bytes", MOST_INDEXES)
    missing = [{**entry, "reason": entry["reason"][:500]} for entry in snapshot["missing"]]
    return {**snapshot, "sizes": sizes, "missing": missing}


def _largest(rows: Optional[List[Json]], size: str, most: int) -> Any:
    if rows is None:
        return None, None
    ordered = sorted(rows, key=lambda row: (-(row[size] or 0), row["schema"], row["name"]))
    return ordered[:most], {"count": len(ordered[most:]), "bytes": sum(row[size] or 0 for row in ordered[most:])}
