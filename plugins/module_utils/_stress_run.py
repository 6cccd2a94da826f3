# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a command, or what stands for one, as one process group: with a time limit, a log, and somebody who watches.

Nothing is left running: the group is ended at the time limit, and when nobody has watched for a while, because the run
of Ansible that wanted it was interrupted.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import subprocess
import time

from ansible_collections.midi.capacity.plugins.module_utils._account import Account
from ansible_collections.midi.capacity.plugins.module_utils._argspec import ArgumentSpec
from ansible_collections.midi.capacity.plugins.module_utils._errors import OperatorError
from ansible_collections.midi.capacity.plugins.module_utils._stress.lines import Lines
from ansible_collections.midi.capacity.plugins.module_utils._stress.log import LogTally
from ansible_collections.midi.capacity.plugins.module_utils._stress.patterns import BadPatterns, parse
from ansible_collections.midi.capacity.plugins.module_utils._stress_directory import StressDirectory

ITSELF, TIME_LIMIT, NOBODY_WATCHED, ASKED = "itself", "time limit", "nobody watched", "request"
# After SIGTERM, before SIGKILL.
KILL_SECONDS = 10
_STEP_SECONDS = 0.2
_BEGIN_STEP_SECONDS = 0.02
_READ_BYTES = 1 << 20
_READS = 8

RUN_SPEC = ArgumentSpec(
    {
        "directory": {"type": "path"},
        "account": {"type": "str"},
        "limit_seconds": {"type": "int", "default": 14400},
        "patience_seconds": {"type": "int", "default": 60},
        "patterns": {"type": "list", "elements": "dict", "default": []},
    }
)


def checked_patterns(given) -> list:
    """The patterns. Raises OperatorError with all that is wrong."""
    try:
        return parse(given)
    except BadPatterns as error:
        raise OperatorError("the patterns of the log cannot be taken", items=error.problems) from None


def check_limits(options: dict) -> None:
    """Raises OperatorError for times that are none."""
    for name in ("limit_seconds", "patience_seconds"):
        if options[name] < 1:
            raise OperatorError(f"{name} must be 1 or more")


class Program:
    """A program that runs in a session of its own, and whose output goes into a log."""

    def __init__(self, words: list, log: int, account: Account, chdir: str | None, environment: dict) -> None:
        """Raises OperatorError when it cannot be started."""
        try:
            self._process = subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=chdir or account.home,
                env={**os.environ, **account.environment, **environment},
                start_new_session=True,
                preexec_fn=account.become,
            )
        except OSError as error:
            raise OperatorError(f"the command cannot be run: {error.strerror}", error.filename or words[0]) from None
        self.pid = self._process.pid

    def wait(self, seconds: float) -> int | None:
        """The exit code, negative for a signal; None while it runs."""
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None


class Function:
    """A function that runs as a program does: in a session of its own, with its output in a log."""

    def __init__(self, function, log: int, account: Account) -> None:
        context = multiprocessing.get_context("fork")
        self._process = context.Process(target=_as_program, args=(function, log, account))
        self._process.start()
        self.pid = self._process.pid

    def wait(self, seconds: float) -> int | None:
        self._process.join(seconds)
        return self._process.exitcode


def run(start, options: dict, secrets=()) -> dict:
    """start(log, account) gives a Program or a Function. The outcome and what the log says, as in the modules' results.

    Raises OperatorError when it cannot be run; an exit code that is not 0 is an outcome and no error.
    """
    check_limits(options)
    tally = LogTally(checked_patterns(options["patterns"]), secrets)
    directory, account = StressDirectory(options["directory"]), Account(options["account"])
    with directory.locked():
        directory.write_progress({"elapsed_seconds": 0.0, "errors": 0, "files": None, "group": None})
        # From the first moment on, so that whoever watches sees all of it.
        _wait_for_watch(directory, options["patience_seconds"])
        log = directory.open_log()
        account.own(log)
        try:
            begun, started_at = time.monotonic(), time.time()
            process = start(log, account)
            try:
                follower = _Follower(directory, tally, begun, process.pid)
                code, ended_by = _watch(process, options, directory, follower)
            except BaseException:
                _ended(process)
                raise
            seconds = time.monotonic() - begun
            left = bool(_members(process.pid))
            follower.end()
        finally:
            os.close(log)
        result = {
            "exit_status": code if code >= 0 else None,
            "signal": signal.Signals(-code).name if code < 0 else None,
            "ended_by": ended_by,
            "left_running": left,
            "started_at": _utc(started_at),
            "elapsed_seconds": round(seconds, 3),
            "log": {"path": directory.log, "bytes": os.stat(directory.log).st_size, **tally.result()},
        }
        directory.write_done(follower.progress())
    return result


class _Follower:
    """Reads the log as it grows, and says how far the run is."""

    def __init__(self, directory: StressDirectory, tally: LogTally, begun: float, group: int) -> None:
        self._directory, self._tally, self._begun, self._group = directory, tally, begun, group
        self._lines = Lines()
        self._file = open(directory.log, "rb")  # noqa: SIM115 (read as long as the run lasts)
        self._said = 0.0
        directory.write_progress(self.progress())

    def follow(self) -> None:
        # No more at once than leaves time for the limits, however fast the log grows.
        for _piece in range(_READS):
            if not self._take(self._file.read(_READ_BYTES)):
                break
        if time.monotonic() - self._said >= 1:
            self._said = time.monotonic()
            self._directory.write_progress(self.progress())

    def end(self) -> None:
        # What is there now; what a process that was left behind writes later is no part of it.
        size = os.fstat(self._file.fileno()).st_size
        while self._file.tell() < size:
            self._take(self._file.read(_READ_BYTES))
        for line in self._lines.end():
            self._tally.add(line)
        self._file.close()

    def progress(self) -> dict:
        return {
            "elapsed_seconds": round(time.monotonic() - self._begun, 1),
            "errors": self._tally.errors,
            "files": self._tally.files,
            "group": self._group,
        }

    def _take(self, piece: bytes) -> bool:
        for line in self._lines.feed(piece) if piece else ():
            self._tally.add(line)
        return bool(piece)


def _wait_for_watch(directory: StressDirectory, seconds: float) -> None:
    seen, deadline = directory.watched_at(), time.monotonic() + seconds
    while directory.watched_at() == seen:
        if time.monotonic() >= deadline:
            raise OperatorError(
                f"nobody watches the stress test, and nothing was run: waited {seconds} s",
                directory.path,
                "run it with async, and module pg_stress_watch meanwhile",
            )
        time.sleep(_BEGIN_STEP_SECONDS)


def _watch(process, options: dict, directory: StressDirectory, follower: _Follower) -> tuple:
    """(exit code, what ended it), when it has ended."""
    limit = time.monotonic() + options["limit_seconds"]
    seen, seen_at = directory.watched_at(), time.monotonic()
    while True:
        code = process.wait(_STEP_SECONDS)
        if code is not None:
            return code, ITSELF
        follower.follow()
        now, watched = time.monotonic(), directory.watched_at()
        if watched != seen:
            seen, seen_at = watched, now
        if directory.asked_to_stop():
            return _ended(process), ASKED
        if now >= limit:
            return _ended(process), TIME_LIMIT
        if now - seen_at >= options["patience_seconds"]:
            return _ended(process), NOBODY_WATCHED


def _ended(process) -> int:
    """The exit code of a process whose whole group has been ended, politely first."""
    _signal(process.pid, signal.SIGTERM)
    deadline = time.monotonic() + KILL_SECONDS
    code = process.wait(0)
    while time.monotonic() < deadline and (code is None or _members(process.pid)):
        time.sleep(_STEP_SECONDS)
        code = process.wait(0) if code is None else code
    _signal(process.pid, signal.SIGKILL)
    while code is None:
        code = process.wait(_STEP_SECONDS)
    # The kernel takes a moment; one that it cannot end, because it waits for a disk, is told as left.
    deadline = time.monotonic() + KILL_SECONDS
    while _members(process.pid) and time.monotonic() < deadline:
        time.sleep(_BEGIN_STEP_SECONDS)
    return code


def _signal(group: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def _members(group: int) -> list:
    """The processes of a group that still run; those that have ended and wait for their parent do not."""
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            with contextlib.suppress(OSError), open(f"/proc/{name}/stat", encoding="utf-8", errors="replace") as file:
                # The name of the program is in brackets and may have blanks.
                state, _parent, of_group = file.read().rpartition(")")[2].split()[:3]
                if int(of_group) == group and state not in "ZX":
                    found.append(int(name))
    return found


def _as_program(function, log: int, account: Account) -> None:
    os.setsid()
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.environ.update(account.environment)
    account.become()
    function()


def _utc(seconds: float) -> str:
    """As the snapshots write it."""
    moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    return f"{moment}.{int(seconds % 1 * 1000):03d}Z"
