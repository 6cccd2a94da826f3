# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: stored_document
short_description: Read a snapshot or a baseline that was stored before
version_added: 0.1.0
author:
  - The midi.capacity founders (@midi-capacity)
description:
  - Fails if the file is damaged or of another version, names it, and says what to do.
positional: kind, path, remedy
options:
  _input:
    description:
      - The file's content in base64, as M(ansible.builtin.slurp) gives it.
    type: str
    required: true
  kind:
    description:
      - What the file has.
    type: str
    choices:
      - snapshot
      - baseline
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
- name: Read a snapshot
  ansible.builtin.slurp:
    src: /var/lib/midi-capacity/snapshots/20261124T134725Z.json
  register: __read

- name: Show when it was taken
  ansible.builtin.debug:
    msg: "{{ (__read.content | midi.capacity.stored_document('snapshot', __read.source, 'move it away')).taken_at }}"
"""

RETURN = r"""
_value:
  description: The snapshot or baseline.
  type: dict
"""

from ansible.errors import AnsibleFilterError


def stored_document(content, kind, path, remedy, server=None):
    from ansible_collections.midi.capacity.plugins.module_utils._baseline import stored

    kinds = {"snapshot": stored.snapshot, "baseline": stored.baseline}
    if kind not in kinds:
        raise AnsibleFilterError(f"stored_document: kind must be one of {', '.join(kinds)}, not {kind!r}")
    try:
        return kinds[kind](content, server)
    except stored.Unusable as error:
        # Ansible adds what an error comes from, which stands in this one already.
        raise AnsibleFilterError(f"The stored {kind} {path} cannot be used: {error}. To mend it: {remedy}.") from None


class FilterModule:
    def filters(self):
        return {"stored_document": stored_document}
