# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the agent leaves a host: all of it goes but its history, its log and what others put beside them."""

from __future__ import annotations

import contextlib
import os

from ansible_collections.midi.capacity.plugins.module_utils import _agent_install_config as agent_config
from ansible_collections.midi.capacity.plugins.module_utils._agent.files import is_plain_path, name_of
from ansible_collections.midi.capacity.plugins.module_utils._agent_install_checks import odd_paths
from ansible_collections.midi.capacity.plugins.module_utils._agent_ours import (
    HEADER,
    another_s_command,
    cannot,
    config_path,
    not_ours,
    other_agents,
    places,
)
from ansible_collections.midi.capacity.plugins.module_utils._agent_place import (
    File,
    InTheWay,
    file_at,
    file_of_account,
    remove_file,
    remove_file_of_account,
)
from ansible_collections.midi.capacity.plugins.module_utils._agent_program import installed, remove_tree
from ansible_collections.midi.capacity.plugins.module_utils._agent_textfile import is_left, remove_left
from ansible_collections.midi.capacity.plugins.module_utils._agent_timers import Timers
from ansible_collections.midi.capacity.plugins.module_utils._change import Change
from ansible_collections.midi.capacity.plugins.module_utils._errors import OperatorError

# Without these two there is nothing to look at; the others may be left out by null.
_NEEDED = ("state_dir", "runtime_dir")


def remove(options: dict, check_mode: bool) -> dict:
    """Have no agent; gives the result of module capacity_agent. Raises OperatorError."""
    _refuse(odd_paths(options) + _odd_places(options["config"] or {}))
    given = agent_config.document(options)
    there = _There(options, config_path(given["state_dir"]))
    _refuse(there.problems)
    # The stored one is the account's, so no more of it counts than can be checked.
    stored = agent_config.parsed(there.config.text) if there.config else {}
    # Whoever says of which database it is removes no other's.
    asked = options["config"] or {}
    meant = {name: asked[name] for name in agent_config.WHOSE if name in asked}
    _refuse(agent_config.another_s(config_path(given["state_dir"]), stored, {**stored, **meant}))
    textfiles = {agent_config.textfile_of(config) for config in (stored, given)} - {None}
    uids = {os.geteuid()} | ({there.config.owner.uid} if there.config else set())
    # Node exporter would tell for ever what an old one says.
    left = sorted(path for path in textfiles if is_left(path, uids))
    change = Change(HEADER)
    for path in [*there.files, *left, *there.versions]:
        change.add(path, "there", None)
    for name in there.timers.names:
        change.add(f"systemd: {name}", there.timers.state(name), None)
    if there.timers.stale:
        change.add("systemd", "units as they were", "units as they are")
    if change.changed and not check_mode:
        try:
            there.remove()
            for path in left:
                remove_left(path, uids)
        except OSError as error:
            raise cannot("removed", error) from None
        except InTheWay as reason:
            raise OperatorError(f"the agent cannot be removed wholly: {reason}", "", "run it again") from None
    places_of_data = {**given, **{name: value for name, value in stored.items() if _is_path(value)}}
    return {
        "changed": change.changed,
        "diff": change.diff(),
        "removed": sorted([*there.files, *left, *there.versions]),
        "kept": _kept({**places_of_data, **(options["config"] or {})}, textfiles - set(left)),
    }


class _There:
    """What there is of the agent, and everything that speaks against removing it; nothing is touched by looking."""

    def __init__(self, options: dict, config: str) -> None:
        self._options, self._config_path = options, config
        self.problems = other_agents(options, config)
        command = options["command"]
        launcher = self._looked_at(command, file_at)
        self.problems += another_s_command(command, launcher, config)
        found = {path: self._looked_at(path, file_at) for path in places(options)}
        found[command] = launcher
        for path, file in found.items():
            self.problems += not_ours(path, file)
        self.config = self._looked_at(config, file_of_account)
        found[config] = self.config
        self.files = [path for path, file in found.items() if file]
        self.versions = installed(options["prefix"])
        self.timers = Timers(options["units_dir"], name_of(command))

    def remove(self) -> None:
        """Raises OSError and InTheWay."""
        self.timers.stop(list(self.timers.names))
        for path in self.files:
            if path == self._config_path:
                remove_file_of_account(path)
            else:
                remove_file(path)
        self.timers.begin([], [os.path.basename(path) for path in self.files if path.endswith((".timer", ".service"))])
        for path in self.versions:
            remove_tree(path)
        # It may have been there before, with more in it.
        with contextlib.suppress(OSError):
            os.rmdir(self._options["prefix"])

    def _looked_at(self, path: str, look) -> File | None:
        try:
            return look(path)
        except InTheWay as reason:
            self.problems.append(f"{path}: {reason}: move that out of the way")
        except OSError as error:
            self.problems.append(f"{path} cannot be looked at: {error.strerror}: run as root, or as its owner")
        return None


def _refuse(problems: list) -> None:
    if problems:
        raise OperatorError("the agent cannot be removed, and nothing was touched", items=problems)


def _odd_places(config: dict) -> list:
    """What is wrong with the places that the option config names."""
    return [
        f"config: {name} is {config[name]!r}: write an absolute path of letters, digits and _.,+@:=-"
        for name in agent_config.PATHS
        if name in config and not _is_path(config[name]) and (config[name] is not None or name in _NEEDED)
    ]


def _is_path(value) -> bool:
    return isinstance(value, str) and is_plain_path(value)


def _kept(config: dict, textfiles: set) -> list:
    """What is there and stays."""
    log = config.get("log_file")
    found = [config["state_dir"], f"{config['state_dir']}/agent", f"{config['state_dir']}/conf", config["runtime_dir"]]
    found += [os.path.dirname(log)] if log else []
    return [path for path in [*found, *sorted(textfiles)] if os.path.lexists(path)]
