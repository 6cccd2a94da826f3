# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The largest tables and indexes."""

from __future__ import annotations

from typing import Dict, List, Optional

from ansible_collections.midi.capacity.plugins.module_utils._baseline.view import Json, View, ended, sentence
from ansible_collections.midi.capacity.plugins.module_utils._report import human
from ansible_collections.midi.capacity.plugins.module_utils._report.document import (
    LEFT,
    RIGHT,
    Bar,
    Bars,
    Section,
    Table,
    section,
)

SHOWN = 10


def largest_tables(view: View) -> Section:
    entries = view.snapshot["sizes"]["tables"]
    if entries is None:
        return section("Largest tables", sentence(view.how("sizes.tables", "")))
    whole = sorted(_with_partitions_together(entries), key=lambda entry: (-entry["total_bytes"], entry["title"]))
    rows = [
        [
            entry["title"],
            human.size(entry["total_bytes"]),
            human.size(entry["table_bytes"]),
            human.size(entry["indexes_bytes"]),
            human.size(entry["toast_bytes"]),
            _rows(entry["estimated_rows"]),
        ]
        for entry in whole[:SHOWN]
    ]
    columns = [(name, RIGHT) for name in ("Total", "Table", "Indexes", "Long values", "Rows")]
    return section(
        "Largest tables",
        "Sizes are measured; rows are the planner's estimates.",
        _table_bars(whole[:SHOWN]),
        Table([("Table", LEFT), *columns], rows) if rows else "There are no tables.",
        _others(len(whole) - SHOWN, "table"),
        _partial(view, "sizes.tables"),
    )


def largest_indexes(view: View) -> Section:
    entries = view.snapshot["sizes"]["indexes"]
    if entries is None:
        return section("Largest indexes", sentence(view.how("sizes.indexes", "")))
    ordered = sorted(entries, key=lambda entry: (-entry["bytes"], entry["schema"], entry["name"]))
    rows = [
        [
            f"{entry['schema']}.{entry['name']}",
            entry["table"],
            human.size(entry["bytes"]),
            human.count(entry["scans"]),
            "yes" if entry["valid"] else "NO",
        ]
        for entry in ordered[:SHOWN]
    ]
    columns = [("Index", LEFT), ("Of table", LEFT), ("Size", RIGHT), ("Scans", RIGHT), ("Valid", LEFT)]
    return section(
        "Largest indexes",
        f"Sizes are measured; scans are cumulative, since {_since(view)}.",
        _index_bars(ordered[:SHOWN]),
        Table(columns, rows) if rows else "There are no indexes.",
        _others(len(entries) - SHOWN, "index"),
        _partial(view, "sizes.indexes"),
    )


def _table_bars(entries: List[Json]) -> Optional[Bars]:
    parts = ("table_bytes", "indexes_bytes", "toast_bytes")
    bars = [Bar(entry["title"], [entry[part] for part in parts], human.size(entry["total_bytes"])) for entry in entries]
    return Bars("Size on disk, measured", ("table", "its indexes", "long values"), bars) if bars else None


def _index_bars(entries: List[Json]) -> Optional[Bars]:
    bars = [
        Bar(f"{entry['schema']}.{entry['name']}", [entry["bytes"]], human.size(entry["bytes"])) for entry in entries
    ]
    return Bars("Size on disk, measured", ("index",), bars) if bars else None


def _with_partitions_together(entries: List[Json]) -> List[Json]:
    """Tables as people think of them: partitions summed up under the table that they are partitions of."""
    whole: Dict[str, Json] = {}
    for entry in entries:
        name = entry["partition_of"] or f"{entry['schema']}.{entry['name']}"
        found = whole.setdefault(
            name,
            {
                "partitions": 0,
                "total_bytes": 0,
                "table_bytes": 0,
                "indexes_bytes": 0,
                "toast_bytes": 0,
                "estimated_rows": 0,
            },
        )
        for key in ("total_bytes", "table_bytes", "indexes_bytes", "toast_bytes"):
            found[key] += entry[key]
        found["estimated_rows"] = _sum(found["estimated_rows"], entry["estimated_rows"])
        found["partitions"] += 1 if entry["partition_of"] else 0
        found["title"] = f"{name} ({found['partitions']} partitions)" if found["partitions"] else name
    return list(whole.values())


def _sum(left: Optional[int], right: Optional[int]) -> Optional[int]:
    return None if left is None or right is None else left + right


def _rows(estimated: Optional[int]) -> str:
    return "never analyzed" if estimated is None else "~ " + human.count(estimated)


def _since(view: View) -> str:
    reset = (view.snapshot["database"] or {}).get("stats_reset")
    return human.moment(reset) if reset else "the statistics began"


def _others(number: int, noun: str) -> str:
    if number <= 0:
        return ""
    plural = {"table": "tables", "index": "indexes"}[noun]
    return f"And {number} smaller {noun if number == 1 else plural}."


def _partial(view: View, part: str) -> str:
    reason = view.reason(part)
    return f"Not all of them: {ended(reason)}" if reason else ""
