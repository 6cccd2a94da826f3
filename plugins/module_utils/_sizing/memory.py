# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A profile's settings that are shares of the memory."""

from __future__ import annotations

from typing import Dict

from ansible_collections.midi.capacity.plugins.module_utils._sizing.amounts import GB, KB, MB, rounded_down
from ansible_collections.midi.capacity.plugins.module_utils._sizing.budget import budget, hash_factor
from ansible_collections.midi.capacity.plugins.module_utils._sizing.draft import Draft
from ansible_collections.midi.capacity.plugins.module_utils._sizing.effective import (
    rendered,
    rendered_bytes,
    wal_buffers_bytes,
)
from ansible_collections.midi.capacity.plugins.module_utils._sizing.machine import Machine

# The server takes no less.
_LEAST_WORK_MEM_BYTES = 64 * KB
_LEAST_AUTOVACUUM_BYTES = 1 * MB
# pgtune never gives less, because then even small sorts go to disk.
_USUAL_WORK_MEM_BYTES = 4 * MB


def caches(_name: str, machine: Machine, draft: Draft) -> Dict[str, str]:
    """shared_buffers: a quarter of the memory, as manual 19.4 advises and pgtune does (40 % is the most that helps).

    wal_buffers: what the server would take of shared_buffers by itself, said aloud.
    effective_cache_size: three quarters, for it is both caches together (manual 19.7); pgtune the same.
    huge_pages: `try` where the system has them (manual 19.4); then a missing pool of them keeps no server from
    starting.
    """
    shared_buffers = rendered_bytes("shared_buffers", rounded_down(machine.memory_bytes // 4))
    draft.settle({"shared_buffers": shared_buffers})
    found = {
        "wal_buffers": rendered_bytes("wal_buffers", wal_buffers_bytes(draft.known.size("shared_buffers"))),
        "effective_cache_size": rendered_bytes("effective_cache_size", rounded_down(machine.memory_bytes * 3 // 4)),
    }
    if machine.platform == "linux":
        found["huge_pages"] = rendered("huge_pages", "try")
    return found


def maintenance(name: str, machine: Machine, draft: Draft) -> Dict[str, str]:
    """maintenance_work_mem: a 16th of the memory, an 8th for analytics, at most 8 GB: pgtune.

    autovacuum_max_workers: 3, from 16 CPUs on 4, from 32 on 5: pgtune.
    autovacuum_work_mem: a 16th of the memory for all workers together, each at most maintenance_work_mem and 2 GB
    (pgtune). Manual 19.4: left alone, each worker has maintenance_work_mem; and before PostgreSQL 17 VACUUM cannot use
    more than 1 GB.
    """
    share = machine.memory_bytes // (8 if name == "analytics" else 16)
    draft.settle(
        {
            "maintenance_work_mem": rendered_bytes("maintenance_work_mem", min(8 * GB, rounded_down(share))),
            "autovacuum_max_workers": str(5 if machine.cpus >= 32 else 4 if machine.cpus >= 16 else 3),
        }
    )
    known = draft.known
    most = min(known.size("maintenance_work_mem"), (2 if machine.version_num >= 170000 else 1) * GB)
    each = rounded_down(machine.memory_bytes // 16 // known.number("autovacuum_max_workers"))
    return {"autovacuum_work_mem": rendered_bytes("autovacuum_work_mem", max(_LEAST_AUTOVACUUM_BYTES, min(most, each)))}


def work_mem(name: str, machine: Machine, draft: Draft) -> Dict[str, str]:
    """(memory - shared_buffers) / ((max_connections + max_parallel_workers) * 3), halved but for web and oltp: pgtune.

    Less where hash_mem_multiplier makes hashes larger than usual. At least 4 MB, but never more than the budget
    bears; where that bears nothing it is 64 kB, the server's least, and the budget says what does not fit.
    """
    known = draft.known
    users = known.number("max_connections") + known.number("max_parallel_workers")
    spare_bytes = max(0, machine.memory_bytes - known.size("shared_buffers"))
    share_bytes = int(spare_bytes / (users * 3 * hash_factor(known) * (2 if name in ("mixed", "analytics") else 1)))
    safe_bytes = budget(known, machine.memory_bytes, assumptions=draft.assumptions).safe_work_mem_bytes or 0
    chosen_bytes = rounded_down(min(max(share_bytes, _USUAL_WORK_MEM_BYTES), safe_bytes))
    return {"work_mem": rendered_bytes("work_mem", max(_LEAST_WORK_MEM_BYTES, chosen_bytes))}
