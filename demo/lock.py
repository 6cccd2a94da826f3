# SPDX-License-Identifier: GPL-3.0-or-later
"""One command at a time: a lock that the kernel takes back from a process that dies."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

from demo.errors import DemoError


@contextlib.contextmanager
def locked(path: Path, command: str) -> Iterator[None]:
    """Hold the lock. Raises DemoError, naming the holder, where another process has it."""
    descriptor = _take(path)
    try:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"`{command}`, pid {os.getpid()}, since {time.strftime('%H:%M:%S')}".encode(), 0)
        yield
    finally:
        os.close(descriptor)


def _take(path: Path) -> int:
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(descriptor, 200, 0).decode(errors="replace") or "another process"
            os.close(descriptor)
            raise DemoError(
                f"the demo is busy: {holder} is at work",
                str(path.parent),
                "wait until it is done, or interrupt it",
            ) from None
        if _is_still(path, descriptor):
            return descriptor
        # `clean` removed the file after it was opened here: the lock is on a file that nobody else will open.
        os.close(descriptor)


def _is_still(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False
