# SPDX-License-Identifier: GPL-3.0-or-later
"""_stress: samples, speed, verdict, the document and its report."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.midi.capacity.plugins.filter.stress_document import FilterModule as DocumentFilters
from ansible_collections.midi.capacity.plugins.filter.stress_markdown import FilterModule as MarkdownFilters
from ansible_collections.midi.capacity.plugins.module_utils._stress import samples, schema
from ansible_collections.midi.capacity.plugins.module_utils._stress.document import document
from ansible_collections.midi.capacity.plugins.module_utils._stress.log import LogTally
from ansible_collections.midi.capacity.plugins.module_utils._stress.patterns import parse
from ansible_collections.midi.capacity.plugins.module_utils._stress.rate import rate
from ansible_collections.midi.capacity.plugins.module_utils._stress.report import line, markdown
from ansible_collections.midi.capacity.plugins.module_utils._stress.verdict import verdict
from ansible_collections.midi.capacity.plugins.module_utils._stress_import import shares
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.baseline_example import baseline
from tests.unit.collection import load

PATTERNS = load("roles/capacity_baseline/defaults/main.yml")["capacity_baseline_stress_patterns"]
NO_NUMBERS: dict[str, Any] = {"files": None, "files_per_second": None}


def sample(**changed: int) -> dict[str, int]:
    return {**dict.fromkeys(samples.FIGURES, 0), **changed}


def growth(rows: int, **changed: Any) -> dict[str, Any]:
    return {"table": "public.files", "rows": rows, "method": "exact", "note": None, **changed}


# Samples

SAMPLES = st.lists(st.integers(0, 300).map(lambda number: sample(total=number, waiting=number // 2)), max_size=20)


@given(SAMPLES, SAMPLES)
def test_summaries_put_together_are_those_of_all_samples(first: list[Any], second: list[Any]) -> None:
    whole = samples.merged([samples.summary(first + second)])
    assert samples.merged([samples.summary(first), samples.summary(second)]) == whole
    if not first + second:
        assert whole is None
        return
    totals = [entry["total"] for entry in first + second]
    assert whole is not None and whole["samples"] == len(totals)
    assert whole["most"]["total"] == max(totals)
    assert whole["mean"]["total"] == pytest.approx(sum(totals) / len(totals), abs=0.01)


def test_a_reason_is_told_once() -> None:
    assert samples.reasons([None, "b", "a", "b", None]) == ["b", "a"]


# Speed and verdict


@pytest.mark.parametrize(
    ("log", "before", "after", "files", "per_second", "method"),
    [
        ({}, growth(1000), growth(3000), 2000, 200.0, "rows of public.files, counted before and after"),
        ({}, growth(1000), growth(1000), 0, 0.0, "rows of public.files"),
        ({"files": 500}, growth(1000), growth(3000), 500, 50.0, "the command's count, in its log"),
        ({"files_per_second": 7830.0}, None, None, None, 7830.0, "the command's own figure"),
        ({"files": 5, "files_per_second": 7.0}, None, None, 5, 7.0, "the command's own figure"),
    ],
)
def test_the_speed_says_how_it_is_known(
    log: Any, before: Any, after: Any, files: int | None, per_second: float, method: str
) -> None:
    found = rate({**NO_NUMBERS, **log}, before, after, 10.0)
    assert (found["files"], found["files_per_second"], found["reason"]) == (files, per_second, None)
    assert found["method"].startswith(method)


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        (None, None, "no pattern of the log has a number of files"),
        (growth(1), None, "no pattern of the log has a number of files"),
        (
            growth(1, method="estimate", note="no exact count: it took longer"),
            growth(2),
            "no exact count: it took longer",
        ),
        (growth(1), growth(2, method="estimate"), "the rows of public.files are an estimate: they were not counted"),
    ],
)
def test_a_speed_that_is_not_known_says_why(before: Any, after: Any, reason: str) -> None:
    found = rate(NO_NUMBERS, before, after, 10.0)
    assert (found["files"], found["files_per_second"], found["method"]) == (None, None, None)
    assert reason in found["reason"]


@pytest.mark.parametrize(
    ("changed", "errors", "ended_well", "passed", "text"),
    [
        ({}, 0, True, True, "it ended with exit status 0 after 10 s"),
        ({}, 1200, True, False, "it ended with exit status 0 after 10 s, and its log has 1,200 errors"),
        ({"exit_status": 3}, 0, False, False, "it ended with exit status 3 after 10 s"),
        ({"exit_status": None, "signal": "SIGSEGV"}, 0, False, False, "it was ended by SIGSEGV after 10 s"),
        ({"ended_by": "time limit"}, 0, False, False, "it was ended at its time limit, after 10 s, with all"),
        ({"ended_by": "nobody watched"}, 0, False, False, "because nobody watched it any more"),
        ({"ended_by": "request"}, 0, False, False, "it was ended on request, after 10 s"),
        ({"unread": "it is gone."}, 0, False, False, "after 10 s; afterwards the server could not be read: it is gone"),
    ],
)
def test_a_verdict(changed: dict[str, Any], errors: int, ended_well: bool, passed: bool, text: str) -> None:
    outcome = {"exit_status": 0, "signal": None, "ended_by": "itself", "elapsed_seconds": 10.0, **changed}
    found = verdict(outcome, errors, changed.get("unread"))
    assert (found["ended_well"], found["passed"]) == (ended_well, passed)
    assert text in found["text"]


# The document and its report


def pieces() -> dict[str, Any]:
    """What the role has after a stress test of ten seconds that brought 50,000 files."""
    before = baseline()["snapshot"]
    after = copy.deepcopy(before)
    after["taken_at"] = before["taken_at"][:11] + "23:59:59.000Z"
    after["growth"]["rows"] += 50_000
    row = after["statements"]["rows"][0]
    row["calls"] += 100
    row["total_exec_time"] += 5000.0
    log = LogTally(parse(PATTERNS))
    for text in ("ERROR: deadlock detected by postgresql://u:hunter2@h/d", "hello", "WARN: a"):
        log.add(text)
    seen = {"samples": samples.summary([sample(total=40, active=30, waiting=5), sample(total=20)]), "reason": None}
    return {
        "run": "20261128T070000Z",
        "inventory_hostname": "db",
        "command": "./run.sh | tee",
        "database": "midi_library",
        "allowed_by": "its mark",
        "job": {
            "exit_status": 0, "signal": None, "ended_by": "itself", "left_running": False,
            "started_at": "2026-11-28T07:00:05.000Z", "elapsed_seconds": 10.0,
            "log": {"path": "/var/lib/x/output.log", "bytes": 2048, **log.result()},
        },
        "watches": [seen, {"samples": samples.summary([sample(total=60)]), "reason": "too many clients"}],
        "before": before,
        "after": after,
        "after_reason": None,
        "removed": None,
    }  # fmt: skip


def report(change: Callable[[dict[str, Any]], Any] = lambda _pieces: None) -> str:
    made = pieces()
    change(made)
    return " ".join(markdown(document(made)).split())


def test_the_report_has_what_was_asked_for() -> None:
    text = report()
    assert "Begun 2026-11-28 07:00:05 UTC on `db`, database `midi_library`, which may be stressed by its mark." in text
    assert "`./run.sh | tee`" in text
    assert "| Speed | 5,000 files/s | rows of public.files, counted before and after, by the command's time |" in text
    assert "| Rows of public.files that came | 50,000 | counted before, counted after |" in text
    assert "**It ended with exit status 0 after 10 s, and its log has 1 error.**" in text
    assert "Seen in 3 looks" in text and "At most" in text
    assert "| Connections, all databases | 60 | 40 |" in text
    assert "| of all, waiting for a lock | 5 | 1.67 |" in text
    assert "Not all of it: too many clients." in text
    # The mean of the window, and not that of all time.
    assert "| 50 ms | 100 | 5 s |" in text.split("Slowest on average")[1]
    assert "3 lines, 2 KiB, in `/var/lib/x/output.log` on the host" in text
    assert "| `deadlock` | error | 1 |" in text and "| (no pattern) | | 1 |" in text
    assert "- `deadlock`: `ERROR: deadlock detected by postgresql://u:********@h/d`" in text
    assert "removed" not in text


def test_the_gist_is_one_line() -> None:
    wanted = "It ended with exit status 0 after 10 s, and its log has 1 error; 5,000 files/s."
    assert line(document(pieces())) == wanted


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda p: p.update(removed=50_000), "| Files removed again | 50,000 | counted |"),
        (lambda p: p["job"].update(left_running=True), "Processes that the command has started still run"),
        (lambda p: p.update(watches=[]), "The server was never looked at while the command ran."),
        (lambda p: p["after"].update(connections=None), "what was shorter may be missing. | What"),
        (
            lambda p: p["after"].update(taken_at=p["before"]["taken_at"]),
            "Unknown: by the clock there is less than a second between",
        ),
        (
            lambda p: p["after"].update(
                statements=None, missing=[{"part": "statements", "reason": "no extension", "remedy": ""}]
            ),
            "Unknown: at the end: no extension.",
        ),
        (lambda p: p["after"].update(statements=copy.deepcopy(p["before"]["statements"])), "None was recorded."),
        (lambda p: p["after"].update(growth=None), "| Speed | files a second unknown | no pattern of the log has"),
        (lambda p: p.update(after=None, after_reason="it is gone."), "| Speed | files a second unknown |"),
        (lambda p: p.update(after=None, after_reason="it is gone."), "could not be read: it is gone.**"),
        (lambda p: p.update(after=None, after_reason="it is gone."), "this window Unknown: it is gone. ##"),
        (lambda p: p["job"].update(exit_status=None, signal="SIGKILL"), "| Exit status | SIGKILL |"),
        (lambda p: p["job"].update(ended_by="time limit"), "| it was ended at its time limit |"),
    ],
)
def test_what_is_not_as_usual_is_told(change: Callable[[dict[str, Any]], Any], text: str) -> None:
    assert text not in report()
    assert text in report(change)


def test_the_filters_do_the_same_and_say_what_is_wrong() -> None:
    make = DocumentFilters().filters()["stress_document"]
    write = MarkdownFilters().filters()["stress_markdown"]
    found = make(pieces())
    assert found == document(pieces())
    assert write(found) == markdown(found)
    assert write(found, summary=True) == line(found)
    with pytest.raises(AnsibleFilterError, match="stress_document: these are no pieces of a stress test"):
        make({})
    with pytest.raises(AnsibleFilterError, match="stress_markdown: the stress test has schema version 2, not 1"):
        write({**found, "schema_version": 2})
    with pytest.raises(AnsibleFilterError, match="stress_markdown: this is no stress test"):
        write([])


# The built-in importer


def tables() -> dict[str, Any]:
    found: dict[str, Any] = {table.name: dict.fromkeys(table.columns, False) for table in schema.FILLED}
    return {**found, "tags": {"id": False}}


@pytest.mark.parametrize(
    ("change", "problems"),
    [
        (lambda found: None, []),
        (lambda found: found["files"].update(extra=False), []),
        (lambda found: found.update(tags=None), ["there is no table tags"]),
        (lambda found: found.update(files=None), ["there is no table files"]),
        (lambda found: found["files"].pop("filepath"), ["files has no column filepath"]),
        (
            lambda found: found["file_tags"].update(why=True, who=True),
            ["file_tags wants a value for who, why, which the importer has not"],
        ),
    ],
)
def test_a_database_has_to_have_the_tables(change: Callable[[Any], Any], problems: list[str]) -> None:
    found = tables()
    change(found)
    assert schema.problems(found) == problems


@given(st.integers(1, 5000), st.integers(1, 300))
def test_workers_share_the_files(files: int, workers: int) -> None:
    found = shares(files, workers)
    assert sum(found) == files
    assert len(found) == min(files, workers)
    assert max(found) - min(found) <= 1
