# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: stress_markdown
short_description: Write the report of a stress test
version_added: 0.1.0
author:
  - The midi.capacity founders (@midi-capacity)
description:
  - Gives the report of a stress test as Markdown. Every figure says how it was got.
positional: summary
options:
  _input:
    description:
      - The document, as filter P(midi.capacity.stress_document#filter) makes it.
    type: dict
    required: true
  summary:
    description:
      - Gives the gist in one line instead.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Show the report of a stored stress test
  ansible.builtin.debug:
    msg: "{{ lookup('ansible.builtin.file', 'stress.json') | from_json | midi.capacity.stress_markdown }}"
"""

RETURN = r"""
_value:
  description: The report, or its gist.
  type: str
"""

from ansible.errors import AnsibleFilterError


def stress_markdown(document, summary=False):
    from ansible_collections.midi.capacity.plugins.module_utils._stress import report

    try:
        return report.line(document) if summary else report.markdown(document)
    except report.UnknownSchema as error:
        raise AnsibleFilterError(f"stress_markdown: {error}") from error
    except (AttributeError, LookupError, TypeError) as error:
        raise AnsibleFilterError(f"stress_markdown: this is no stress test: {error!r}") from error


class FilterModule:
    def filters(self):
        return {"stress_markdown": stress_markdown}
