# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: redis_memory
short_description: Say how much memory a Redis that is to be started gets, and whether its host bears it
version_added: 0.1.0
author:
  - The midi.capacity founders (@midi-capacity)
description:
  - Compares C(maxmemory) with what the host may use, and reckons the limit of the server's container, with head-room
    for the fork that saving takes, for connections, and for fragmentation.
options:
  _input:
    description:
      - The limit of the data, V(10gb) for example. V(auto) is 10 GB, or what the host bears where that is less.
    type: str
    required: true
  host:
    description:
      - The machine, as RV(midi.capacity.host_capacity_info#module:host).
    type: dict
    required: true
  limit_percent:
    description:
      - The largest share of the host's memory that the data may take. V(100) does not check.
    type: int
    default: 75
  container:
    description:
      - The limit of the container, where it is given. Without it the data may take three quarters of that.
    type: str
    default: ''
  other:
    description:
      - Another server that shares the host, as RV(midi.capacity.redis_cache_info#module:cache.memory). Its limit
        counts, and without one what it uses; V(auto) takes what it leaves.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Refuse what the host cannot bear
  ansible.builtin.assert:
    that: not memory.problem
    fail_msg: "{{ memory.problem }}"
  vars:
    memory: "{{ '10gb' | midi.capacity.redis_memory({'memory': {'usable_bytes': 8589934592}}) }}"
"""

RETURN = r"""
_value:
  description: What came of it.
  type: dict
  contains:
    maxmemory:
      description: The limit of the data, as a setting.
      type: str
      sample: 10gb
    container_bytes:
      description: The limit of the container.
      type: int
      sample: 14316208128
    problem:
      description: What is wrong; empty when nothing is.
      type: str
"""

from ansible.errors import AnsibleFilterError


def redis_memory(maxmemory, host, limit_percent=75, container="", other=None):
    from ansible_collections.midi.capacity.plugins.module_utils._redis_settings.memory import Other, memory_plan
    from ansible_collections.midi.capacity.plugins.module_utils._redis_settings.values import InvalidValue

    try:
        usable_bytes = host["memory"]["usable_bytes"]
        beside = Other(other["maxmemory_bytes"] or 0, other["used_bytes"] or 0) if other else None
        plan = memory_plan(str(maxmemory), usable_bytes, int(limit_percent), str(container), beside)
    except InvalidValue as error:
        return {"maxmemory": str(maxmemory), "container_bytes": 0, "problem": f"the limit {error}"}
    except (KeyError, TypeError, ValueError) as error:
        raise AnsibleFilterError(f"redis_memory: this is no machine: {error!r}") from error
    return {"maxmemory": plan.maxmemory, "container_bytes": plan.container_bytes, "problem": plan.problem or ""}


class FilterModule:
    def filters(self):
        return {"redis_memory": redis_memory}
