# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which files are an agent's, and which agent's: by the line that all of them have, and by the command they run."""

from __future__ import annotations

import os
import re

from ansible_collections.midi.capacity.plugins.module_utils._agent import files
from ansible_collections.midi.capacity.plugins.module_utils._agent_place import File, InTheWay, file_at
from ansible_collections.midi.capacity.plugins.module_utils._agent_program import config_of
from ansible_collections.midi.capacity.plugins.module_utils._errors import OperatorError

HEADER = "capacity-agent"
MARK = "# Written by midi.capacity, module capacity_agent"
# As _agent.files writes them.
_RUNS = re.compile(rf"(?:^ExecStart=| nice -n 10 )(/\S+) (?:{'|'.join(files.JOBS)})$", re.MULTILINE)


def config_path(state_dir: str) -> str:
    return f"{state_dir}/conf/agent.json"


def another_s_command(command: str, launcher: File | None, config: str) -> list:
    """What speaks against it: a host may have several agents, and each is called by its command."""
    other = config_of(launcher.text) if launcher else None
    if other in (None, config):
        return []
    return [
        f"{command} is the command of another agent, whose configuration is {other}: give this one a command of its"
        " own, by which all its files are called"
    ]


def cannot(be: str, error: OSError) -> OperatorError:
    """be: what the agent cannot be, such as installed."""
    remedy = "see that there is room, and that the account of this task may write there; then run it again"
    return OperatorError(f"the agent cannot be {be}: {error.strerror or error}", error.filename or "", remedy)


def places(options: dict) -> list:
    """Every file for cron, systemd, logrotate and systemd-tmpfiles that there may be of this agent."""
    found = []
    own = files.name_of(options["command"])
    if options["cron_dir"]:
        found.append(os.path.join(options["cron_dir"], own))
    if options["units_dir"]:
        found += [os.path.join(options["units_dir"], name) for name in files.units(own)]
    if options["logrotate_dir"]:
        found.append(os.path.join(options["logrotate_dir"], own))
    if options["tmpfiles_dir"]:
        found.append(os.path.join(options["tmpfiles_dir"], f"{own}.conf"))
    return found


def not_ours(path: str, file: File | None) -> list:
    """What speaks against writing over it or removing it. Of an empty one nothing is lost."""
    if file is None or not file.text or _is_ours(file.text):
        return []
    return [f"{path}: this module did not write it: move it out of the way"]


def other_agents(options: dict, config: str) -> list:
    """What speaks against it: an agent of the same configuration that another command runs, or of the same files."""
    own, command = places(options), options["command"]
    problems = {}
    for path, other in _commands(options):
        text = _text(other)
        if other == command or text is None:
            continue
        if config_of(text) == config:
            problems[other] = (
                f"{path} runs this agent by another command, {other}: remove that first (state absent, command"
                f" {other}), which leaves its history"
            )
        elif path in own:
            problems[other] = f"{path} is of another agent, {other}: give this one a command of another name"
    return list(problems.values())


def _commands(options: dict):
    """(path, command) of every file of ours that runs something."""
    for directory, ending in ((options["cron_dir"], ""), (options["units_dir"], ".service")):
        try:
            names = sorted(os.listdir(directory)) if directory else []
        except OSError:
            # What is not there, or cannot be read, is refused where it is needed.
            names = []
        for name in names:
            path = os.path.join(directory, name)
            text = _text(path) if name.endswith(ending) else None
            if text and _is_ours(text):
                for command in sorted(set(_RUNS.findall(text))):
                    yield path, command


def _text(path: str) -> str | None:
    try:
        found = file_at(path)
    except (InTheWay, OSError):
        return None
    return found.text if found else None


def _is_ours(text: str) -> bool:
    """The line is the first, and the second where the first one names what runs the file."""
    return any(line.startswith(MARK) for line in text.split("\n", 2)[:2])
