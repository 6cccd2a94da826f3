#!/usr/bin/python
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: redis_restart_proof
short_description: Prove that a Redis server keeps its data over a restart
version_added: 0.1.0
author:
  - The midi.capacity founders (@midi-capacity)
description:
  - Writes a key before the server is restarted, and finds it afterwards. That is a proof which no setting gives.
  - The key also tells the server's run, so that a server that was not restarted at all is found out.
  - A key that was found is unlinked. One that nobody came to find goes by itself after a day.
extends_documentation_fragment:
  - midi.capacity.redis
options:
  state:
    description:
      - V(written) writes a key and returns its name. V(found) fails unless that key is there and the server was started
        since.
    type: str
    choices: [written, found]
    required: true
  key:
    description:
      - The key that was written, with O(state=found).
    type: str
attributes:
  check_mode:
    description: Writes nothing and looks for nothing.
    support: full
  diff_mode:
    description: The key has no value that would tell anything.
    support: none
seealso:
  - module: midi.capacity.redis_settings
"""

EXAMPLES = r"""
- name: Write a key
  midi.capacity.redis_restart_proof:
    state: written
  register: proof

- name: Restart the server
  ansible.builtin.systemd_service:
    name: redis-server
    state: restarted

- name: Find the key
  midi.capacity.redis_restart_proof:
    state: found
    key: "{{ proof.key }}"
"""

RETURN = r"""
key:
  description: The key; in check mode with O(state=written) null.
  returned: success
  type: str
  sample: midi-capacity:restart-proof:5f3c0a9d1b7e2468
"""

from ansible_collections.midi.capacity.plugins.module_utils._argspec import ArgumentSpec
from ansible_collections.midi.capacity.plugins.module_utils._errors import OperatorError
from ansible_collections.midi.capacity.plugins.module_utils._redis import REDIS_SPEC
from ansible_collections.midi.capacity.plugins.module_utils._redis_proof_flow import prove

SPEC = ArgumentSpec(
    {
        "state": {"type": "str", "choices": ["written", "found"], "required": True},
        "key": {"type": "str", "no_log": False},
    },
)


def main():
    module = REDIS_SPEC.merge(SPEC).create_module()
    try:
        result = prove(module.params, module.check_mode)
    except OperatorError as error:
        module.fail_json(msg=str(error), **error.details)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
