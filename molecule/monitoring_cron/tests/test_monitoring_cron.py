# SPDX-License-Identifier: GPL-3.0-or-later
"""The agent on a host, after side_effect.yml: its schedule filled the history, and what it had to say arrived."""

from __future__ import annotations

import json
from typing import Any

STATE = "/var/lib/midi-capacity"
LOG = "/var/log/midi-capacity/capacity-agent.log"
# In the order in which side_effect.yml asks.
COMMANDS = ("status", "history", "check", "doctor")
SERVERS = ("postgres_down", "redis_down")


def by_timers(host: Any) -> bool:
    return bool(host.backend.hostname == "monitoring-timers")


def account(host: Any) -> str:
    return "postgres" if by_timers(host) else "root"


def agent(host: Any, arguments: str) -> Any:
    with host.sudo(account(host)):
        return host.run(f"/usr/local/bin/capacity-agent {arguments}")


def said(host: Any) -> dict[str, tuple[int, str]]:
    """What it said while all was well: the exit status and the output of each command."""
    parts = host.file("/root/said").content_string.split("\x1e")
    found = {}
    for command, part in zip(COMMANDS, parts, strict=False):
        status, _line, output = part.strip("\n").partition("\n")
        found[command] = int(status), output
    return found


def received(host: Any) -> list[dict[str, Any]]:
    return [json.loads(line) for line in host.file("/var/log/alert-sink.jsonl").content_string.splitlines()]


def told(host: Any) -> list[tuple[str, str, str]]:
    """(kind, metric, state) of every alert that the webhook got."""
    found = [entry["body"] for entry in received(host) if entry["by"] == "webhook"]
    return [(body["kind"], alert["metric"], alert["state"]) for body in found for alert in body["alerts"]]


def test_the_schedule_is_that_which_is_wanted(host: Any) -> None:
    cron = host.file("/etc/cron.d/capacity-agent").content_string
    running = host.run("systemctl list-timers --all --no-legend 'capacity-agent-*'").stdout
    jobs = ("snapshot", "capture", "deadman")
    timers = {job for job in jobs if f"capacity-agent-{job}.timer" in running}
    in_cron = {job for job in jobs if f"capacity-agent {job}\n" in cron}
    # Each looks after the other.
    assert (timers, in_cron) == (({"snapshot"}, {"deadman"}) if by_timers(host) else ({"deadman"}, {"snapshot"}))
    assert "%" not in cron and "PATH=" in cron and "MAILTO=" in cron


def test_the_history_filled_by_itself(host: Any) -> None:
    answers = said(host)
    assert {command: answer[0] for command, answer in answers.items()} == dict.fromkeys(COMMANDS, 0), answers
    found = json.loads(answers["status"][1])
    assert found["missing"] == []
    assert {run["outcome"] for run in found["runs"] if run["outcome"]} <= {"done", "locked"}
    assert [entry for entry in found["states"] if entry["state"] != "ok"] == []
    # It takes two snapshots, and nothing of the window is in doubt.
    assert json.loads(answers["history"][1])[-1]["readings"]["statements_evicted"]["value"] == 0


def test_its_files_are_for_those_who_need_them(host: Any) -> None:
    owner = account(host)
    for path in ("agent/history.db", "conf/agent.json", "conf/pg_service.conf"):
        file = host.file(f"{STATE}/{path}")
        assert (file.user, file.mode) == (owner, 0o600), path
    assert host.file(f"{STATE}/agent").mode == 0o700
    # Or its account could put something else into the place of what root looks at.
    assert (host.file(STATE).user, host.file(STATE).mode) == ("root", 0o755)
    textfile = host.file("/var/lib/prometheus/node-exporter/midi_capacity.prom")
    assert textfile.mode == 0o644
    assert "midi_capacity_postgres_down" in textfile.content_string


def test_a_test_arrived_by_every_channel(host: Any) -> None:
    mails = [entry for entry in received(host) if entry["by"] == "mail" and "test" in entry["subject"].lower()]
    assert [entry["to"] for entry in mails] == [["dba@db.test"]]
    assert [entry["body"]["kind"] for entry in received(host) if entry["by"] == "webhook"].count("test") == 1


def test_servers_that_stopped_were_told_once_and_so_was_their_recovery(host: Any) -> None:
    for metric in SERVERS:
        of_it = [entry for entry in told(host) if entry[1] == metric]
        assert of_it == [("change", metric, "critical"), ("recovery", metric, "ok")]
    by = [entry["by"] for entry in received(host)]
    assert by.count("mail") == by.count("webhook")
    # They were down in at least two snapshots, each of which is in the history.
    history = json.loads(agent(host, "history --json").stdout)
    assert [entry["readings"]["postgres_down"]["value"] for entry in history].count(1.0) >= 2


def test_it_went_on_after_its_log_was_rotated_and_after_a_boot(host: Any) -> None:
    assert host.file(f"{LOG}.1").exists
    assert "snapshot[" in host.file(LOG).content_string
    assert host.file(LOG).user == account(host)
    assert host.file("/run/capacity-agent").user == account(host)
    assert agent(host, "doctor").rc == 0


def test_cron_had_nothing_to_mail(host: Any) -> None:
    """Only an agent that fails itself has something to say to cron, which would log that nobody takes mail here."""
    journal = host.check_output("journalctl --no-pager --unit cron")
    assert "capacity-agent" in journal
    assert "No MTA installed" not in journal
