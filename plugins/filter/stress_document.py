# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: stress_document
short_description: Put together what is known of a stress test
version_added: 0.1.0
author:
  - The midi.capacity founders (@midi-capacity)
description:
  - Makes one document of what ran, what was seen meanwhile, and the snapshots before and after, with the files per
    second and how they are known, the statements in that window, and a verdict.
options:
  _input:
    description:
      - What role P(midi.capacity.capacity_baseline#role) has found.
      - It has C(run), C(inventory_hostname), C(command), C(database), C(allowed_by), C(job), C(watches), C(before),
        C(after), C(after_reason) and C(removed).
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Put together what is known of a stress test
  ansible.builtin.set_fact:
    __document: "{{ __pieces | midi.capacity.stress_document }}"
"""

RETURN = r"""
_value:
  description:
    - The document, with C(schema_version), C(run), C(inventory_hostname), C(command), C(database), C(allowed_by),
      C(outcome), C(verdict), C(rate), C(connections), C(window), C(log), C(removed_files), C(before)
      and C(after).
  type: dict
"""

from ansible.errors import AnsibleFilterError


def stress_document(pieces):
    from ansible_collections.midi.capacity.plugins.module_utils._stress.document import document

    try:
        return document(pieces)
    except (AttributeError, LookupError, TypeError) as error:
        raise AnsibleFilterError(f"stress_document: these are no pieces of a stress test: {error!r}") from error


class FilterModule:
    def filters(self):
        return {"stress_document": stress_document}
