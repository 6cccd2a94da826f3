#!/usr/bin/python
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: redis_cache_audit_info
short_description: Compare the keys of a Redis cache with what is declared about them
version_added: 0.1.0
author:
  - The midi.capacity founders (@midi-capacity)
description:
  - Looks at a sample of the keys, or all of them, and says how many there are of each pattern, which match none, which
    have no time to live or too long a one, which values are the largest and which exceed their bound, and how much
    memory each pattern takes.
  - Keys are found with C(SCAN), whose order depends on neither their names nor their age. C(KEYS) is never used, and
    no value is read.
  - RV(audit.extent) says whether all keys were looked at. If not, what is called estimated is the sample's figure
    scaled to all keys, and all other figures are of the sample alone.
  - What may not be read is null, and RV(audit.missing) tells the reason.
  - A node of a cluster is refused, because it has only a part of the keys.
extends_documentation_fragment:
  - midi.capacity.redis
options:
  keys:
    description:
      - The kinds of keys of the cache, all of which are checked before anything is read; every fault is listed.
      - Each has C(pattern), C(meaning) and C(ttl_seconds), and may have C(max_value_bytes) and C(invalidated_by), as
        O(midi.capacity.redis_cache_invalidate#module:keys) explains.
    type: list
    elements: dict
    required: true
  sample_size:
    description:
      - How many keys to look at. V(0) looks at all of them, as far as O(time_limit_seconds) reaches.
    type: int
    default: 10000
  time_limit_seconds:
    description:
      - How long to look at most, V(1) to V(3600).
    type: int
    default: 30
  scan_count:
    description:
      - How many keys the server gives in one step of C(SCAN), V(10) to V(10000). While it does, nobody else is served.
    type: int
    default: 1000
  memory_samples:
    description:
      - From how many of its elements the size of a collection is estimated, V(1) to V(1000).
    type: int
    default: 5
  largest:
    description:
      - How many of the largest values to name, V(0) to V(100).
    type: int
    default: 10
  examples:
    description:
      - How many keys to name for each thing that is found, V(0) to V(100).
    type: int
    default: 5
attributes:
  check_mode:
    description: Only reads, in check mode too.
    support: full
  diff_mode:
    description: Changes nothing, so there is no difference to show.
    support: none
notes:
  - The ACL user needs C(+info +scan +pttl +memory|usage +type) and the right to read the keys. Without one of the last
    three, what they tell is missing. Redis 6.2 to 8 let a user run C(SCAN) whatever its keys are.
  - Redis counts every key that is looked at as a hit, so a hit ratio over the time of an audit is too high;
    RV(audit.extent.hits_caused) says by how many. How recently and how often a key was used does not change.
  - Only database 0 is looked at; the module warns if the server has keys in others.
  - Names of keys are shown with what cannot be printed as C(\\x..), and are cut after 120 characters.
seealso:
  - module: midi.capacity.redis_cache_info
  - module: midi.capacity.redis_cache_invalidate
  - name: The command MEMORY USAGE
    description: What a size counts.
    link: https://redis.io/docs/latest/commands/memory-usage/
"""

EXAMPLES = r"""
- name: Compare a sample of the cache with its strategy
  midi.capacity.redis_cache_audit_info:
    keys:
      - pattern: tag:{tag_id}
        meaning: Files with a tag
        ttl_seconds: 3600
        max_value_bytes: 1048576
        invalidated_by: [import_completed]
  register: audited

- name: Show what nobody has declared
  ansible.builtin.debug:
    var: audited.audit.unmatched

- name: Look at all keys, for five minutes at most
  midi.capacity.redis_cache_audit_info:
    keys: "{{ redis_cache_keys }}"
    sample_size: 0
    time_limit_seconds: 300
"""

RETURN = r"""
audit:
  description: What was found.
  returned: success
  type: dict
  contains:
    taken_at:
      description: When it began, by the clock of the host that ran the module. ISO 8601 in UTC.
      type: str
      sample: "2026-11-24T00:29:41Z"
    extent:
      description: How far it got.
      type: dict
      contains:
        whole:
          description: Whether it looked at all keys. Otherwise it is a sample.
          type: bool
        stopped_by:
          description: V(end), V(sample_size) or V(time_limit).
          type: str
          sample: sample_size
        key_count:
          description: How many keys there were when it began.
          type: int
          sample: 120000
        looked_at:
          description: How many it looked at.
          type: int
          sample: 10000
        hits_caused:
          description: How many hits this added to the server's statistics, which count a look at a key as a lookup.
          type: int
          sample: 10010
        how:
          description: The same in words, for a report.
          type: str
    patterns:
      description: Every pattern of O(keys), in that order.
      type: list
      elements: dict
      contains:
        pattern:
          description: The pattern.
          type: str
          sample: tag:{tag_id}
        meaning:
          description: What its keys hold, as declared.
          type: str
        ttl_seconds:
          description: How long its keys may live, as declared.
          type: int
        max_value_bytes:
          description: How large its values may be, as declared, or null.
          type: int
        key_count:
          description: How many of its keys were looked at.
          type: int
        key_count_estimated:
          description: How many there are of them, estimated; exact where all were looked at.
          type: int
        without_ttl:
          description: How many of those looked at never expire; null where it could not be read.
          type: int
        above_ttl:
          description: How many of those looked at have more left to live than they may have in all.
          type: int
        memory_bytes:
          description: What those looked at take, values and names; null where it could not be read.
          type: int
        memory_bytes_estimated:
          description: What all of its keys take, estimated.
          type: int
        largest_bytes:
          description: The largest of those looked at.
          type: int
        above_max_value_bytes:
          description: How many of those looked at are larger than they may be; null where there is no bound.
          type: int
        examples:
          description: Some keys for each of these.
          type: dict
          contains:
            without_ttl:
              description: Keys that never expire.
              type: list
              elements: str
            above_ttl:
              description: Keys that live too long.
              type: list
              elements: str
            above_max_value_bytes:
              description: Keys whose values are too large.
              type: list
              elements: str
    unmatched:
      description: The keys that match no pattern.
      type: dict
      contains:
        key_count:
          description: How many were seen.
          type: int
        key_count_estimated:
          description: How many there are, estimated.
          type: int
        without_ttl:
          description: How many of those seen never expire; null where it could not be read.
          type: int
        memory_bytes:
          description: What those seen take; null where it could not be read.
          type: int
        memory_bytes_estimated:
          description: What all of them take, estimated.
          type: int
        largest_bytes:
          description: The largest of those seen.
          type: int
        examples:
          description: Some of them.
          type: list
          elements: str
          sample: ["tag:1:x"]
    largest:
      description: The largest values of those looked at, the largest first.
      type: list
      elements: dict
      contains:
        key:
          description: The key.
          type: str
        pattern:
          description: Its pattern, or null.
          type: str
        bytes:
          description: What it takes, with its name, as C(MEMORY USAGE) estimates it.
          type: int
        type:
          description: Its type, V(none) if it is gone since; null where it could not be read.
          type: str
          sample: set
    missing:
      description: What could not be read.
      type: list
      elements: dict
      contains:
        part:
          description: V(ttl), V(memory) or V(type).
          type: str
          sample: memory
        key_count:
          description: For how many of the keys.
          type: int
        reason:
          description: Why, and what to do about it.
          type: str
          sample: 'user "app" may not run MEMORY USAGE: connect as a user that may, or allow it'
    server:
      description: Which server it was.
      type: dict
      contains:
        version:
          description: Its version.
          type: str
          sample: 7.0.15
        role:
          description: V(master) or V(replica).
          type: str
          sample: master
        where:
          description: Where the module connected to.
          type: str
          sample: 127.0.0.1:6379
problems:
  description: What is wrong with O(keys) or the other options.
  returned: when they are refused before anything is read
  type: list
  elements: str
  sample: ["pattern tag:*: has a bare *: write {name} for the part that varies, or \\* for the character itself"]
"""

from ansible_collections.midi.capacity.plugins.module_utils._argspec import ArgumentSpec
from ansible_collections.midi.capacity.plugins.module_utils._errors import OperatorError
from ansible_collections.midi.capacity.plugins.module_utils._redis import REDIS_SPEC
from ansible_collections.midi.capacity.plugins.module_utils._redis_audit_flow import audit

SPEC = ArgumentSpec(
    {
        "keys": {"type": "list", "elements": "dict", "required": True, "no_log": False},
        "sample_size": {"type": "int", "default": 10000},
        "time_limit_seconds": {"type": "int", "default": 30},
        "scan_count": {"type": "int", "default": 1000},
        "memory_samples": {"type": "int", "default": 5},
        "largest": {"type": "int", "default": 10},
        "examples": {"type": "int", "default": 5},
    }
)


def main():
    module = REDIS_SPEC.merge(SPEC).create_module()
    try:
        result = audit(module.params)
    except OperatorError as error:
        module.fail_json(msg=str(error), **error.details)
    for warning in result.pop("warnings"):
        module.warn(warning)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
