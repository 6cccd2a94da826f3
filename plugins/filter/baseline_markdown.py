# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: baseline_markdown
short_description: Write the report of a capacity baseline
version_added: 0.1.0
author:
  - The midi.capacity founders (@midi-capacity)
description:
  - Gives a baseline's report as Markdown. Every figure says how it was got, and what is missing says why.
options:
  _input:
    description:
      - The baseline, as role P(midi.capacity.capacity_baseline#role) stores it.
      - It has C(schema_version), C(label), C(taken_at), C(inventory_hostname), C(snapshot), C(cache) and
        C(cache_reason); and C(begin), the raw counters at the beginning of its window, or V(null).
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Show the report of a stored baseline
  ansible.builtin.debug:
    msg: "{{ lookup('ansible.builtin.file', 'baseline-phase1.json') | from_json | midi.capacity.baseline_markdown }}"
"""

RETURN = r"""
_value:
  description: The report.
  type: str
"""

from ansible.errors import AnsibleFilterError


def baseline_markdown(baseline):
    from ansible_collections.midi.capacity.plugins.module_utils._baseline.report import UnknownSchema, markdown

    try:
        return markdown(baseline)
    except UnknownSchema as error:
        raise AnsibleFilterError(f"baseline_markdown: {error}") from error
    except (AttributeError, LookupError, TypeError) as error:
        raise AnsibleFilterError(f"baseline_markdown: this is no baseline: {error!r}") from error


class FilterModule:
    def filters(self):
        return {"baseline_markdown": baseline_markdown}
