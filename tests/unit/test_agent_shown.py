# SPDX-License-Identifier: GPL-3.0-or-later
"""_agent.shown: the history as a table with its gaps, where the agent stands, and what the doctor found."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from ansible_collections.midi.capacity.plugins.module_utils import _moments
from ansible_collections.midi.capacity.plugins.module_utils._agent import shown
from ansible_collections.midi.capacity.plugins.module_utils._alerts.delivery import ONLY_LOGGED

BEGIN = "2026-11-24T00:10:00.000Z"
HOUR = 3600.0


def reading(value: float | None, reason: str | None = None, subject: str | None = None) -> dict[str, Any]:
    return {"value": value, "subject": subject, "reason": reason}


READ = {
    "growth_rows": reading(1720000.0), "database_bytes": reading(5.0 * 1024**3),
    "connections_used_percent": reading(5.53), "transactions_per_second": reading(12.345),
    "buffer_hit_ratio_percent": reading(98.5), "statement_p50_ms": reading(0.042), "statement_p95_ms": reading(51.1),
    "cpu_busy_percent": reading(40.0), "disk_used_percent": reading(26.3, subject="/"),
    "cache_hit_ratio_percent": reading(None, "no lookup in the window"), "postgres_down": reading(0.0),
}  # fmt: skip


class Taken:
    """Snapshots at these seconds; clock: what the clock of people was set by until then; boots: by number."""

    def __init__(self, *passed: float, clock: Any = (), boots: Any = (), runs: Any = ()) -> None:
        self.found, self.heads = [], {}
        for number, seconds in enumerate(passed):
            step = clock[number] if number < len(clock) else 0.0
            boot = boots[number] if number < len(boots) else "one"
            at = _moments.after(BEGIN, seconds + step)
            self.heads[number] = {"taken_at": at, "boot_id": boot, "monotonic_seconds": seconds % 50000}
            self.found.append({"id": number, "taken_at": at, "readings": copy.deepcopy(READ)})
        self.runs = [
            {"started_at": _moments.after(BEGIN, seconds), "outcome": outcome, "reason": reason}
            for seconds, outcome, reason in runs
        ]

    def lines(self) -> list[str]:
        return shown.history(self.found, self.heads, self.runs, HOUR, "agent-two").splitlines()

    def gap(self) -> str | None:
        """Between the first two."""
        lines = self.lines()
        return lines[2].strip() if len(lines) == 4 else None


def test_a_line_for_each_snapshot_in_columns() -> None:
    taken = Taken(0, HOUR)
    taken.found[1]["readings"] = {"postgres_down": reading(1.0), "cpu_busy_percent": reading(100.0)}
    assert taken.lines() == [
        "taken (UTC)               rows  database   conn  tx/s    hit       P50      P95   cpu   disk  cache",
        "2026-11-24 00:10:00  1,720,000     5 GiB  5.53%  12.3  98.5%  0.042 ms  51.1 ms   40%  26.3%      -",
        "2026-11-24 01:10:00          -         -      -     -      -         -        -  100%      -      -"
        "  PostgreSQL down",
    ]


def test_without_a_snapshot_it_says_what_to_do() -> None:
    assert shown.history([], {}, [], HOUR, "agent-two") == "the history has no snapshot yet: run agent-two snapshot\n"


def test_a_time_without_a_snapshot_is_told_from_a_history_without_one() -> None:
    assert shown.none_since("2027-01-01T00:00:00.000Z", {"taken_at": BEGIN}) == (
        "no snapshot since 2027-01-01 00:00:00 UTC; the last is of 2026-11-24 00:10:00 UTC\n"
    )


NO_RUN = "no run was started: look at the schedule"


@pytest.mark.parametrize(
    ("taken", "told"),
    [
        (Taken(0, HOUR), None),
        (Taken(0, 1.5 * HOUR), None),
        (Taken(0, 3 * HOUR), f"... 3 h without a snapshot; {NO_RUN}"),
        # By what the runs themselves say, the last of them first.
        (
            Taken(
                0, 3 * HOUR, runs=[(3 * HOUR - 1, "done", ""), (7200, "failed", "the disk is full"), (3600, None, "")]
            ),
            "... 3 h without a snapshot; 2 runs did not take one: the run failed (the disk is full)",
        ),
        (
            Taken(0, 3 * HOUR, runs=[(3600, "locked", "")]),
            "... 3 h without a snapshot; 1 run did not take one: another run held the lock",
        ),
        (
            Taken(0, 3 * HOUR, runs=[(3600, None, "")]),
            "... 3 h without a snapshot; 1 run did not take one: the run was cut off",
        ),
        # Those of before and after are no reason.
        (Taken(0, 3 * HOUR, runs=[(-60, "failed", "x"), (3 * HOUR + 60, "failed", "x")]),
         f"... 3 h without a snapshot; {NO_RUN}"),
        (Taken(0, HOUR, clock=(0, 300)), "... the clock was set forward by 5 min"),
        (Taken(0, HOUR, clock=(0, -3 * HOUR)), "... the clock was set back by 3 h"),
        (Taken(0, HOUR, clock=(0, -3)), None),
        (Taken(0, 5 * HOUR, clock=(0, 300)),
         f"... 5 h without a snapshot; the clock was set forward by 5 min; {NO_RUN}"),
        (Taken(0, HOUR, boots=("one", "two")), "... the host was started again"),
        (Taken(0, 5 * HOUR, boots=("one", "two")), "... 5 h without a snapshot; the host was started again"),
        # A clock of nobody that went back is of another boot, whatever its name.
        (Taken(10, 50005), f"... 13 h 53 min without a snapshot; {NO_RUN}"),
    ],
)  # fmt: skip
def test_gaps_are_named(taken: Taken, told: str | None) -> None:
    assert taken.gap() == told


def test_rows_for_other_programs() -> None:
    taken = Taken(0)
    taken.found[0]["readings"] = {"b": reading(None, "it was not read"), "a": reading(1.5, subject="/")}
    assert [dict(zip(shown.CSV_COLUMNS, row, strict=True)) for row in shown.csv_rows(taken.found)] == [
        {"taken_at": BEGIN, "metric": "a", "value": 1.5, "subject": "/", "reason": None},
        {"taken_at": BEGIN, "metric": "b", "value": None, "subject": None, "reason": "it was not read"},
    ]


STATE = {
    "state": "critical", "title": "CPU busy", "subject": None, "value": 91.0, "unit": "percent", "direction": "above",
    "warn": 80.0, "critical": 90.0, "hysteresis": 5.0, "detail": "over 1 h", "reason": None, "remedy": "look at it",
}  # fmt: skip
STATUS: dict[str, Any] = {
    "database": "midi_library", "host": "db1", "at": "2026-11-24T00:40:00.000Z",
    "last_snapshot": {"taken_at": BEGIN, "reasons": []},
    "interval_seconds": 3600, "history": {"first": "2026-11-01T00:00:00.000Z", "snapshots": 553, "bytes": 3 * 1024**2},
    "failures_in_a_row": 0, "delivery": None, "states": [{**STATE, "state": "ok", "value": 5.0}], "silences": [],
    "probes": [], "missing": [],
}  # fmt: skip


def delivered(**outcomes: str | None) -> dict[str, Any]:
    return {"delivery": {"at": BEGIN, "arrived": None in outcomes.values(), "outcomes": outcomes}}


def status(**changes: Any) -> str:
    return shown.status({**STATUS, **changes}, "agent-two")


def test_where_it_stands_when_all_is_well() -> None:
    assert status() == (
        "midi_library on db1, 2026-11-24 00:40:00 UTC\n"
        "\n"
        "Last snapshot  2026-11-24 00:10:00 UTC, 30 min ago\n"
        "One every      1 h\n"
        "History        553 snapshots since 2026-11-01 00:00:00 UTC, 3 MiB\n"
        "\n"
        "Alerts: none\n"
    )


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (
            {"states": [STATE, {**STATE, "state": "unknown", "detail": None, "reason": "no /proc"}]},
            "Alerts\n  CRITICAL: CPU busy: 91 %, above 90 %\n    over 1 h\n    What to do: look at it\n"
            "  UNKNOWN: CPU busy: cannot be read\n    no /proc\n    What to do: look at it\n",
        ),
        (
            {"last_snapshot": None, "history": {"first": None, "snapshots": 0, "bytes": 4096}},
            "Last snapshot  none: run agent-two snapshot\nOne every      1 h\nHistory        0 snapshots, 4 KiB\n",
        ),
        # Taken by a clock that was ahead.
        ({"at": "2026-11-23T00:00:00.000Z"}, "Last snapshot  2026-11-24 00:10:00 UTC, 0 s ago\n"),
        (
            {"last_snapshot": {"taken_at": BEGIN, "reasons": [{"part": "gap", "reason": "3 h without"}]}},
            "30 min ago\n               gap: 3 h without\n",
        ),
        ({"failures_in_a_row": 3}, "Failed         the last 3 runs of snapshot: run agent-two doctor\n"),
        (delivered(command=None, mail=None), "Last message   2026-11-24 00:10:00 UTC, arrived by command, mail\n"),
        (
            delivered(webhook="HTTP 500", command=None, mail="timed out"),
            "Last message   2026-11-24 00:10:00 UTC, arrived by command; not by webhook: HTTP 500, mail: timed out\n",
        ),
        (
            delivered(mail="timed out"),
            "UTC, arrived nowhere: not by mail: timed out; run agent-two test-alert when that is mended\n",
        ),
        (delivered(**ONLY_LOGGED), "Last message   2026-11-24 00:10:00 UTC, in the log only: no channel is set up\n"),
        # A channel can be called so.
        (delivered(log=None), "Last message   2026-11-24 00:10:00 UTC, arrived by log\n"),
        (
            {"silences": [{"until": BEGIN, "metric": None, "reason": "move"},
                          {"until": BEGIN, "metric": "cpu_busy_percent", "reason": "load"}]},
            "Alerts: none\n  silenced until 2026-11-24 00:10:00 UTC: everything (move)\n"
            "  silenced until 2026-11-24 00:10:00 UTC: cpu_busy_percent (load)\n",
        ),
        (
            {"probes": [
                {"name": "find", "runs": 3, "p50_ms": 1.5, "p95_ms": 2.0, "max_ms": 2.0, "reason": None},
                {"name": "count_all", "runs": 1, "p50_ms": 9.0, "p95_ms": None, "max_ms": 9.0, "reason": "timed out"},
                {"name": "gone", "runs": 0, "p50_ms": None, "p95_ms": None, "max_ms": None, "reason": "no such table"},
            ]},
            "\nProbes at the last snapshot\n"
            "  find       P50 1.5 ms, P95 2 ms, longest 2 ms of 3 runs\n"
            "  count_all  P50 9 ms, longest 9 ms of 1 run; timed out\n"
            "  gone       no such table\n",
        ),
        (
            {"missing": [{"part": "statements", "reason": "not loaded", "remedy": "preload it"},
                         {"part": "host", "reason": "elsewhere", "remedy": ""}]},
            "\nNot read at the last snapshot\n  statements: not loaded; to mend it: preload it\n  host: elsewhere\n",
        ),
    ],
)  # fmt: skip
def test_what_is_to_be_said_is_said(changes: dict[str, Any], told: str) -> None:
    assert told in status(**changes)


def finding(what: str, ok: bool | None, remedy: str = "mend it") -> dict[str, Any]:
    return {"what": what, "ok": ok, "text": "so it is", "remedy": remedy}


def test_what_the_doctor_found() -> None:
    findings = [finding("schedule", True), finding("disk", False), finding("mail", None), finding("role", False, "")]
    assert shown.doctor(findings) == (
        "ok     schedule  so it is\n"
        "WRONG  disk      so it is\n"
        "                 to mend it: mend it\n"
        "?      mail      so it is\n"
        "                 to mend it: mend it\n"
        "WRONG  role      so it is\n"
        "\n"
        "2 things to mend\n"
    )
    assert shown.doctor(findings[:1]).endswith("\n\nnothing is wrong\n")
    assert shown.doctor(findings[1:2]).endswith("\n\n1 thing to mend\n")
