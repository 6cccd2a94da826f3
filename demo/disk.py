# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the disk can take the library: measured bytes per file against what is free."""

from __future__ import annotations

import os
from pathlib import Path

from demo.errors import DemoError
from demo.options import FEWEST_FILES

# Measured with PostgreSQL 18: all but WAL at its largest during the load, less what an empty cluster takes.
# 1,913 bytes a file with 172,000 files and 1,866 with 1,000,000, sorting for the indexes included.
BYTES_PER_FILE = 1_950
# Measured: 1,660 bytes a file are kept in pg_wal with 172,000 files; 1.21 GB in all with 1,000,000, because the server
# recycles it about when max_wal_size (1 GB) is reached. A slow disk makes it later: hence the allowance.
WAL_BYTES_PER_FILE = 1_700
MOST_WAL_BYTES = 1_600_000_000
# Measured: 45 MB for an empty cluster with its first WAL; the rest is for logs and Redis.
FIXED_BYTES = 80_000_000
# Below this a server does not start, or soon stops.
FEWEST_BYTES = 40_000_000


def wal_bytes(files: int) -> int:
    """What the WAL of loading that many files takes."""
    return min(files * WAL_BYTES_PER_FILE, MOST_WAL_BYTES)


def free_bytes(directory: Path) -> int:
    """What accounts other than root may still write."""
    facts = os.statvfs(directory)
    return facts.f_bavail * facts.f_frsize


def require_room(directory: Path, files: int, fixed_bytes: int = FIXED_BYTES) -> None:
    """Raises DemoError, with the sum, where the library would not fit. fixed_bytes: for the servers without it."""
    free = free_bytes(directory)
    needed = files * BYTES_PER_FILE + wal_bytes(files) + fixed_bytes
    if needed <= free:
        return
    fitting = files_that_fit(free - fixed_bytes)
    fewer = f", or ask for fewer: up to DEMO_FILES={fitting} fit" if fitting >= FEWEST_FILES else ""
    raise DemoError(
        f"not enough disk for {files:,} files: {files:,} x {BYTES_PER_FILE:,} bytes (measured) + "
        f"{as_text(wal_bytes(files))} of WAL + {as_text(fixed_bytes)} for the servers = {as_text(needed)}, "
        f"and {as_text(free)} are free",
        str(directory),
        f"free {as_text(needed - free)}, or set DEMO_HOME to a directory on a larger disk{fewer}",
    )


def require_some_room(directory: Path) -> None:
    """Raises DemoError where not even the servers would run."""
    free = free_bytes(directory)
    if free < FEWEST_BYTES:
        raise DemoError(f"the disk is full: {as_text(free)} are free", str(directory), "make room, then run it again")


def files_that_fit(room: int) -> int:
    """The largest library, in whole thousands, that fits into so many bytes with its WAL; 0 or less for none."""
    files = max(room // (BYTES_PER_FILE + WAL_BYTES_PER_FILE), (room - MOST_WAL_BYTES) // BYTES_PER_FILE)
    return files // 1000 * 1000


def as_text(count: int) -> str:
    """Bytes for people, in units of 1000: what disks and `df -H` count in."""
    return f"{count / 1e9:.1f} GB" if count >= 999_500_000 else f"{count / 1e6:.0f} MB"
