#!/usr/bin/python
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: stored_files
short_description: Have directories and the files of a document in them, in one step
version_added: 0.1.0
author:
  - The midi.capacity founders (@midi-capacity)
description:
  - Makes directories, and has files with the content that is given. What is as wanted already is left alone.
  - No file is touched before all of them are written beside their places, so that a full disk leaves what was there,
    and whoever reads one meanwhile reads it whole.
  - Takes the place of a task for each directory and each file, which is what a run that changes nothing spends its
    time with.
options:
  directories:
    description:
      - The directories to have, in the order in which they are made. Those above them are made with mode C(0755).
    type: list
    elements: dict
    default: []
    suboptions:
      path:
        description:
          - An absolute path.
        type: path
        required: true
      mode:
        description:
          - Its permissions, in octal.
        type: str
        default: "0755"
  files:
    description:
      - The files to have. Their directories have to exist, or to be among O(directories).
    type: list
    elements: dict
    default: []
    suboptions:
      path:
        description:
          - An absolute path.
        type: path
        required: true
      content:
        description:
          - What it holds, as text, which is stored in UTF-8. It is in no log and in no output.
        type: str
        required: true
      mode:
        description:
          - Its permissions, in octal.
        type: str
        default: "0600"
      backup:
        description:
          - Whether a file that gets another content stays beside the new one, under its name with a time behind it.
        type: bool
        default: false
attributes:
  check_mode:
    description: Tells what it would change, and changes nothing.
    support: full
  diff_mode:
    description: Shows sizes, digests and permissions before and after, and not the contents, which may be long.
    support: full
  platform:
    description: The systems that the module runs on.
    support: full
    platforms: posix
seealso:
  - module: midi.capacity.stored_files_info
"""

EXAMPLES = r"""
- name: Store a baseline and its report
  midi.capacity.stored_files:
    directories:
      - path: /var/lib/midi-capacity
      - path: /var/lib/midi-capacity/baselines
        mode: "0700"
    files:
      - path: /var/lib/midi-capacity/baselines/phase1.json
        content: "{{ baseline | to_nice_json }}\n"
        backup: true
      - path: /var/lib/midi-capacity/baselines/phase1.md
        content: "{{ baseline | midi.capacity.baseline_markdown }}"
"""

RETURN = r"""
changed_paths:
  description: The directories and files that were made or changed.
  returned: success
  type: list
  elements: str
  sample: [/var/lib/midi-capacity/baselines/phase1.md]
backups:
  description: Where what was replaced is now, by the file's path.
  returned: success
  type: dict
  sample: {}
"""

from ansible_collections.midi.capacity.plugins.module_utils._argspec import ArgumentSpec
from ansible_collections.midi.capacity.plugins.module_utils._errors import OperatorError
from ansible_collections.midi.capacity.plugins.module_utils._stored_files import converge

SPEC = ArgumentSpec(
    {
        "directories": {
            "type": "list",
            "elements": "dict",
            "default": [],
            "options": {"path": {"type": "path", "required": True}, "mode": {"type": "str", "default": "0755"}},
        },
        "files": {
            "type": "list",
            "elements": "dict",
            "default": [],
            "options": {
                "path": {"type": "path", "required": True},
                "content": {"type": "str", "required": True, "no_log": True},
                "mode": {"type": "str", "default": "0600"},
                "backup": {"type": "bool", "default": False},
            },
        },
    }
)


def main():
    module = SPEC.create_module()
    try:
        result = converge(module.params["directories"], module.params["files"], module.check_mode)
    except OperatorError as error:
        module.fail_json(msg=str(error), **error.details)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
