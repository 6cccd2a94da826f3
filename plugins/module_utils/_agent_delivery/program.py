# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A program that takes a message on its standard input: started, bounded, and killed with all that it started."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import subprocess
import threading
from typing import IO, Any, Callable, Dict, List, Sequence, Tuple

from ansible_collections.midi.capacity.plugins.module_utils._agent_delivery.attempt import NO_THREAD, Attempt, Failure
from ansible_collections.midi.capacity.plugins.module_utils._alerts import plain

ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}

_FINAL_ERRORS = (errno.ENOENT, errno.EACCES, errno.ENOTDIR, errno.EISDIR, errno.ENOEXEC, errno.ELOOP)
# What a shell says of a command that it cannot run, or not find.
_FINAL_CODES = (126, 127)
_MOST_KEPT, _MOST_QUOTED = 4000, 200
# For the rest of what it said: what it left running may keep the pipe open.
_REST_SECONDS = 0.2


def run(words: Sequence[str], content: bytes, environment: Dict[str, str], attempt: Attempt) -> None:
    """Raises Failure."""
    attempt.late = f"{words[0]} did not end within {attempt.seconds:.3g} s, and was killed"
    try:
        process = subprocess.Popen(
            list(words),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            cwd="/",
            env=environment,
            # So that what it started can be killed with it.
            start_new_session=True,
        )
    except OSError as error:
        raise Failure(f"{words[0]} cannot be run: {error.strerror}", error.errno not in _FINAL_ERRORS) from None
    said: List[bytes] = []
    threads = _attended(process, content, said)
    try:
        attempt.ends_by(lambda: _kill(process))
    finally:
        code = process.wait()
    for thread in threads:
        thread.join(_REST_SECONDS)
    if code:
        raise Failure(f"{words[0]} {_how(code)}{_first_line(said)}", code not in _FINAL_CODES)


def _attended(process: Any, content: bytes, said: List[bytes]) -> List[threading.Thread]:
    """Who feeds it, and who hears it. Raises Failure, and then it does not run any more."""
    jobs: List[Tuple[Callable[..., None], IO[bytes], Any]] = [
        (_write, process.stdin, content),
        (_read, process.stderr, said),
    ]
    threads: List[threading.Thread] = []
    try:
        for work, pipe, about in jobs:
            thread = threading.Thread(target=work, args=(pipe, about), daemon=True)
            thread.start()
            threads.append(thread)
    except RuntimeError:
        _kill(process)
        process.wait()
        for _work, pipe, _about in jobs[len(threads) :]:
            pipe.close()
        raise Failure(NO_THREAD) from None
    return threads


def _kill(process: Any) -> None:
    if process.returncode is None:
        os.killpg(process.pid, signal.SIGKILL)


def _write(pipe: IO[bytes], content: bytes) -> None:
    # Who does not read it all may have what is needed all the same; the exit status says.
    with contextlib.suppress(OSError):
        pipe.write(content)
    with contextlib.suppress(OSError):
        pipe.close()


def _read(pipe: IO[bytes], said: List[bytes]) -> None:
    """Keeps the beginning, and reads on so that nobody waits for a full pipe."""
    with contextlib.suppress(OSError), pipe:
        kept = 0
        while True:
            some = os.read(pipe.fileno(), 65536)
            if not some:
                return
            said.append(some[: _MOST_KEPT - kept])
            kept += len(said[-1])


def _how(code: int) -> str:
    if code > 0:
        return f"ended with exit status {code}"
    try:
        return f"was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"was ended by signal {-code}"


def _first_line(said: List[bytes]) -> str:
    lines = b"".join(said).decode("utf-8", "replace").splitlines()
    first = next((line for line in lines if line.strip()), "")
    return f": {plain.line(first, _MOST_QUOTED)}" if first else ""
