# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: postgres_budget
short_description: Check that PostgreSQL settings fit the memory and the applications
version_added: 0.1.0
author:
  - The midi.capacity founders (@midi-capacity)
description:
  - Adds up what PostgreSQL can want of memory at once, and compares it with what it may use but for head-room. Counted
    are C(shared_buffers), C(wal_buffers), C(work_mem) for every connection and every parallel worker, autovacuum,
    maintenance, and 2 MB for every process.
  - Also checks that C(max_parallel_workers) can be had with C(max_worker_processes), that the pools of the applications
    find enough connections, and that C(/dev/shm) does for parallel queries.
options:
  _input:
    description:
      - The settings that are, or would be, in effect, by name. What is missing has PostgreSQL's default, and settings
        that have nothing to do with it may be there, too.
    type: dict
    required: true
  host:
    description:
      - The machine, as RV(midi.capacity.host_capacity_info#module:host). Without it, and without O(memory), the memory
        is not checked, which RV(_value.warnings) says.
    type: dict
    default: {}
  memory:
    description:
      - The memory that PostgreSQL may use, in place of what was measured, V(48GB) for example.
    type: str
    default: ''
  pools:
    description:
      - The connection pools of the applications.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description:
          - What the application is called.
        type: str
        required: true
      size:
        description:
          - The most connections that one instance of it opens.
        type: int
        required: true
      instances:
        description:
          - How many instances of it run.
        type: int
        default: 1
  wanted:
    description:
      - The names of the settings that are going to be set. When none of those that contradict each other is among them,
        C(max_parallel_workers) above C(max_worker_processes) is a warning only. Without it all count as wanted.
    type: list
    elements: str
  nodes_per_query:
    description:
      - How many sorts and hashes a connection works on at its C(work_mem), on average over all connections. Less than
        V(1) where most of them idle.
    type: float
    default: 1
  maintenance_sessions:
    description:
      - How many people and jobs run C(VACUUM), C(CREATE INDEX) and the like at once.
    type: int
    default: 1
  headroom_percent:
    description:
      - The part of the memory that is left to the system, its cache of files, and all else on the host.
    type: float
    default: 10
"""

EXAMPLES = r"""
- name: Refuse settings that the machine cannot bear
  ansible.builtin.assert:
    that: budget.fits
    fail_msg: "{{ budget.text }}"
  vars:
    budget: >-
      {{ {'max_connections': 256, 'work_mem': '256MB', 'shared_buffers': '15GB'}
         | midi.capacity.postgres_budget(memory='60GB', pools=[{'name': 'api', 'size': 50, 'instances': 4}]) }}
"""

RETURN = r"""
_value:
  description: What came of it. Sizes are bytes.
  type: dict
  contains:
    fits:
      description: Whether nothing is wrong. RV(_value.warnings) do not count.
      type: bool
    problems:
      description: What is wrong, a sentence each, with what mends it.
      type: list
      elements: str
    warnings:
      description: What may go wrong, a sentence each.
      type: list
      elements: str
    lines:
      description: The sum, term by term.
      type: list
      elements: dict
      contains:
        name:
          description: What takes memory.
          type: str
          sample: queries
        formula:
          description: How it was reckoned; empty for what is a setting by itself.
          type: str
          sample: 256 connections x 256MB of work_mem
        bytes:
          description: How much it is.
          type: int
          sample: 68719476736
    total_bytes:
      description: The sum.
      type: int
    memory_bytes:
      description: What PostgreSQL may use, or null.
      type: int
    headroom_bytes:
      description: What of it is left free, or null.
      type: int
    limit_bytes:
      description: RV(_value.memory_bytes) without RV(_value.headroom_bytes), or null.
      type: int
    usable_connections:
      description: Connections for roles that are not superusers.
      type: int
      sample: 253
    largest_safe:
      description: For each lever the greatest value that fits while all else stays as it is; null where none does.
      type: dict
      contains:
        work_mem:
          description: As a setting.
          type: str
          sample: 148MB
        max_connections:
          description: As a setting.
          type: int
          sample: 145
        shared_buffers:
          description: As a setting.
          type: str
          sample: 15GB
    text:
      description: The sum in one line; where something is wrong, what that is, and the sum term by term.
      type: str
"""

from ansible.errors import AnsibleFilterError


def postgres_budget(
    settings,
    host=None,
    memory="",
    pools=(),
    wanted=None,
    nodes_per_query=1,
    maintenance_sessions=1,
    headroom_percent=10,
):
    from ansible_collections.midi.capacity.plugins.module_utils._sizing.budget import Assumptions
    from ansible_collections.midi.capacity.plugins.module_utils._sizing.errors import SizingError
    from ansible_collections.midi.capacity.plugins.module_utils._sizing.machine import usable_memory_bytes
    from ansible_collections.midi.capacity.plugins.module_utils._sizing.verdict import verdict

    host = host or {}
    try:
        assumptions = Assumptions(float(nodes_per_query), int(maintenance_sessions), float(headroom_percent))
        shm_bytes = (host.get("shm") or {}).get("size_bytes")
        return verdict(settings, usable_memory_bytes(host, memory), shm_bytes, pools, wanted, assumptions)
    except SizingError as error:
        raise AnsibleFilterError(f"postgres_budget: {error}") from error
    except (AttributeError, TypeError, ValueError) as error:
        raise AnsibleFilterError(f"postgres_budget: these are no settings or no machine: {error!r}") from error


class FilterModule:
    def filters(self):
        return {"postgres_budget": postgres_budget}
