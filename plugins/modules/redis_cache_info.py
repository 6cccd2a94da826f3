#!/usr/bin/python
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: redis_cache_info
short_description: Read what a Redis cache holds, uses and is set to
version_added: 0.1.0
author:
  - The midi.capacity founders (@midi-capacity)
description:
  - Reads memory, counters, keys, persistence and the settings that limit a cache, with C(INFO) and C(CONFIG GET).
  - Counters are cumulative since the server was started, or since C(CONFIG RESETSTAT). What happened in a span of
    time is the difference of two readings; the module never resets anything.
  - What cannot be read is null, and RV(cache.missing) tells the reason. Where C(CONFIG) is not permitted or not
    offered, RV(cache.config) is null and all the rest is there. Only a server that cannot be reached, or that does
    not permit C(INFO), is a failure.
  - No key, no value and no password is read.
extends_documentation_fragment:
  - midi.capacity.redis
attributes:
  check_mode:
    description: Only reads, in check mode too.
    support: full
  diff_mode:
    description: Changes nothing, so there is no difference to show.
    support: none
notes:
  - The ACL user needs C(+info +config|get).
seealso:
  - module: midi.capacity.redis_settings
  - name: The command INFO
    description: What each figure means.
    link: https://redis.io/docs/latest/commands/info/
"""

EXAMPLES = r"""
- name: Read the figures of the cache
  midi.capacity.redis_cache_info:
  register: read

- name: Say how well it serves, since it was started
  ansible.builtin.debug:
    msg: >-
      {{ cache.hit_ratio_since_start_percent }} % of lookups were hits;
      {{ cache.counters.evicted_keys }} keys were evicted
  vars:
    cache: "{{ read.cache }}"

- name: Read a cache over its Unix socket
  midi.capacity.redis_cache_info:
    login_unix_socket: /run/redis/redis-server.sock
  become: true
"""

RETURN = r"""
cache:
  description: What was found. Everything in it is null where it could not be read.
  returned: success
  type: dict
  contains:
    taken_at:
      description: When, by the clock of the host that ran the module. ISO 8601 in UTC.
      type: str
      sample: "2026-11-24T00:29:41Z"
    version:
      description: Version of the server.
      type: str
      sample: 7.0.15
    mode:
      description: V(standalone), V(cluster) or V(sentinel).
      type: str
      sample: standalone
    role:
      description: V(master) or V(replica).
      type: str
      sample: master
    run_id:
      description: What tells this start of the server from all others.
      type: str
    uptime_seconds:
      description: Time since the server was started.
      type: int
      sample: 86400
    config_file:
      description: The server's configuration file, or null when it was started without one.
      type: str
      sample: /etc/redis/redis.conf
    memory:
      description: Memory.
      type: dict
      contains:
        used_bytes:
          description: What the server allocated, for data and all else.
          type: int
        used_peak_bytes:
          description: The most that it ever was since the start.
          type: int
        used_rss_bytes:
          description: What the operating system gave it.
          type: int
        maxmemory_bytes:
          description: The limit for data; 0 is none.
          type: int
          sample: 10737418240
        maxmemory_policy:
          description: What happens at the limit.
          type: str
          sample: allkeys-lfu
        fragmentation_ratio:
          description: RV(cache.memory.used_rss_bytes) over RV(cache.memory.used_bytes); means little for small caches.
          type: float
          sample: 1.07
        total_system_bytes:
          description: The host's RAM. The limit of a container does not show in it.
          type: int
    counters:
      description: Cumulative since the start.
      type: dict
      contains:
        hits:
          description: Lookups that found their key.
          type: int
        misses:
          description: Lookups that did not.
          type: int
        evicted_keys:
          description: Keys that were dropped to stay within the limit.
          type: int
        expired_keys:
          description: Keys whose time was over.
          type: int
        total_commands:
          description: Commands.
          type: int
    hit_ratio_since_start_percent:
      description: Hits among all lookups since the start, or null without a lookup. Not of a window of time.
      type: float
      sample: 83.4
    clients:
      description: Connections.
      type: dict
      contains:
        connected:
          description: How many there are, the module's own among them.
          type: int
        max:
          description: How many there may be.
          type: int
    keyspace:
      description: Every database that holds keys, by its name.
      type: dict
      sample: {"db0": {"keys": 120000, "expires": 119000, "avg_ttl_ms": 1800000}}
      contains:
        keys:
          description: Number of keys.
          type: int
        expires:
          description: Number of keys with a time to live.
          type: int
        avg_ttl_ms:
          description: The server's estimate of what they have left on average.
          type: int
    persistence:
      description: How the data is kept.
      type: dict
      contains:
        loading:
          description: Whether the server is still reading its data from disk.
          type: bool
        aof_enabled:
          description: Whether it keeps an append-only file.
          type: bool
        aof_rewrite_in_progress:
          description: Whether that file is being rewritten.
          type: bool
        aof_last_rewrite_status:
          description: How the last rewrite ended, V(ok) or V(err).
          type: str
        aof_last_write_status:
          description: How the last write ended, V(ok) or V(err).
          type: str
        rdb_last_save_at:
          description: When the data was last saved as a whole, or the server started. ISO 8601 in UTC.
          type: str
        rdb_last_bgsave_status:
          description: How the last saving ended, V(ok) or V(err).
          type: str
        rdb_changes_since_last_save:
          description: Changes since then.
          type: int
    config:
      description: The settings that limit, keep and expose the cache, as C(CONFIG GET) shows them.
      type: dict
      sample: {"maxmemory": "10737418240", "maxmemory-policy": "allkeys-lfu", "appendonly": "yes"}
    missing:
      description: What could not be read.
      type: list
      elements: dict
      contains:
        part:
          description: Which part, V(config), or V(info.) and the name of the field.
          type: str
          sample: config
        reason:
          description: Why, and what to do about it.
          type: str
          sample: 'user "app" may not run CONFIG GET: connect as a user that may, or allow it'
"""

from ansible_collections.midi.capacity.plugins.module_utils import _redis_facts
from ansible_collections.midi.capacity.plugins.module_utils._errors import OperatorError
from ansible_collections.midi.capacity.plugins.module_utils._redis import REDIS_SPEC


def main():
    module = REDIS_SPEC.create_module()
    try:
        cache = _redis_facts.read(module.params)
    except OperatorError as error:
        module.fail_json(msg=str(error), **error.details)
    module.exit_json(changed=False, cache=cache)


if __name__ == "__main__":
    main()
