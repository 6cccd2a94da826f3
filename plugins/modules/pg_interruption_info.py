#!/usr/bin/python
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: pg_interruption_info
short_description: Measure how long a restart of PostgreSQL leaves its clients without an answer
version_added: 0.1.0
author:
  - The midi.capacity founders (@midi-capacity)
description:
  - Asks the server some 50 times a second and connects again whenever the connection is lost, until a server that was
    started anew has answered. Gives the longest time without an answer.
  - Run it with C(async) and C(poll=0), wait until O(while_file) has the line C(ready), and restart the server.
extends_documentation_fragment:
  - midi.capacity.postgres
options:
  while_file:
    description:
      - A file that exists. The module writes C(ready) into it once it watches, and ends when it is removed.
    type: path
    required: true
  account:
    description:
      - The account that connects. It takes root to be another one than one's own, which it is without this. With
        C(async) many hosts let Ansible become root, and no other account.
    type: str
  limit_seconds:
    description:
      - How long to watch at most.
    type: float
    default: 600
attributes:
  check_mode:
    description: Runs as ever, for it only reads.
    support: full
  diff_mode:
    description: Changes nothing, so there is no difference to show.
    support: none
seealso:
  - module: midi.capacity.pg_drain
"""

EXAMPLES = r"""
- name: Watch while the server is restarted
  midi.capacity.pg_interruption_info:
    while_file: "{{ file.path }}"
    account: postgres
  become: true
  async: 600
  poll: 0
  register: watch
"""

RETURN = r"""
restarted:
  description: Whether a server that was started anew has answered.
  returned: success
  type: bool
interruption_seconds:
  description: The longest time between two answers.
  returned: success
  type: float
  sample: 1.36
answers:
  description: How many answers there were.
  returned: success
  type: int
  sample: 412
watched_seconds:
  description: How long the module watched.
  returned: success
  type: float
  sample: 9.8
"""

from ansible.module_utils.basic import missing_required_lib
from ansible_collections.midi.capacity.plugins.module_utils import _postgres
from ansible_collections.midi.capacity.plugins.module_utils._argspec import ArgumentSpec
from ansible_collections.midi.capacity.plugins.module_utils._errors import OperatorError
from ansible_collections.midi.capacity.plugins.module_utils._restart_flow import watch

SPEC = ArgumentSpec(
    {
        "while_file": {"type": "path", "required": True},
        "account": {"type": "str"},
        "limit_seconds": {"type": "float", "default": 600},
    }
)


def main():
    module = _postgres.POSTGRES_SPEC.merge(SPEC).create_module()
    if _postgres.psycopg2 is None:
        module.fail_json(msg=missing_required_lib("psycopg2"), exception=_postgres.PSYCOPG2_IMPORT_ERROR)
    try:
        result = watch(module.params)
    except OperatorError as error:
        module.fail_json(msg=str(error), **error.details)
    module.exit_json(changed=False, **result)


if __name__ == "__main__":
    main()
