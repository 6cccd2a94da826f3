#!/usr/bin/python
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: redis_shrink
short_description: Have a running Redis server hold no more than it shall, before it is given less memory
version_added: 0.1.0
author:
  - The midi.capacity founders (@midi-capacity)
description:
  - Sets C(maxmemory), live and in the configuration file, and waits until the server has evicted what is too much.
  - Then has it give memory back to the system, and write its files anew, so that a start does not read what was
    evicted. After that the memory of its container may be made less, and a start finds room.
  - A server that must not evict and holds more than that is refused before anything is touched.
  - It waits and has the files written each time, so use it only before the container is changed.
extends_documentation_fragment:
  - midi.capacity.redis
options:
  maxmemory:
    description:
      - How much its data may take, as in V(100mb).
    type: str
    required: true
  timeout_seconds:
    description:
      - How long to wait, for the eviction and for the files together.
    type: int
    default: 300
attributes:
  check_mode:
    description: Tells what it would change, and changes nothing.
    support: full
  diff_mode:
    description: Shows C(maxmemory) before and after.
    support: full
notes:
  - What is evicted is gone.
seealso:
  - module: midi.capacity.redis_settings
"""

EXAMPLES = r"""
- name: Have it hold less before its container may
  midi.capacity.redis_shrink:
    maxmemory: 100mb
    login_password_file: /etc/midi-capacity/redis/cache.password
"""

RETURN = r"""
used_bytes:
  description: The memory that counts towards C(maxmemory), now.
  returned: success
  type: int
  sample: 104712432
"""

from ansible_collections.midi.capacity.plugins.module_utils._argspec import ArgumentSpec
from ansible_collections.midi.capacity.plugins.module_utils._errors import OperatorError
from ansible_collections.midi.capacity.plugins.module_utils._redis import REDIS_SPEC
from ansible_collections.midi.capacity.plugins.module_utils._redis_shrink_flow import shrink

SPEC = ArgumentSpec(
    {"maxmemory": {"type": "str", "required": True}, "timeout_seconds": {"type": "int", "default": 300}}
)


def main():
    module = REDIS_SPEC.merge(SPEC).create_module()
    try:
        result = shrink(module.params, module.check_mode, module.warn)
    except OperatorError as error:
        module.fail_json(msg=str(error), **error.details)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
