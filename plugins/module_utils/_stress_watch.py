# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Watches a stress test for a while: what the server does, twice a second, and how far the test is."""

from __future__ import annotations

import time

from ansible_collections.midi.capacity.plugins.module_utils import _stress_sql as queries
from ansible_collections.midi.capacity.plugins.module_utils._errors import OperatorError
from ansible_collections.midi.capacity.plugins.module_utils._postgres import Server
from ansible_collections.midi.capacity.plugins.module_utils._report import human
from ansible_collections.midi.capacity.plugins.module_utils._stress import samples
from ansible_collections.midi.capacity.plugins.module_utils._stress_directory import StressDirectory

SAMPLE_SECONDS = 0.5
_STEP_SECONDS = 0.1


def watch(options: dict) -> dict:
    """As the module's result. It never fails: a server that cannot be looked at is told as the reason."""
    directory = StressDirectory(options["directory"])
    if options["stop"] and not directory.done():
        directory.ask_to_stop()
    eye = _Eye(options)
    try:
        _look_on(directory, eye, time.monotonic() + options["seconds"])
    finally:
        eye.close()
    progress = directory.progress()
    result = {
        "done": directory.done(),
        "lost": directory.lost(),
        "progress": progress,
        "rows": eye.rows,
        "samples": samples.summary(eye.found),
        "reason": eye.reason,
    }
    return {**result, "msg": _line(result, eye.found)}


def _look_on(directory: StressDirectory, eye: _Eye, deadline: float) -> None:
    due = time.monotonic()
    while True:
        now = time.monotonic()
        if now >= due:
            directory.touch()
            # What the server does once the test is done is no part of it; the rows that came in are.
            eye.look(sampled=not directory.done())
            due += SAMPLE_SECONDS
        if directory.done() or directory.lost() or now >= deadline:
            return
        time.sleep(max(0.0, min(_STEP_SECONDS, deadline - now)))


class _Eye:
    """Looks at the server, over one connection as long as that holds."""

    def __init__(self, options: dict) -> None:
        self._options = options
        self._server: Server | None = None
        self.found: list = []
        self.rows: int | None = None
        self.reason: str | None = None

    def look(self, sampled: bool) -> None:
        try:
            if self._server is None:
                self._server = Server.connect(self._options)
                # One that hangs would look as if nobody watched.
                self._server.value(queries.PATIENCE)
            if sampled:
                self.found.append(self._server.rows(queries.SAMPLE)[0])
            if self._options["growth_table"]:
                counter = self._server.value(queries.INSERTED, {"table": self._options["growth_table"]})
                self.rows = max(0, counter - self._options["rows_inserted_before"])
        except OperatorError as error:
            self.reason = error.what
            self.close()

    def close(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None


def _line(result: dict, found: list) -> str:
    """What happened, for people, on one line."""
    progress = result["progress"]
    if progress is None:
        return "it has not begun yet" if not result["lost"] else "it never began"
    parts = []
    if result["rows"] is not None:
        parts.append(f"{human.plural(result['rows'], 'row')} came in")
    if progress["files"] is not None:
        parts.append(f"{human.plural(progress['files'], 'file')} by its log")
    if found:
        last = found[-1]
        parts.append(f"{human.plural(last['total'], 'connection')}, {last['waiting']} waiting for a lock")
    if result["reason"]:
        parts.append(f"the server could not be looked at: {result['reason']}")
    if progress["errors"]:
        parts.append(f"{human.plural(progress['errors'], 'error')} in its log")
    if result["lost"]:
        parts.append("the process that ran it is gone")
        if progress["group"]:
            parts.append(f"its process group {progress['group']} may still be there")
    state = "ended" if result["done"] else "lost" if result["lost"] else "runs"
    return f"{state}, {human.seconds(progress['elapsed_seconds'])}: {'; '.join(parts) or 'nothing to tell'}"
