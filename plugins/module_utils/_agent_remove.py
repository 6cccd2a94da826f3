# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the agent leaves a host: all of it goes but its history, its log and what others put beside them."""

from __future__ import annotations

import contextlib
import os

from ansible_collections.midi.capacity.plugins.module_utils import _agent_install_config as agent_config
from ansible_collections.midi.capacity.plugins.module_utils._agent.files import name_of
from ansible_collections.midi.capacity.plugins.module_utils._agent_install import (
    HEADER,
    another_s_command,
    cannot,
    config_path,
    places,
    remove_tree,
)
from ansible_collections.midi.capacity.plugins.module_utils._agent_install_checks import odd_paths
from ansible_collections.midi.capacity.plugins.module_utils._agent_place import File, InTheWay, file_at, remove_file
from ansible_collections.midi.capacity.plugins.module_utils._agent_program import installed
from ansible_collections.midi.capacity.plugins.module_utils._agent_timers import Timers
from ansible_collections.midi.capacity.plugins.module_utils._change import Change
from ansible_collections.midi.capacity.plugins.module_utils._errors import OperatorError


def remove(options: dict, check_mode: bool) -> dict:
    """Have no agent; gives the result of module capacity_agent. Raises OperatorError."""
    problems = odd_paths(options)
    if problems:
        raise OperatorError("the agent cannot be removed, and nothing was touched", items=problems)
    given = agent_config.document(options)
    problems = another_s_command(options["command"], _file(options["command"]), config_path(given["state_dir"]))
    if problems:
        raise OperatorError("the agent cannot be removed, and nothing was touched", items=problems)
    timers = Timers(options["units_dir"], name_of(options["command"]))
    change = Change(HEADER)
    config = {**given, **_stored(config_path(given["state_dir"])), **(options["config"] or {})}
    # Node exporter would tell for ever what an old one says.
    files = [*places(options), options["command"], config_path(given["state_dir"])]
    files += [config["textfile"]] if isinstance(config.get("textfile"), str) else []
    files = [path for path in files if os.path.lexists(path)]
    versions = installed(options["prefix"])
    for path in [*files, *versions]:
        change.add(path, "there", None)
    for name in timers.names:
        change.add(f"systemd: {name}", timers.state(name), None)
    if timers.stale:
        change.add("systemd", "units as they were", "units as they are")
    if change.changed and not check_mode:
        try:
            _apply(options, files, versions, timers)
        except OSError as error:
            raise cannot(error) from None
    return {
        "changed": change.changed,
        "diff": change.diff(),
        "removed": sorted([*files, *versions]),
        "kept": _kept(config),
    }


def _apply(options: dict, files: list, versions: list, timers: Timers) -> None:
    timers.stop(list(timers.names))
    for path in files:
        remove_file(path)
    timers.begin([], [os.path.basename(path) for path in files if path.endswith((".timer", ".service"))])
    for path in versions:
        remove_tree(path)
    # It may have been there before, with more in it.
    with contextlib.suppress(OSError):
        os.rmdir(options["prefix"])


def _stored(path: str) -> dict:
    """The configuration that the agent has had; nothing where it cannot be read."""
    found = _file(path)
    return agent_config.parsed(found.text) if found else {}


def _file(path: str) -> File | None:
    try:
        return file_at(path)
    except (InTheWay, OSError):
        return None


def _kept(config: dict) -> list:
    """What is there and stays."""
    log = config.get("log_file")
    found = [config["state_dir"], f"{config['state_dir']}/agent", f"{config['state_dir']}/conf", config["runtime_dir"]]
    found += [os.path.dirname(log)] if isinstance(log, str) else []
    return [path for path in found if os.path.lexists(path)]
