#!/usr/bin/python
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: redis_cache_invalidate
short_description: Drop the keys of a Redis cache that an event has made stale
version_added: 0.1.0
author:
  - The midi.capacity founders (@midi-capacity)
description:
  - Looks for the keys of some patterns with C(SCAN), and removes them in batches with C(UNLINK), which frees large
    values in the background. C(KEYS) and C(DEL), which stop the server for everybody, are never used.
  - A key is removed only if it matches its pattern exactly. C(SCAN) by itself takes C(tag:1:x) for a C(tag:{tag_id}),
    and this module does not.
  - How long Redis takes to answer a C(PING) is measured from a process of its own, before the work and during it, and
    is part of the result.
  - Keys that are written meanwhile may or may not be found. An interrupted run is simply run again.
  - A replica is refused, and so is a node of a cluster, which has only a part of the keys.
extends_documentation_fragment:
  - midi.capacity.redis
options:
  keys:
    description:
      - The kinds of keys of the cache, all of which are checked before anything is touched; every fault is listed.
      - Each has C(pattern), C(meaning) and C(ttl_seconds), and may have C(max_value_bytes) and C(invalidated_by), a
        list of events.
      - A pattern is a template such as C(tag:{tag_id}). What is in braces stands for one or more characters that are no
        colon. For one of the characters C({ } * ? [ ]) and the backslash itself, put a backslash before it.
      - No two patterns may mean one key.
    type: list
    elements: dict
    required: true
  event:
    description:
      - The event whose patterns are invalidated, those that name it in C(invalidated_by).
      - Give this or O(patterns).
    type: str
  patterns:
    description:
      - Patterns of O(keys) to invalidate, as they are written there.
    type: list
    elements: str
    default: []
  events:
    description:
      - All events that there are. With it, an event in O(keys) that is not among them is a fault, and an event that
        invalidates nothing is none.
      - Without it, the events in O(keys) are all.
    type: list
    elements: str
    default: []
  batch_size:
    description:
      - How many keys one C(UNLINK) takes, V(1) to V(10000).
    type: int
    default: 500
  scan_count:
    description:
      - How many keys the server looks at in one step of C(SCAN), V(10) to V(10000). Meanwhile nobody else is served.
    type: int
    default: 1000
  pause_ms:
    description:
      - How long to leave the server to others after every batch, V(0) to V(1000) milliseconds.
    type: int
    default: 2
attributes:
  check_mode:
    description: Looks for the keys and counts them, and removes none.
    support: full
  diff_mode:
    description: Shows the number of keys before and after, per pattern that has any.
    support: full
notes:
  - The ACL user needs C(+info +scan +unlink) and the right to the keys, and C(+ping) for the measurement; without that,
    RV(latency.reason) says so. Check mode needs no C(+unlink).
  - Only database 0 is looked at; the module warns if the server has keys in others.
seealso:
  - module: midi.capacity.redis_cache_audit_info
  - name: The command SCAN
    description: What it promises, and what not.
    link: https://redis.io/docs/latest/commands/scan/
"""

EXAMPLES = r"""
- name: Drop what an import has made stale
  midi.capacity.redis_cache_invalidate:
    keys:
      - pattern: tag:{tag_id}
        meaning: Files with a tag
        ttl_seconds: 3600
        invalidated_by: [import_completed]
      - pattern: key_signature:{key}
        meaning: Files in a key
        ttl_seconds: 3600
        invalidated_by: [analysis_completed]
    event: import_completed
  register: dropped

- name: Say what was done, and what it did to the server
  ansible.builtin.debug:
    var: dropped.msg

- name: Drop all keys of one kind
  midi.capacity.redis_cache_invalidate:
    keys: "{{ redis_cache_keys }}"
    patterns:
      - tag:{tag_id}
"""

RETURN = r"""
msg:
  description: What was done, or in check mode would be, in words.
  returned: success
  type: str
  sample: >-
    Unlinked 1,200 keys: 1,200 of tag:{tag_id}. Redis answered a PING in 0.11 ms (p99, at most 0.14 ms) before and in
    0.52 ms (p99, at most 0.9 ms) meanwhile.
event:
  description: The event, or null where patterns were given.
  returned: success
  type: str
  sample: import_completed
patterns:
  description: The patterns that were invalidated, in the order of O(keys).
  returned: success
  type: list
  elements: dict
  contains:
    pattern:
      description: The pattern.
      type: str
      sample: tag:{tag_id}
    key_count:
      description: How many of its keys were unlinked; in check mode, how many there are.
      type: int
      sample: 1200
key_count:
  description: The same for all patterns together.
  returned: success
  type: int
  sample: 1200
batches:
  description: How many times C(UNLINK) was called.
  returned: success
  type: int
  sample: 3
latency:
  description: How long Redis took to answer a C(PING), measured every 5 ms on a connection of its own.
  returned: success
  type: dict
  contains:
    before:
      description: Before the work, or null where it could not be measured.
      type: dict
      contains:
        samples:
          description: How many times it was measured.
          type: int
        median_ms:
          description: Half of them were no longer.
          type: float
        p99_ms:
          description: 99 % of them were no longer.
          type: float
        max_ms:
          description: The longest.
          type: float
    during:
      description: During the work, the same.
      type: dict
      contains:
        samples:
          description: How many times it was measured.
          type: int
        median_ms:
          description: Half of them were no longer.
          type: float
        p99_ms:
          description: 99 % of them were no longer.
          type: float
        max_ms:
          description: The longest.
          type: float
    reason:
      description: Why it could not be measured, or null.
      type: str
duration_seconds:
  description: How long all of it took, the measurement before the work included.
  returned: success
  type: float
  sample: 1.31
server:
  description: Which server it was.
  returned: success
  type: dict
  contains:
    version:
      description: Its version.
      type: str
      sample: 7.0.15
    role:
      description: V(master).
      type: str
      sample: master
    where:
      description: Where the module connected to.
      type: str
      sample: 127.0.0.1:6379
problems:
  description: What is wrong with O(keys), or with what is to be invalidated.
  returned: when they are refused before anything is touched
  type: list
  elements: str
  sample: ["there is no event import_complete: known are import_completed, analysis_completed"]
unlinked_before:
  description: How many keys were unlinked before the module failed.
  returned: when the server refuses a command or is lost meanwhile
  type: int
"""

from ansible_collections.midi.capacity.plugins.module_utils._argspec import ArgumentSpec
from ansible_collections.midi.capacity.plugins.module_utils._errors import OperatorError
from ansible_collections.midi.capacity.plugins.module_utils._redis import REDIS_SPEC
from ansible_collections.midi.capacity.plugins.module_utils._redis_invalidate_flow import invalidate

SPEC = ArgumentSpec(
    {
        "keys": {"type": "list", "elements": "dict", "required": True, "no_log": False},
        "event": {"type": "str"},
        "patterns": {"type": "list", "elements": "str", "default": []},
        "events": {"type": "list", "elements": "str", "default": []},
        "batch_size": {"type": "int", "default": 500},
        "scan_count": {"type": "int", "default": 1000},
        "pause_ms": {"type": "int", "default": 2},
    }
)


def main():
    module = REDIS_SPEC.merge(SPEC).create_module()
    try:
        result = invalidate(module.params, check_mode=module.check_mode)
    except OperatorError as error:
        module.fail_json(msg=str(error), **error.details)
    for warning in result.pop("warnings"):
        module.warn(warning)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
