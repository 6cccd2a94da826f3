# SPDX-License-Identifier: GPL-3.0-or-later
"""_alerts: a message as text, mail, webhook, Slack, Alertmanager, and what a monitoring plugin says."""

from __future__ import annotations

import email
import email.policy
import json
import re
from typing import Any

import pytest
from ansible_collections.midi.capacity.plugins.module_utils import _moments
from ansible_collections.midi.capacity.plugins.module_utils._alerts import (
    alertmanager,
    described,
    news,
    plain,
    plugin_output,
    slack,
    texts,
    webhook,
)
from ansible_collections.midi.capacity.plugins.module_utils._alerts.mail import MailError, mail, wrong
from ansible_collections.midi.capacity.plugins.module_utils._alerts.texts import Place
from ansible_collections.midi.capacity.plugins.module_utils._thresholds.evaluate import evaluate
from ansible_collections.midi.capacity.plugins.module_utils._thresholds.model import Evaluation, Reading, Threshold
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.alerts_example import BEGIN, CPU, DISK, HOUR, PLACE, Agent, Json, lost
from tests.unit.thresholds_example import threshold

HIT = threshold("cache_hit_ratio_percent", samples=1)
MEAN = threshold("statement_mean_ms")
DOWN = threshold("postgres_down")
RETAINED = threshold("slot_retained_bytes")
WHERE = "(midi_library on db1)"


def message(of: Threshold, *values: Any, subject: str | None = None, detail: str | None = None) -> Json:
    """The last message of a series."""
    agent, found = Agent(of), []
    for value in values:
        reading = Reading(value, subject, detail, "statvfs: permission denied" if value is None else None)
        found += agent.run(**{of.metric.name: [reading]})
    return found[-1]


@pytest.mark.parametrize(
    ("of", "values", "subject", "told"),
    [
        (DISK, [91], "/data", "[CRITICAL] Disk used, /data: 91 %, above 80 %"),
        (DISK, [81, 79], "/data", "[CRITICAL] Disk used, /data: 81 %, above 80 %"),
        (DISK, [91, 60], "/data", "[WARNING] Disk used, /data: 60 %, above 50 %"),
        (DISK, [91, 49], "/data", "[WARNING] Disk used, /data: 49 %, not back to 48 % yet"),
        (DISK, [91, 40], "/data", "[OK] Disk used, /data: 40 %"),
        (DISK, [None], None, "[UNKNOWN] Disk used: cannot be read"),
        (DISK, [80.001], "/", "[CRITICAL] Disk used, /: just above 80 %"),
        (HIT, [79.999], None, "[WARNING] Cache hit ratio: just below 80 %"),
        (HIT, [40], None, "[WARNING] Cache hit ratio: 40 %, below 80 %"),
        (MEAN, [612.4], None, "[CRITICAL] Mean time of the slowest statement: 612 ms, above 500 ms"),
        (RETAINED, [3 * 1024**3], "s1", "[WARNING] WAL kept for an inactive slot, s1: 3 GiB, above 1 GiB"),
        (DOWN, [1], None, "[CRITICAL] PostgreSQL: down"),
        (DOWN, [1, 0], None, "[OK] PostgreSQL: up"),
    ],
)
def test_subjects(of: Threshold, values: list[Any], subject: str | None, told: str) -> None:
    assert texts.subject(message(of, *values, subject=subject), PLACE) == f"{told} {WHERE}"


def test_a_body_says_what_since_when_and_what_to_do() -> None:
    found = message(DISK, 60, 91, subject="/data", detail="ext4 on /dev/sda1")
    assert texts.body(found, PLACE) == (
        "CRITICAL: Disk used, /data: 91 %, above 80 %.\n"
        "So since 2026-11-24 01:10:00 UTC.\n"
        "Not ok since 2026-11-24 00:10:00 UTC, at worst critical.\n"
        "Which: ext4 on /dev/sda1\n"
        "What it is: Space used of a file system that holds data of PostgreSQL.\n"
        "What to do: look at pg_wal, inactive slots, temporary files and logs first, then at the largest tables; then"
        " enlarge it.\n"
        "\n"
        "Host db1, database midi_library, 2026-11-24 01:10:00 UTC.\n"
    )


def test_a_recovery_says_how_long_it_was() -> None:
    assert texts.body(message(DISK, 60, 91, 40, subject="/data"), PLACE) == (
        "OK: Disk used, /data: 40 %.\n"
        "It was critical from 2026-11-24 00:10:00 UTC to 2026-11-24 02:10:00 UTC (2 h).\n"
        "\n"
        "Host db1, database midi_library, 2026-11-24 02:10:00 UTC.\n"
    )


def test_unknown_says_why_and_not_what_to_do_about_a_value() -> None:
    body = texts.body(message(DISK, None), PLACE)
    assert "Why: statvfs: permission denied\n" in body
    assert f"What to do: {described.UNKNOWN_REMEDY}.\n" in body and "pg_wal" not in body


def test_unknown_says_what_to_do_about_it_where_that_is_known() -> None:
    agent = Agent(DISK)
    agent.run(disk_used_percent=[Reading(1)])
    for value, remedy in ((None, "let the account look"), (81, DISK.remedy)):
        (found,) = agent.run(disk_used_percent=[Reading(value, reason="it failed", remedy="let the account look")])
        assert f"What to do: {remedy}.\n" in texts.body(found, PLACE)


def test_what_is_gone_says_so() -> None:
    agent = Agent(DISK)
    agent.run(disk_used_percent=[Reading(91, "/a"), Reading(1, "/b")])
    (found,) = agent.run(disk_used_percent=[Reading(1, "/b")])
    assert texts.subject(found, PLACE) == f"[OK] Disk used, /a: it is not there any more {WHERE}"
    assert "Why:" not in texts.body(found, PLACE)


def test_a_repeat_and_the_end_of_a_silence_say_still() -> None:
    agent = Agent(CPU, step=25 * HOUR)
    agent.cpu(91)
    (repeat,) = agent.run(cpu_busy_percent=91)
    assert texts.subject(repeat, PLACE) == f"[CRITICAL] still CPU busy: 91 %, above 90 % {WHERE}"
    agent.silence(HOUR)
    agent.cpu(91)
    (over,) = agent.run(cpu_busy_percent=91)
    assert texts.subject(over, PLACE).startswith("[CRITICAL] still ")
    assert "The silence about it has ended.\n" in texts.body(over, PLACE)


def test_what_could_not_be_told_before_says_so() -> None:
    agent = Agent(CPU)
    agent.channel = lost
    agent.cpu(91, 91)
    (found,) = agent.run(cpu_busy_percent=91)
    assert "It could not be told before, 2 times: mail: connection refused.\n" in texts.body(found, PLACE)


def digest(number: int) -> Json:
    agent = Agent(DISK)
    (found,) = agent.run(disk_used_percent=[Reading(81 if place % 2 else 51, f"/{place}") for place in range(number)])
    return found


def test_a_digest_counts_and_is_short() -> None:
    found = digest(5)
    assert texts.subject(found, PLACE) == f"[CRITICAL] 5 alerts: 2 critical, 3 warning {WHERE}"
    assert texts.body(found, PLACE).count("What to do: ") == 5
    agent = Agent(DISK)
    agent.run(disk_used_percent=[Reading(81, f"/{place}") for place in range(5)])
    (over,) = agent.run(disk_used_percent=[Reading(81 if place == 9 else 1, f"/{place}") for place in (*range(5), 9)])
    assert texts.subject(over, PLACE) == f"[CRITICAL] 6 alerts: 1 critical, 5 recovered {WHERE}"
    body = texts.body(digest(100), PLACE)
    assert body.count("What to do: ") == texts.MOST_SHOWN
    assert "And 70 more: run the command status of the agent on the host.\n" in body


def test_a_test() -> None:
    found = news.trial(BEGIN)
    assert texts.subject(found, PLACE) == f"[TEST] Alerts arrive {WHERE}"
    assert texts.body(found, PLACE).startswith("This is a test: ")
    assert found["id"] != news.trial(_moments.after(BEGIN, 1))["id"]
    json.dumps(webhook.payload(found, PLACE))
    assert mail(found, PLACE, "a@b.c", ["d@e.f"])["Subject"] == f"[TEST] Alerts arrive {WHERE}"


# Names that would like to be something else. A surrogate stands for a byte of a file name that is no UTF-8.
NASTY = st.text(st.characters() | st.sampled_from("\n\r\x00\u2028\udc80<>&|'\"={}"), max_size=30)


@given(NASTY, NASTY, NASTY, NASTY)
def test_any_name_can_be_sent(host: str, database: str, subject: str, detail: str) -> None:
    place = Place(host.encode("utf-8", "replace").decode(), database.encode("utf-8", "replace").decode())
    found = message(DISK, 91, subject=subject, detail=detail)
    line = texts.subject(found, place)
    assert line.isprintable() and len(line) <= texts.LONGEST_SUBJECT
    sent = mail(found, place, "capacity@db1", ["dba@example.org"])
    # As it travels, and as whoever gets it reads it.
    read = email.message_from_bytes(sent.as_bytes(policy=email.policy.SMTP), policy=email.policy.default)
    assert set(read) == {"From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "X-Capacity-State",
                         "Content-Type", "Content-Transfer-Encoding", "MIME-Version"}  # fmt: skip
    assert read.get_content().splitlines()[0].startswith("CRITICAL: Disk used")
    for payload in (webhook.payload(found, place), slack.payload(found, place),
                    alertmanager.payload(found["alerts"], place, BEGIN, 60)):  # fmt: skip
        json.dumps(payload, ensure_ascii=False).encode()
    assert not re.search(r"[<>]|&(?!amp;|lt;|gt;)", slack.payload(found, place)["text"])


def test_mail_headers() -> None:
    found = message(DISK, 91, subject="/päth\nBcc: x@y.z")
    sent = mail(found, PLACE, "capacity@db1", ["dba@example.org", "root"])
    assert (sent["From"], sent["To"]) == ("capacity@db1", "dba@example.org, root")
    assert sent["Subject"] == f"[CRITICAL] Disk used, /päth Bcc: x@y.z: 91 %, above 80 % {WHERE}"
    assert sent["Bcc"] is None and sent["Auto-Submitted"] == "auto-generated" and sent["X-Capacity-State"] == "critical"
    assert sent["Message-ID"] == f"<{found['id']}@db1>"
    assert sent["Date"] == "Tue, 24 Nov 2026 00:10:00 +0000"
    assert sent.get_content() == texts.body(found, PLACE)
    assert sent.get_content_charset() == "utf-8"
    assert mail(found, Place("--", "d"), "a@b", ["c@d"])["Message-ID"].endswith("@localhost>")


@pytest.mark.parametrize(
    "address", ["", "a b@c", "a@b\nBcc: c@d", "a@b\n", "A <a@b>", "a@b,c@d", "ä@b", "a@", "a@-b", 3]
)
def test_addresses_that_are_none(address: Any) -> None:
    assert len(wrong([address])) == 1 and "is no address: write one as dba@example.org" in wrong([address])[0]
    with pytest.raises(MailError):
        mail(news.trial(BEGIN), PLACE, "a@b", [address])


@pytest.mark.parametrize("address", ["a@b", "root", "first.last+x@mail.example.org"])
def test_addresses(address: str) -> None:
    assert wrong([address]) == []


def test_a_mail_to_nobody_cannot_be() -> None:
    with pytest.raises(MailError, match="no recipient"):
        mail(news.trial(BEGIN), PLACE, "a@b", [])


def test_the_webhook() -> None:
    found = message(DISK, 60, 91, subject="/data")
    payload = webhook.payload(found, PLACE)
    (alert,) = payload.pop("alerts")
    assert payload == {
        "schema_version": 1, "id": found["id"], "kind": "change", "state": "critical", "at": found["at"], "host": "db1",
        "database": "midi_library", "subject": texts.subject(found, PLACE), "body": texts.body(found, PLACE),
    }  # fmt: skip
    assert set(alert) == {*webhook.FIELDS, "previous"}
    assert (alert["previous"], alert["value"], alert["unit"], alert["critical"]) == ("warning", 91, "percent", 80)


def test_slack_escapes_three_characters_and_cuts_no_escape() -> None:
    found = message(DISK, 91, subject="<!channel> & 'x'", detail="&" * 499)
    text = slack.payload(found, PLACE)["text"]
    assert "Disk used, &lt;!channel&gt; &amp; 'x': 91 %" in text and text.count("&amp;") == 499 + 2
    assert len(slack.payload(digest(100), PLACE)["text"]) < 4000


LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*\Z")


def check(alerts: list[Json]) -> None:
    """What Alertmanager's API refuses."""
    for alert in alerts:
        assert alert["labels"]["alertname"] and all(LABEL.match(name) for name in alert["labels"])
        assert all(isinstance(value, str) for part in ("labels", "annotations") for value in alert[part].values())
        assert _moments.parsed(alert["startsAt"]) <= _moments.parsed(alert["endsAt"])


def test_alertmanager_gets_what_is_bad_until_it_will_hear_of_it_again() -> None:
    found = message(DISK, 60, subject="/data")
    (alert,) = alertmanager.payload(found["alerts"], PLACE, BEGIN, 7200, "https://example.org/x")
    check([alert])
    assert alert["labels"] == {
        "alertname": "MidiCapacityDiskUsedPercent", "severity": "warning", "metric": "disk_used_percent",
        "host": "db1", "database": "midi_library", "mountpoint": "/data",
    }  # fmt: skip
    assert (alert["startsAt"], alert["endsAt"]) == (BEGIN, _moments.after(BEGIN, 7200))
    assert alert["generatorURL"] == "https://example.org/x"
    assert alert["annotations"]["summary"] == "Disk used, /data: 60 %, above 50 %"
    assert alert["annotations"]["state"] == "warning" and alert["annotations"]["remedy"].startswith("look at pg_wal")


def test_alertmanager_hears_that_another_severity_is_over() -> None:
    found = message(DISK, 60, 91, subject="/data")
    now, old = alertmanager.payload(found["alerts"], PLACE, found["at"], 7200)
    check([now, old])
    assert (now["labels"]["severity"], now["endsAt"]) == ("critical", _moments.after(found["at"], 7200))
    assert (old["labels"]["severity"], old["endsAt"]) == ("warning", found["at"])
    assert {**old["labels"], "severity": "critical"} == now["labels"] and "generatorURL" not in now
    found = message(DISK, 60, 91, 10, subject="/data")
    (over,) = alertmanager.payload(found["alerts"], PLACE, found["at"], 7200)
    assert (over["labels"]["severity"], over["endsAt"]) == ("critical", found["at"])


def test_for_alertmanager_unknown_is_a_warning() -> None:
    found = message(DISK, None)
    (alert,) = alertmanager.payload(found["alerts"], PLACE, BEGIN, 60)
    assert alert["labels"]["severity"] == "warning" and "mountpoint" not in alert["labels"]
    assert alert["annotations"]["state"] == "unknown" and alert["annotations"]["reason"]
    # The same labels, so the same alert: nothing is over.
    agent = Agent(CPU)
    agent.cpu(None)
    (changed,) = agent.run(cpu_busy_percent=81)
    assert len(alertmanager.payload(changed["alerts"], PLACE, BEGIN, 60)) == 1


def test_alertmanager_refuses_what_ends_before_it_begins() -> None:
    found = message(DISK, 60, 91, subject="/data")
    check(alertmanager.payload(found["alerts"], PLACE, "2020-01-01T00:00:00Z", 60))
    check(alertmanager.trial(PLACE, BEGIN, 60))


def test_what_stands_goes_to_alertmanager_as_it_was_told() -> None:
    agent = Agent(CPU)
    agent.cpu(81)
    agent.silence(9 * HOUR)
    agent.cpu(91)
    (alert,) = alertmanager.payload(news.standing(agent.document), PLACE, agent.now, 60)
    assert alert["labels"]["severity"] == "warning" and alert["startsAt"] == BEGIN


# The monitoring plugin


def evaluations(*pairs: tuple[Threshold, list[Reading]]) -> list[Evaluation]:
    return [found for of, readings in pairs for found in evaluate(of, readings)[0]]


@pytest.mark.parametrize(
    ("of", "reading", "told"),
    [
        (DISK, Reading(50.5, "/data"), "'disk_used_percent:/data'=50.5%;50;80;0;100"),
        (HIT, Reading(79), "'cache_hit_ratio_percent'=79%;80:;;0;100"),
        (MEAN, Reading(0.25), "'statement_mean_ms'=0.25ms;200;500;0;"),
        (RETAINED, Reading(1024**4, "a"), "'slot_retained_bytes:a'=1099511627776B;1073741824;10737418240;0;"),
        (DOWN, Reading(1), "'postgres_down'=1;;0;0;1"),
        (threshold("backup_age_seconds"), Reading(1e-7), "'backup_age_seconds'=0s;93600;180000;0;"),
        (CPU, Reading(None), "'cpu_busy_percent'=U;80;90;0;100"),
        (DISK, Reading(1, "/it's a=b|\n\x00c"), "'disk_used_percent:/it_s_a_b_c'=1%;50;80;0;100"),
        (threshold("connections_used_percent", direction="below", warn=5, critical=2.5, hysteresis=0), Reading(9),
         "'connections_used_percent'=9%;5:;2.5:;0;"),
    ],
)  # fmt: skip
def test_performance_data(of: Threshold, reading: Reading, told: str) -> None:
    (found,) = evaluations((of, [reading]))
    assert plugin_output.performance(found) == told


NOTHING = Reading(None, applicable=False)


@pytest.mark.parametrize(
    ("pairs", "code", "first"),
    [
        ([(CPU, [Reading(1)]), (DISK, [Reading(1, "/")])], 0, "CAPACITY OK: 2 checks"),
        ([(CPU, [Reading(81)]), (DISK, [Reading(1, "/")])], 1, "CAPACITY WARNING: CPU busy: 81 %, above 80 %"),
        ([(CPU, [Reading(81)]), (DISK, [Reading(None, reason="x")])], 3,
         "CAPACITY UNKNOWN: Disk used: cannot be read (of 1 unknown, 1 warning)"),
        ([(CPU, [Reading(None)]), (DISK, [Reading(81, "/")])], 2,
         "CAPACITY CRITICAL: Disk used, /: 81 %, above 80 % (of 1 critical, 1 unknown)"),
        ([(CPU, [Reading(1)]), (HIT, [NOTHING])], 0, "CAPACITY OK: 1 check"),
        ([(HIT, [NOTHING])], 3, "CAPACITY UNKNOWN: nothing was checked"),
        ([], 3, "CAPACITY UNKNOWN: nothing was checked"),
    ],
)  # fmt: skip
def test_what_a_plugin_says(pairs: Any, code: int, first: str) -> None:
    found, text = plugin_output.report(evaluations(*pairs))
    assert (found, text.split("\n", maxsplit=1)[0].split(" | ")[0]) == (code, first)
    bad = [one for one in evaluations(*pairs) if one.state not in ("ok", "not applicable")]
    assert text.endswith("\n") and len(text.splitlines()) == 1 + len(bad)


def test_the_output_of_a_plugin_whole() -> None:
    _code, text = plugin_output.report(
        evaluations((CPU, [Reading(None, reason="no | /proc\nhere")]), (DISK, [Reading(81, "/a|b")]), (HIT, [NOTHING]))
    )
    assert text == (
        "CAPACITY CRITICAL: Disk used, /a/b: 81 %, above 80 % (of 1 critical, 1 unknown)"
        " | 'cpu_busy_percent'=U;80;90;0;100 'disk_used_percent:/a_b'=81%;50;80;0;100\n"
        "CRITICAL: Disk used, /a/b: 81 %, above 80 %\n"
        "UNKNOWN: CPU busy: cannot be read (no / /proc here)\n"
    )


@pytest.mark.parametrize(
    ("silenced", "cpu", "disk"),
    [
        ([], "", ""),
        ([None], " (silenced until 2026-11-24 00:10:00 UTC)", " (silenced until 2026-11-24 00:10:00 UTC)"),
        (["cpu_busy_percent"], " (silenced until 2026-11-24 00:10:00 UTC)", ""),
        (["cache_hit_ratio_percent"], "", ""),
    ],
)
def test_a_plugin_says_what_is_silenced_and_changes_no_state(silenced: list[str | None], cpu: str, disk: str) -> None:
    found = evaluations((CPU, [Reading(91)]), (DISK, [Reading(60, "/")]), (HIT, [Reading(99)]))
    code, text = plugin_output.report(found, [{"until": BEGIN, "metric": metric} for metric in silenced])
    first, *lines = text.splitlines()
    assert code == 2 and lines == [
        f"CRITICAL: CPU busy: 91 %, above 90 %{cpu}",
        f"WARNING: Disk used, /: 60 %, above 50 %{disk}",
    ]
    assert first.startswith(f"CAPACITY CRITICAL: CPU busy: 91 %, above 90 %{cpu} (of 1 critical, 1 warning) | ")


@given(NASTY, NASTY)
def test_there_is_one_bar_and_one_first_line(subject: str, reason: str) -> None:
    found = evaluations((DISK, [Reading(None, subject, reason=reason), Reading(81, "/" * 40)]))
    text = plugin_output.report(found)[1]
    assert text.count("|") == 1 and len(text.splitlines()) == 3 and "|" in text.splitlines()[0]
    text.encode()


@pytest.mark.parametrize(
    ("text", "most", "line"),
    [("a\n b\tc", 9, "a b c"), ("abcdef", 4, "abc…"), ("abcd", 4, "abcd"), ("\udc80\x07é", 9, "? é")],
)
def test_plain_text(text: str, most: int, line: str) -> None:
    assert plain.line(text, most) == line


def test_plain_lines() -> None:
    assert plain.lines("a \r\nb\x00c\n", 9) == "a\nb c\n"
    assert plain.lines("abcdef", 4) == "abc…"
