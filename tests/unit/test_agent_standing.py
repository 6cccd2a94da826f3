# SPDX-License-Identifier: GPL-3.0-or-later
"""_agent.standing: how everything stands between two snapshots; and _agent.age: how long ago the last one was."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.midi.capacity.plugins.module_utils import _moments
from ansible_collections.midi.capacity.plugins.module_utils._agent import standing
from ansible_collections.midi.capacity.plugins.module_utils._agent.age import age_intervals
from ansible_collections.midi.capacity.plugins.module_utils._alerts.described import UNKNOWN_REMEDY
from ansible_collections.midi.capacity.plugins.module_utils._thresholds.evaluate import evaluate_all
from ansible_collections.midi.capacity.plugins.module_utils._thresholds.model import Evaluation, Reading, Threshold
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.thresholds_example import DEFAULTS, every_reading, only, threshold

CPU = threshold("cpu_busy_percent", samples=1)
DISK = threshold("disk_used_percent")
AGE = threshold("snapshot_age_intervals")
BEGIN = "2026-11-24T00:10:00.000Z"
ABOUT = {"hysteresis", "meaning", "remedy", "title", "unit", "warn", "critical", "direction"}


def stands(
    *thresholds: Threshold, read: dict[str, list[Reading]] | None = None, checks: Any = None, now: Any = None
) -> list[tuple[str, str | None, str, Any]]:
    """Metric, subject, state, value. read: what the last snapshot had; checks: what was remembered of it."""
    last = None if read is None else as_kept(read)
    found = standing.evaluations(only(*thresholds), checks or {}, last, now or {})
    return [(entry.threshold.metric.name, entry.subject, entry.state, entry.value) for entry in found]


def as_kept(read: dict[str, list[Reading]]) -> dict[str, Any]:
    entries = {name: [reading._asdict() for reading in several] for name, several in read.items()}
    return json.loads(json.dumps({"taken_at": BEGIN, "readings": entries, "reasons": []}))


def test_states_are_those_of_the_last_snapshot_with_what_it_read() -> None:
    read = {
        "cpu_busy_percent": [Reading(91.0)],
        "disk_used_percent": [Reading(60, "/"), Reading(None, "/x", reason="no")],
    }
    _found, checks = evaluate_all(only(CPU, DISK), read)
    assert stands(CPU, DISK, read=read, checks=checks) == [
        ("cpu_busy_percent", None, "critical", 91.0),
        ("disk_used_percent", "/", "warning", 60),
        ("disk_used_percent", "/x", "unknown", None),
    ]
    # A state that waits for a second sample is as it was, whatever was read.
    patient = threshold("cpu_busy_percent", samples=3)
    _found, checks = evaluate_all(only(patient), read)
    assert stands(patient, read=read, checks=checks) == [("cpu_busy_percent", None, "ok", 91.0)]


def test_what_to_do_about_what_cannot_be_read_is_remembered() -> None:
    read = {"cpu_busy_percent": [Reading(None, reason="no", remedy="look")], "disk_used_percent": [Reading(None)]}
    _found, checks = evaluate_all(only(CPU, DISK), read)
    found = standing.described_all(standing.evaluations(only(CPU, DISK), checks, as_kept(read), {}))
    assert [(entry["state"], entry["remedy"]) for entry in found] == [("unknown", "look"), ("unknown", UNKNOWN_REMEDY)]


def test_what_no_snapshot_ever_had_is_unknown() -> None:
    for last in (None, {}, {"readings": {}}):
        (found,) = standing.evaluations(only(CPU), {}, last, {})
        assert (found.state, found.reason) == ("unknown", standing.NEVER)


def test_what_waits_for_its_server_is_as_it_was() -> None:
    up, down = threshold("postgres_down"), {"postgres_down": [Reading(1.0, detail="refused")]}
    xid = threshold("xid_age_percent")
    _found, checks = evaluate_all(only(up, xid), {"postgres_down": [Reading(0.0)], "xid_age_percent": [Reading(60)]})
    read = {**down, "xid_age_percent": [Reading(None, reason="refused")]}
    _found, checks = evaluate_all(only(up, xid), read, checks)
    assert [(name, state) for name, _subject, state, _value in stands(up, xid, read=read, checks=checks)] == [
        ("postgres_down", "critical"),
        ("xid_age_percent", "critical"),
    ]
    # Of what was never read before that there is nothing to say.
    _found, checks = evaluate_all(only(up, xid), read)
    assert [state for _name, _subject, state, _value in stands(up, xid, read=read, checks=checks)] == [
        "critical",
        "not applicable",
    ]


def test_what_there_is_nothing_to_read_of_is_not_applicable() -> None:
    read = {"cpu_busy_percent": [Reading(None, reason="managed", applicable=False)]}
    _found, checks = evaluate_all(only(CPU), read)
    (found,) = standing.evaluations(only(CPU), checks, as_kept(read), {})
    assert (found.state, found.reason) == ("not applicable", "managed")


def test_subjects_that_a_capture_did_not_look_at_stay() -> None:
    both = {"disk_used_percent": [Reading(60, "/"), Reading(90, "/x")]}
    _found, checks = evaluate_all(only(DISK), both)
    read = {"disk_used_percent": [Reading(None, reason="statvfs failed")]}
    _found, checks = evaluate_all(only(DISK), read, checks)
    assert sorted(stands(DISK, read=read, checks=checks), key=str) == [
        ("disk_used_percent", "/", "warning", None),
        ("disk_used_percent", "/x", "critical", None),
        ("disk_used_percent", None, "unknown", None),
    ]


def test_the_agent_s_own_are_as_they_are_now() -> None:
    read = {"snapshot_age_intervals": [Reading(0.0)]}
    _found, checks = evaluate_all(only(AGE), read)
    assert stands(AGE, read=read, checks=checks, now={"snapshot_age_intervals": [Reading(7.0)]}) == [
        ("snapshot_age_intervals", None, "critical", 7.0)
    ]
    assert stands(AGE, read=read, checks=checks)[0][2] == "unknown"


def test_what_is_not_in_force_is_not_told() -> None:
    assert stands(CPU._replace(enabled=False), read=every_reading()) == []


def test_readings_come_back_as_they_were_kept() -> None:
    read = {**every_reading(), "disk_used_percent": [Reading(1.5, "/", "ext4"), Reading(None, "/x", None, "no", False)]}
    assert standing.readings(as_kept(read)) == read
    assert standing.readings({}) == {}


def test_as_json_bad_ones_come_first_and_what_does_not_apply_is_left_out() -> None:
    states = ["ok", "warning", "not applicable", "ok", "unknown", "critical"]
    found = standing.described_all([Evaluation(CPU, str(place), state) for place, state in enumerate(states)])
    assert [(entry["subject"], entry["state"]) for entry in found] == [
        ("1", "warning"), ("4", "unknown"), ("5", "critical"), ("0", "ok"), ("3", "ok"),
    ]  # fmt: skip
    assert set(found[0]) >= ABOUT


@given(st.lists(st.sampled_from([10, 79, 85, 95, None]), min_size=1, max_size=6))
def test_whoever_looks_sees_what_was_told(values: list[Any]) -> None:
    """Of each threshold the same state as the evaluation of the last snapshot gave."""
    checks: Any = None
    for value in values:
        read = {one.metric.name: several for one in DEFAULTS for several in [every_reading()[one.metric.name]]}
        read["cpu_busy_percent"] = [Reading(value, reason=None if value is not None else "no /proc")]
        found, checks = evaluate_all(DEFAULTS, read, checks)
        seen = standing.evaluations(DEFAULTS, json.loads(json.dumps(checks)), as_kept(read), read)
        assert [(entry.threshold.metric.name, entry.subject, entry.state) for entry in seen] == [
            (entry.threshold.metric.name, entry.subject, entry.state) for entry in found
        ]


def head(at: float, passed: float, boot: str = "one") -> dict[str, Any]:
    return {"taken_at": _moments.after(BEGIN, at), "boot_id": boot, "monotonic_seconds": 1000.0 + passed}


@pytest.mark.parametrize(
    ("last", "now", "intervals"),
    [
        (head(0, 0), head(0, 0), 0),
        (head(0, 0), head(5400, 5400), 1.5),
        # In one boot the clock may be set as it will.
        (head(0, 0), head(-9e6, 7200), 2),
        (head(0, 0), head(9e6, 7200), 2),
        # Over a reboot there is only that one; one that was set back makes nothing old.
        (head(0, 0), head(7200, -900, "two"), 2),
        (head(0, 0), head(-7200, -900, "two"), 0),
        # A kernel that does not tell its boots tells that it is another one by its clock.
        (head(0, 0, ""), head(7200, -900, ""), 2),
    ],
)
def test_how_old_the_last_snapshot_is(last: Any, now: Any, intervals: float) -> None:
    assert age_intervals(last, now, 3600) == Reading(intervals, detail=f"the last one is of {BEGIN}")


def test_without_a_snapshot_its_age_is_unknown() -> None:
    assert age_intervals(None, head(0, 0), 3600) == Reading(None, reason="there is no snapshot")
