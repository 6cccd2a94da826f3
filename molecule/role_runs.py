# SPDX-License-Identifier: GPL-3.0-or-later
"""Role redis_cache, run by tests beside a scenario's converge: with other variables, or on hosts of their own."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PLAY = {
    "name": "Run the role",
    "hosts": "all",
    "gather_facts": False,
    "environment": "{{ role_environment | default({}) }}",
    "tasks": [{"name": "Run it", "ansible.builtin.include_role": {"name": "midi.capacity.redis_cache"}}],
}
LONGEST_SECONDS = 300
CALLBACKS = Path(__file__).parent / "callbacks"
KILLING = {"ANSIBLE_CALLBACK_PLUGINS": str(CALLBACKS), "ANSIBLE_CALLBACKS_ENABLED": "killed_at"}
# The last one before Redis is restarted for what it reads when it starts: all of that is in its files.
BEFORE_RESTART = "Restart it for what it has read already"


@dataclass
class Run:
    """What a run printed. text: with all white space as single blanks."""

    output: str
    returncode: int

    @property
    def text(self) -> str:
        return " ".join(self.output.split())

    @property
    def killed(self) -> bool:
        return self.returncode == -signal.SIGKILL

    def recap(self, host: str, field: str) -> int:
        found = re.search(rf"^{re.escape(host)} +:.*\b{field}=(\d+)", self.output, re.MULTILINE)
        assert found, self.output
        return int(found[1])

    def message(self, host: str) -> str:
        """Why a host failed in the end; what was rescued comes before."""
        fatal = rf"^fatal: \[{re.escape(host)}\].*?(?=^\S)"
        found = re.findall(fatal, self.output + "\nEND", re.MULTILINE | re.DOTALL)
        assert found, self.output
        # YAML doubles a quote within quotes.
        return " ".join(found[-1].split()).replace("''", "'")


def playbook(path: Path, inventory: str, *arguments: str, killed_at: str = "") -> Run:
    """killed_at: the name of the task at whose start the run is killed."""
    command = [str(Path(sys.executable).parent / "ansible-playbook"), str(path), "-i", inventory, *arguments]
    done = subprocess.run(
        command,
        # molecule forces colours on all that it runs.
        env={
            **os.environ,
            "ANSIBLE_FORCE_COLOR": "0",
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_DISPLAY_SKIPPED_HOSTS": "false",
            **({**KILLING, "KILLED_AT": killed_at} if killed_at else {}),
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LONGEST_SECONDS,
        check=False,
    )
    return Run(done.stdout + done.stderr, done.returncode)


def role(directory: Path, inventory: str, *arguments: str, killed_at: str = "", **variables: Any) -> Run:
    """variables: for all hosts, over what the inventory says. killed_at: as of `playbook`."""
    path = directory / "role.yml"
    # Hosts need not wait for the slowest of them, unless all are to be at one task when the run is killed.
    path.write_text(json.dumps([{**PLAY, "strategy": "linear" if killed_at else "free"}]))
    return playbook(path, inventory, *arguments, "-e", json.dumps(variables), killed_at=killed_at)


def hosts_file(directory: Path, hosts: dict[str, dict[str, Any]], **common: Any) -> str:
    """An inventory of hosts that are this machine, each with variables of its own."""
    path = directory / "hosts.yml"
    local = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    path.write_text(json.dumps({"all": {"hosts": hosts, "vars": {**local, **common}}}))
    return str(path)
