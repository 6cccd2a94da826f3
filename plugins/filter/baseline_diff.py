# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: baseline_diff
short_description: Say what got worse between two capacity baselines
version_added: 0.1.0
author:
  - The midi.capacity founders (@midi-capacity)
description:
  - Compares two baselines figure by figure and statement by statement, what got worse first. What counts as worse, and
    from which change on, stands in one table, which the report has at its end.
  - Says what makes the comparison uncertain, such as other hosts, versions, or lengths of the window; and what was not
    compared because one of the two lacks it.
positional: after
options:
  _input:
    description:
      - The first baseline, as role P(midi.capacity.capacity_baseline#role) stores it.
    type: dict
    required: true
  after:
    description:
      - The second baseline.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Show what got worse
  ansible.builtin.debug:
    msg: "{{ (__before | midi.capacity.baseline_diff(__after)).changes | selectattr('verdict', 'eq', 'worse') }}"
  vars:
    __before: "{{ lookup('ansible.builtin.file', 'baseline-phase1.json') | from_json }}"
    __after: "{{ lookup('ansible.builtin.file', 'baseline-phase2.json') | from_json }}"
"""

RETURN = r"""
_value:
  description:
    - C(before) and C(after), which baselines they were; C(seconds) between them; C(cautions), sentences; C(changes);
      C(not_compared); C(settings), C(sizes) and C(new_statements) that differ; C(between), what the counters of both
      say about the time between them, or V(null).
    - Each of C(changes) has C(name), C(title), C(unit), C(how), C(before), C(after), C(change), C(change_percent),
      C(verdict) (V(worse), V(better), V(changed) or V(same)), C(exceeds), how many times it is the least change that
      counts, and C(statement), a C(database) and a C(query) or V(null).
  type: dict
"""

from ansible.errors import AnsibleFilterError


def baseline_diff(before, after):
    from ansible_collections.midi.capacity.plugins.module_utils._baseline.compare import compare
    from ansible_collections.midi.capacity.plugins.module_utils._baseline.report import UnknownSchema

    try:
        return compare(before, after)
    except UnknownSchema as error:
        raise AnsibleFilterError(f"baseline_diff: {error}") from error
    except (AttributeError, LookupError, TypeError) as error:
        raise AnsibleFilterError(f"baseline_diff: these are no baselines: {error!r}") from error


class FilterModule:
    def filters(self):
        return {"baseline_diff": baseline_diff}
