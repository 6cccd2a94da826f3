# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: has_more_than
short_description: Tell whether a new snapshot or baseline has parts that an old one lacks
version_added: 0.1.0
author:
  - The midi.capacity founders (@midi-capacity)
description:
  - Says whether a snapshot or a baseline lacks less than another one, and lacks nothing that the other one has.
positional: old
options:
  _input:
    description:
      - The new snapshot of M(midi.capacity.pg_snapshot_info), or the new baseline.
    type: dict
    required: true
  old:
    description:
      - The old one, of the same kind.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Say whether it is worth to keep a new one
  ansible.builtin.debug:
    msg: "{{ __new | midi.capacity.has_more_than(__old) }}"
  vars:
    __old: {missing: [{part: statements, reason: not loaded, remedy: load it}]}
    __new: {missing: []}
"""

RETURN = r"""
_value:
  description: Whether it has more.
  type: bool
"""

from ansible.errors import AnsibleFilterError


def has_more_than(new, old):
    from ansible_collections.midi.capacity.plugins.module_utils._baseline.stored import has_more

    try:
        return has_more(new, old)
    except (AttributeError, LookupError, TypeError) as error:
        raise AnsibleFilterError(f"has_more_than: these are no snapshots or baselines: {error!r}") from error


class FilterModule:
    def filters(self):
        return {"has_more_than": has_more_than}
