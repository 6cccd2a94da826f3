# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What got worse between two baselines, as a report."""

from __future__ import annotations

from typing import Any, List, Optional, Sequence, Union

from ansible_collections.midi.capacity.plugins.module_utils._baseline.compare_figures import (
    FIGURES,
    NEITHER,
    STATEMENT,
    STATEMENT_SHARE_PERCENT,
    UP,
)
from ansible_collections.midi.capacity.plugins.module_utils._baseline.view import Json, sentence
from ansible_collections.midi.capacity.plugins.module_utils._report import human
from ansible_collections.midi.capacity.plugins.module_utils._report.document import (
    LEFT,
    RIGHT,
    Code,
    Document,
    Inline,
    Section,
    Table,
    items,
    section,
)
from ansible_collections.midi.capacity.plugins.module_utils._report.markdown import shortened

LONGEST_QUERY = 80
SHOWN_SIZES = 15
SHOWN_BETWEEN = 5

_COLUMNS = [("Figure", LEFT), ("Before", RIGHT), ("After", RIGHT), ("Change", RIGHT), ("How it was got", LEFT)]


def document(found: Json) -> Document:
    """The report of what compare.compare found."""
    by_verdict = {
        verdict: [change for change in found["changes"] if change["verdict"] == verdict]
        for verdict in ("worse", "better", "changed", "same")
    }
    sections = [
        section("What got worse", _changes(by_verdict["worse"]) or "Nothing that counts."),
        section("What makes this uncertain", items(found["cautions"]) or "Nothing that is known."),
        section("What got better", _changes(by_verdict["better"]) or "Nothing that counts."),
        section(
            "What else changed", _changes(by_verdict["changed"]) or "Nothing that counts.", _same(by_verdict["same"])
        ),
        *_new_statements(found["new_statements"]),
        section("Settings that changed", _settings(found["settings"]) or "None."),
        section("Tables and indexes that changed", *_sizes(found["sizes"])),
        *_between(found["between"]),
        *_not_compared(found["not_compared"]),
        _rules(),
    ]
    title: List[Inline] = ["Baselines ", Code(found["before"]["label"]), " and ", Code(found["after"]["label"])]
    return Document(title, _lead(found), sections)


def shown(unit: str, number: float) -> str:
    """A figure for people."""
    kind, _a, rate = unit.partition(" ")
    text = {
        "bytes": human.size,
        "percent": lambda value: human.percent(value, 100),
        "ms": human.milliseconds,
        "seconds": human.seconds,
        "count": human.significant if rate else human.count,
    }[kind](number)
    return f"{text} {rate}" if rate else text


def _lead(found: Json) -> List[Inline]:
    before, after = found["before"], found["after"]
    apart = found["seconds"]
    later = f"{human.seconds(abs(apart))} {'later' if apart >= 0 else 'earlier'}"
    numbers = [sum(1 for change in found["changes"] if change["verdict"] == verdict) for verdict in ("worse", "better")]
    return [
        "From ",
        Code(before["label"]),
        f", taken {human.moment(before['taken_at'])} on ",
        Code(before["inventory_hostname"]),
        ", to ",
        Code(after["label"]),
        f", taken {human.moment(after['taken_at'])} on ",
        Code(after["inventory_hostname"]),
        f", {later}. {numbers[0]} worse, {numbers[1]} better; the worst comes first.",
    ]


def _changes(changes: List[Json]) -> Optional[Table]:
    rows = [
        [
            _name(change),
            shown(change["unit"], change["before"]),
            shown(change["unit"], change["after"]),
            _signed(change),
            change["how"],
        ]
        for change in changes
    ]
    return Table(_COLUMNS, rows) if rows else None


def _name(change: Json) -> Union[str, Code]:
    return Code(shortened(change["statement"]["query"], LONGEST_QUERY)) if change["statement"] else change["title"]


def _signed(change: Json) -> str:
    if change["unit"] == "percent":
        return f"{change['change']:+.1f} points"
    text = shown(change["unit"], abs(change["change"]))
    share = change["change_percent"]
    relative = "" if share is None else f" ({'+' if share >= 0 else '-'}{human.percent(abs(share), 100)})"
    return f"{'+' if change['change'] >= 0 else '-'}{text}{relative}"


def _same(changes: List[Json]) -> str:
    return f"As before: {'; '.join(change['title'] for change in changes)}." if changes else ""


def _new_statements(found: List[Json]) -> List[Section]:
    if not found:
        return []
    columns = [("Share", RIGHT), ("Calls", RIGHT), ("Mean", RIGHT), ("Database", LEFT), ("Statement", LEFT)]
    rows = [
        [
            human.percent(entry["share_percent"], 100),
            human.count(entry["calls"]),
            human.milliseconds(entry["mean_exec_time_ms"]),
            entry["database"] or "(dropped)",
            Code(shortened(entry["query"], LONGEST_QUERY)),
        ]
        for entry in found
    ]
    told = "They ran in the second window and not in the first; measured."
    return [section("Statements that are new", told, Table(columns, rows))]


def _settings(found: List[Json]) -> Optional[Table]:
    columns = [("Setting", LEFT), ("Before", RIGHT), ("After", RIGHT), ("Source", LEFT)]
    rows = [[entry["name"], _or_none(entry["before"]), _or_none(entry["after"]), entry["source"]] for entry in found]
    return Table(columns, rows) if rows else None


def _or_none(text: Optional[str]) -> str:
    return "not there" if text is None else text


def _sizes(found: List[Json]) -> Sequence[Any]:
    if not found:
        return ["None."]
    columns = [("Name", LEFT), ("Kind", LEFT), ("Before", RIGHT), ("After", RIGHT), ("Change", RIGHT)]
    rows: List[List[Union[str, Code]]] = []
    for entry in found[:SHOWN_SIZES]:
        ends = [entry["before_bytes"], entry["after_bytes"]]
        change = (ends[1] or 0) - (ends[0] or 0)
        texts = ["not there" if size is None else human.size(size) for size in ends]
        rows.append([entry["name"], entry["kind"], *texts, f"{'+' if change >= 0 else '-'}{human.size(abs(change))}"])
    more = len(found) - SHOWN_SIZES
    return [
        "Sizes on disk, measured.",
        Table(columns, rows),
        f"And {more} more that changed less." if more > 0 else None,
    ]


def _between(found: Optional[Json]) -> List[Section]:
    """What the counters of both ends say about all the time from one to the other."""
    if found is None:
        return []
    told = [f"{entry['part']}: {entry['reason']}" for entry in found["reasons"]]
    statements = found["statements"]
    blocks: List[Any] = [
        f"What was counted in {human.seconds(found['seconds'])}, from one baseline to the other.",
        items(told),
    ]
    blocks.append(_between_database(found["database"]))
    if statements:
        rows = [row for row in statements["rows"] if not row["own"]][:SHOWN_BETWEEN]
        whole = statements["total"]["total_exec_time_ms"]
        columns = [("Time", RIGHT), ("Share", RIGHT), ("Calls", RIGHT), ("Mean", RIGHT), ("Statement", LEFT)]
        lines: List[List[Union[str, Code]]] = [
            [
                human.milliseconds(row["total_exec_time_ms"]),
                human.percent(row["total_exec_time_ms"], whole),
                human.count(row["calls"]),
                "n/a" if row["mean_exec_time_ms"] is None else human.milliseconds(row["mean_exec_time_ms"]),
                Code(shortened(row["query"], LONGEST_QUERY)),
            ]
            for row in rows
        ]
        blocks.append(Table(columns, lines) if lines else None)
    return [section("Between the two", *blocks)]


def _between_database(found: Optional[Json]) -> Optional[Table]:
    if found is None:
        return None
    ratio = found["hit_ratio_percent"]
    how = f"measured over {human.seconds(found['seconds'])}"
    rows = [
        ["Transactions committed", human.count(found["xact_commit"]), how],
        ["Blocks found in shared buffers", "n/a" if ratio is None else human.percent(ratio, 100), how],
        ["Temporary files written", human.size(found["temp_bytes"]), how],
        ["Deadlocks", human.count(found["deadlocks"]), how],
    ]
    return Table([("Figure", LEFT), ("Value", RIGHT), ("How it was got", LEFT)], rows)


def _not_compared(found: List[Json]) -> List[Section]:
    if not found:
        return []
    lines = [sentence(f"{entry['title']}: {entry['reason']}") for entry in found]
    return [section("What was not compared", items(lines))]


def _rules() -> Section:
    columns = [("Figure", LEFT), ("Worse is", LEFT), ("Counts from", RIGHT), ("How it was got", LEFT)]
    rows = [
        [figure.title, _direction(figure.worse), _least(figure.unit, figure.least, figure.percent), figure.how]
        for figure in (*FIGURES, STATEMENT)
    ]
    return section(
        "What counts as worse",
        "The worst is what exceeds most often the change from which on it counts. A statement counts if it took"
        f" {human.percent(STATEMENT_SHARE_PERCENT, 100)} of the time of all in one of the two windows.",
        Table(columns, rows),
    )


def _direction(worse: str) -> str:
    return "for you to say" if worse == NEITHER else "more" if worse == UP else "less"


def _least(unit: str, least: float, share: float) -> str:
    text = f"{human.significant(least)} points" if unit == "percent" else shown(unit, least)
    return f"{text} and {human.percent(share, 100)}" if share else text
