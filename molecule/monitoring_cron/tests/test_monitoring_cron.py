# SPDX-License-Identifier: GPL-3.0-or-later
"""The agent on a host: its schedule fills the history by itself, and what it has to say arrives."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

STATE = "/var/lib/midi-capacity"
# Of an interval of a minute, a run in it, and a machine that has more to do.
PATIENCE_SECONDS = 180
STEP_SECONDS = 2


def name(host: Any) -> str:
    return str(host.backend.hostname)


def timers(host: Any) -> bool:
    return name(host) == "monitoring-timers"


def account(host: Any) -> str:
    return "postgres" if timers(host) else "root"


def agent(host: Any, arguments: str) -> Any:
    with host.sudo(account(host)):
        return host.run(f"/usr/local/bin/capacity-agent {arguments}")


def status(host: Any) -> dict[str, Any]:
    done = agent(host, "status --json")
    assert done.rc == 0, done.stderr
    return dict(json.loads(done.stdout))


def received(host: Any) -> list[dict[str, Any]]:
    file = host.file("/var/log/alert-sink.jsonl")
    return [json.loads(line) for line in file.content_string.splitlines()] if file.exists else []


def told(host: Any, since: int) -> list[tuple[str, str, str]]:
    """(kind, metric, state) of each message to the webhook, but for those that were there before."""
    found = [entry["body"] for entry in received(host)[since:] if entry["by"] == "webhook"]
    return [(body["kind"], alert["metric"], alert["state"]) for body in found for alert in body["alerts"]]


def until(holds: Callable[[], Any], what: str) -> Any:
    """What it gives as soon as it gives something."""
    end = time.monotonic() + PATIENCE_SECONDS
    while True:
        found = holds()
        if found:
            return found
        assert time.monotonic() < end, f"{PATIENCE_SECONDS} s went by without {what}"
        time.sleep(STEP_SECONDS)


def snapshots(host: Any) -> int:
    return int(status(host)["history"]["snapshots"])


def test_the_schedule_is_that_which_is_wanted(host: Any) -> None:
    cron = host.file("/etc/cron.d/capacity-agent").content_string
    running = host.run("systemctl list-timers --all --no-legend 'capacity-agent-*'").stdout
    found = {job for job in ("snapshot", "capture", "deadman") if f"capacity-agent-{job}.timer" in running}
    by_cron = {job for job in ("snapshot", "capture", "deadman") if f"capacity-agent {job}\n" in cron}
    # Each looks after the other.
    expected = ({"snapshot"}, {"deadman"}) if timers(host) else ({"deadman"}, {"snapshot"})
    assert (found, by_cron) == expected
    assert "%" not in cron and "PATH=" in cron and "MAILTO=" in cron


def test_the_history_fills_by_itself(host: Any) -> None:
    until(lambda: snapshots(host) >= 3, "three snapshots")
    found = status(host)
    assert found["missing"] == []
    assert {run["outcome"] for run in found["runs"] if run["outcome"]} <= {"done", "locked"}
    assert [entry for entry in found["states"] if entry["state"] not in ("ok",)] == []
    history = json.loads(agent(host, "history --json").stdout)
    # It takes two snapshots, and none of the window's figures is in doubt.
    assert history[-1]["readings"]["statements_evicted"]["value"] == 0
    assert agent(host, "check").rc == 0
    assert agent(host, "doctor").rc == 0


def test_the_dead_man_is_looked_for_by_the_other_schedule(host: Any) -> None:
    until(lambda: "deadman" in {run["command"] for run in status(host)["runs"]}, "the dead man's run")


def test_its_files_are_for_those_who_need_them(host: Any) -> None:
    owner = account(host)
    for path, mode in (("agent/history.db", 0o600), ("conf/agent.json", 0o600), ("conf/pg_service.conf", 0o600)):
        file = host.file(f"{STATE}/{path}")
        assert (file.user, file.mode) == (owner, mode), path
    assert host.file(f"{STATE}/agent").mode == 0o700
    # Or its account could put something else into the place of what root looks at.
    assert (host.file(STATE).user, host.file(STATE).mode) == ("root", 0o755)
    textfile = host.file("/var/lib/prometheus/node-exporter/midi_capacity.prom")
    assert textfile.mode == 0o644
    assert "midi_capacity_postgres_down" in textfile.content_string


def test_an_alert_can_be_proven_by_every_channel(host: Any) -> None:
    before = len(received(host))
    assert agent(host, "test-alert").rc == 0
    assert sorted(entry["by"] for entry in received(host)[before:]) == ["mail", "webhook"]
    assert [entry["to"] for entry in received(host)[before:] if entry["by"] == "mail"] == [["dba@db.test"]]


def test_servers_that_stop_are_told_once_and_so_is_their_recovery(host: Any) -> None:
    before = len(received(host))
    host.check_output("systemctl stop postgresql redis-server")
    until(lambda: {"postgres_down", "redis_down"} <= {entry[1] for entry in told(host, before)}, "a message of both")
    # One more that finds them down has nothing more to say.
    count = snapshots(host)
    until(lambda: snapshots(host) > count, "a snapshot while they are down")
    host.check_output("systemctl start postgresql redis-server")
    until(lambda: [entry[0] for entry in told(host, before)].count("recovery") >= 2, "the recovery of both")
    for metric in ("postgres_down", "redis_down"):
        of_it = [entry for entry in told(host, before) if entry[1] == metric]
        assert of_it == [("change", metric, "critical"), ("recovery", metric, "ok")]
    by = [entry["by"] for entry in received(host)[before:]]
    assert by.count("mail") == by.count("webhook") > 0


def test_it_writes_on_after_its_log_was_rotated_and_after_a_boot(host: Any) -> None:
    log, owner = "/var/log/midi-capacity/capacity-agent.log", account(host)
    assert "snapshot[" in host.file(log).content_string
    host.check_output("logrotate --force /etc/logrotate.d/capacity-agent")
    assert host.file(f"{log}.1").exists
    # What stands in /run is gone after a boot.
    host.check_output("rm -rf /run/capacity-agent && systemd-tmpfiles --create /etc/tmpfiles.d/capacity-agent.conf")
    assert host.file("/run/capacity-agent").user == owner
    until(lambda: "snapshot[" in host.file(log).content_string, "a line in the new log")
    assert host.file(log).user == owner
    assert {run["outcome"] for run in status(host)["runs"] if run["outcome"]} <= {"done", "locked"}


def test_cron_had_nothing_to_mail(host: Any) -> None:
    """Only an agent that fails itself has something to say to cron, which would log that nobody takes mail here."""
    journal = host.check_output("journalctl --no-pager --unit cron")
    assert "capacity-agent" in journal
    assert "No MTA installed" not in journal
