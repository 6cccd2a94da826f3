# SPDX-License-Identifier: GPL-3.0-or-later
"""Processes of the demo's servers: alive or not, and the right program or another that got its number."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

PROC = Path("/proc")


def runs(pid: int, program: str, directory: Path) -> bool:
    """Whether a process is alive, is that program, and works in that directory (as far as the system tells)."""
    if not alive(pid):
        return False
    if not (PROC / "self").exists():
        return True
    if _read(PROC / str(pid) / "comm").strip() != program.encode():
        return False
    try:
        return (PROC / str(pid) / "cwd").samefile(directory)
    except PermissionError:
        # Root without the right to look into other accounts' processes: then the program's name has to do.
        return True
    except FileNotFoundError:
        return False


def alive(pid: int) -> bool:
    """Whether there is such a process, other than one that is dead and not yet collected."""
    state = _read(PROC / str(pid) / "stat").rpartition(b")")[2].split()
    return listed(pid) and (not state or state[0] != b"Z")


def listed(pid: int) -> bool:
    """Whether the number is taken, if only by a dead process that nobody collects, as in many containers."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def working_in(directory: Path, program: str) -> list[int]:
    """Processes of a program that work in a directory; a server's children do, even when their parent was killed."""
    return [int(process.name) for process in PROC.glob("[0-9]*") if _works_in(process, directory, program)]


def naming(program: str, *paths: str) -> list[int]:
    """Processes of a program that have one of the paths in their command line or title."""
    wanted = [os.fsencode(path) for path in paths]
    found = []
    for process in PROC.glob("[0-9]*"):
        command = _read(process / "cmdline")
        if _read(process / "comm").strip() == program.encode() and any(path in command for path in wanted):
            found.append(int(process.name))
    return found


def wait_for_end(pids: list[int], seconds: float) -> bool:
    """Whether all of them end within that time."""
    return any(not any(alive(pid) for pid in pids) for _attempt in until(seconds))


def kill(pid: int) -> None:
    """kill -9; nothing to do where there is no such process."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def until(seconds: float) -> Iterator[int]:
    """Attempts at polling, with a short pause between them, until time is up."""
    deadline = time.monotonic() + seconds
    attempt = 0
    while time.monotonic() < deadline:
        yield attempt
        attempt += 1
        time.sleep(0.05)


def _works_in(process: Path, directory: Path, program: str) -> bool:
    with contextlib.suppress(OSError):
        return _read(process / "comm").strip() == program.encode() and (process / "cwd").samefile(directory)
    return False


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
