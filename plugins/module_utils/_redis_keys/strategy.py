# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The strategy document: what is cached, for how long, what drops it, and how to look after it."""

from __future__ import annotations

from typing import List

from ansible_collections.midi.capacity.plugins.module_utils._redis_keys.model import KeyPattern, Strategy
from ansible_collections.midi.capacity.plugins.module_utils._report import human
from ansible_collections.midi.capacity.plugins.module_utils._report.markdown import LEFT, RIGHT, code, table

_HEAD = """# Cache strategy

Written from `redis_cache_keys` by role `midi.capacity.redis_cache`. Change the variable: the next run writes this anew.

## What is cached

"""

_READING = """
A part in braces varies: one or more characters, none of them a colon. No two patterns can mean one key.
"""

_RULES = """
## Rules for whoever writes these keys

- Every key gets its time to live with the command that writes it (`SET … EX`), no longer than the table says. It is the
  last resort when an event is lost.
- Whoever writes a value keeps it within its bound: store a page or a count instead of a list that grows with the
  library.
- A cached value can be gone at any time: read the database then.
- Look for keys with `SCAN` and remove them with `UNLINK`. `KEYS`, and `DEL` of a large value, stop the server for
  everybody.
- A work queue gets a Redis of its own: a cache evicts, and a queue must not.
"""

_AUDIT = """
## How to audit

In a play for the cache's host; it reads a sample, and changes nothing:

```yaml
- name: Compare the cache with its strategy
  midi.capacity.redis_cache_audit_info:
    keys: "{{ redis_cache_keys }}"
  module_defaults:
    group/midi.capacity.redis: "{{ capacity_redis_connection | default({}) }}"
  register: audited
```

`audited.audit` tells which keys match none of the patterns, which have no time to live or too long a one, and which
values are too large.
"""

_INVALIDATE = """
## How to invalidate

After an event, from where the playbooks are; `--check` only counts:

```
ansible-playbook playbooks/cache_invalidate.yml -i INVENTORY -e event={event}
```

It takes no key of any other pattern, and an interrupted run may simply be run again. To drop patterns without an event:

```
ansible-playbook playbooks/cache_invalidate.yml -i INVENTORY -e '{{"patterns": ["{pattern}"]}}'
```
"""


def markdown(strategy: Strategy) -> str:
    """The document, with a line break at its end. The same strategy gives the same text."""
    parts = [_HEAD, _patterns(strategy), "\n", _READING, _events(strategy), _RULES, _AUDIT]
    if strategy.patterns:
        pattern = strategy.patterns[0].name.replace("\\", "\\\\").replace('"', '\\"').replace("'", "'\\''")
        parts.append(_INVALIDATE.format(event=strategy.events[0] if strategy.events else "EVENT", pattern=pattern))
    return "".join(parts)


def _patterns(strategy: Strategy) -> str:
    columns = [("Key", LEFT), ("What it holds", LEFT), ("Lives", RIGHT), ("Value", RIGHT), ("Invalidated by", LEFT)]
    return table(columns, [_row(pattern) for pattern in strategy.patterns])


def _row(pattern: KeyPattern) -> List[str]:
    bound = pattern.max_value_bytes
    return [
        code(pattern.name),
        pattern.meaning,
        human.seconds(pattern.ttl_seconds),
        "no bound" if bound is None else f"at most {human.size(bound)}",
        ", ".join(code(event) for event in pattern.invalidated_by) or "nothing but its time",
    ]


def _events(strategy: Strategy) -> str:
    if not strategy.events:
        return ""
    rows = []
    for event in strategy.events:
        names = [code(pattern.name) for pattern in strategy.patterns if event in pattern.invalidated_by]
        rows.append([code(event), ", ".join(names) or "nothing"])
    return "\n## What an event invalidates\n\n" + table([("Event", LEFT), ("Keys that are dropped", LEFT)], rows) + "\n"
