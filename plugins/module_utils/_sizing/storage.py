# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A profile's settings that the disk and the amount of writing decide."""

from __future__ import annotations

from typing import Dict

from ansible_collections.midi.capacity.plugins.module_utils._sizing.amounts import GB, MB, rounded_down
from ansible_collections.midi.capacity.plugins.module_utils._sizing.draft import Draft
from ansible_collections.midi.capacity.plugins.module_utils._sizing.effective import rendered, rendered_bytes
from ansible_collections.midi.capacity.plugins.module_utils._sizing.machine import Machine

_IO_CONCURRENCY = {"ssd": 200, "hdd": 2, "san": 300, "network": 16}
# Two segments of 16 MB: the server takes no less.
_LEAST_WAL_BYTES = 32 * MB
_MIN_WAL_BYTES = {"web": 1 * GB, "oltp": 2 * GB, "mixed": 1 * GB, "analytics": 4 * GB}


def disk(name: str, machine: Machine, _draft: Draft) -> Dict[str, str]:
    """random_page_cost: 1.1, but 4, PostgreSQL's default, for hdd and for analytics, where a low one leads to index
    scans for large parts of a table: pgtune.

    effective_io_concurrency: 200 for ssd, 300 for san, 2 for hdd: pgtune. 16 for network: PostgreSQL 18's default,
    chosen for cloud storage, whose latency is high and whose operations per second are limited (postgres commit
    ff79b5b2). Before 18 only systems with posix_fadvise take it (manual 19.4), so it is for Linux alone.
    """
    costly = machine.disk == "hdd" or name == "analytics"
    found = {"random_page_cost": rendered("random_page_cost", 4 if costly else 1.1)}
    if machine.platform == "linux":
        found["effective_io_concurrency"] = rendered("effective_io_concurrency", _IO_CONCURRENCY[machine.disk])
    return found


def wal(name: str, machine: Machine, draft: Draft) -> Dict[str, str]:
    """min_wal_size and max_wal_size: 1 and 4 GB for web and mixed, 2 and 8 for oltp, 4 and 16 for analytics: pgtune.

    At most an eighth of the file system, because WAL that fills it stops the server (manual, "Disk Full Failure"),
    and min_wal_size at most max_wal_size. checkpoint_completion_target: 0.9, pgtune and PostgreSQL's own default
    since 14.
    """
    least = _MIN_WAL_BYTES[name]
    most = 4 * least
    if "min_wal_size" in draft.given:
        most = max(most, draft.given.size("min_wal_size"))
    if machine.disk_bytes is not None:
        most = max(_LEAST_WAL_BYTES, min(most, rounded_down(machine.disk_bytes // 8)))
    draft.settle({"max_wal_size": rendered_bytes("max_wal_size", most)})
    settled = draft.known.size("max_wal_size")
    return {
        "min_wal_size": rendered_bytes("min_wal_size", max(_LEAST_WAL_BYTES, min(least, settled // 4))),
        "checkpoint_completion_target": rendered("checkpoint_completion_target", 0.9),
    }


def asynchronous(_name: str, machine: Machine, _draft: Draft) -> Dict[str, str]:
    """io_method and io_workers of PostgreSQL 18: worker, and a quarter of the CPUs, 3 to 32 (pgtune for `worker`)."""
    if not 180000 <= machine.version_num < 190000:
        return {}
    return {
        "io_method": rendered("io_method", "worker"),
        "io_workers": rendered("io_workers", max(3, min(32, machine.cpus // 4))),
    }
