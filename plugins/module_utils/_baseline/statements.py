# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The statements that cost most, and those that are slowest on average."""

from __future__ import annotations

from typing import List, Optional

from ansible_collections.midi.capacity.plugins.module_utils._baseline.view import (
    Json,
    View,
    ended,
    over,
    reasons,
    sentence,
)
from ansible_collections.midi.capacity.plugins.module_utils._query_text import OWN
from ansible_collections.midi.capacity.plugins.module_utils._report import human
from ansible_collections.midi.capacity.plugins.module_utils._report.document import (
    LEFT,
    RIGHT,
    Bar,
    Bars,
    Block,
    Code,
    Heading,
    Paragraph,
    Section,
    Table,
    items,
    section,
)
from ansible_collections.midi.capacity.plugins.module_utils._report.markdown import shortened

SHOWN = 5
SHOWN_IN_WINDOW = 10
LONGEST_IN_CHART = 60
LONGEST_QUERY = 80


def statements(view: View) -> Section:
    found = view.snapshot["statements"]
    if found is None:
        return section("Statements", sentence(view.how("statements", "")))
    # What snapshots themselves ask is no load to plan for; it still is part of the whole.
    rows: List[Json] = [row for row in found["rows"] if OWN not in row["query"]]
    whole = sum(row["total_exec_time"] for row in found["rows"]) + found["rest"]["total_exec_time"]
    if not rows:
        return section("Statements", *_window(view), _since(found), "None was recorded.")
    by_mean = sorted(rows, key=lambda row: (-_mean(row), row["queryid"]))[:SHOWN]
    partial = view.reason("statements")
    return section(
        "Statements",
        *_window(view),
        Heading("Since the counters were reset") if view.window else None,
        _since(found),
        f"Not all of them: {ended(partial)}" if partial else "",
        Heading("Most time in total"),
        _shares("since the counters were reset, cumulative", rows[:SHOWN], whole, "total_exec_time"),
        _table(rows[:SHOWN], whole),
        Heading("Slowest on average"),
        _among(len(rows), found["rest"]),
        _table(by_mean, whole),
    )


def _window(view: View) -> List[Optional[Block]]:
    """What ran while the baseline was taken."""
    if view.window is None:
        return []
    found = view.window["statements"]
    told = [sentence(reason) for part in ("server", "statements") for reason in reasons(view.window, part)]
    if found is None:
        return [Heading("In the window"), items(told)]
    rows = [row for row in found["rows"] if not row["own"]]
    total = found["total"]
    return [
        Heading(f"In the window of {human.seconds(found['seconds'])}"),
        Paragraph(
            f"{over(found).capitalize()} by pg_stat_statements, all databases, from {human.moment(found['from'])} to"
            f" {human.moment(found['to'])}: {human.count(total['calls'])} calls took"
            f" {human.milliseconds(total['total_exec_time_ms'])} in sum{_at_least(found)}. The queries of snapshots are"
            " part of that, and left out below but for BEGIN, SET and COMMIT, which others use, too."
        ),
        items(told),
        _shares(
            f"in the window of {human.seconds(found['seconds'])}, measured",
            rows[:SHOWN_IN_WINDOW],
            total["total_exec_time_ms"],
            "total_exec_time_ms",
        ),
        _in_window(rows[:SHOWN_IN_WINDOW], total["total_exec_time_ms"]) if rows else Paragraph("Nothing else ran."),
    ]


def _at_least(found: Json) -> str:
    return f", at least: {found['incomplete']}" if found["incomplete"] else ""


def _in_window(rows: List[Json], whole_ms: float) -> Table:
    columns = [(name, RIGHT) for name in ("Time", "Share", "Calls", "Mean", "Rows", "Blocks read")]
    return Table(
        [*columns, ("Database", LEFT), ("Statement", LEFT)],
        [
            [
                human.milliseconds(row["total_exec_time_ms"]),
                human.percent(row["total_exec_time_ms"], whole_ms),
                human.count(row["calls"]),
                "n/a" if row["mean_exec_time_ms"] is None else human.milliseconds(row["mean_exec_time_ms"]),
                human.count(row["rows"]),
                human.count(row["shared_blks_read"]),
                row["database"] or "(dropped)",
                Code(shortened(row["query"], LONGEST_QUERY)),
            ]
            for row in rows
        ],
    )


def _shares(when: str, rows: List[Json], whole_ms: float, time: str) -> Optional[Bars]:
    bars = [
        Bar(
            Code(shortened(row["query"], LONGEST_IN_CHART)),
            [row[time]],
            human.percent(row[time], whole_ms),
        )
        for row in rows
    ]
    title = f"Share of the time of all statements {when}"
    return Bars(title, ("statement",), bars, whole_ms) if bars and whole_ms else None


def _since(found: Json) -> str:
    evicted = found["dealloc"]
    dropped = f" Statements were dropped {human.times(evicted)} to make room for others." if evicted else ""
    return (
        f"Measured by pg_stat_statements, all databases, cumulative since {human.moment(found['stats_reset'])}:"
        f" sums of all that time, not of a window, and nothing here is a percentile. The queries of snapshots are"
        f" left out.{dropped}"
    )


def _among(kept: int, rest: Json) -> str:
    if not rest["statements"]:
        return "Total time divided by calls."
    return (
        f"Total time divided by calls, among the {human.count(kept)} statements with most total time;"
        f" {human.count(rest['statements'])} others are known as a sum only."
    )


def _table(rows: List[Json], whole_ms: float) -> Table:
    columns = [(name, RIGHT) for name in ("Total", "Share", "Calls", "Mean", "Longest")]
    return Table(
        [*columns, ("Database", LEFT), ("Statement", LEFT)],
        [
            [
                human.milliseconds(row["total_exec_time"]),
                human.percent(row["total_exec_time"], whole_ms),
                human.count(row["calls"]),
                human.milliseconds(_mean(row)),
                human.milliseconds(row["max_exec_time"]),
                row["database"] or "(dropped)",
                Code(shortened(row["query"], LONGEST_QUERY)),
            ]
            for row in rows
        ],
    )


def _mean(row: Json) -> float:
    return float(row["total_exec_time"] / row["calls"]) if row["calls"] else 0.0
