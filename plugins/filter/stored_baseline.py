# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: stored_baseline
short_description: Read a baseline that was stored before
version_added: 0.1.0
author:
  - The midi.capacity founders (@midi-capacity)
description:
  - Fails if the file is damaged or of another version, names it, and says what to do.
positional: path, remedy
options:
  _input:
    description:
      - The file's content in base64, as M(ansible.builtin.slurp) gives it.
    type: str
    required: true
  path:
    description:
      - The file, for the message.
    type: str
    required: true
  remedy:
    description:
      - What to do if it cannot be used, for the message.
    type: str
    required: true
  server:
    description:
      - The server and database that it has to be of, as M(midi.capacity.pg_server_info) tells. Without it, it may be
        of any.
    type: dict
"""

EXAMPLES = r"""
- name: Read a baseline
  ansible.builtin.slurp:
    src: /var/lib/midi-capacity/baselines/phase1.json
  register: __read

- name: Show when it was taken
  ansible.builtin.debug:
    msg: "{{ (__read.content | midi.capacity.stored_baseline(__read.source, 'move it away')).label }}"
"""

RETURN = r"""
_value:
  description: The baseline.
  type: dict
"""

from ansible.errors import AnsibleFilterError


def stored_baseline(content, path, remedy, server=None):
    from ansible_collections.midi.capacity.plugins.module_utils._baseline import stored

    try:
        return stored.baseline(content, server)
    except stored.Unusable as error:
        # Ansible adds what an error comes from, which stands in this one already.
        raise AnsibleFilterError(f"The stored baseline {path} cannot be used: {error}. To mend it: {remedy}.") from None


class FilterModule:
    def filters(self):
        return {"stored_baseline": stored_baseline}
