# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a TCP port on this machine is free, and who has it."""

from __future__ import annotations

import contextlib
import errno
import socket
from collections.abc import Iterator
from pathlib import Path

from demo.errors import DemoError

LOOPBACK = "127.0.0.1"
_LISTENING = "0A"


def require_free(port: int) -> None:
    """Raises DemoError, naming the holder where that can be told."""
    with socket.socket() as probe:
        # As PostgreSQL does, so that connections that are closing do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            raise DemoError(
                f"port {port} is in use{_by(port)}",
                f"{LOOPBACK}:{port}",
                "choose another DEMO_PG_PORT, stop that program, or leave DEMO_PG_PORT empty for the Unix socket alone",
            ) from None


def holder(port: int) -> str:
    """The process that listens on the port, as "name, pid 123"; empty where the system does not tell."""
    wanted = {f"socket:[{inode}]" for inode in _listening_inodes(port)}
    for process in Path("/proc").glob("[0-9]*"):
        # Other accounts' processes do not show their files, and a process may end while it is looked at.
        with contextlib.suppress(OSError):
            if any(str(file.readlink()) in wanted for file in (process / "fd").iterdir()):
                return f"{(process / 'comm').read_text().strip()}, pid {process.name}"
    return ""


def _by(port: int) -> str:
    known = holder(port)
    return f" by {known}" if known else ""


def _listening_inodes(port: int) -> Iterator[str]:
    for table in ("tcp", "tcp6"):
        with contextlib.suppress(OSError):
            for line in (Path("/proc/net") / table).read_text().splitlines()[1:]:
                fields = line.split()
                if fields[3] == _LISTENING and int(fields[1].rpartition(":")[2], 16) == port:
                    yield fields[9]
