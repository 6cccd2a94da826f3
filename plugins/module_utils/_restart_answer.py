# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The flow of module pg_answer_info: whether a server answers, and what is the matter where it does not."""

from __future__ import annotations

import os
import time
from typing import NamedTuple

from ansible_collections.midi.capacity.plugins.module_utils._errors import OperatorError
from ansible_collections.midi.capacity.plugins.module_utils._host import Host
from ansible_collections.midi.capacity.plugins.module_utils._postgres import PostgresError, Server, Unreachable, knock
from ansible_collections.midi.capacity.plugins.module_utils._restart import answer

WAIT_INTERVAL_SECONDS = 0.5
_NAMES = ("postgres", "postmaster")


class _Found(NamedTuple):
    state: str
    words: str = ""
    remedy: str = ""
    started_at: str | None = None
    pid: int | None = None


def ask(options: dict) -> dict:
    """The result of module pg_answer_info."""
    begun = time.monotonic()
    while True:
        found = _look(options)
        waited = time.monotonic() - begun
        if found.state not in options["wait_while"] or waited >= options["wait_seconds"]:
            break
        time.sleep(WAIT_INTERVAL_SECONDS)
    result = {**found._asdict(), "waited_seconds": round(waited, 1)}
    if options["must_answer"] and found.state != answer.ANSWERS:
        raise OperatorError(found.words, remedy=found.remedy, details=result)
    return result


def _look(options: dict) -> _Found:
    try:
        server = Server.connect(options)
        try:
            return _Found(answer.ANSWERS, started_at=server.value("SELECT pg_postmaster_start_time()::text"))
        finally:
            server.close()
    except Unreachable as error:
        postmaster = _postmaster(options["data_directory"], Host())
        return _told(answer.state_of(knock(options), postmaster), error, postmaster)
    except PostgresError as error:
        # It let us in, and then did not do as we like.
        return _told(answer.REJECTS, error, None)


def _told(state: str, error: PostgresError, postmaster: answer.Postmaster | None) -> _Found:
    words = f"{error.what} ({error.where})"
    pid = postmaster.pid if postmaster else None
    if state == answer.SILENT and pid is not None:
        words = f"its process {pid} runs, and it is not found where it was looked for: {words}"
    return _Found(state, words, error.remedy, pid=pid)


def _postmaster(directory: str | None, host: Host) -> answer.Postmaster | None:
    """What the data directory tells of the server's process; None where it is not to be seen from here.

    A file that a killed server left may name somebody else's process, or that of a server in a container. So it proves
    nothing without the process, and only that there is no file does.
    """
    if not directory:
        return None
    try:
        with open(os.path.join(directory, "postmaster.pid"), encoding="ascii", errors="replace") as file:
            found = answer.parse_pid_file(file.read())
    except FileNotFoundError:
        return answer.Postmaster(None, "") if os.path.isdir(directory) else None
    except (OSError, ValueError):
        return None
    process = host.process(found.pid)
    if process is None or process.name not in _NAMES or not _works_in(found.pid, directory):
        return None
    return found


def _works_in(pid: int, directory: str) -> bool:
    """PostgreSQL works in its data directory. Where nobody lets us see that, its name has to do."""
    try:
        return os.path.samefile(f"/proc/{pid}/cwd", directory)
    except OSError:
        return True
