# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files by which a host runs the agent: for cron, for systemd, for logrotate and for systemd-tmpfiles, as text."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import Dict, List, Optional, Tuple

from ansible_collections.midi.capacity.plugins.module_utils._agent.schedule import Schedule, Times

CRON, TIMER, NONE, AUTO = "cron", "timer", "none", "auto"
JOBS = {
    "snapshot": "a snapshot of PostgreSQL, Redis and the host",
    "capture": "the counters of statements between snapshots",
    "deadman": "an alert where snapshots do not come any more",
}
RUNTIME_MODE = 0o750
# What is in a run beside the agent's own deadline: Python's start, and messages that are tried again.
GRACE_SECONDS = 180
_HEADER = "# Written by midi.capacity, module capacity_agent, and written again when it differs.\n"
_CRON_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# What none of the formats takes for something else: a % begins standard input in cron, and a specifier in systemd.
_PLAIN_PATH = re.compile(r"(/[A-Za-z0-9_.,+@:=-]+)+\Z")
_NAME = re.compile(r"[A-Za-z0-9_-]+\Z")
_MAILTO = re.compile(r"[A-Za-z0-9_.,+@=-]*\Z")


@dataclass(frozen=True)
class Installation:
    """All that the files say. schedule_by, deadman_by: cron, timer or none. log_file, textfile: None for none."""

    account: str
    group: str
    command: str
    schedule: Schedule
    schedule_by: str
    deadman_by: str
    mailto: str
    deadline_seconds: int
    state_dir: str
    runtime_dir: str
    log_file: Optional[str]
    textfile: Optional[str]

    @property
    def name(self) -> str:
        return name_of(self.command)


def name_of(command: str) -> str:
    """What all files of an agent are called, so that several agents of a host have theirs."""
    return os.path.basename(command)


def is_name(name: str) -> bool:
    """Whether cron takes a file of that name."""
    return bool(_NAME.match(name))


def units(name: str) -> Tuple[str, ...]:
    """All units that there may be of it."""
    return tuple(f"{name}-{job}.{kind}" for job in JOBS for kind in ("service", "timer"))


def timers(name: str) -> Tuple[str, ...]:
    return tuple(unit for unit in units(name) if unit.endswith(".timer"))


def is_plain_path(path: str) -> bool:
    """Whether it can stand in all of these files as it is."""
    return bool(_PLAIN_PATH.match(path))


def is_mailto(text: str) -> bool:
    return bool(_MAILTO.match(text))


def deadman_by(wanted: str, schedule_by: str, cron: bool, timer: bool) -> str:
    """What runs the dead man: where that is left to us, what does not run the snapshots, if the host has it."""
    if wanted != AUTO:
        return wanted
    if schedule_by == CRON:
        return TIMER if timer else CRON
    if schedule_by == TIMER:
        return CRON if cron else TIMER
    return NONE


def jobs(installation: Installation, mechanism: str) -> Dict[str, Times]:
    """What this mechanism runs, and when."""
    schedule = installation.schedule
    found = {}
    if installation.schedule_by == mechanism:
        found = {"snapshot": schedule.snapshot, "capture": schedule.capture}
    if installation.deadman_by == mechanism:
        found["deadman"] = schedule.deadman
    return {job: times for job, times in found.items() if times.minutes}


def cron_text(installation: Installation) -> str:
    """The file in /etc/cron.d; empty where cron runs nothing."""
    lines: List[str] = []
    for job, times in jobs(installation, CRON).items():
        lines.append(f"# {job}: {JOBS[job]}\n")
        command = f"{installation.account} nice -n 10 {installation.command} {job}"
        lines += [f"{fields} {command}\n" for fields in times.cron()]
    head = f'{_HEADER}SHELL=/bin/sh\nPATH={_CRON_PATH}\nMAILTO="{installation.mailto}"\n\n'
    return head + "".join(lines) if lines else ""


def unit_texts(installation: Installation) -> Dict[str, str]:
    """Units of systemd by their names; none where timers run nothing."""
    found: Dict[str, str] = {}
    for job, times in jobs(installation, TIMER).items():
        found[f"{installation.name}-{job}.service"] = _service(installation, job)
        found[f"{installation.name}-{job}.timer"] = _timer(installation.name, job, times)
    return found


def logrotate_text(installation: Installation) -> str:
    """The file in /etc/logrotate.d; empty where there is no log."""
    if not installation.log_file:
        return ""
    account, group = installation.account, installation.group
    return (
        f"{_HEADER}{installation.log_file} {{\n"
        "    weekly\n    rotate 12\n    compress\n    delaycompress\n    missingok\n    notifempty\n"
        f"    su {account} {group}\n    create 0640 {account} {group}\n}}\n"
    )


def tmpfiles_text(installation: Installation) -> str:
    """The file in /etc/tmpfiles.d, for a directory that is gone after a boot."""
    owner = f"{installation.account} {installation.group}"
    return f"{_HEADER}d {installation.runtime_dir} {RUNTIME_MODE:04o} {owner} -\n"


def written(installation: Installation) -> Tuple[str, ...]:
    """The directories that the agent writes to."""
    files = [path for path in (installation.log_file, installation.textfile) if path]
    found = [installation.state_dir, installation.runtime_dir] + [os.path.dirname(path) for path in files]
    return tuple(dict.fromkeys(found))


def _service(installation: Installation, job: str) -> str:
    # No NoNewPrivileges, and nothing that implies it for an account that is not root, such as PrivateDevices or
    # SystemCallFilter: sendmail is setgid. No PrivateTmp: PostgreSQL's socket may be in /tmp.
    writable = " ".join(f"-{path}" for path in written(installation))
    return (
        f"{_HEADER}[Unit]\n"
        f"Description=midi.capacity: {JOBS[job]}\n"
        "After=network.target\n"
        f"RequiresMountsFor={installation.state_dir}\n"
        "\n[Service]\n"
        "Type=oneshot\n"
        f"User={installation.account}\n"
        f"Group={installation.group}\n"
        f"ExecStart={installation.command} {job}\n"
        f"TimeoutStartSec={installation.deadline_seconds + GRACE_SECONDS}\n"
        "UMask=0077\n"
        "Nice=10\n"
        "IOSchedulingClass=best-effort\n"
        "IOSchedulingPriority=7\n"
        "OOMScoreAdjust=500\n"
        "ProtectSystem=full\n"
        "ProtectHome=read-only\n"
        f"ReadWritePaths={writable}\n"
    )


def _timer(name: str, job: str, times: Times) -> str:
    calendar = "".join(f"OnCalendar={text}\n" for text in times.on_calendar())
    return (
        f"{_HEADER}[Unit]\n"
        f"Description=midi.capacity: when to run {name} {job}\n"
        f"\n[Timer]\n{calendar}AccuracySec=1s\n"
        "\n[Install]\nWantedBy=timers.target\n"
    )
