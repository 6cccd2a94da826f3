# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: postgres_profile
short_description: Compute PostgreSQL settings from a machine
version_added: 0.1.0
author:
  - The midi.capacity founders (@midi-capacity)
description:
  - Gives the settings that suit a kind of work on a machine, as M(midi.capacity.pg_settings) takes them. Settings that
    are given are not computed; the others are computed from them.
  - "Computed are C(shared_buffers), C(effective_cache_size), C(maintenance_work_mem), C(work_mem), C(wal_buffers),
    C(min_wal_size), C(max_wal_size), C(checkpoint_completion_target), C(random_page_cost),
    C(effective_io_concurrency), C(huge_pages), C(max_worker_processes), C(max_parallel_workers),
    C(max_parallel_workers_per_gather), C(max_parallel_maintenance_workers), C(autovacuum_max_workers),
    C(autovacuum_work_mem), C(jit), and for PostgreSQL 18 C(io_method) and C(io_workers)."
  - C(max_connections) is never computed, because only the applications know it.
  - The formulas are pgtune's published ones, with differences for which the collection's package C(_sizing) gives the
    reasons. What they give is never more than P(midi.capacity.postgres_budget#filter) lets pass, unless what is given
    is too much already.
options:
  _input:
    description:
      - The machine, as RV(midi.capacity.host_capacity_info#module:host). Its limits are those of the process that was
        asked for, so ask for PostgreSQL's.
      - Empty for a server that runs elsewhere; then O(memory) and O(cpus) are needed.
    type: dict
    required: true
  profile:
    description:
      - The kind of work. V(web) and V(oltp) are many short queries, V(oltp) with more writing; V(analytics) is few
        large ones; V(mixed) is both. V(none) computes nothing.
    type: str
    choices: [web, oltp, mixed, analytics, none]
    required: true
  version_num:
    description:
      - The server's version as a number, V(160004) for example.
    type: int
    required: true
  given:
    description:
      - Settings that are wanted in any case, by name.
    type: dict
    default: {}
  live:
    description:
      - Settings that the server has, by name. They count for what is neither given nor computed.
    type: dict
    default: {}
  disk:
    description:
      - What the data is on.
    type: str
    choices: [ssd, hdd, san, network]
    default: ssd
  memory:
    description:
      - The memory that PostgreSQL may use, in place of what was measured, V(48GB) for example.
    type: str
    default: ''
  cpus:
    description:
      - The CPUs that PostgreSQL may use, in place of what was measured. V(0) takes those.
    type: float
    default: 0
  standby:
    description:
      - Whether the server is a standby. Then C(max_worker_processes) is at least what O(live) says.
    type: bool
    default: false
  nodes_per_query:
    description:
      - As in P(midi.capacity.postgres_budget#filter).
    type: float
    default: 1
  maintenance_sessions:
    description:
      - As in P(midi.capacity.postgres_budget#filter).
    type: int
    default: 1
  headroom_percent:
    description:
      - As in P(midi.capacity.postgres_budget#filter).
    type: float
    default: 10
"""

EXAMPLES = r"""
- name: Compute settings for the machine that PostgreSQL 16 runs on
  ansible.builtin.set_fact:
    computed: >-
      {{ capacity.host | midi.capacity.postgres_profile('mixed', version_num=160004, given={'max_connections': 256}) }}

- name: Compute settings for a managed server
  ansible.builtin.debug:
    msg: "{{ {} | midi.capacity.postgres_profile('web', version_num=170002, memory='16GB', cpus=4, disk='network') }}"
"""

RETURN = r"""
_value:
  description: The computed settings, by name; numbers are texts with PostgreSQL's units.
  type: dict
  sample: {"shared_buffers": "15GB", "work_mem": "28MB", "max_parallel_workers": "16"}
"""

from ansible.errors import AnsibleFilterError


def postgres_profile(
    host,
    name,
    version_num,
    given=None,
    live=None,
    disk="ssd",
    memory="",
    cpus=0,
    standby=False,
    nodes_per_query=1,
    maintenance_sessions=1,
    headroom_percent=10,
):
    from ansible_collections.midi.capacity.plugins.module_utils._sizing.budget import Assumptions
    from ansible_collections.midi.capacity.plugins.module_utils._sizing.errors import SizingError
    from ansible_collections.midi.capacity.plugins.module_utils._sizing.machine import machine
    from ansible_collections.midi.capacity.plugins.module_utils._sizing.profile import NONE, profile

    if name == NONE:
        return {}
    try:
        assumptions = Assumptions(float(nodes_per_query), int(maintenance_sessions), float(headroom_percent))
        found = machine(host, int(version_num), disk, memory, float(cpus))
        return profile(name, found, given or {}, live, standby, assumptions)
    except SizingError as error:
        raise AnsibleFilterError(f"postgres_profile: {error}") from error
    except (AttributeError, TypeError, ValueError) as error:
        raise AnsibleFilterError(f"postgres_profile: this is no machine or no setting: {error!r}") from error


class FilterModule:
    def filters(self):
        return {"postgres_profile": postgres_profile}
