#!/usr/bin/python
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: pg_drain
short_description: Wait until no session of a PostgreSQL server is at work
version_added: 0.1.0
author:
  - The midi.capacity founders (@midi-capacity)
description:
  - Makes a checkpoint, so that the stop that is to follow has little left to write.
  - Then waits for the end of all transactions and queries that run, at most as long as O(limit_seconds) says. Sessions
    that only idle are not waited for, and nobody is cut off or kept from connecting. The last thing it does is to look,
    so what has begun during the checkpoint is waited for as well.
  - Where that takes long, it starts small checkpoints meanwhile.
extends_documentation_fragment:
  - midi.capacity.postgres
options:
  limit_seconds:
    description:
      - How long to wait at most. V(0) looks once.
    type: float
    default: 30
  on_limit:
    description:
      - What happens when sessions are still at work then. V(go_on) tells them in RV(at_work); V(fail) fails.
    type: str
    choices: [go_on, fail]
    default: go_on
  checkpoint:
    description:
      - Whether to make a checkpoint first.
    type: bool
    default: true
  checkpoint_limit_seconds:
    description:
      - How long to wait for it at most. The server goes on writing it after that.
    type: float
    default: 60
attributes:
  check_mode:
    description: Looks once, waits for nobody and makes no checkpoint.
    support: full
  diff_mode:
    description: Changes nothing that could be shown.
    support: none
notes:
  - Needs a role that sees other roles' sessions (C(pg_monitor)), and for the checkpoint a superuser or, from 15 on,
    C(pg_checkpoint).
seealso:
  - module: midi.capacity.pg_restart_info
"""

EXAMPLES = r"""
- name: Give running transactions a minute
  midi.capacity.pg_drain:
    limit_seconds: 60
    on_limit: fail
  become: true
  become_user: postgres
"""

RETURN = r"""
drained:
  description: Whether no session was at work in the end.
  returned: success
  type: bool
checkpoint_done:
  description: Whether a checkpoint was made, and ended in its time.
  returned: success
  type: bool
checkpoint_seconds:
  description: How long it was waited for.
  returned: success
  type: float
  sample: 0.4
waited_seconds:
  description: How long the sessions were waited for.
  returned: success
  type: float
  sample: 1.4
sessions:
  description: How many sessions of clients there were in the end, at work or not.
  returned: success
  type: int
  sample: 12
at_work:
  description: Those that were still at work, the longest transaction first, 20 at most.
  returned: success, and with the failure that it causes
  type: list
  elements: dict
  contains:
    pid:
      description: The process of the session.
      type: int
    user:
      description: Its role.
      type: str
    database:
      description: Its database.
      type: str
    application:
      description: What it calls itself.
      type: str
    state:
      description: Its state, as in C(pg_stat_activity).
      type: str
      sample: idle in transaction
    transaction_seconds:
      description: How long its transaction has run, or null.
      type: float
"""

from ansible.module_utils.basic import missing_required_lib
from ansible_collections.midi.capacity.plugins.module_utils import _postgres
from ansible_collections.midi.capacity.plugins.module_utils._argspec import ArgumentSpec
from ansible_collections.midi.capacity.plugins.module_utils._errors import OperatorError
from ansible_collections.midi.capacity.plugins.module_utils._restart_flow import drain

SPEC = ArgumentSpec(
    {
        "limit_seconds": {"type": "float", "default": 30},
        "on_limit": {"type": "str", "choices": ["go_on", "fail"], "default": "go_on"},
        "checkpoint": {"type": "bool", "default": True},
        "checkpoint_limit_seconds": {"type": "float", "default": 60},
    }
)


def main():
    module = _postgres.POSTGRES_SPEC.merge(SPEC).create_module()
    if _postgres.psycopg2 is None:
        module.fail_json(msg=missing_required_lib("psycopg2"), exception=_postgres.PSYCOPG2_IMPORT_ERROR)
    options = {**module.params, "limit_seconds": 0, "checkpoint": False} if module.check_mode else module.params
    try:
        result = drain(options)
    except OperatorError as error:
        module.fail_json(msg=str(error), **error.details)
    module.exit_json(changed=False, **result)


if __name__ == "__main__":
    main()
