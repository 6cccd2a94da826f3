# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: baseline_html
short_description: Write the report of a capacity baseline as a page
version_added: 0.1.0
author:
  - The midi.capacity founders (@midi-capacity)
description:
  - Gives what P(midi.capacity.baseline_markdown#filter) gives as one HTML page, with charts of sizes and of the time of
    statements.
  - The page stands alone. It has no script and loads nothing; it is for light and dark screens, telephones and paper.
options:
  _input:
    description:
      - The baseline, as role P(midi.capacity.capacity_baseline#role) stores it.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Write the page of a stored baseline
  ansible.builtin.copy:
    content: "{{ lookup('ansible.builtin.file', 'baseline-phase1.json') | from_json | midi.capacity.baseline_html }}"
    dest: baseline-phase1.html
    mode: "0640"
  delegate_to: localhost
"""

RETURN = r"""
_value:
  description: The page.
  type: str
"""

from ansible.errors import AnsibleFilterError


def baseline_html(baseline):
    from ansible_collections.midi.capacity.plugins.module_utils._baseline.report import UnknownSchema, document
    from ansible_collections.midi.capacity.plugins.module_utils._report.html import written

    try:
        return written(document(baseline))
    except UnknownSchema as error:
        raise AnsibleFilterError(f"baseline_html: {error}") from error
    except (AttributeError, LookupError, TypeError) as error:
        raise AnsibleFilterError(f"baseline_html: this is no baseline: {error!r}") from error


class FilterModule:
    def filters(self):
        return {"baseline_html": baseline_html}
