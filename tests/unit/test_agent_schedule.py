# SPDX-License-Identifier: GPL-3.0-or-later
"""When the agent runs: cron and systemd mean the same minutes, and none is another distance from the next."""

from __future__ import annotations

import datetime
import re
import subprocess

import pytest
from ansible_collections.midi.capacity.plugins.module_utils._agent.schedule import (
    CAPTURES,
    DAY,
    INTERVALS,
    Times,
    schedule,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.scale import scaled

SEEDS = [f"host{number}" for number in range(scaled(3, 40))]
PAIRS = [(interval, capture, seed) for interval in INTERVALS for capture in CAPTURES for seed in SEEDS]
some_minutes = st.frozensets(st.integers(0, DAY - 1), max_size=40).map(Times)
some_schedules = st.builds(schedule, st.sampled_from(INTERVALS), st.sampled_from(CAPTURES), st.text(max_size=8))


def values(field: str, size: int, dash: str) -> set[int]:
    """What a field means, by the words of crontab(5) and systemd.time(7)."""
    if field == "*":
        return set(range(size))
    found: set[int] = set()
    for part in field.split(","):
        first, _dash, last = part.partition(dash)
        assert re.fullmatch(r"\d+", first) and int(last or first) < size
        found |= set(range(int(first), int(last or first) + 1))
    return found


def of_cron(lines: list[str]) -> list[int]:
    found: list[int] = []
    for line in lines:
        minutes, hours, *rest = line.split(" ")
        assert rest == ["*", "*", "*"]
        found += [60 * hour + minute for hour in values(hours, 24, "-") for minute in values(minutes, 60, "-")]
    return sorted(found)


def of_calendar(lines: list[str]) -> list[int]:
    found: list[int] = []
    for line in lines:
        match = re.fullmatch(r"\*-\*-\* ([0-9*,.]+):([0-9*,.]+):00", line)
        assert match, line
        hours, minutes = (values(match[1], 24, ".."), values(match[2], 60, ".."))
        found += [60 * hour + minute for hour in hours for minute in minutes]
    return sorted(found)


def gaps(minutes: frozenset[int]) -> set[int]:
    ordered = sorted(minutes)
    return {later - one for one, later in zip(ordered, [*ordered[1:], ordered[0] + DAY], strict=True)}


@settings(max_examples=scaled(30, 3000), deadline=None)
@given(some_minutes | some_schedules.flatmap(lambda found: st.sampled_from([found.snapshot, found.capture])))
def test_cron_and_systemd_mean_these_minutes_each_once(times: Times) -> None:
    assert of_cron(times.cron()) == sorted(times.minutes) == of_calendar(times.on_calendar())


@pytest.mark.parametrize("interval", INTERVALS)
def test_runs_are_the_interval_apart_and_do_not_meet(interval: int) -> None:
    for _interval, capture, seed in (pair for pair in PAIRS if pair[0] == interval):
        found = schedule(interval, capture, seed)
        snapshots, captures, deadman = found.snapshot.minutes, found.capture.minutes, found.deadman.minutes
        assert gaps(snapshots) == gaps(deadman) == {interval}
        assert not snapshots & captures
        if capture and interval % capture == 0:
            assert gaps(snapshots | captures) == {capture}
        assert bool(captures) == bool(capture and capture % interval)
        taken = snapshots | captures
        free = [start for start in range(interval) if not set(range(start, DAY, interval)) & taken]
        assert bool(deadman & taken) == (not free)
        assert interval == 1 or not deadman & snapshots


def test_the_dead_man_of_an_hourly_schedule_is_half_an_hour_off_and_alone() -> None:
    for seed in SEEDS:
        found = schedule(60, 5, seed)
        (snapshot,) = {minute % 60 for minute in found.snapshot.minutes}
        (deadman,) = {minute % 60 for minute in found.deadman.minutes}
        assert (deadman - snapshot) % 60 == 31
        assert not found.deadman.minutes & (found.snapshot.minutes | found.capture.minutes)


def test_hosts_take_turns_and_each_keeps_its_own() -> None:
    starts = [min(schedule(60, 5, f"db{number}.example.org").snapshot.minutes) for number in range(200)]
    assert len(set(starts)) > 50
    # As it has been since the first release: another one would move every host's runs.
    assert schedule(60, 5, "db1").snapshot.cron() == ["5 * * * *"]


@pytest.mark.parametrize(
    ("minutes", "cron", "calendar"),
    [
        ({7 + 60 * hour for hour in range(24)}, ["7 * * * *"], ["*-*-* *:07:00"]),
        (set(range(DAY)), ["* * * * *"], ["*-*-* *:*:00"]),
        (set(), [], []),
        ({0, 1, 2, 5, 6, 9}, ["0-2,5,6,9 0 * * *"], ["*-*-* 00:00..02,05,06,09:00"]),
        ({65, 1445 - 60}, ["5 1,23 * * *"], ["*-*-* 01,23:05:00"]),
    ],
)
def test_how_minutes_are_written(minutes: set[int], cron: list[str], calendar: list[str]) -> None:
    times = Times(frozenset(minutes))
    assert (times.cron(), times.on_calendar()) == (cron, calendar)


@pytest.mark.parametrize(("interval", "capture"), [(0, 5), (7, 0), (45, 0), (90, 5), (2880, 5), (60, 7), (60, 60)])
def test_other_numbers_are_refused(interval: int, capture: int) -> None:
    with pytest.raises(ValueError, match="no such schedule"):
        schedule(interval, capture, "host")


@pytest.mark.parametrize(("interval", "capture"), [(60, 5), (360, 30), (10, 3)])
def test_systemd_means_these_minutes(interval: int, capture: int) -> None:
    found = schedule(interval, capture, "host")
    for times in (found.snapshot, found.capture, found.deadman):
        shown: set[int] = set()
        for text in times.on_calendar():
            command = ["systemd-analyze", "calendar", "--iterations=1500", "--base-time=2026-01-01 00:00:00 UTC", text]
            done = subprocess.run(command, env={"TZ": "UTC"}, check=True, capture_output=True, text=True)
            stamps = re.findall(r"(2026-01-0[12]) (\d\d):(\d\d):00 UTC", done.stdout)
            days = {
                day: {60 * int(hour) + int(minute) for d, hour, minute in stamps if d == day} for day, *_name in stamps
            }
            first = days[str(datetime.date(2026, 1, 1))]
            # The base itself is no later than itself, so midnight is the next day's.
            shown |= first | (days[str(datetime.date(2026, 1, 2))] & {0})
        assert shown == times.minutes
