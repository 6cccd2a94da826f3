# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A program that takes a message on its standard input: started, bounded, and killed with all that it started.

What it leaves running when it ends by itself is its own affair: a mail program may deliver behind one's back.
"""

from __future__ import annotations

import contextlib
import errno
import os
import selectors
import signal
import subprocess
from typing import Any, Dict, Sequence

from ansible_collections.midi.capacity.plugins.module_utils._agent_delivery.attempt import Attempt, Failure
from ansible_collections.midi.capacity.plugins.module_utils._alerts import plain
from ansible_collections.midi.capacity.plugins.module_utils._alerts.channel_model import hidden

ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}

_FINAL_ERRORS = (errno.ENOENT, errno.EACCES, errno.ENOTDIR, errno.EISDIR, errno.ENOEXEC, errno.ELOOP)
# What a shell says of a command that it cannot run, or not find.
_FINAL_CODES = (126, 127)
_MOST_KEPT, _MOST_QUOTED = 4000, 200
_AT_ONCE = 65536
# How often it is looked whether it has ended, where what it left running keeps the pipe open.
_STEP_SECONDS = 0.05


def run(
    words: Sequence[str], content: bytes, environment: Dict[str, str], attempt: Attempt, secrets: Sequence[str] = ()
) -> None:
    """secrets: what it may have been told and is to be repeated by nobody. Raises Failure."""
    attempt.late = f"{words[0]} did not end within {attempt.seconds:.3g} s, and was killed"
    try:
        process: Any = subprocess.Popen(
            list(words),
            bufsize=0,
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
    with contextlib.closing(process.stdin), contextlib.closing(process.stderr):
        try:
            attempt.ends_by(lambda: _kill(process))
            said = _attended(process, content)
        except BaseException:
            _kill(process)
            raise
        finally:
            code = process.wait()
    if code:
        raise Failure(f"{words[0]} {_how(code)}{_first_line(said, secrets)}", code not in _FINAL_CODES)


def _kill(process: Any) -> None:
    if process.returncode is None:
        os.killpg(process.pid, signal.SIGKILL)


def _attended(process: Any, content: bytes) -> bytes:
    """Feeds it and hears it, until it has ended or wants no more of either; gives the beginning of what it said."""
    said = b""
    left = memoryview(content)
    os.set_blocking(process.stdin.fileno(), False)
    with selectors.DefaultSelector() as pipes:
        pipes.register(process.stdin, selectors.EVENT_WRITE)
        pipes.register(process.stderr, selectors.EVENT_READ)
        ended = False
        while pipes.get_map():
            ready = [key.fileobj for key, _events in pipes.select(0 if ended else _STEP_SECONDS)]
            if process.stdin in ready:
                left = left[_written(process.stdin, left) :]
                if not left:
                    pipes.unregister(process.stdin)
                    process.stdin.close()
            if process.stderr in ready:
                some = os.read(process.stderr.fileno(), _AT_ONCE)
                # The rest is read as well, so that nobody waits for a full pipe.
                said += some[: _MOST_KEPT - len(said)]
                if not some:
                    pipes.unregister(process.stderr)
            elif ended:
                break
            if ended and len(said) == _MOST_KEPT:
                break
            ended = process.poll() is not None
    return said


def _written(pipe: Any, left: memoryview) -> int:
    """How much need not be written any more."""
    try:
        return os.write(pipe.fileno(), left[:_AT_ONCE])
    except BlockingIOError:
        return 0
    except OSError:
        # Who does not read it all may have what is needed all the same; the exit status says.
        return len(left)


def _how(code: int) -> str:
    if code > 0:
        return f"ended with exit status {code}"
    try:
        return f"was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"was ended by signal {-code}"


def _first_line(said: bytes, secrets: Sequence[str]) -> str:
    text = said.decode("utf-8", "replace")
    if len(said) == _MOST_KEPT and secrets:
        # The end may be a part of one.
        text = text[: -max(map(len, secrets))]
    lines = hidden(text, list(secrets)).splitlines()
    first = next((line for line in lines if line.strip()), "")
    return f": {plain.line(first, _MOST_QUOTED)}" if first else ""
