# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A snapshot by the agent that was just installed: the beginning of the history, and the proof that it works."""

from __future__ import annotations

import os
import subprocess

from ansible_collections.midi.capacity.plugins.module_utils import _agent_lock
from ansible_collections.midi.capacity.plugins.module_utils._account import Account
from ansible_collections.midi.capacity.plugins.module_utils._agent import config as configuration
from ansible_collections.midi.capacity.plugins.module_utils._agent.files import GRACE_SECONDS
from ansible_collections.midi.capacity.plugins.module_utils._agent_install_checks import refuse
from ansible_collections.midi.capacity.plugins.module_utils._agent_place import InTheWay, owner_at
from ansible_collections.midi.capacity.plugins.module_utils._agent_store import FULL, Store, StoreError
from ansible_collections.midi.capacity.plugins.module_utils._errors import OperatorError


class FirstSnapshot:
    """The history as it is, and how a snapshot joins it."""

    def __init__(self, command: str, account: str | None, config: configuration.Config) -> None:
        self._command, self._account, self._config = command, Account(account), config
        self.history = self._read()

    @property
    def is_lacking(self) -> bool:
        return not self.history["snapshots"]

    def take(self) -> None:
        """Have another one in the history. Raises OperatorError with what the agent says."""
        before = self.history["snapshots"]
        self._run()
        self.history = self._read()
        if self.history["snapshots"] == before:
            # One that cron or a timer began held the lock: it may have had the old configuration, so its is not enough.
            self._wait()
            self._run()
            self.history = self._read()

    def _read(self) -> dict:
        """{path, snapshots, first, last, missing}; those of a history that is not there are 0, null and empty.

        As its owner, because SQLite writes beside a file that it reads.
        """
        path = self._config.history
        found = {"path": path, "snapshots": 0, "first": None, "last": None, "missing": []}
        try:
            owner = owner_at(path)
        except InTheWay:
            # The plan says so, with all else that is in the way.
            return found
        if owner is None:
            return found
        with Account(owner.account).effective(), Store.open(path) as store:
            heads = store.heads(FULL)
            if heads:
                found.update(snapshots=len(heads), first=heads[0]["taken_at"], last=heads[-1]["taken_at"])
                found["missing"] = store.document(heads[-1]["id"])["missing"]
        return found

    def _run(self) -> None:
        command = [self._command, "snapshot"]
        try:
            done = subprocess.run(
                command,
                check=False,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=self._config.deadline_seconds + GRACE_SECONDS,
                cwd="/",
                env={**os.environ, **self._account.environment},
                preexec_fn=self._account.become,
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise self._failed(str(error)) from None
        if done.returncode:
            raise self._failed(done.stdout.decode(errors="replace").strip())

    def _wait(self) -> None:
        with self._account.effective():
            lock = os.path.join(self._config.directory, "lock")
            with _agent_lock.held(lock, self._config.deadline_seconds + GRACE_SECONDS):
                pass

    def _failed(self, reason: str) -> OperatorError:
        remedy = f"see to that, and run {self._command} doctor, which looks at everything that the agent needs"
        return OperatorError(
            f"the agent is installed, and its snapshot failed: {reason.rstrip('.')}", self._command, remedy
        )


def first_snapshot(options: dict, document: dict) -> FirstSnapshot:
    """document: the configuration. Raises OperatorError where there is a history that cannot be read."""
    config, problems = configuration.read(document)
    refuse(problems)
    try:
        return FirstSnapshot(options["command"], options["account"], config)
    except StoreError as error:
        raise OperatorError(
            f"the agent's history cannot be used, and nothing was touched: {error.what}",
            error.where,
            error.remedy or "move it out of the way: the next snapshot begins a new one",
        ) from None
