#!/usr/bin/python
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: host_kernel_setting
short_description: Set a setting of the kernel until the host is started again
version_added: 0.1.0
author:
  - The midi.capacity founders (@midi-capacity)
description:
  - Writes a value into a file below C(/proc/sys) or C(/sys) unless it is there already, and reads it back.
  - That is for now; so that it stays, put it into C(/etc/sysctl.d), or for C(/sys) into C(/etc/tmpfiles.d).
options:
  path:
    description:
      - The file. Where it lists the words that it takes, as C(/sys/kernel/mm/transparent_hugepage/enabled) does, the
        one in brackets is its value.
    type: path
    required: true
  value:
    description:
      - The value.
    type: str
    required: true
attributes:
  check_mode:
    description: Tells what it would change, and changes nothing.
    support: full
  diff_mode:
    description: Shows the value before and after.
    support: full
  platform:
    description: The systems that the module runs on.
    support: full
    platforms: linux
seealso:
  - module: midi.capacity.host_capacity_info
"""

EXAMPLES = r"""
- name: Let Redis fork while it holds much memory
  midi.capacity.host_kernel_setting:
    path: /proc/sys/vm/overcommit_memory
    value: "1"
"""

RETURN = r"""
before:
  description: The value before.
  returned: success
  type: str
  sample: "0"
"""

import os

from ansible_collections.midi.capacity.plugins.module_utils._argspec import ArgumentSpec
from ansible_collections.midi.capacity.plugins.module_utils._change import Change
from ansible_collections.midi.capacity.plugins.module_utils._errors import OperatorError
from ansible_collections.midi.capacity.plugins.module_utils._host import Host

SPEC = ArgumentSpec({"path": {"type": "path", "required": True}, "value": {"type": "str", "required": True}})
PLACES = ("/proc/sys/", "/sys/")


def converge(path, value, check_mode):
    if not os.path.normpath(path).startswith(PLACES):
        raise OperatorError("this is no setting of the kernel", path, f"name a file below {' or '.join(PLACES)}")
    host = Host()
    change = Change(path)
    before = host.kernel_setting(path)
    change.add(path, before, value)
    if change.changed and not check_mode:
        host.set_kernel_setting(path, value)
        after = host.kernel_setting(path)
        if after != value:
            raise OperatorError(f"it was set to {value} and reads back as {after}", path, "see what sets it, too")
    return {"changed": change.changed, "diff": change.diff(), "before": before}


def main():
    module = SPEC.create_module()
    try:
        result = converge(module.params["path"], module.params["value"], module.check_mode)
    except OperatorError as error:
        module.fail_json(msg=str(error), **error.details)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
