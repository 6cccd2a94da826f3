# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: lacks_some
short_description: Tell whether a snapshot or baseline lacks something that it could have
version_added: 0.1.0
author:
  - The midi.capacity founders (@midi-capacity)
description:
  - Says whether parts could not be read, or were not asked for at that time and now are.
positional: asked
options:
  _input:
    description:
      - The snapshot of M(midi.capacity.pg_snapshot_info), or the baseline.
    type: dict
    required: true
  asked:
    description:
      - What asks for the parts C(growth), C(redis), C(cache) and C(window), which are not always wanted. Empty where
        nothing does.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Say whether it is worth to take a new one
  ansible.builtin.debug:
    msg: "{{ {'missing': [], 'growth': none} | midi.capacity.lacks_some({'growth': 'files'}) }}"
"""

RETURN = r"""
_value:
  description: Whether it lacks something.
  type: bool
"""

from ansible.errors import AnsibleFilterError


def lacks_some(document, asked):
    from ansible_collections.midi.capacity.plugins.module_utils._baseline.stored import lacks_some as lacks

    try:
        return lacks(document, asked)
    except (AttributeError, LookupError, TypeError) as error:
        raise AnsibleFilterError(f"lacks_some: this is no snapshot or baseline: {error!r}") from error


class FilterModule:
    def filters(self):
        return {"lacks_some": lacks_some}
