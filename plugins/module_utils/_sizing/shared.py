# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether /dev/shm is large enough for parallel queries, which a container's commonly is not."""

from __future__ import annotations

import math
from typing import Optional, Tuple

from ansible_collections.midi.capacity.plugins.module_utils._sizing.amounts import shown
from ansible_collections.midi.capacity.plugins.module_utils._sizing.effective import Effective


def too_small(settings: Effective, shm_bytes: Optional[int]) -> Optional[str]:
    """A warning when /dev/shm may not do; None when it does, is not used, or nobody knows its size.

    With dynamic_shared_memory_type = posix (manual 19.4) parallel processes share their memory there, and where it
    does not do a query fails with "could not resize shared memory segment". A parallel hash join has one table for
    all its processes, each of which adds work_mem x hash_mem_multiplier (manual 19.4; the leader is one of them). A
    parallel VACUUM keeps its list of dead rows there, up to maintenance_work_mem.
    """
    if shm_bytes is None or settings.word("dynamic_shared_memory_type") != "posix":
        return None
    queries_bytes, queries = _queries(settings)
    vacuum_bytes, vacuum = _vacuum(settings)
    needed_bytes, formula = max((queries_bytes, queries), (vacuum_bytes, vacuum))
    if needed_bytes <= shm_bytes:
        return None
    return (
        f"/dev/shm has {shown(shm_bytes)}, and {formula} = {shown(needed_bytes)}; beyond it queries fail with"
        ' "could not resize shared memory segment". To mend it: make it larger (Docker: --shm-size, in a compose file'
        " shm_size), or lower what stands in the sum"
    )


def _queries(settings: Effective) -> Tuple[int, str]:
    workers = min(settings.number("max_parallel_workers"), settings.number("max_worker_processes"))
    per_query = min(settings.number("max_parallel_workers_per_gather"), workers)
    if per_query == 0:
        return 0, ""
    queries = workers // per_query
    processes = queries * (per_query + 1)
    each_bytes = settings.size("work_mem") * settings.real("hash_mem_multiplier")
    formula = (
        f"parallel hash joins can want {processes} processes ({queries} queries with {per_query} workers each)"
        f" x work_mem {settings.text('work_mem')} x hash_mem_multiplier {settings.word('hash_mem_multiplier')}"
    )
    return math.ceil(processes * each_bytes), formula


def _vacuum(settings: Effective) -> Tuple[int, str]:
    if settings.number("max_parallel_maintenance_workers") == 0 or settings.number("max_worker_processes") == 0:
        return 0, ""
    return settings.size("maintenance_work_mem"), "a parallel VACUUM can want maintenance_work_mem"
