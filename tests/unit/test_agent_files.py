# SPDX-License-Identifier: GPL-3.0-or-later
"""The files by which a host runs the agent, as text, and what cron and systemd make of them."""

from __future__ import annotations

import dataclasses
import re
import subprocess
from pathlib import Path

import pytest
from ansible_collections.midi.capacity.plugins.module_utils._agent import files
from ansible_collections.midi.capacity.plugins.module_utils._agent.schedule import schedule

INSTALLATION = files.Installation(
    account="postgres",
    group="dba",
    command="/usr/local/bin/capacity-agent",
    schedule=schedule(60, 5, "db1"),
    schedule_by="cron",
    deadman_by="timer",
    mailto="root",
    deadline_seconds=120,
    state_dir="/var/lib/midi-capacity",
    runtime_dir="/run/midi-capacity",
    log_file="/var/log/midi-capacity/agent.log",
    textfile="/var/lib/prometheus/node-exporter/midi_capacity.prom",
)
BY_TIMERS = dataclasses.replace(INSTALLATION, schedule_by="timer", deadman_by="cron")


def lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def sections(text: str) -> dict[str, list[tuple[str, str]]]:
    found: dict[str, list[tuple[str, str]]] = {}
    for line in lines(text):
        if line.startswith("["):
            settings = found.setdefault(line, [])
        else:
            name, _is, value = line.partition("=")
            settings.append((name, value))
    return found


def test_cron_runs_what_is_cron_s() -> None:
    text = files.cron_text(INSTALLATION)
    assert lines(text) == [
        "SHELL=/bin/sh",
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        'MAILTO="root"',
        "5 * * * * postgres nice -n 10 /usr/local/bin/capacity-agent snapshot",
        "0,10,15,20,25,30,35,40,45,50,55 * * * * postgres nice -n 10 /usr/local/bin/capacity-agent capture",
    ]
    assert text.endswith("capture\n") and "%" not in text
    assert lines(files.cron_text(BY_TIMERS))[3:] == [
        "36 * * * * postgres nice -n 10 /usr/local/bin/capacity-agent deadman"
    ]


def test_timers_run_what_is_theirs() -> None:
    assert list(files.unit_texts(INSTALLATION)) == ["capacity-agent-deadman.service", "capacity-agent-deadman.timer"]
    units = files.unit_texts(BY_TIMERS)
    assert set(units) == {name for name in files.units("capacity-agent") if "deadman" not in name}
    timer = sections(units["capacity-agent-snapshot.timer"])
    assert timer["[Timer]"] == [("OnCalendar", "*-*-* *:05:00"), ("AccuracySec", "1s")]
    assert timer["[Install]"] == [("WantedBy", "timers.target")]
    assert all("%" not in text and text.endswith("\n") for text in units.values())


def test_a_service_is_the_account_s_bounded_and_can_send_mail() -> None:
    service = dict(sections(files.unit_texts(BY_TIMERS)["capacity-agent-snapshot.service"])["[Service]"])
    assert (service["Type"], service["User"], service["Group"]) == ("oneshot", "postgres", "dba")
    assert service["ExecStart"] == "/usr/local/bin/capacity-agent snapshot"
    assert int(service["TimeoutStartSec"]) > INSTALLATION.deadline_seconds
    assert service["ReadWritePaths"].split() == [
        "-/var/lib/midi-capacity",
        "-/run/midi-capacity",
        "-/var/log/midi-capacity",
        "-/var/lib/prometheus/node-exporter",
    ]
    # These are it, or imply it for an account that is not root (systemd.exec(5)), and sendmail is setgid.
    forbidden = (
        "NoNewPrivileges|System[Cc]all.*|Restrict.*|PrivateDevices|ProtectKernel.*|ProtectClock|ProtectHostname"
        "|MemoryDenyWriteExecute|LockPersonality|DynamicUser|ProtectProc|ProcSubset|PrivateTmp"
    )
    assert not [name for name in service if re.fullmatch(forbidden, name)]


@pytest.mark.parametrize(
    ("wanted", "schedule_by", "cron", "timer", "found"),
    [
        ("auto", "cron", True, True, "timer"),
        ("auto", "timer", True, True, "cron"),
        ("auto", "none", True, True, "none"),
        ("auto", "cron", True, False, "cron"),
        ("auto", "timer", False, True, "timer"),
        ("cron", "cron", True, True, "cron"),
        ("none", "timer", True, True, "none"),
        ("timer", "none", True, True, "timer"),
    ],
)
def test_the_dead_man_is_the_other_mechanism_s(
    wanted: str, schedule_by: str, cron: bool, timer: bool, found: str
) -> None:
    assert files.deadman_by(wanted, schedule_by, cron, timer) == found


def test_what_runs_nothing_is_no_file() -> None:
    nothing = dataclasses.replace(INSTALLATION, schedule_by="none", deadman_by="none", log_file=None, textfile=None)
    assert (files.cron_text(nothing), files.unit_texts(nothing), files.logrotate_text(nothing)) == ("", {}, "")
    assert files.written(nothing) == ("/var/lib/midi-capacity", "/run/midi-capacity")


def test_without_captures_nothing_runs_them() -> None:
    without = dataclasses.replace(BY_TIMERS, schedule=schedule(60, 0, "db1"))
    assert list(files.unit_texts(without)) == ["capacity-agent-snapshot.service", "capacity-agent-snapshot.timer"]


def test_the_log_is_rotated_as_its_owner() -> None:
    text = files.logrotate_text(INSTALLATION)
    assert [line.strip() for line in lines(text)] == [
        "/var/log/midi-capacity/agent.log {",
        "weekly",
        "rotate 12",
        "compress",
        "delaycompress",
        "missingok",
        "notifempty",
        "su postgres dba",
        "create 0640 postgres dba",
        "}",
    ]


def test_the_directory_of_a_boot_is_made_again() -> None:
    assert lines(files.tmpfiles_text(INSTALLATION)) == ["d /run/midi-capacity 0750 postgres dba -"]


@pytest.mark.parametrize("path", ["/a/b-c_d.e", "/usr/local/bin/capacity-agent", "/opt/x@1+2"])
def test_plain_paths(path: str) -> None:
    assert files.is_plain_path(path)


@pytest.mark.parametrize("path", ["", "a", "/", "/a b", "/a%b", "/a\n", "/a\n/b", "/a//b", "/a'b", "/a$b", "/ä", "/a/"])
def test_paths_that_cron_or_systemd_would_take_for_something_else(path: str) -> None:
    assert not files.is_plain_path(path)


def test_whom_cron_mails() -> None:
    assert all(map(files.is_mailto, ["", "root", "a.b+c@example.org,root"]))
    assert not any(map(files.is_mailto, ['a"', "a\n* * * * * root x", "a b", "a%"]))


def test_systemd_takes_the_units(tmp_path: Path) -> None:
    (tmp_path / "capacity-agent").symlink_to("/bin/true")
    command = str(tmp_path / "capacity-agent")
    by_systemd = dataclasses.replace(BY_TIMERS, account="root", group="root", command=command, deadman_by="timer")
    units = files.unit_texts(by_systemd)
    assert set(units) == set(files.units("capacity-agent"))
    for name, text in units.items():
        (tmp_path / name).write_text(text)
    arguments = ["systemd-analyze", "verify", "--man=no", *(str(tmp_path / name) for name in units)]
    done = subprocess.run(arguments, check=False, capture_output=True, text=True)
    # Of other units of this host it may say what it likes.
    assert not [line for line in done.stderr.splitlines() if "capacity-agent" in line], done.stderr
