# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A snapshot by the agent that was just installed: the beginning of the history, and the proof that it works."""

from __future__ import annotations

import contextlib
import os
import subprocess

from ansible_collections.midi.capacity.plugins.module_utils import _agent_lock
from ansible_collections.midi.capacity.plugins.module_utils._account import Account, as_ids
from ansible_collections.midi.capacity.plugins.module_utils._agent import config as configuration
from ansible_collections.midi.capacity.plugins.module_utils._agent.files import GRACE_SECONDS
from ansible_collections.midi.capacity.plugins.module_utils._agent.schema import VERSION
from ansible_collections.midi.capacity.plugins.module_utils._agent_install_checks import refuse
from ansible_collections.midi.capacity.plugins.module_utils._agent_place import InTheWay, Owner, owner_at
from ansible_collections.midi.capacity.plugins.module_utils._agent_store import FULL, Store, StoreError
from ansible_collections.midi.capacity.plugins.module_utils._errors import OperatorError
from ansible_collections.midi.capacity.plugins.module_utils._started import ended


class FirstSnapshot:
    """The history as it is, and how a snapshot joins it."""

    def __init__(self, command: str, account: str | None, config: configuration.Config) -> None:
        self._command, self._account, self._config = command, Account(account), config
        self._last: int | None = None
        self.history = self._read()

    @property
    def is_lacking(self) -> bool:
        return not self.history["snapshots"]

    def take(self) -> None:
        """Have another one in the history. Raises OperatorError with what the agent says."""
        before = self._last
        self._run()
        self.history = self._read()
        if self._last == before:
            # One that cron or a timer began held the lock: it may have had the old configuration, so its is not enough.
            self._wait()
            self.history = self._read()
            before = self._last
            self._run()
            self.history = self._read()
        if self._last == before:
            raise self._failed("it said that all is well, and there is no new snapshot in the history")

    def _read(self) -> dict:
        """{path, snapshots, first, last, missing}; those of a history that is not there are 0, null and empty.

        As its owner, because SQLite may write beside a file that it reads.
        """
        path = self._config.history
        found = {"path": path, "snapshots": 0, "first": None, "last": None, "missing": []}
        self._last = None
        try:
            owner = owner_at(path)
        except InTheWay:
            # The plan says so, with all else that is in the way.
            return found
        if owner is None:
            return found
        with _as_owner(owner, path):
            try:
                heads, missing = _heads(path)
            except StoreError:
                # Who began to write meanwhile may have changed what was being read: with a log of its own it cannot.
                if not os.path.exists(f"{path}-wal"):
                    raise
                heads, missing = _heads(path)
        if heads:
            self._last = heads[-1]["id"]
            found.update(snapshots=len(heads), first=heads[0]["taken_at"], last=heads[-1]["taken_at"], missing=missing)
        return found

    def _run(self) -> None:
        command = [self._command, "snapshot"]
        try:
            status, said, complaint = ended(
                command,
                self._config.deadline_seconds + GRACE_SECONDS,
                cwd="/",
                env={**os.environ, **self._account.environment},
                preexec_fn=self._account.become,
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise self._failed(str(error)) from None
        if status:
            raise self._failed((said + complaint).strip())

    def _wait(self) -> None:
        with self._account.effective():
            lock = os.path.join(self._config.directory, "lock")
            seconds = self._config.deadline_seconds + GRACE_SECONDS
            with _agent_lock.held(lock, seconds) as had:
                if not had:
                    raise self._failed(f"another run has held {lock} for {seconds} s")

    def _failed(self, reason: str) -> OperatorError:
        remedy = f"see to that, and run {self._command} doctor, which looks at everything that the agent needs"
        return OperatorError(
            f"the agent is installed, and its snapshot failed: {reason.rstrip('.')}", self._command, remedy
        )


@contextlib.contextmanager
def _as_owner(owner: Owner, path: str):
    """By number, for an account of which only files are left has no name. Raises OperatorError."""
    us = os.geteuid()
    if owner.uid == us:
        yield
        return
    if us != 0:
        raise OperatorError(f"the agent's history is of {owner}, and only root can read it", path, "become root")
    with as_ids(owner.uid, owner.gid):
        yield


def _heads(path: str) -> tuple:
    """The heads of the snapshots, and what the last one could not read. Raises StoreError."""
    with Store.read_only(path) as store:
        version = store.version()
        # What is empty was made by a run that was cut off.
        heads = store.heads(FULL) if version else []
        if not heads:
            return [], []
        try:
            return heads, store.document(heads[-1]["id"])["missing"]
        except StoreError:
            if version == VERSION:
                raise
            # Of an older schema: the next run brings it up, and until then the heads have to do.
            return heads, []


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
