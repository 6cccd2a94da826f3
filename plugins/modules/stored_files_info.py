#!/usr/bin/python
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: stored_files_info
short_description: List the files of a directory, and read one of them, in one step
version_added: 0.1.0
author:
  - The midi.capacity founders (@midi-capacity)
description:
  - Lists the files of a directory, and reads the one that is named or the last one. A directory that is not there has
    none.
options:
  directory:
    description:
      - The directory, by its absolute path.
    type: path
    required: true
  ending:
    description:
      - How the files end that are listed. Those that begin with a dot are not.
    type: str
    default: .json
  name:
    description:
      - The name of the file to read, which need not be there.
    type: str
  last:
    description:
      - Whether to read the last one in the order of their names, which is the newest where names begin with a time.
    type: bool
    default: false
attributes:
  check_mode:
    description: Only reads, in check mode too.
    support: full
  diff_mode:
    description: Changes nothing, so there is no difference to show.
    support: none
  platform:
    description: The systems that the module runs on.
    support: full
    platforms: posix
seealso:
  - module: midi.capacity.stored_files
"""

EXAMPLES = r"""
- name: Read the newest snapshot
  midi.capacity.stored_files_info:
    directory: /var/lib/midi-capacity/snapshots
    last: true
  register: history

- name: Say how many there are, and of when the newest is
  ansible.builtin.debug:
    msg: "{{ history.names | length }} snapshots, the newest of {{ newest.taken_at }}"
  vars:
    newest: "{{ history.content | b64decode | from_json }}"
  when: history.content is not none
"""

RETURN = r"""
names:
  description: The names of the files, sorted.
  returned: success
  type: list
  elements: str
  sample: [20260711T083000Z.json]
path:
  description: The file that was read, or null.
  returned: success
  type: str
  sample: /var/lib/midi-capacity/snapshots/20260711T083000Z.json
content:
  description: What it holds, in Base64, or null.
  returned: success
  type: str
  sample: e30K
"""

from ansible_collections.midi.capacity.plugins.module_utils._argspec import ArgumentSpec
from ansible_collections.midi.capacity.plugins.module_utils._errors import OperatorError
from ansible_collections.midi.capacity.plugins.module_utils._stored_files import read

SPEC = ArgumentSpec(
    {
        "directory": {"type": "path", "required": True},
        "ending": {"type": "str", "default": ".json"},
        "name": {"type": "str"},
        "last": {"type": "bool", "default": False},
    },
    mutually_exclusive=[("name", "last")],
)


def main():
    module = SPEC.create_module()
    try:
        result = read(module.params)
    except OperatorError as error:
        module.fail_json(msg=str(error), **error.details)
    module.exit_json(changed=False, **result)


if __name__ == "__main__":
    main()
