# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: baseline_steps
short_description: Say what is to be done after a capacity baseline
version_added: 0.1.0
author:
  - The midi.capacity founders (@midi-capacity)
description:
  - Gives as data what the report of P(midi.capacity.baseline_markdown#filter) has under "What to do next".
options:
  _input:
    description:
      - The baseline, as role P(midi.capacity.capacity_baseline#role) stores it.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Show what a stored baseline lacks
  ansible.builtin.debug:
    msg: "{{ __baseline | midi.capacity.baseline_steps | selectattr('gap') | map(attribute='part') }}"
  vars:
    __baseline: "{{ lookup('ansible.builtin.file', 'baseline-phase1.json') | from_json }}"
"""

RETURN = r"""
_value:
  description:
    - The steps. Each has C(part); C(what), a reason or a finding; C(remedy), which may be empty; C(gap), whether the
      part is missing; C(optional), whether nobody asked for it; and C(by), what of phase 1 sees to it
      (V(statistics), V(restart) or V(cache)), or V(null).
  type: list
  elements: dict
"""

from ansible.errors import AnsibleFilterError


def baseline_steps(baseline):
    from ansible_collections.midi.capacity.plugins.module_utils._baseline.steps import steps
    from ansible_collections.midi.capacity.plugins.module_utils._baseline.view import View

    try:
        return steps(View(baseline))
    except (AttributeError, LookupError, TypeError) as error:
        raise AnsibleFilterError(f"baseline_steps: this is no baseline: {error!r}") from error


class FilterModule:
    def filters(self):
        return {"baseline_steps": baseline_steps}
