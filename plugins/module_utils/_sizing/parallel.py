# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A profile's settings for parallel query."""

from __future__ import annotations

from typing import Dict

from ansible_collections.midi.capacity.plugins.module_utils._sizing.draft import Draft
from ansible_collections.midi.capacity.plugins.module_utils._sizing.machine import Machine

# Places for workers of other kinds: logical replication's, those of extensions. PostgreSQL's default for all of them.
OTHER_WORKERS = 8
_MOST_PARALLEL_WORKERS = 1024
# "No clear evidence" of more being of use but in analytics, says pgtune.
_USUAL_MOST = 4


def workers(name: str, machine: Machine, draft: Draft) -> Dict[str, str]:
    """max_parallel_workers: as many as CPUs (pgtune), and as many as a query is given.

    max_parallel_workers_per_gather: half of the CPUs, at most 4 but for analytics; max_parallel_maintenance_workers:
    half of the CPUs, at most 4 (pgtune). With one CPU none, because then workers only take it from each other.
    max_worker_processes: more than max_parallel_workers by those of other kinds, which take places too (manual 19.4).
    On a standby at least what it has, because with less than its primary it does not start (manual, "Hot Standby").
    """
    half = (machine.cpus + 1) // 2 if machine.cpus > 1 else 0
    per_query = {
        "max_parallel_workers_per_gather": half if name == "analytics" else min(_USUAL_MOST, half),
        "max_parallel_maintenance_workers": min(_USUAL_MOST, half),
    }
    asked = [draft.given.number(setting) for setting in per_query if setting in draft.given]
    most = min(_MOST_PARALLEL_WORKERS, max([machine.cpus, *asked]))
    if "max_worker_processes" in draft.given:
        most = min(most, draft.given.number("max_worker_processes"))
    draft.settle({"max_parallel_workers": str(most)})
    most = draft.known.number("max_parallel_workers")
    processes = most + OTHER_WORKERS
    if draft.standby:
        processes = max(processes, draft.live.number("max_worker_processes"))
    return {
        "max_worker_processes": str(processes),
        **{setting: str(min(number, most)) for setting, number in per_query.items()},
    }
