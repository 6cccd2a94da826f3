# SPDX-License-Identifier: GPL-3.0-or-later
"""_alerts: what is remembered between runs, and what is sent when."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from ansible_collections.midi.capacity.plugins.module_utils import _moments
from ansible_collections.midi.capacity.plugins.module_utils._alerts import delivery, memory, news, silences
from ansible_collections.midi.capacity.plugins.module_utils._alerts.silences import SilenceError
from ansible_collections.midi.capacity.plugins.module_utils._thresholds.model import BAD, Reading
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.alerts_example import BEGIN, CPU, DISK, HOUR, Agent, arrived, gist, lost
from tests.unit.thresholds_example import DEFAULTS, every_reading, threshold

DAY = 24 * HOUR


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ([10, 20], ["", ""]),
        ([81, 82, 10, 10], ["change warning", "", "recovery ok", ""]),
        ([81, 91, 86, 84, 10], ["change warning", "change critical", "", "change warning", "recovery ok"]),
        ([None, None, 10], ["change unknown", "", "recovery ok"]),
        ([91, None, 91], ["change critical", "change unknown", "change critical"]),
        # In the band nothing changes, so nothing is told.
        ([81, 79, 81, 76], ["change warning", "", "", ""]),
    ],
)
def test_one_message_on_a_change_and_one_on_recovery(values: list[Any], told: list[str]) -> None:
    assert Agent(CPU).cpu(*values) == told


PATIENT = threshold("cpu_busy_percent", warn=80, critical=90, hysteresis=5, samples=3, unknown_for=2)
LOW = threshold("cache_hit_ratio_percent", warn=80, critical=60, hysteresis=5, samples=2, unknown_for=2)
WARN, WORSE, UNSEEN, OVER = "change warning", "change critical", "change unknown", "recovery ok"

# What it shows, the threshold, a value each hour, and what is told then. The interval of repeats is five hours.
SERIES: list[tuple[str, Any, list[Any], list[str]]] = [
    ("what passes is not told", PATIENT, [95, 95, 70, 95, 95, 70], [""] * 6),
    ("what lasts is told once", PATIENT, [81, 81, 81, 81, 81], ["", "", WARN, "", ""]),
    ("to and fro over the limit is one alert", PATIENT, [81, 81, 81, 79, 81, 76, 84, 75],
     ["", "", WARN, *[""] * 4, OVER]),
    ("to and fro over the limit of critical too", PATIENT, [91] * 3 + [89, 91, 86, 85, 75],
     ["", "", WORSE, "", "", "", WARN, OVER]),
    ("what gets worse waits again", PATIENT, [81, 81, 81, 91, 91, 91], ["", "", WARN, "", "", WORSE]),
    ("a gap is not told", PATIENT, [81, 81, None, 81, None, 81], ["", "", "", WARN, "", ""]),
    ("what cannot be seen is told, and then what is seen at once", PATIENT, [81, None, None, 81, 70],
     ["", "", UNSEEN, WARN, OVER]),
    ("below: the same", LOW, [79, 81, 79, 79, 84, 79, 85], ["", "", "", WARN, "", "", OVER]),
    ("below: critical and back", LOW, [59, 59, 64, 65, 70, 85], ["", WORSE, "", WARN, "", OVER]),
    ("below: unknown and well again", LOW, [90, None, None, None, 90], ["", "", UNSEEN, "", OVER]),
    ("in the band it is told again as long as it lasts", PATIENT, [81] * 3 + [77] * 11,
     ["", "", WARN, *[""] * 4, "repeat warning", *[""] * 4, "repeat warning", ""]),
    ("unknown is told again too", LOW, [None] * 7, ["", UNSEEN, *[""] * 4, "repeat unknown"]),
    ("over and bad again begins anew", PATIENT, [81] * 3 + [70] + [81] * 3 + [70],
     ["", "", WARN, OVER, "", "", WARN, OVER]),
]  # fmt: skip


@pytest.mark.parametrize(("_says", "of", "values", "told"), SERIES, ids=[one[0] for one in SERIES])
def test_what_is_told_of_a_series(_says: str, of: Any, values: list[Any], told: list[str]) -> None:
    agent = Agent(of, repeat_seconds=5 * HOUR)
    assert [gist(agent.run(**{of.metric.name: value})) for value in values] == told


def test_in_a_silence_a_row_goes_on_and_what_is_bad_then_is_told_at_its_end() -> None:
    agent = Agent(PATIENT)
    agent.silence(1.5 * HOUR)
    assert agent.cpu(81, 81, 81, 79, 75) == ["", "", WARN, "", OVER]
    agent.cpu(81, 81)
    agent.silence(1.5 * HOUR)
    # Bad and over within it: nobody hears of it.
    assert agent.cpu(81, 70, 70) == ["", "", ""]


def test_many_that_are_over_at_once_are_one_message_too() -> None:
    agent = Agent(DISK)
    assert gist(agent.run(disk_used_percent=disks(81, 51, 52, 81))) == "digest critical"
    # In their bands nothing is over.
    assert agent.run(disk_used_percent=disks(79, 49, 49, 79)) == []
    (message,) = agent.run(disk_used_percent=disks(60, 48, 48, 10))
    assert (message["kind"], message["state"]) == ("digest", "warning")
    assert [(alert["subject"], alert["kind"], alert["state"]) for alert in message["alerts"]] == [
        ("/0", "change", "warning"), ("/1", "recovery", "ok"), ("/2", "recovery", "ok"), ("/3", "recovery", "ok"),
    ]  # fmt: skip
    # And so are many that are told again.
    agent = Agent(DISK, step=DAY)
    agent.run(disk_used_percent=disks(81, 81, 81, 81))
    (message,) = agent.run(disk_used_percent=disks(81, 81, 81, 81))
    assert message["kind"] == "digest" and {alert["kind"] for alert in message["alerts"]} == {"repeat"}


def test_what_is_over_and_told_is_forgotten() -> None:
    agent = Agent(CPU)
    agent.cpu(91, 10)
    assert agent.document["alerts"] == {}


def test_it_is_told_again_while_it_is_bad() -> None:
    agent = Agent(CPU, step=8 * HOUR)
    assert agent.cpu(*[91] * 8) == ["change critical", "", "", "repeat critical", "", "", "repeat critical", ""]
    agent = Agent(CPU, step=8 * HOUR, repeat_seconds=8 * HOUR)
    assert agent.cpu(91, 91, 81) == ["change critical", "repeat critical", "change warning"]
    agent = Agent(CPU, step=1000 * DAY, repeat_seconds=0)
    assert agent.cpu(91, 91) == ["change critical", ""]


def test_a_change_begins_the_interval_again() -> None:
    agent = Agent(CPU, step=16 * HOUR)
    assert agent.cpu(81, 91, 91, 91) == ["change warning", "change critical", "", "repeat critical"]


def test_times_of_an_alert() -> None:
    agent = Agent(CPU)
    agent.cpu(10, 81, 91)
    (message,) = agent.run(cpu_busy_percent=84)
    (alert,) = message["alerts"]
    assert (alert["bad_since"], alert["since"]) == (_moments.after(BEGIN, HOUR), _moments.after(BEGIN, 3 * HOUR))
    assert (alert["state"], alert["told"], alert["worst"]) == ("warning", "critical", "critical")
    (message,) = agent.run(cpu_busy_percent=5)
    (alert,) = message["alerts"]
    assert (alert["bad_since"], alert["since"]) == (_moments.after(BEGIN, HOUR), _moments.after(BEGIN, 4 * HOUR))
    agent.cpu(81)
    (alert,) = agent.document["alerts"].values()
    assert (alert["worst"], alert["bad_since"]) == ("warning", _moments.after(BEGIN, 5 * HOUR))


def disks(*values: float | None) -> list[Reading]:
    return [Reading(value, f"/{place}", reason="it failed") for place, value in enumerate(values)]


def test_many_at_once_are_one_message_worst_first() -> None:
    agent = Agent(DISK)
    (message,) = agent.run(disk_used_percent=disks(51, 81, None, 10, 52))
    assert (message["kind"], message["state"]) == ("digest", "critical")
    assert [alert["subject"] for alert in message["alerts"]] == ["/1", "/2", "/0", "/4"]
    assert {alert["kind"] for alert in message["alerts"]} == {"change"}
    # Three are three.
    assert gist(agent.run(disk_used_percent=disks(51, 1, 1, 1, 1))) == "recovery ok, recovery ok, recovery ok"
    assert gist(Agent(DISK, digest_from=2).run(disk_used_percent=disks(51, 81))) == "digest critical"
    # A digest of one is none.
    assert gist(Agent(DISK, digest_from=1).run(disk_used_percent=disks(51))) == "change warning"


def test_a_server_that_stops_and_starts_is_one_message_each() -> None:
    agent = Agent(*DEFAULTS)
    assert agent.run(**every_reading()) == []
    down = {one.metric.name: [Reading(None, reason="no connection")] for one in DEFAULTS
            if one.metric.needs == "postgres_down"}  # fmt: skip
    down["postgres_down"] = [Reading(1)]
    assert gist(agent.run(**{**every_reading(), **down})) == "change critical"
    assert agent.run(**{**every_reading(), **down}) == []
    assert gist(agent.run(**every_reading())) == "recovery ok"


def test_subjects_that_are_gone_are_over() -> None:
    agent = Agent(DISK)
    agent.run(disk_used_percent=disks(81, 10))
    (message,) = agent.run(disk_used_percent=disks()[1:] + [Reading(10, "/1")])
    assert message["kind"] == "recovery" and message["alerts"][0]["reason"] == "it is not there any more"


def test_what_is_not_checked_any_more_is_over() -> None:
    agent = Agent(CPU, DISK)
    agent.run(cpu_busy_percent=91, disk_used_percent=disks(10))
    assert "cpu_busy_percent" in agent.document["checks"]
    agent.thresholds = Agent(DISK).thresholds
    (message,) = agent.run(disk_used_percent=disks(10))
    assert message["kind"] == "recovery" and message["alerts"][0]["reason"] == news.NOT_CHECKED
    assert agent.document["alerts"] == {} and set(agent.document["checks"]) == {"disk_used_percent"}


def test_what_is_looked_at_by_another_schedule_stays() -> None:
    """The dead man's schedule looks at one threshold only."""
    agent = Agent(CPU, DISK)
    agent.run(cpu_busy_percent=91, disk_used_percent=disks(10))
    before = agent.document
    document, messages = news.advance(before, agent.thresholds, [], {}, agent.now)
    assert messages == [] and document["alerts"] == before["alerts"] and document["checks"] == before["checks"]


def test_a_gap_that_is_too_short_to_be_unknown_keeps_the_value() -> None:
    agent = Agent(CPU._replace(unknown_samples=2))
    agent.run(cpu_busy_percent=[Reading(91, detail="postgres")])
    agent.cpu(None)
    (alert,) = agent.document["alerts"].values()
    assert (alert["state"], alert["value"], alert["detail"]) == ("critical", 91, "postgres")
    agent.cpu(None)
    (alert,) = agent.document["alerts"].values()
    assert (alert["state"], alert["value"]) == ("unknown", None)


# Delivery


def test_what_nobody_got_comes_again_as_it_is_then() -> None:
    agent = Agent(CPU)
    agent.channel = lost
    assert agent.cpu(81, 81, 91) == ["change warning", "change warning", "change critical"]
    (alert,) = agent.document["alerts"].values()
    assert (alert["told"], alert["attempts"], alert["error"]) == ("ok", 3, "mail: connection refused")
    agent.channel = arrived
    assert agent.cpu(91, 91) == ["change critical", ""]
    (alert,) = agent.document["alerts"].values()
    assert (alert["told"], alert["attempts"], alert["error"]) == ("critical", 0, None)


def test_the_id_is_the_same_when_it_is_sent_again_and_only_then() -> None:
    agent = Agent(CPU, step=DAY)
    agent.channel = lost
    first, again = (agent.run(cpu_busy_percent=81)[0]["id"] for _time in range(2))
    agent.channel = arrived
    worse, repeat, later = (agent.run(cpu_busy_percent=91)[0]["id"] for _time in range(3))
    assert first == again and len({first, worse, repeat, later}) == 4


def test_whoever_could_not_be_told_is_told_that_it_is_over() -> None:
    agent = Agent(CPU)
    agent.channel = lost
    assert agent.cpu(91, 10, 10) == ["change critical", "recovery ok", "recovery ok"]
    agent.channel = arrived
    assert agent.cpu(10, 10) == ["recovery ok", ""]
    assert agent.document["alerts"] == {}


def test_a_recovery_that_was_lost_and_is_bad_again() -> None:
    agent = Agent(CPU)
    agent.cpu(91)
    agent.channel = lost
    assert agent.cpu(10) == ["recovery ok"]
    agent.channel = arrived
    # People still think so, and so it is.
    assert agent.cpu(91, 10) == ["", "recovery ok"]


def test_news_that_arrives_late_does_not_take_away_what_is_newer() -> None:
    agent = Agent(CPU)
    agent.cpu(91)
    agent.channel = lost
    (over,) = agent.run(cpu_busy_percent=10)
    agent.cpu(91)
    agent.document = delivery.delivered(agent.document, over, {"mail": None}, agent.now)
    agent.channel = arrived
    (again,) = agent.run(cpu_busy_percent=91)
    assert (again["kind"], again["alerts"][0]["bad_since"]) == ("change", _moments.after(BEGIN, 2 * HOUR))


def test_one_channel_is_enough() -> None:
    agent = Agent(CPU)
    agent.channel = lambda message: {"mail": "refused", "log": None}
    assert agent.cpu(91, 91) == ["change critical", ""]
    assert agent.document["delivery"]["arrived"] is True
    assert agent.document["delivery"]["outcomes"] == {"mail": "refused", "log": None}
    agent = Agent(CPU)
    agent.channel = lambda message: {}
    assert agent.cpu(91, 91) == ["change critical"] * 2
    (alert,) = agent.document["alerts"].values()
    assert alert["error"] == "there is no channel"


def test_a_run_that_was_killed_before_it_knew_sends_again() -> None:
    agent = Agent(CPU)
    agent.cpu(10)
    before = copy.deepcopy(agent.document)
    evaluations_lost = agent.cpu(91)
    agent.document = before
    assert agent.cpu(91) == evaluations_lost == ["change critical"]


def test_what_waits_is_bounded_and_what_is_bad_is_never_dropped() -> None:
    agent = Agent(DISK)
    agent.channel = lost
    many = [Reading(81, f"/{place:03}", reason="x" * 9999) for place in range(150)]
    agent.run(disk_used_percent=many)
    assert len(agent.document["alerts"]) == 150
    agent.run(disk_used_percent=[Reading(1, one.subject) for one in many[:140]] + many[140:])
    states = [alert["state"] for alert in agent.document["alerts"].values()]
    assert states.count("ok") == news.MOST_RECOVERED and states.count("critical") == 10
    assert max(len(alert["error"]) for alert in agent.document["alerts"].values()) <= delivery.LONGEST_ERROR


# Silences


def test_nothing_is_sent_while_it_is_silent_and_what_is_still_bad_then() -> None:
    agent = Agent(CPU)
    agent.silence(2.5 * HOUR)
    assert agent.cpu(91, 91, 91, 91, 91) == ["", "", "", "change critical", ""]


def test_what_was_told_before_is_told_to_be_over_and_else_when_the_silence_is() -> None:
    agent = Agent(CPU)
    agent.cpu(91)
    agent.silence(3.5 * HOUR)
    # Over, then bad again without a word.
    assert agent.cpu(10, 91, 81, 10, 10) == ["recovery ok", "", "", "", ""]
    agent = Agent(CPU)
    agent.cpu(91)
    agent.silence(1.5 * HOUR)
    assert agent.cpu(91, 91, 91, 91) == ["", "", "silence over critical", ""]


def test_worse_in_a_silence_is_told_after_it() -> None:
    agent = Agent(CPU)
    agent.cpu(81)
    agent.silence(1.5 * HOUR)
    assert agent.cpu(91, 91, 91) == ["", "", "change critical"]


def test_no_repeat_in_a_silence() -> None:
    agent = Agent(CPU, step=DAY)
    agent.cpu(91)
    agent.silence(2.5 * DAY)
    assert agent.cpu(91, 91, 91, 91) == ["", "", "", "silence over critical"]


def test_a_silence_of_one_metric_is_of_one_metric() -> None:
    agent = Agent(CPU, DISK)
    agent.silence(HOUR * 9, "cpu_busy_percent")
    messages = agent.run(cpu_busy_percent=91, disk_used_percent=disks(81))
    assert [message["alerts"][0]["metric"] for message in messages] == ["disk_used_percent"]
    agent.document = silences.lifted(agent.document, agent.now, "disk_used_percent")
    assert agent.run(cpu_busy_percent=91, disk_used_percent=disks(81)) == []
    agent.document = silences.lifted(agent.document, agent.now, "cpu_busy_percent")
    assert gist(agent.run(cpu_busy_percent=91, disk_used_percent=disks(81))) == "change critical"


def test_what_is_no_metric_is_not_lifted_but_a_silence_of_what_was_one_is() -> None:
    document = silences.added(memory.empty(), BEGIN, HOUR, "x", "cpu_busy_percent")
    with pytest.raises(SilenceError, match="there is no metric cpu_bussy_percent: did you mean cpu_busy_percent?"):
        silences.lifted(document, BEGIN, "cpu_bussy_percent")
    document["silences"][0]["metric"] = "of_an_older_version"
    assert silences.lifted(document, BEGIN, "of_an_older_version")["silences"] == []


def test_the_last_silence_about_a_metric_is_the_one_that_counts() -> None:
    document = silences.added(memory.empty(), BEGIN, 3 * HOUR, "x", "cpu_busy_percent")
    document = silences.added(document, BEGIN, 2 * HOUR, "x")
    kept = document["silences"]
    assert silences.until(kept, "cpu_busy_percent") == _moments.after(BEGIN, 3 * HOUR)
    assert silences.until(kept, "disk_used_percent") == _moments.after(BEGIN, 2 * HOUR)
    assert silences.until([], "disk_used_percent") is None


def test_a_silence_that_was_lifted_is_over() -> None:
    agent = Agent(CPU)
    agent.silence(9 * HOUR)
    agent.silence(9 * HOUR, "cpu_busy_percent")
    agent.cpu(91)
    agent.document = silences.lifted(agent.document, agent.now)
    assert agent.document["silences"] == [] and agent.cpu(91) == ["change critical"]


def test_what_could_not_be_told_before_a_silence_waits_for_its_end() -> None:
    agent = Agent(CPU)
    agent.channel = lost
    agent.cpu(91)
    agent.channel = arrived
    agent.silence(1.5 * HOUR)
    assert agent.cpu(10, 10, 10, 10) == ["", "", "recovery ok", ""]


def test_silences_that_are_over_are_forgotten() -> None:
    agent = Agent(CPU)
    agent.silence(HOUR / 2)
    agent.cpu(10)
    assert len(agent.document["silences"]) == 1
    agent.cpu(10)
    assert agent.document["silences"] == []


@pytest.mark.parametrize(
    ("text", "seconds"), [("2h", 7200), ("90m", 5400), ("1d12h", 129600), ("45s", 45), (" 1H30M ", 5400)]
)
def test_lengths_of_a_silence(text: str, seconds: int) -> None:
    assert silences.seconds(text) == seconds


@pytest.mark.parametrize("text", ["", "2", "h", "2 hours", "-2h", "1m1h", "0h", "2h\n3", "1.5h", "٣h"])
def test_what_is_no_length(text: str) -> None:
    with pytest.raises(SilenceError, match="is no time: write, for example, 2h"):
        silences.seconds(text)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((0, "x"), "31 days at most"),
        ((32 * DAY, "x"), "31 days at most"),
        ((float("nan"), "x"), "31 days at most"),
        ((9, " "), "needs a reason"),
        ((9, "x", "cpu_busy"), "there is no metric cpu_busy: did you mean cpu_busy_percent?"),
    ],
)
def test_silences_that_cannot_be(arguments: Any, told: str) -> None:
    with pytest.raises(SilenceError, match=told):
        silences.added(memory.empty(), BEGIN, *arguments)


def test_the_reason_is_one_line_and_there_are_not_many_silences() -> None:
    document = silences.added(memory.empty(), BEGIN, HOUR, "a\nb\x00" + "c" * 999)
    assert document["silences"][0]["reason"].startswith("a b c") and len(document["silences"][0]["reason"]) == 200
    for _time in range(silences.MOST - 1):
        document = silences.added(document, BEGIN, HOUR, "x")
    with pytest.raises(SilenceError, match="lift some first"):
        silences.added(document, BEGIN, HOUR, "x")
    # Those that are over do not count.
    silences.added(document, _moments.after(BEGIN, 2 * HOUR), HOUR, "x")


# The clock


def test_a_clock_that_is_set_back_neither_repeats_at_once_nor_keeps_silent() -> None:
    agent = Agent(CPU)
    agent.cpu(91, *[91] * 12)
    agent.pass_time(-365 * DAY)
    told = agent.cpu(*[91] * 24)
    # 13 hours had passed when it was set back; the hour that it fell into is lost.
    assert told.index("repeat critical") == 12 and told.count("repeat critical") == 1
    (alert,) = agent.document["alerts"].values()
    assert _moments.elapsed(alert["bad_since"], agent.now) == 24 * HOUR


def test_of_a_silence_what_was_left_stays_left() -> None:
    agent = Agent(CPU)
    agent.silence(4.5 * HOUR)
    agent.cpu(91, 91)
    agent.pass_time(-365 * DAY)
    assert agent.cpu(91, 91, 91, 91, 91) == ["", "", "", "", "change critical"]


def test_a_clock_that_is_set_ahead_and_back() -> None:
    agent = Agent(CPU)
    agent.cpu(91)
    agent.pass_time(365 * DAY)
    assert agent.cpu(91) == ["repeat critical"]
    agent.pass_time(-365 * DAY)
    told = agent.cpu(*[91] * 30)
    assert told.count("repeat critical") == 1 and told[0] == ""
    (alert,) = agent.document["alerts"].values()
    # Since when it is so is before both, and stays.
    assert alert["bad_since"] == BEGIN


STEPS = st.lists(st.sampled_from([HOUR, HOUR, HOUR, 0, -HOUR, -DAY, -400 * DAY, 60]), min_size=1, max_size=40)


@given(STEPS, st.booleans())
def test_whatever_the_clock_does_repeats_come_after_as_much_time_as_passed(steps: list[float], silenced: bool) -> None:
    agent = Agent(CPU, repeat_seconds=6 * HOUR, step=0)
    agent.cpu(91)
    if silenced:
        agent.silence(3 * HOUR)
    passed, left = 0.0, 3.0 * HOUR if silenced else 0.0
    for step in steps:
        agent.pass_time(step)
        forward = max(0.0, step)
        passed, was_left, left = passed + forward, left, max(0.0, left - forward)
        (told,) = agent.cpu(91)
        if left > 0:
            assert told == ""
        elif was_left > 0:
            assert told == "silence over critical"
        else:
            assert told == ("repeat critical" if passed >= 6 * HOUR else "")
        passed = 0.0 if told else passed


def test_the_document_that_was_handed_in_is_not_changed() -> None:
    agent = Agent(CPU)
    agent.cpu(91)
    before = json.dumps(agent.document)
    (message,) = news.advance(agent.document, agent.thresholds, [], {}, _moments.after(agent.now, 2 * DAY))[1]
    delivery.delivered(agent.document, message, {"log": None}, _moments.after(agent.now, 2 * DAY))
    delivery.delivered(agent.document, message, {}, agent.now)
    silences.added(agent.document, BEGIN, HOUR, "x")
    silences.lifted(agent.document, BEGIN)
    assert json.dumps(agent.document) == before


@pytest.mark.parametrize(
    ("found", "told"),
    [
        (None, None),
        ({**memory.empty(), "alerts": {}}, None),
        ([], "schema version None, not 1; it begins anew"),
        ({"schema_version": 2}, "schema version 2, not 1"),
        ({**memory.empty(), "alerts": [], "silences": None}, "has no alerts, silences; it begins anew"),
    ],
)
def test_a_memory_that_cannot_be_read_begins_anew(found: Any, told: str | None) -> None:
    document, complaint = memory.opened(found)
    assert document == memory.empty()
    assert complaint is None if told is None else complaint and told in complaint


def test_what_stands_is_what_was_told() -> None:
    agent = Agent(CPU, DISK)
    agent.run(cpu_busy_percent=81, disk_used_percent=disks(81))
    agent.silence(9 * HOUR)
    agent.run(cpu_busy_percent=91, disk_used_percent=disks(10))
    assert [(alert["metric"], alert["state"]) for alert in news.standing(agent.document)] == [
        ("cpu_busy_percent", "warning")
    ]
    agent = Agent(CPU)
    agent.channel = lost
    agent.cpu(91)
    assert news.standing(agent.document) == []


VALUES = st.none() | st.sampled_from([10, 78, 81, 87, 91])
RUNS = st.lists(st.tuples(VALUES, VALUES, st.booleans(), st.sampled_from([0, 0, 0, 2.5, 30])), min_size=1, max_size=20)


@given(RUNS)
def test_what_people_were_told_is_true_whenever_a_message_can_arrive(runs: list[Any]) -> None:
    """Whatever happens before: with a channel that works and no silence they know the state."""
    agent = Agent(CPU, DISK)
    told: dict[str, str] = {}
    for cpu, disk, works, silence in runs:
        agent.channel = arrived if works else lost
        if silence:
            agent.silence(silence * HOUR)
        messages = agent.run(cpu_busy_percent=cpu, disk_used_percent=[Reading(disk, "/", reason="x")])
        alerts = [alert for message in messages for alert in message["alerts"]]
        assert len({alert["key"] for alert in alerts}) == len(alerts)
        for alert in alerts:
            # Nobody is told what they know already, and in a silence nothing but that it is over.
            assert (
                alert["kind"] == "repeat"
                or alert["hushed"]
                or alert["state"] != told.get(alert["key"], "ok")
                or alert["attempts"]
            )
            assert not agent.document["silences"] or alert["kind"] == "recovery"
            if works:
                told[alert["key"]] = alert["state"]
        real = {alert["key"]: alert["state"] for alert in agent.document["alerts"].values() if alert["state"] in BAD}
        if works and not agent.document["silences"]:
            assert real == {key: state for key, state in told.items() if state in BAD}


def test_a_threshold_that_changed_is_seen_in_the_next_message() -> None:
    agent = Agent(CPU)
    agent.cpu(85)
    agent.thresholds = Agent(threshold("cpu_busy_percent", warn=70, critical=80, samples=1)).thresholds
    (message,) = agent.run(cpu_busy_percent=85)
    assert message["kind"] == "change" and message["alerts"][0]["critical"] == 80
