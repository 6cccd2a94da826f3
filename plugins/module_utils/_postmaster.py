# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which process of this host is the server's main one, whose control group and /dev/shm are the server's own."""

from __future__ import annotations

from ansible_collections.midi.capacity.plugins.module_utils import _snapshot_host
from ansible_collections.midi.capacity.plugins.module_utils._host import Host
from ansible_collections.midi.capacity.plugins.module_utils._postgres import Server

_BACKEND = """
SELECT host(inet_server_addr()) AS server_address, host(inet_client_addr()) AS client_address,
       pid AS backend_pid, extract(epoch FROM backend_start)::float8 AS started_at
FROM pg_stat_activity WHERE pid = pg_backend_pid()
"""
_NAMES = ("postgres", "postmaster")
# The kernel rounds, and the clock may have been set since.
_APART_SECONDS = 5


def find_pid(server: Server, login_host: str, host: Host) -> int | None:
    """The parent of the process at the other end of the connection; None where that one cannot be seen on this host.

    A server in a container numbers its processes itself, and the number may be somebody else's here, too. So the
    process has to be PostgreSQL's, to have started when this connection did, and to be the only one like that.
    """
    row = server.rows(_BACKEND)[0]
    if not _snapshot_host.runs_here(row, login_host):
        return None
    found = [_parent(host, pid, row["started_at"]) for pid in host.numbered(row["backend_pid"])]
    parents = [pid for pid in found if pid is not None]
    return parents[0] if len(parents) == 1 else None


def _parent(host: Host, pid: int, started_at: float) -> int | None:
    backend = host.process(pid)
    if backend is None or backend.name not in _NAMES or abs(backend.started_at - started_at) > _APART_SECONDS:
        return None
    parent = host.process(backend.parent_pid)
    return backend.parent_pid if parent is not None and parent.name in _NAMES else None
