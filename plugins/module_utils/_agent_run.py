# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One run of the agent: alone, bounded in time, in the history whatever becomes of it."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import time

from ansible_collections.midi.capacity.plugins.module_utils import _agent_lock, _postgres
from ansible_collections.midi.capacity.plugins.module_utils._agent.config import Config
from ansible_collections.midi.capacity.plugins.module_utils._agent_clock import now
from ansible_collections.midi.capacity.plugins.module_utils._agent_memory import AlertMemory
from ansible_collections.midi.capacity.plugins.module_utils._agent_store import Store, StoreError
from ansible_collections.midi.capacity.plugins.module_utils._errors import OperatorError
from ansible_collections.midi.capacity.plugins.module_utils._thresholds.model import BAD

# The metric, and the key of its alert.
FAILURES = "agent_failures"
DONE, FAILED, LOCKED = "done", "failed", "locked"
# What a run has beyond its deadline, to say so; then the kernel ends it.
GRACE_SECONDS = 15
# Runs that are looked at for how many failed in a row.
_LOOKED_AT = 50


class Run:
    """What a command has while it runs."""

    def __init__(self, config: Config, command: str) -> None:
        self.config = config
        self.command = command
        self.store: Store | None = None
        self.started_at = now()
        self._started = time.monotonic()
        self._deadline = self._started + config.deadline_seconds
        self._number: int | None = None

    def seconds_left(self) -> float:
        return self._deadline - time.monotonic()

    def log(self, text: str) -> None:
        """One line in the agent's log. That it cannot be written stops nothing."""
        if self.config.log_file is None:
            return
        line = f"{now()} {self.command}[{os.getpid()}]: {' '.join(str(text).split())}\n"
        try:
            # One write, so that lines of two runs do not mix.
            descriptor = os.open(self.config.log_file, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)
            try:
                os.write(descriptor, line.encode("utf-8", "replace"))
            finally:
                os.close(descriptor)
        except OSError:
            pass

    def memory(self) -> AlertMemory:
        return AlertMemory(self.store, self.config.runtime_dir)

    def failures(self) -> int:
        """How many snapshots in a row ended badly before this one, as far as anybody knows. Raises StoreError.

        One that was cut off has no outcome.
        """
        found = 0
        runs = self.store.runs(_LOOKED_AT, "snapshot") if self.store else []
        for run in runs:
            if run["id"] == self._number or run["outcome"] == LOCKED:
                continue
            if run["outcome"] == DONE:
                break
            found += 1
        return max(found, self.failures_told())

    def failures_told(self) -> int:
        """As people were told of them: where the history cannot be written (a full disk), nothing else knows."""
        document, _complaint = self.memory().load()
        alert = document["alerts"].get(FAILURES)
        return int(alert["value"] or 0) if alert and alert["state"] in BAD else 0

    def end(self, outcome: str, reason: str = "", snapshot_id: int | None = None) -> None:
        """Written down if it can be; in another transaction it is a part of that."""
        if self.store is not None and self._number is not None:
            self.store.end_run(self._number, outcome, reason, snapshot_id, self._cost())

    def _begin(self) -> None:
        self._number = self.store.begin_run(self.command, self.started_at) if self.store else None

    def _cost(self) -> dict:
        used = resource.getrusage(resource.RUSAGE_SELF)
        return {
            "wall_seconds": round(time.monotonic() - self._started, 3),
            "cpu_seconds": round(used.ru_utime + used.ru_stime, 3),
            "peak_bytes": used.ru_maxrss * 1024,
        }


def alone(config: Config, command: str, work, on_trouble=None) -> int:
    """Runs work(run), the only one of the agent at a time; gives the exit status: 0, also where another one runs.

    on_trouble(run, error): what there is to do where the lock or the history cannot be used, or the work failed.
    """
    run = Run(config, command)
    # The last resort, for what no time-out of ours reaches.
    signal.alarm(config.deadline_seconds + GRACE_SECONDS)
    _postgres.give_up_at(time.monotonic() + config.deadline_seconds)
    with contextlib.ExitStack() as held:
        try:
            if not held.enter_context(_agent_lock.held(os.path.join(config.directory, "lock"))):
                return _not_alone(run)
            run.store = held.enter_context(Store.open(config.history))
            run._begin()
            work(run)
        except OperatorError as error:
            _trouble(run, error, on_trouble)
            raise
        except Exception as error:
            # Its text may have anything in it.
            _trouble(run, OperatorError(f"an error of the agent: {type(error).__name__}"), on_trouble)
            raise
    return 0


def _not_alone(run: Run) -> int:
    text = "another run holds the lock, so there was nothing to do"
    run.log(text)
    try:
        with Store.open(run.config.history) as store:
            run.store = store
            run._begin()
            run.end(LOCKED, text)
    except StoreError as error:
        run.log(error.what)
    return 0


def _trouble(run: Run, error: OperatorError, on_trouble) -> None:
    run.log(f"failed: {error}")
    # Where the history is what went wrong, the run stays without an outcome, which counts as a failure.
    with contextlib.suppress(StoreError):
        run.end(FAILED, error.what)
    if on_trouble is not None:
        on_trouble(run, error)
