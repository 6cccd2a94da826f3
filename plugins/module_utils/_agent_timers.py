# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The agent's timers in systemd: what it knows of them, and how they are begun and ended."""

from __future__ import annotations

import os
import subprocess

from ansible_collections.midi.capacity.plugins.module_utils._agent.files import timers, units
from ansible_collections.midi.capacity.plugins.module_utils._errors import OperatorError
from ansible_collections.midi.capacity.plugins.module_utils._started import ended

# Where systemd looks for units by itself (systemd.unit(5)).
_READ_BY_SYSTEMD = (
    "/etc/systemd/system",
    "/run/systemd/system",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
)
RUNS = "/run/systemd/system"
WANTED = "enabled, active"
_TIMEOUT_SECONDS = 90


class Timers:
    """What systemd says of our units. Where it does not read the directory, or does not run, it is not asked."""

    def __init__(self, directory: str, name: str) -> None:
        """name: of the agent, as files.name_of tells."""
        self._directory, self._name = directory, name
        self.names = timers(name)
        self.is_systemd_s = os.path.normpath(directory or "/nowhere") in _READ_BY_SYSTEMD
        self.runs = os.path.isdir(RUNS)
        self._asked = self.is_systemd_s and self.runs
        self.stale = False
        self._states: dict = {}
        if self._asked:
            self._read()

    def usable(self) -> bool:
        """Whether units in this directory are ever run, as far as we can know."""
        return self.runs or not self.is_systemd_s

    def state(self, name: str) -> str | None:
        """Such as "enabled, active"; None where there is no such timer."""
        return self._states.get(name)

    def wanted(self) -> str | None:
        return WANTED if self._asked else None

    def stop(self, names: list) -> None:
        """Not to begin any more, for timers whose files are about to go, or went without our doing."""
        known = [name for name in names if self.state(name)]
        there = [name for name in known if os.path.exists(os.path.join(self._directory, name))]
        if there:
            _systemctl("disable", "--now", *there)
        if len(there) < len(known):
            _systemctl("stop", *(name for name in known if name not in there))

    def begin(self, names: list, changed: list) -> None:
        """Have systemd read all units, and these timers run; changed: those whose files are other ones now."""
        if not self._asked:
            return
        if changed or self.stale:
            _systemctl("daemon-reload")
        begun = [name for name in names if self.state(name) != WANTED]
        if begun:
            _systemctl("enable", "--now", *begun)
        other = [name for name in names if name in changed and name not in begun]
        if other:
            _systemctl("restart", *other)

    def _read(self) -> None:
        names = "Id,LoadState,UnitFileState,ActiveState,NeedDaemonReload"
        text = _systemctl("show", f"--property={names}", *units(self._name))
        for block in text.split("\n\n"):
            found = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
            if found.get("NeedDaemonReload") == "yes":
                self.stale = True
            name = found.get("Id")
            there = found.get("LoadState") != "not-found" or found.get("ActiveState") != "inactive"
            if name in self.names and there:
                self._states[name] = f"{found.get('UnitFileState') or 'no file'}, {found.get('ActiveState')}"


def _systemctl(*arguments: str) -> str:
    command = ["systemctl", *arguments]
    try:
        status, said, complaint = ended(command, _TIMEOUT_SECONDS, env={**os.environ, "LC_ALL": "C"})
    except (OSError, subprocess.SubprocessError) as error:
        raise OperatorError(f"systemctl cannot be run: {error}", " ".join(command), _REMEDY) from None
    if status:
        raise OperatorError(f"systemctl failed: {complaint.strip()}", " ".join(command), _REMEDY)
    return said


_REMEDY = "mend that and run again, or choose cron for both schedule and deadman"
