# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report of a stress test."""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Tuple

from ansible_collections.midi.capacity.plugins.module_utils._report import human
from ansible_collections.midi.capacity.plugins.module_utils._report.markdown import (
    LEFT,
    RIGHT,
    code,
    shortened,
    table,
)
from ansible_collections.midi.capacity.plugins.module_utils._stress.document import SCHEMA_VERSION

Json = Dict[str, Any]

SHOWN = 10
LONGEST_QUERY = 80
UNKNOWN = "unknown"
_NAMES = (
    ("total", "Connections, all databases"),
    ("in_database", "of these in the database"),
    ("active", "of all, active"),
    ("idle", "of all, idle"),
    ("idle_in_transaction", "of all, idle in transaction"),
    ("waiting", "of all, waiting for a lock"),
)


_ENDED_BY = {
    "itself": "it ended by itself",
    "time limit": "it was ended at its time limit",
    "nobody watched": "it was ended, for nobody watched",
    "request": "it was ended on request",
}


class UnknownSchema(ValueError):
    """The document is of a version that this report does not know."""


def markdown(found: Json) -> str:
    """The report, as Markdown that ends in a line break. found: as document.document makes it. Raises UnknownSchema."""
    if found["schema_version"] != SCHEMA_VERSION:
        raise UnknownSchema(f"the stress test has schema version {found['schema_version']}, not {SCHEMA_VERSION}")
    parts = [_heading(found), _glance(found), _connections(found), _statements(found), _log(found)]
    return "\n\n".join(parts) + "\n"


def line(found: Json) -> str:
    """The gist, on one line."""
    return f"{_first_large(found['verdict']['text'])}; {_rate(found['rate'])[0]}."


def _heading(found: Json) -> str:
    outcome = found["outcome"]
    return (
        f"# Stress test {code(found['run'])}\n\n"
        f"Begun {human.moment(outcome['started_at'])} on {code(found['inventory_hostname'])}, database"
        f" {code(found['database'])}, which may be stressed by {found['allowed_by']}. What was run:"
        f" {code(found['command'])}.\n\n"
        f"**{_first_large(found['verdict']['text'])}.**"
    )


def _glance(found: Json) -> str:
    outcome = found["outcome"]
    speed, method = _rate(found["rate"])
    files = found["rate"]["files"]
    ended = outcome["signal"] or str(outcome["exit_status"])
    rows = [
        ("Speed", speed, method),
        ("Files", UNKNOWN if files is None else human.count(files), method),
        ("Time", human.seconds(outcome["elapsed_seconds"]), "measured, from start to end of the command"),
        ("Exit status", ended, _ENDED_BY[outcome["ended_by"]]),
        ("Errors in the log", human.count(found["log"]["errors"]), "lines, by the declared patterns"),
        ("Warnings in the log", human.count(found["log"]["warnings"]), "lines, by the declared patterns"),
        *_growth(found["before"], found["after"]),
        *_database(found["window"]["found"]),
    ]
    if found["removed_files"] is not None:
        rows.append(("Files removed again", human.count(found["removed_files"]), "counted"))
    notes = []
    if outcome["left_running"]:
        notes.append("Processes that the command has started still run: it ended before they did.")
    return _section("At a glance", table([("Figure", LEFT), ("Value", RIGHT), ("How it was got", LEFT)], rows), *notes)


def _rate(rate: Json) -> Tuple[str, str]:
    """The speed, and how it was got."""
    if rate["files_per_second"] is None:
        return "files a second unknown", rate["reason"] or "it took no time"
    speed = rate["files_per_second"]
    return f"{human.count(speed) if speed >= 1000 else human.significant(speed)} files/s", rate["method"]


def _growth(first: Json, second: Optional[Json]) -> List[Tuple[str, str, str]]:
    before, after = first["growth"], second["growth"] if second else None
    if before is None or after is None:
        return []
    methods = {"exact": "counted", "estimate": "estimated"}
    method = f"{methods[before['method']]} before, {methods[after['method']]} after"
    return [(f"Rows of {after['table']} that came", human.count(after["rows"] - before["rows"]), method)]


def _database(window: Optional[Json]) -> List[Tuple[str, str, str]]:
    found = window["database"] if window else None
    if found is None:
        return []
    method = "pg_stat_database, in the window"
    rows = [
        (title, human.count(found[name]), method)
        for title, name in (("Deadlocks", "deadlocks"), ("Transactions rolled back", "xact_rollback"))
        if name in found
    ]
    if found["hit_ratio_percent"] is not None:
        rows.append(("Blocks found in shared buffers", f"{human.significant(found['hit_ratio_percent'])} %", method))
    return rows


def _connections(found: Json) -> str:
    seen = found["connections"]
    missing = [f"Not all of it: {'; '.join(seen['reasons'])}."] if seen["reasons"] else []
    if not seen["samples"]:
        return _section("Connections", "The server was never looked at while the command ran.", *missing)
    limit = seen["usable_maximum"]
    share = (
        f" At most {human.percent(seen['most']['total'], limit)} of the {human.count(limit)} that applications can use."
        if limit
        else ""
    )
    rows = [(title, human.count(seen["most"][name]), human.significant(seen["mean"][name])) for name, title in _NAMES]
    return _section(
        "Connections",
        f"Seen in {human.count(seen['samples'])} looks, about two a second; what was shorter may be missing.{share}",
        table([("What", LEFT), ("Most", RIGHT), ("Mean", RIGHT)], rows),
        *missing,
    )


def _statements(found: Json) -> str:
    title = "Slowest statements in this window"
    window = found["window"]["found"]
    if window is None:
        return _section(title, f"Unknown: {found['window']['reason'].rstrip('.')}.")
    reasons = [entry["reason"] for entry in window["reasons"] if entry["part"] in ("server", "statements")]
    part = window["statements"]
    if part is None:
        return _section(title, f"Unknown: {'; '.join(reasons)}.")
    known = f"Not all is exact: {'; '.join(reasons)}." if reasons else ""
    rows = [row for row in part["rows"] if not row["own"]]
    if not rows:
        return _section(title, _window_text(part), "None was recorded.", known)
    whole = part["total"]["total_exec_time_ms"]
    slowest = sorted(rows, key=lambda row: (-(row["mean_exec_time_ms"] or 0.0), row["queryid"]))[:SHOWN]
    return _section(
        title,
        _window_text(part),
        f"### Slowest on average\n\n{_table(slowest, whole)}",
        f"### Most time in total\n\n{_table(rows[:SHOWN], whole)}",
        known,
    )


def _window_text(part: Json) -> str:
    return (
        f"Measured by pg_stat_statements between the snapshots before and after, {human.moment(part['from'])} to"
        f" {human.moment(part['to'])}: all databases, whoever ran them. The queries of this collection are left out."
    )


def _table(rows: List[Json], whole_ms: float) -> str:
    columns = [(name, RIGHT) for name in ("Mean", "Calls", "Total", "Share")]
    return table(
        [*columns, ("Database", LEFT), ("Statement", LEFT)],
        [
            [
                UNKNOWN if row["mean_exec_time_ms"] is None else human.milliseconds(row["mean_exec_time_ms"]),
                human.count(row["calls"]),
                human.milliseconds(row["total_exec_time_ms"]),
                human.percent(row["total_exec_time_ms"], whole_ms),
                row["database"] or "(dropped)",
                code(shortened(row["query"], LONGEST_QUERY)),
            ]
            for row in rows
        ],
    )


def _log(found: Json) -> str:
    log = found["log"]
    rows = [
        (code(pattern["name"]), pattern["kind"], human.count(pattern["lines"]))
        for pattern in log["patterns"]
        if pattern["lines"]
    ]
    rows.append(("(no pattern)", "", human.count(log["unmatched"])))
    shown = [pattern for pattern in log["patterns"] if pattern["kind"] in ("error", "warning") and pattern["lines"]]
    examples = [f"- {code(pattern['name'])}: {code(text)}" for pattern in shown for text in pattern["examples"]]
    return _section(
        "Log",
        f"{human.count(log['lines'])} lines, {human.size(log['bytes'])}, in {code(log['path'])} on the host.",
        table([("Pattern", LEFT), ("Kind", LEFT), ("Lines", RIGHT)], rows),
        "The first of each, with what looks like a secret masked:\n\n" + "\n".join(examples) if examples else "",
    )


def _section(title: str, *blocks: str) -> str:
    return "\n\n".join([f"## {title}", *filter(None, blocks)])


def _first_large(text: str) -> str:
    return text[:1].upper() + text[1:]
