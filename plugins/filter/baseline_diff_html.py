# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: baseline_diff_html
short_description: Write what got worse between two capacity baselines as a page
version_added: 0.1.0
author:
  - The midi.capacity founders (@midi-capacity)
description:
  - Gives what P(midi.capacity.baseline_diff#filter) found as one HTML page that stands alone.
options:
  _input:
    description:
      - What the filter P(midi.capacity.baseline_diff#filter) gives.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Show what got worse
  ansible.builtin.debug:
    msg: "{{ __before | midi.capacity.baseline_diff(__after) | midi.capacity.baseline_diff_html }}"
  vars:
    __before: "{{ lookup('ansible.builtin.file', 'baseline-phase1.json') | from_json }}"
    __after: "{{ lookup('ansible.builtin.file', 'baseline-phase2.json') | from_json }}"
"""

RETURN = r"""
_value:
  description: The report.
  type: str
"""

from ansible.errors import AnsibleFilterError


def baseline_diff_html(found):
    from ansible_collections.midi.capacity.plugins.module_utils._baseline.compare_report import document
    from ansible_collections.midi.capacity.plugins.module_utils._report.html import written

    try:
        return written(document(found))
    except (AttributeError, LookupError, TypeError) as error:
        raise AnsibleFilterError(f"baseline_diff_html: this is no diff of baselines: {error!r}") from error


class FilterModule:
    def filters(self):
        return {"baseline_diff_html": baseline_diff_html}
