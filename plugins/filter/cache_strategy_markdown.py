# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: cache_strategy_markdown
short_description: Write the strategy document of a cache
version_added: 0.1.0
author:
  - The midi.capacity founders (@midi-capacity)
description:
  - Gives the document as Markdown, with what is cached, for how long, what invalidates it, and how to audit and
    invalidate it. The same keys always give the same text.
  - Keys with faults are refused, and all of the faults are named.
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
- name: Show the strategy of the cache
  ansible.builtin.debug:
    msg: "{{ redis_cache_keys | midi.capacity.cache_strategy_markdown }}"
"""

RETURN = r"""
_value:
  description: The document, with a line break at its end.
  type: str
"""

from ansible.errors import AnsibleFilterError


def cache_strategy_markdown(keys, events=()):
    from ansible_collections.midi.capacity.plugins.module_utils._redis_keys.model import read
    from ansible_collections.midi.capacity.plugins.module_utils._redis_keys.strategy import markdown

    strategy, problems = read(keys, events)
    if strategy is None:
        raise AnsibleFilterError("cache_strategy_markdown: " + "; ".join(problems))
    return markdown(strategy)


class FilterModule:
    def filters(self):
        return {"cache_strategy_markdown": cache_strategy_markdown}
