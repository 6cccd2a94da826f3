# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files by which the process that runs a stress test and those that watch it know of each other.

They may be of different accounts, so what is shared is readable by all and says nothing that is secret:

lock           beside the directories of all runs, held by the process that runs one
RUN/progress   how far it is, written over and over
RUN/done       there when it has ended
RUN/watched    touched by whoever watches, who writes into it to have the test end
RUN/output.log what the command wrote, readable by its account alone
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time

from ansible_collections.midi.capacity.plugins.module_utils._errors import OperatorError

LOG_NAME = "output.log"
# A process that was to run the test and has not said anything by then never will.
START_SECONDS = 60


class StressDirectory:
    """The directory of one run, which is there already."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.log = os.path.join(path, LOG_NAME)
        self._progress = os.path.join(path, "progress")
        self._done = os.path.join(path, "done")
        self._watched = os.path.join(path, "watched")
        self._lock = os.path.join(os.path.dirname(path), "lock")

    @contextlib.contextmanager
    def locked(self):
        """Nobody else runs a stress test meanwhile. Raises OperatorError if somebody does."""
        descriptor = self._open_lock()
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise busy(self._lock) from None
            yield
        finally:
            os.close(descriptor)

    def open_log(self) -> int:
        """A descriptor that appends to the log; only its account may read it."""
        return os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def write_progress(self, progress: dict) -> None:
        self._write(self._progress, progress)

    def write_done(self, progress: dict) -> None:
        self._write(self._done, progress)

    def progress(self) -> dict | None:
        """How far the run is; None before it began."""
        return _read(self._done) or _read(self._progress)

    def done(self) -> bool:
        return os.path.exists(self._done)

    def lost(self) -> bool:
        """Whether whoever ran it is gone without having said that it is done."""
        if self.done():
            return False
        if os.path.exists(self._progress):
            # The order matters: it may have been done just now.
            return not held(self._lock) and not self.done()
        try:
            return time.time() - os.stat(self.path).st_mtime > START_SECONDS
        except OSError:
            return True

    def touch(self) -> None:
        """Say that somebody watches."""
        with contextlib.suppress(OSError):
            os.utime(self._watched)

    def ask_to_stop(self) -> None:
        """Raises OperatorError where whoever asks may not."""
        try:
            with open(self._watched, "w", encoding="utf-8") as file:
                file.write("stop\n")
        except OSError as error:
            raise _unusable(self._watched, error) from None

    def asked_to_stop(self) -> bool:
        try:
            return os.stat(self._watched).st_size > 0
        except OSError:
            return False

    def watched_at(self) -> float:
        """When somebody watched last, by the clock of the files; 0 when nobody ever did."""
        try:
            return os.stat(self._watched).st_mtime
        except OSError:
            return 0.0

    def _open_lock(self) -> int:
        try:
            return os.open(self._lock, os.O_RDONLY)
        except OSError as error:
            raise _unusable(self._lock, error) from None

    def _write(self, path: str, content: dict) -> None:
        """Whole or not at all, whoever reads meanwhile. A disk that a test has filled keeps no test from ending."""
        unfinished = f"{path}.{os.getpid()}"
        with contextlib.suppress(OSError):
            with open(unfinished, "w", encoding="utf-8") as file:
                json.dump(content, file)
            os.chmod(unfinished, 0o644)
            os.rename(unfinished, path)


def held(lock: str) -> bool:
    """Whether somebody runs a stress test; without the file nobody does."""
    try:
        descriptor = os.open(lock, os.O_RDONLY)
    except FileNotFoundError:
        return False
    except OSError as error:
        raise _unusable(lock, error) from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def busy(lock: str) -> OperatorError:
    return OperatorError(
        "a stress test still runs on this host",
        lock,
        "wait until it has ended; one that nobody watches any more ends by itself within minutes",
    )


def _unusable(path: str, error: OSError) -> OperatorError:
    return OperatorError(
        f"a file of stress tests cannot be used: {error.strerror}",
        path,
        "let the account that this is run as reach it; role capacity_baseline makes it",
    )


def _read(path: str) -> dict | None:
    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    except FileNotFoundError:
        return None
