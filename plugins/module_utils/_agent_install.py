# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the agent comes onto a host: one plan, from which check mode, the diff and the run are made."""

from __future__ import annotations

import contextlib
import os

from ansible_collections.midi.capacity.plugins.module_utils import _agent_install_config as agent_config
from ansible_collections.midi.capacity.plugins.module_utils._account import Account
from ansible_collections.midi.capacity.plugins.module_utils._agent import files
from ansible_collections.midi.capacity.plugins.module_utils._agent_first import first_snapshot
from ansible_collections.midi.capacity.plugins.module_utils._agent_install_checks import prepared, refuse
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
    Owner,
    described_directory,
    directory_at,
    file_at,
    file_of_account,
    foreign_at,
    give,
    have_directory,
    make_directories,
    names_in,
    remove_file,
    write_file,
)
from ansible_collections.midi.capacity.plugins.module_utils._agent_program import (
    COMMAND_MODE,
    Program,
    remove_tree,
    version_of,
)
from ansible_collections.midi.capacity.plugins.module_utils._agent_textfile import is_left, remove_left
from ansible_collections.midi.capacity.plugins.module_utils._agent_timers import Timers
from ansible_collections.midi.capacity.plugins.module_utils._change import Change
from ansible_collections.midi.capacity.plugins.module_utils._errors import OperatorError

_FILE_MODE = 0o644
_STATE_MODE, _PRIVATE_MODE, _LOG_MODE = 0o755, 0o700, 0o750


def converge(options: dict, check_mode: bool) -> dict:
    """Have the agent; gives the result of module capacity_agent. Raises OperatorError before anything is touched."""
    timers = Timers(options["units_dir"], files.name_of(options["command"]))
    installation, config, owner = prepared(options, timers)
    snapshot = first_snapshot(options, config)
    plan = _Plan(options, installation, config, owner, timers)
    if options["snapshot"] and snapshot.is_lacking:
        plan.change.add("snapshots in the history", "none", "one")
    if not check_mode:
        if plan.change.changed:
            try:
                plan.apply()
            except OSError as error:
                raise cannot("installed", error) from None
        # Without a change too, as long as there is something that the last one could not read.
        if options["snapshot"] and (plan.change.changed or snapshot.history["missing"]):
            snapshot.take()
    return {**plan.result(), "history": snapshot.history}


class _Plan:
    """What is there and what is wanted, as one Change, and the way from one to the other."""

    def __init__(
        self, options: dict, installation: files.Installation, config: dict, owner: Owner, timers: Timers
    ) -> None:
        self.change = Change(HEADER)
        self._options, self._installation, self._owner, self._timers = options, installation, owner, timers
        self._config_path = config_path(installation.state_dir)
        self._problems = other_agents(options, self._config_path)
        self._us = Owner(os.geteuid(), os.getegid())
        self._program = Program(options["prefix"])
        self._directories = self._plan_directories()
        self._given = self._plan_given()
        self._stored: File | None = None
        self._config = self._plan_config(config)
        self._left = self._plan_left(config)
        self._wanted = self._texts()
        for path, file in self._wanted.items():
            self._compare(path, file)
        self._gone = [path for path in places(options) if path not in self._wanted and self._compare(path, None)]
        self._launcher, self._kept, self._removed = self._plan_program()
        self._plan_timers()
        refuse(self._problems)
        self._differing = set(self.change.differing())

    def apply(self) -> None:
        """Raises OSError and OperatorError. What uses something comes after it, and what goes, last."""
        for path, (mode, owner) in self._directories.items():
            if path in self._differing:
                have_directory(path, mode, owner)
        for path, before in self._given.items():
            try:
                give(path, before, self._owner)
            except InTheWay as reason:
                raise OperatorError(f"{path} cannot be given to {self._owner}: {reason}", path, "look at it") from None
        self._have_program()
        self._have_files()
        for path in self._left:
            remove_left(path, self._writers())
        for path in self._removed:
            remove_tree(path)

    def _have_program(self) -> None:
        """The program, the proof that it starts, its configuration, its command: what fails leaves what follows."""
        if self._program.directory in self._differing:
            make_directories(self._options["prefix"])
            self._program.install()
        command = self._options["command"]
        if command not in self._differing:
            self._configure(command)
            return
        make_directories(os.path.dirname(command))
        try:
            write_file(command, self._launcher, proof=self._configure)
        except OSError:
            # The command of before has the configuration of before.
            if self._config_differs():
                with contextlib.suppress(OSError):
                    self._write_config(self._stored)
            raise

    def _configure(self, launcher: str) -> None:
        """launcher: the command, or what becomes it now. Raises OperatorError where it does not start."""
        if self._config_differs() or self._program.directory in self._differing or launcher != self._options["command"]:
            self._program.try_launcher(launcher)
        if self._config_differs():
            self._write_config(self._config)

    def _config_differs(self) -> bool:
        return any(name.startswith(self._config_path) for name in self._differing)

    def _write_config(self, file: File | None) -> None:
        # As the account, because the directory is its own.
        with Account(self._options["account"]).effective():
            if file is None:
                remove_file(self._config_path)
            else:
                write_file(self._config_path, File(file.text, agent_config.MODE, self._owner))

    def _have_files(self) -> None:
        self._timers.stop([name for name in self._timers.names if name not in self._wanted_timers()])
        for path in self._gone:
            remove_file(path)
        for path, file in self._wanted.items():
            if path in self._differing:
                write_file(path, file)
        units = {*self._gone, *self._wanted} & self._differing
        self._timers.begin(self._wanted_timers(), [os.path.basename(path) for path in units])

    def result(self) -> dict:
        return {
            "changed": self.change.changed,
            "diff": self.change.diff(),
            "version": self._program.version,
            "command": self._options["command"],
            "config": self._config_path,
            "schedule": self._installation.schedule_by,
            "deadman": self._installation.deadman_by,
            "files": sorted([*self._wanted, self._config_path, self._options["command"], self._program.directory]),
            "removed": sorted([*self._gone, *self._left, *self._removed]),
            "kept": [os.path.join(self._options["prefix"], self._kept)] if self._kept else [],
        }

    def _texts(self) -> dict:
        """The files for cron and the others, by their paths."""
        options, installation = self._options, self._installation
        cron, logrotate = files.cron_text(installation), files.logrotate_text(installation)
        found = {}
        if cron:
            found[os.path.join(options["cron_dir"], installation.name)] = cron
        for name, text in files.unit_texts(installation).items():
            found[os.path.join(options["units_dir"], name)] = text
        if logrotate and options["logrotate_dir"]:
            found[os.path.join(options["logrotate_dir"], installation.name)] = logrotate
        if options["tmpfiles_dir"]:
            found[os.path.join(options["tmpfiles_dir"], f"{installation.name}.conf")] = files.tmpfiles_text(
                installation
            )
        return {path: File(text, _FILE_MODE, self._us) for path, text in found.items()}

    def _plan_directories(self) -> dict:
        """Mode and owner by path, in the order in which they are made."""
        installation = self._installation
        found: dict = {}
        # What others may have made for more than this stays as it is.
        shared = {installation.state_dir: (_STATE_MODE, self._us)}
        if installation.log_file:
            shared[os.path.dirname(installation.log_file)] = (_LOG_MODE, self._owner)
        own = {f"{installation.state_dir}/{name}": (_PRIVATE_MODE, self._owner) for name in ("agent", "conf")}
        own[installation.runtime_dir] = (files.RUNTIME_MODE, self._owner)
        for path, (mode, owner) in {**shared, **own}.items():
            before = self._looked_at(path, lambda path: directory_at(path, follow=path not in own))
            after = described_directory(mode, owner)
            found[path] = (mode, owner)
            self.change.add(path, before, before if before and path not in own else after)
        return found

    def _plan_given(self) -> dict:
        """What an agent of another account left, and whose it is: its history, its memory of alerts, its log."""
        directory = f"{self._installation.state_dir}/agent"
        paths = [os.path.join(directory, name) for name in self._looked_at(directory, names_in) or []]
        if self._installation.log_file:
            paths.append(self._installation.log_file)
        found = {}
        for path in paths:
            before = self._looked_at(path, lambda path: foreign_at(path, self._owner))
            if before:
                self.change.add(path, f"of {before}", f"of {self._owner}")
                found[path] = before
        return found

    def _plan_config(self, config: dict) -> File:
        wanted = File(agent_config.text(config), agent_config.MODE, self._owner)
        before = self._stored = self._looked_at(self._config_path, file_of_account)
        stored = before and agent_config.parsed(before.text)
        self._problems += agent_config.another_s(self._config_path, stored or {}, config)
        agent_config.compare(self.change, self._config_path, stored, config)
        same = before and before.text == wanted.text
        after = wanted.described(with_text=False)
        now = before and before.described(with_text=False) + ("" if same else ", another text")
        self.change.add(self._config_path, now, after)
        return wanted

    def _plan_left(self, config: dict) -> list:
        """The textfile of before, if there is another or none now: node_exporter would tell for ever what it says."""
        stored = agent_config.parsed(self._stored.text) if self._stored else {}
        path = agent_config.textfile_of(stored)
        if path is None or path == config.get("textfile") or not is_left(path, self._writers()):
            return []
        self.change.add(path, "the textfile of before", None)
        return [path]

    def _writers(self) -> set:
        """Whose the textfile of before may be."""
        return {self._us.uid, self._owner.uid} | ({self._stored.owner.uid} if self._stored else set())

    def _plan_program(self) -> tuple:
        """The launcher, the other version to keep, and the paths of what goes."""
        options, program = self._options, self._program
        faults = program.faults()
        before = None if faults is None else f"version {program.version}"
        if faults:
            shown = ", ".join(faults[:3]) + (", …" if len(faults) > 3 else "")
            before = f"version {program.version}, damaged in {len(faults)} files: {shown}"
        self.change.add(program.directory, before, f"version {program.version}")
        launcher = File(program.launcher(self._config_path), COMMAND_MODE, self._us)
        now = self._looked_at(options["command"], file_at)
        self._problems += another_s_command(options["command"], now, self._config_path)
        self._compare(options["command"], launcher)
        kept, removed = program.others(version_of(now.text, options["prefix"]) if now else None)
        for path in removed:
            self.change.add(path, "an older version, or one that is not whole", None)
        return launcher, kept, removed

    def _plan_timers(self) -> None:
        wanted = self._wanted_timers()
        for name in self._timers.names:
            before = self._timers.state(name)
            if before and before.startswith("masked"):
                self._problems.append(f"{name} is masked: unmask it (systemctl unmask {name})")
            self.change.add(f"systemd: {name}", before, self._timers.wanted() if name in wanted else None)
        if self._timers.stale:
            self.change.add("systemd", "units as they were", "units as they are")

    def _wanted_timers(self) -> list:
        return [os.path.basename(path) for path in self._wanted if path.endswith(".timer")]

    def _compare(self, path: str, wanted: File | None) -> bool:
        """Record it; gives whether there is something."""
        before = self._looked_at(path, file_at)
        self._problems += not_ours(path, before)
        self.change.add(path, before and before.described(), wanted and wanted.described())
        return before is not None

    def _looked_at(self, path: str, look):
        try:
            return look(path)
        except InTheWay as reason:
            problem = f"{path}: {reason}: move that out of the way"
        except OSError as error:
            problem = f"{path} cannot be looked at: {error.strerror}: run as root, or as its owner"
        if problem not in self._problems:
            self._problems.append(problem)
        return None
