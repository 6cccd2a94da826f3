#!/usr/bin/python
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: host_port_info
short_description: Tell who holds a TCP port of a host
version_added: 0.1.0
author:
  - The midi.capacity founders (@midi-capacity)
description:
  - Lists the sockets that keep others from listening on a port at any of some addresses, with the process of each.
  - Asks the kernel and needs nothing but Python. The processes of other accounts can be seen by root only.
options:
  port:
    description:
      - The port, V(1) to V(65535).
    type: int
    required: true
  addresses:
    description:
      - The addresses that somebody wants to listen at. V(0.0.0.0) and V(::) stand for all.
    type: list
    elements: str
    default: [0.0.0.0]
attributes:
  check_mode:
    description: Runs as ever, for it only reads.
    support: full
  diff_mode:
    description: There is nothing to differ.
    support: N/A
  platform:
    description: The systems that the module runs on.
    support: full
    platforms: linux
seealso:
  - module: midi.capacity.host_capacity_info
"""

EXAMPLES = r"""
- name: Look who has Redis' port
  midi.capacity.host_port_info:
    port: 6379
    addresses: [127.0.0.1]
  register: port

- name: Fail if anybody has it
  ansible.builtin.assert:
    that: port.holders | length == 0
    fail_msg: "{{ port.holders | map(attribute='process') | join(', ') }}"
"""

RETURN = r"""
holders:
  description: Every socket that is in the way.
  returned: success
  type: list
  elements: dict
  contains:
    address:
      description: The address that it listens at.
      type: str
      sample: 127.0.0.1
    port:
      description: The port.
      type: int
      sample: 6379
    pid:
      description: The process that has it; null where this account may not see it.
      type: int
      sample: 1234
    process:
      description: The name of that process, or null.
      type: str
      sample: redis-server
"""

import ipaddress

from ansible_collections.midi.capacity.plugins.module_utils._argspec import ArgumentSpec
from ansible_collections.midi.capacity.plugins.module_utils._errors import OperatorError
from ansible_collections.midi.capacity.plugins.module_utils._host import Host

HIGHEST_PORT = 65535
SPEC = ArgumentSpec(
    {
        "port": {"type": "int", "required": True},
        "addresses": {"type": "list", "elements": "str", "default": ["0.0.0.0"]},
    }
)


def holders(options):
    if not 1 <= options["port"] <= HIGHEST_PORT:
        raise OperatorError(f"port is {options['port']}, which is no port", remedy=f"give 1 to {HIGHEST_PORT}")
    for address in options["addresses"]:
        try:
            ipaddress.ip_address(address)
        except ValueError:
            raise OperatorError(f"{address!r} is no address", "addresses", "give addresses, not names") from None
    return Host().holders(options["port"], options["addresses"])


def main():
    module = SPEC.create_module()
    try:
        found = holders(module.params)
    except OperatorError as error:
        module.fail_json(msg=str(error), **error.details)
    module.exit_json(changed=False, holders=found)


if __name__ == "__main__":
    main()
