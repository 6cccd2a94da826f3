# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: cache_key_problems
short_description: Say what is wrong with the declared keys of a cache
version_added: 0.1.0
author:
  - The midi.capacity founders (@midi-capacity)
description:
  - Lists every fault at once, such as patterns that overlap, bad times to live, bad placeholders and events that nobody
    has declared.
options:
  _input:
    description:
      - The kinds of keys, as O(midi.capacity.redis_cache_invalidate#module:keys) explains.
    type: list
    elements: dict
    required: true
  events:
    description:
      - All events that there are, as O(midi.capacity.redis_cache_invalidate#module:events) explains.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Check the keys of the cache
  ansible.builtin.assert:
    that: redis_cache_keys | midi.capacity.cache_key_problems | length == 0
"""

RETURN = r"""
_value:
  description: A sentence for each fault; empty where nothing is wrong.
  type: list
  elements: str
"""


def cache_key_problems(keys, events=()):
    from ansible_collections.midi.capacity.plugins.module_utils._redis_keys.model import read

    return read(keys, events)[1]


class FilterModule:
    def filters(self):
        return {"cache_key_problems": cache_key_problems}
