# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The host's part of a snapshot: read only where PostgreSQL runs, and with the limits that its processes have."""

from __future__ import annotations

import os
from typing import Iterable

from ansible_collections.midi.capacity.plugins.module_utils._errors import OperatorError
from ansible_collections.midi.capacity.plugins.module_utils._host import Host

# It does not run, or does not let in who asks.
_NOT_KNOWN = "PostgreSQL was not reached, so its process is not known, nor the limits that it has"
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class Elsewhere(OperatorError):
    """PostgreSQL does not run on this host, so this host's figures would mislead."""


def read(place: dict, login_host: str, sample_seconds: float, more: Iterable[str] = ()) -> dict:
    """Host.capacity for the server at `place` (see _snapshot_parts.place). Raises Elsewhere.

    backend_pid None: the server was not reached, and this is where it was. login_host: as the options name it. A
    container's published port is on this host, though the server knows another address of its own; so a loopback
    address in the options is believed. more: other paths to measure the disks of.
    """
    if not runs_here(place, login_host):
        raise Elsewhere(
            f"PostgreSQL runs at {place['server_address']}, not on the host that this module runs on",
            remedy="run the module on the database's host; for a container there, with login_host 127.0.0.1",
        )
    running = place["backend_pid"]
    pid = running if running is not None and _is_postgres(running) else None
    directory = place["data_directory"]
    there = directory is not None and _may_exist(directory)
    paths = [*([directory] if there else []), *filter(os.path.exists, more)]
    figures = Host().capacity(paths, sample_seconds, pid)
    if running is None:
        _drop_limits(figures)
        figures["missing"].append({"part": "cgroup", "reason": _NOT_KNOWN})
    elif pid is None:
        reason = "PostgreSQL's processes cannot be told apart here (a container?); the limits are those of this process"
        figures["missing"].append({"part": "cgroup", "reason": reason})
    if directory is not None and not there:
        reason = f"{directory} is not on this host: PostgreSQL runs in a container, or elsewhere"
        figures["missing"].append({"part": "disks", "reason": reason})
    return figures


def runs_here(place: dict, login_host: str) -> bool:
    """Whether the connection ends on this host: a Unix socket, a loopback address, or one address at both ends."""
    server = place["server_address"]
    if server is None or login_host in _LOOPBACK or login_host.startswith("/"):
        return True
    return server in _LOOPBACK or server.startswith("127.") or server == place["client_address"]


def _drop_limits(figures: dict) -> None:
    """Those of this process are not the server's."""
    for part, usable, whole in (("cpu", "usable_cpus", "online_cpus"), ("memory", "usable_bytes", "total_bytes")):
        figures[part]["cgroup"] = dict.fromkeys(figures[part]["cgroup"])
        figures[part][usable] = figures[part][whole]


def _is_postgres(pid: int) -> bool:
    # In a container PostgreSQL numbers its processes itself: the number may be somebody else's here.
    try:
        with open(f"/proc/{pid}/comm", encoding="ascii", errors="replace") as file:
            return file.read().startswith("postgres")
    except OSError:
        return False


def _may_exist(directory: str) -> bool:
    """False only for what is known not to be there; a directory that may not be looked at might."""
    try:
        os.stat(directory)
    except FileNotFoundError:
        return False
    except OSError:
        pass
    return True
