# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The budget in words: whether settings fit, and what the largest values are that do."""

from __future__ import annotations

from typing import Any, Collection, Dict, List, Mapping, Optional, Sequence

from ansible_collections.midi.capacity.plugins.module_utils._sizing import connections, shared
from ansible_collections.midi.capacity.plugins.module_utils._sizing.amounts import MB, shown
from ansible_collections.midi.capacity.plugins.module_utils._sizing.budget import USUAL, Assumptions, Budget, budget
from ansible_collections.midi.capacity.plugins.module_utils._sizing.effective import Effective, rendered_bytes
from ansible_collections.midi.capacity.plugins.module_utils._summary.columns import columns

# From here on a value of work_mem is given in whole MB.
_WHOLE_MB_BYTES = 1 * MB


def verdict(
    settings: Mapping[str, Any],
    memory_bytes: Optional[int] = None,
    shm_bytes: Optional[int] = None,
    pools: Sequence[Mapping[str, Any]] = (),
    wanted: Optional[Collection[str]] = None,
    assumptions: Assumptions = USUAL,
) -> Dict[str, Any]:
    """Judge settings that are, or would be, in effect; the shape is that of the filter postgres_budget's RETURN.

    memory_bytes: what PostgreSQL may use. shm_bytes: its /dev/shm. None for what nobody knows.
    wanted: the names of those that somebody wants now; what was there before is only warned of where it harms nobody.
    Without it all are wanted. Raises SizingError for values, pools or assumptions that cannot be.
    """
    effective = Effective(settings)
    found = budget(effective, memory_bytes, assumptions)
    asked = {name.lower() for name in (settings if wanted is None else wanted)}
    problems, warnings = _connections(effective, pools), _warnings(effective, shm_bytes)
    (problems if asked & {"max_parallel_workers", "max_worker_processes"} else warnings).extend(_workers(effective))
    if found.over_bytes:
        problems.insert(0, _over(found, assumptions))
    if memory_bytes is None:
        warnings.append(
            f"how much memory PostgreSQL may use is not known, so {shown(found.total_bytes)} was not checked against it"
        )
    return {
        "fits": not problems,
        "problems": problems,
        "warnings": warnings,
        "lines": [{"name": line.name, "formula": line.formula, "bytes": line.number_bytes} for line in found.lines],
        "total_bytes": found.total_bytes,
        "memory_bytes": memory_bytes,
        "headroom_bytes": None if memory_bytes is None else found.headroom_bytes,
        "limit_bytes": found.limit_bytes,
        "usable_connections": connections.usable(effective),
        "largest_safe": largest_safe(found),
        "text": "\n".join([*problems, *_sum_up(found, assumptions)]) if problems else _sum_up(found, assumptions)[0],
    }


def largest_safe(found: Budget) -> Dict[str, Any]:
    """For each lever, the greatest value that fits while all else stays; None where none does or nobody knows."""
    work_mem, shared_buffers = found.safe_work_mem_bytes, found.safe_shared_buffers_bytes
    if work_mem is not None and work_mem >= _WHOLE_MB_BYTES:
        work_mem = work_mem // MB * MB
    return {
        "work_mem": None if work_mem is None else rendered_bytes("work_mem", work_mem),
        "max_connections": found.safe_max_connections,
        "shared_buffers": None if shared_buffers is None else rendered_bytes("shared_buffers", shared_buffers),
    }


def _connections(settings: Effective, pools: Sequence[Mapping[str, Any]]) -> List[str]:
    problem = connections.too_few(settings, connections.pools(pools))
    return [] if problem is None else [problem]


def _warnings(settings: Effective, shm_bytes: Optional[int]) -> List[str]:
    warning = shared.too_small(settings, shm_bytes)
    return [] if warning is None else [warning]


def _workers(settings: Effective) -> List[str]:
    """Workers for parallel queries are taken of all workers (manual 19.4, max_parallel_workers)."""
    parallel, processes = settings.number("max_parallel_workers"), settings.number("max_worker_processes")
    if parallel <= processes:
        return []
    return [
        f"max_parallel_workers is {parallel}, and with max_worker_processes = {processes} there will never be that"
        " many. To mend it: raise max_worker_processes to more than max_parallel_workers, for other workers count too"
    ]


def _over(found: Budget, assumptions: Assumptions) -> str:
    limit, memory = shown(found.limit_bytes or 0), shown(found.memory_bytes or 0)
    return (
        f"the settings can want {shown(found.total_bytes)} of memory, and PostgreSQL may use {limit}: {memory} without"
        f" {assumptions.headroom_percent:g} % head-room. To mend it: {_remedy(found)}"
    )


def _remedy(found: Budget) -> str:
    ways = [f"{name} at most {value}" for name, value in largest_safe(found).items() if value is not None]
    if ways:
        return ", or ".join(ways)
    greatest = max(found.lines, key=lambda line: line.number_bytes)
    return f"no single setting does it: lower more than one, {greatest.name} first"


def _sum_up(found: Budget, assumptions: Assumptions) -> List[str]:
    """A line with the sum, then its terms."""
    total = f"{shown(found.total_bytes)} of memory at most"
    if found.memory_bytes is not None and found.limit_bytes is not None:
        total += (
            f", of {shown(found.limit_bytes)} ({shown(found.memory_bytes)} without {assumptions.headroom_percent:g} %"
            f" head-room for the system)"
        )
    rows = [(f"  {line.name}", line.formula, shown(line.number_bytes)) for line in found.lines]
    return [total, *columns([(name, amount, formula) for name, formula, amount in rows])]
