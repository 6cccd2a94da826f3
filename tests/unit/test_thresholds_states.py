# SPDX-License-Identifier: GPL-3.0-or-later
"""_thresholds.evaluate: series of values and the states that follow."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from ansible_collections.midi.capacity.plugins.module_utils._thresholds import evaluate as module
from ansible_collections.midi.capacity.plugins.module_utils._thresholds.evaluate import evaluate, evaluate_all
from ansible_collections.midi.capacity.plugins.module_utils._thresholds.model import BADNESS, Reading, Threshold
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.thresholds_example import DEFAULTS, every_reading, only, threshold

SHORT = {"o": "ok", "w": "warning", "c": "critical", "u": "unknown", "-": "not applicable"}
# In a series: no value, and nothing to read.
NO, NA = None, "n/a"


def reading(value: Any) -> Reading:
    return Reading(None, applicable=False) if value == NA else Reading(value)


def states(of: Threshold, series: Any, through: Any = lambda memory: memory) -> list[str]:
    """The state after each sample. through: what becomes of the memory between two."""
    memory, found = None, []
    for value in series:
        evaluations, memory = evaluate(of, [reading(value)], through(memory))
        found.append(evaluations[0].state)
    return found


ABOVE = {"warn": 80, "critical": 90, "hysteresis": 5, "samples": 1}
BELOW = {
    "metric": "cache_hit_ratio_percent",
    "warn": 80,
    "critical": 60,
    "hysteresis": 5,
    "samples": 1,
    "unknown_for": 1,
}

# What it shows, the threshold, the values, the states.
SERIES: list[tuple[str, dict[str, Any], list[Any], str]] = [
    ("the limit itself is not beyond", ABOVE, [80, 80.01, 90, 90.01], "owwc"),
    ("below: the limit itself is not beyond", BELOW, [80, 79.99, 60, 59.99], "owwc"),
    ("better only when it is back by the hysteresis", ABOVE, [81, 79, 75.01, 75, 81], "wwwow"),
    ("below: the same the other way", BELOW, [79, 81, 84.99, 85, 79], "wwwow"),
    ("critical holds in its own band, then it is a warning", ABOVE, [91, 86, 85.01, 85, 76, 75], "cccwwo"),
    ("below: the same", BELOW, [59, 64.99, 65, 84, 85], "ccwwo"),
    ("from critical at once to ok", ABOVE, [91, 10, 91, 10], "coco"),
    ("inside the band nothing begins", ABOVE, [76, 79, 80, 78], "oooo"),
    ("without hysteresis the limit is all", {**ABOVE, "hysteresis": 0}, [81, 80, 81, 80], "wowo"),
    ("three in a row", {**ABOVE, "samples": 3}, [81, 82, 83, 84], "ooww"),
    ("one that is well begins the row again", {**ABOVE, "samples": 3}, [81, 82, 79, 81, 82, 81], "ooooow"),
    ("critical counts for the row of warning", {**ABOVE, "samples": 3}, [81, 95, 82, 82], "ooww"),
    ("each limit has a row of its own", {**ABOVE, "samples": 3}, [95, 95, 81, 95, 95, 95], "oowwwc"),
    ("critical takes its row from ok too", {**ABOVE, "samples": 2}, [95, 95], "oc"),
    ("a warning that gets worse waits as long", {**ABOVE, "samples": 2}, [81, 81, 95, 81, 95, 95], "owwwwc"),
    ("better does not wait", {**ABOVE, "samples": 3}, [95, 95, 95, 80, 70], "oocwo"),
    ("in the band the row of worse is broken", {**ABOVE, "samples": 2}, [81, 81, 91, 89, 91, 91], "owwwwc"),
    ("only warn", {**ABOVE, "critical": None}, [99, 76, 75], "wwo"),
    ("only critical", {**ABOVE, "warn": None}, [89, 91, 86, 85, 79], "occoo"),
    ("no value is unknown", ABOVE, [10, NO, 10], "ouo"),
    ("from the beginning", ABOVE, [NO, NO, 95], "uuc"),
    ("unknown takes as many as it says", {**ABOVE, "unknown_for": 3}, [10, NO, NO, NO, 10], "ooouo"),
    ("a value begins the row of gaps again", {**ABOVE, "unknown_for": 2}, [NO, 10, NO, 10, NO, NO], "ooooou"),
    ("a gap changes nothing", {**ABOVE, "unknown_for": 2}, [95, NO, 95, NO, NO, 95], "cccCuc".lower()),
    ("a gap interrupts no row", {**ABOVE, "samples": 2, "unknown_for": 2}, [81, NO, 81], "oow"),
    ("after unknown a value counts at once", {**ABOVE, "samples": 3}, [NO, 81, 82, 70], "uwwo"),
    ("and the worst at once", {**ABOVE, "samples": 3}, [81, NO, 95], "ouc"),
    ("unknown does not forget the band", ABOVE, [81, NO, 79, 75], "wuwo"),
    ("what is no number is no value", ABOVE, [math.nan, math.inf, -math.inf, 95], "uuuc"),
    ("nothing to read is no alert and forgets", {**ABOVE, "samples": 2}, [81, NA, 81, 81, NA, NO, NA], "o-ow-u-"),
    ("below: three in a row", {**BELOW, "samples": 3}, [79, 79, 81, 79, 79, 79], "ooooow"),
    ("below: each limit has a row of its own", {**BELOW, "samples": 2}, [59, 79, 59, 59, 79, 65], "owwcww"),
    ("below: better does not wait", {**BELOW, "samples": 3}, [59, 59, 59, 70, 85], "oocwo"),
    ("below: a gap interrupts no row", {**BELOW, "samples": 2, "unknown_for": 2}, [79, NO, 79], "oow"),
    ("below: after unknown the worst counts at once", {**BELOW, "samples": 3}, [NO, 59, NO, 90], "ucuo"),
    ("below: no value is ever too high", BELOW, [100, 80, 85, 100], "oooo"),
    ("the row begins beyond the limit, not in the band", {**ABOVE, "samples": 2}, [76, 81, 76, 81, 81], "oooow"),
    ("back and beyond again is a new row", {**ABOVE, "samples": 2}, [81, 81, 75, 81, 81], "owoow"),
    ("the way back from critical by way of its own band", {**ABOVE, "samples": 2}, [91, 91, 86, 81, 76, 75], "occwwo"),
    ("a warning in its band gets worse by a row", {**ABOVE, "samples": 2}, [81, 81, 76, 91, 91], "owwwc"),
    ("bands that overlap", {**ABOVE, "hysteresis": 20}, [91, 71, 70, 61, 60], "ccwwo"),
    (
        "unknown in the middle of a row, and on with it",
        {**ABOVE, "samples": 3, "unknown_for": 2},
        [81, 81, NO, 81, NO, NO, 79, 75],
        "ooowwuwo",
    ),
    ("unknown stays until there is a value", {**ABOVE, "unknown_for": 2}, [NO, NO, NO, NO, 10], "ouuuo"),
    ("a short gap after unknown begins again", {**ABOVE, "unknown_for": 2}, [NO, NO, 10, NO, NO], "ouoou"),
    ("down", {"metric": "postgres_down"}, [0, 1, 1, 0, NO], "occou"),
    ("one is too many", {"metric": "invalid_indexes"}, [0, 1, 0], "owo"),
]


@pytest.mark.parametrize(("_says", "changes", "series", "expected"), SERIES, ids=[one[0] for one in SERIES])
def test_series(_says: str, changes: dict[str, Any], series: list[Any], expected: str) -> None:
    assert len(series) == len(expected)
    assert states(threshold(**changes), series) == [SHORT[letter] for letter in expected]


@pytest.mark.parametrize("of", DEFAULTS, ids=[one.metric.name for one in DEFAULTS])
@pytest.mark.parametrize("level", ["warning", "critical"])
def test_every_default_by_a_series_of_its_own(of: Threshold, level: str) -> None:
    """On the limit it is well, beyond it bad after as many as it says, in the band still so, and back it is better."""
    limit = limit_of(of, level)
    if limit is None:
        # There is no value that makes it so.
        assert level not in states(of, [0, 10**15] * 9 + [10**15] * 9 + [0] * 9)
        return
    worse = 1 if of.direction == "above" else -1
    near, back = min(limit, of.hysteresis or 1) / 8 or 1, limit - worse * of.hysteresis
    series = [limit, *[limit + worse * near] * of.samples, *([back + worse * near] if of.hysteresis else []), back]
    found = [BADNESS[state] >= BADNESS[level] for state in states(of, series)]
    assert found == [False] * of.samples + [True] * (2 if of.hysteresis else 1) + [False]
    assert states(of, [None] * of.unknown_samples) == ["ok"] * (of.unknown_samples - 1) + ["unknown"]


# Limits that are whole, so that values meet them and their bands.
@st.composite
def thresholds(draw: st.DrawFn) -> Threshold:
    direction = draw(st.sampled_from(["above", "below"]))
    first, second = sorted(draw(st.lists(st.integers(20, 80), min_size=2, max_size=2, unique=True)))
    limits = {"warn": first, "critical": second} if direction == "above" else {"warn": second, "critical": first}
    if draw(st.booleans()):
        limits[draw(st.sampled_from(["warn", "critical"]))] = None
    samples, patience, hysteresis = (draw(st.integers(*ends)) for ends in ((1, 3), (1, 3), (0, 20)))
    return threshold(direction=direction, **limits, samples=samples, unknown_for=patience, hysteresis=hysteresis)


def limit_of(of: Threshold, level: str) -> Any:
    return of.warn if level == "warning" else of.critical


VALUES = st.lists(st.none() | st.integers(0, 100), max_size=12)


@given(thresholds(), VALUES)
def test_the_memory_is_json_and_nothing_is_lost_in_it(of: Threshold, series: list[Any]) -> None:
    assert states(of, series) == states(of, series, lambda memory: json.loads(json.dumps(memory, allow_nan=False)))


@given(thresholds(), VALUES, st.lists(st.integers(0, 40), min_size=12, max_size=12))
def test_a_worse_series_has_no_better_state(of: Threshold, series: list[Any], more: list[int]) -> None:
    sign = 1 if of.direction == "above" else -1
    worse = [None if value is None else value + sign * extra for value, extra in zip(series, more, strict=False)]
    pairs = zip(states(of, series), states(of, worse), strict=True)
    assert all(BADNESS[one] <= BADNESS[other] for one, other in pairs)


@given(thresholds(), VALUES, st.data())
def test_inside_the_band_of_a_limit_nothing_flaps(of: Threshold, before: list[Any], data: st.DataObject) -> None:
    """Whatever was before: between a limit and its way back nobody crosses that limit, either way."""
    level = data.draw(st.sampled_from([name for name in ("warning", "critical") if limit_of(of, name) is not None]))
    limit, back = limit_of(of, level), of.hysteresis if of.direction == "below" else -of.hysteresis
    # From just before the way back to the limit itself.
    inside = [limit + back * part / 8 for part in range(8)]
    series = data.draw(st.lists(st.sampled_from(inside), min_size=2, max_size=8))
    found = states(of, [*before, *series])[len(before) :]
    assert len({BADNESS[state] >= BADNESS[level] for state in found}) == 1


@given(thresholds(), VALUES)
def test_a_state_gets_worse_only_by_a_row_or_after_unknown(of: Threshold, series: list[Any]) -> None:
    found = ["ok", *states(of, series)]
    for place, value in enumerate(series):
        before, after = found[place], found[place + 1]
        if before in ("unknown", after) or after == "unknown" or BADNESS[after] < BADNESS[before]:
            continue
        limit = limit_of(of, after)
        assert limit is not None
        known = [one for one in series[: place + 1] if one is not None][-of.samples :]
        assert len(known) == of.samples and value is not None
        assert all(one > limit if of.direction == "above" else one < limit for one in known)


def test_the_memory_comes_to_rest() -> None:
    memory, sizes = None, []
    for _again in range(50):
        _found, memory = evaluate(threshold(samples=3), [Reading(95)], memory)
        sizes.append(json.dumps(memory))
    assert len(set(sizes[3:])) == 1


def test_a_memory_of_another_version_is_read_as_far_as_it_goes() -> None:
    found, _memory = evaluate(threshold(**ABOVE), [Reading(78)], [{"subject": None, "level": "warning", "new": 1}])
    assert found[0].state == "warning"


DISK = threshold("disk_used_percent", warn=50, critical=80, hysteresis=2)


def told(found: Any) -> dict[Any, tuple[str, Any]]:
    return {one.subject: (one.state, one.reason) for one in found}


def test_subjects_have_states_of_their_own_and_are_forgotten_when_gone() -> None:
    found, memory = evaluate(
        DISK, [Reading(60, "/a"), Reading(90, "/b", detail="ext4"), Reading(None, "/c", reason="no")]
    )
    assert told(found) == {"/a": ("warning", None), "/b": ("critical", None), "/c": ("unknown", "no")}
    assert found[1].detail == "ext4" and found[1].value == 90
    found, memory = evaluate(DISK, [Reading(49, "/a")], memory)
    gone = ("not applicable", module.GONE)
    assert told(found) == {"/a": ("warning", None), "/b": gone, "/c": gone}
    found, memory = evaluate(DISK, [Reading(48, "/a")], memory)
    assert told(found) == {"/a": ("ok", None)} and len(memory) == 1


def test_when_none_can_be_read_all_of_them_stay() -> None:
    _found, memory = evaluate(DISK, [Reading(60, "/a"), Reading(90, "/b")])
    found, memory = evaluate(DISK, [Reading(None, reason="statvfs failed")], memory)
    assert told(found) == {None: ("unknown", "statvfs failed")}
    found, memory = evaluate(DISK, [Reading(49, "/a"), Reading(79, "/b")], memory)
    assert told(found) == {"/a": ("warning", None), "/b": ("critical", None), None: ("not applicable", module.BACK)}
    found, _memory = evaluate(DISK, [Reading(None, applicable=False, reason="managed")], memory)
    assert told(found)[None] == ("not applicable", "managed") and told(found)["/a"][0] == "not applicable"


def test_what_nobody_read_is_unknown() -> None:
    assert told(evaluate(DISK, [])[0]) == {None: ("unknown", module.NOTHING_READ)}
    assert told(evaluate(DISK, [Reading(math.nan)])[0]) == {None: ("unknown", module.NO_NUMBER)}


@pytest.mark.parametrize(
    ("readings", "expected"),
    [
        ([Reading(60, "/a"), Reading(90, "/a")], 90),
        ([Reading(90, "/a"), Reading(60, "/a")], 90),
        ([Reading(None, "/a"), Reading(60, "/a")], 60),
        ([Reading(60, "/a"), Reading(None, "/a")], 60),
        ([Reading(None, "/a", applicable=False), Reading(None, "/a", reason="x")], None),
    ],
)
def test_of_several_readings_the_worst_counts(readings: list[Reading], expected: Any) -> None:
    found, _memory = evaluate(DISK, readings)
    assert len(found) == 1 and found[0].value == expected and found[0].state != "not applicable"
    lower = threshold("cache_hit_ratio_percent")
    assert evaluate(lower, [Reading(70), Reading(40), Reading(90)])[0][0].value == 40


def missing_of(*servers: str) -> dict[str, list[Reading]]:
    """Nothing has a value that needs one of these, nor have they."""
    return {
        one.metric.name: [Reading(None, reason="down")]
        if one.metric.needs in servers
        else every_reading()[one.metric.name]
        for one in DEFAULTS
    }


@pytest.mark.parametrize("down", [Reading(1), Reading(None, reason="password authentication failed")])
def test_a_server_that_is_down_is_one_alert_and_its_metrics_stay_as_they_were(down: Reading) -> None:
    bad = {**every_reading(), "xid_age_percent": [Reading(60)]}
    _found, memory = evaluate_all(DEFAULTS, bad)
    readings = {**missing_of("postgres_down"), "postgres_down": [down]}
    for _sample in range(3):
        found, memory = evaluate_all(DEFAULTS, readings, json.loads(json.dumps(memory)))
        worse = [one.threshold.metric.name for one in found if one.state in ("critical", "unknown")]
        assert worse == ["postgres_down"]
        assert {one.threshold.metric.name for one in found if one.state == "ok"} == {
            "redis_down", "cache_hit_ratio_percent", "cache_evictions_percent", "redis_memory_percent",
            "backup_age_seconds", "snapshot_age_intervals", "agent_failures",
        }  # fmt: skip
    # Within the band it is as bad as before.
    found, _memory = evaluate_all(DEFAULTS, {**bad, "xid_age_percent": [Reading(49.5)]}, memory)
    assert [(one.threshold.metric.name, one.state) for one in found if one.state != "ok"] == [
        ("xid_age_percent", "critical")
    ]


def test_what_has_a_value_though_the_server_is_down_counts() -> None:
    readings = {**missing_of("postgres_down"), "postgres_down": [Reading(1)], "disk_used_percent": [Reading(99, "/")]}
    found, _memory = evaluate_all(DEFAULTS, readings)
    assert [one.threshold.metric.name for one in found if one.state == "critical"] == [
        "postgres_down",
        "disk_used_percent",
    ]


def test_without_the_threshold_that_tells_each_tells_itself() -> None:
    readings = {**missing_of("redis_down"), "redis_down": [Reading(1)]}
    quiet = only(*(one for one in DEFAULTS if one.metric.name != "redis_down"))
    _found, memory = evaluate_all(quiet, readings)
    found, memory = evaluate_all(quiet, readings, memory)
    unknown = {one.threshold.metric.name for one in found if one.state == "unknown"}
    assert unknown == {"cache_hit_ratio_percent", "cache_evictions_percent", "redis_memory_percent"}
    assert "redis_down" not in memory


def test_with_the_server_up_what_is_missing_is_unknown() -> None:
    found, _memory = evaluate_all(
        only(threshold("xid_age_percent"), threshold("postgres_down")), {"postgres_down": [Reading(0)]}
    )
    assert [one.state for one in found] == ["ok", "unknown"]
    nothing, _memory = evaluate_all(DEFAULTS, {})
    patient = [one.metric.name for one in DEFAULTS if one.unknown_samples > 1 and not one.metric.needs]
    assert patient == [] and {one.state for one in nothing} == {"unknown", "ok"}
