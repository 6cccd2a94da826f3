#!/usr/bin/python
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: pg_answer_info
short_description: Tell whether a PostgreSQL server answers, and what is the matter where it does not
version_added: 0.1.0
author:
  - The midi.capacity founders (@midi-capacity)
description:
  - Logs in. Where that fails it finds out whether the server is down, or runs and lets nobody in, which is no reason to
    start it.
  - Goes by what the server sends, by whether anybody listens, and, with O(data_directory), by the server's process; not
    by messages, which come in many languages.
extends_documentation_fragment:
  - midi.capacity.postgres
options:
  data_directory:
    description:
      - The server's data directory, for a server that runs on this host and not in a container. Its process is looked
        for, too, so that a server is not taken for one that is down because the connection leads elsewhere.
    type: path
  wait_seconds:
    description:
      - How long to ask again while it is in one of the states of O(wait_while). V(0) asks once.
    type: float
    default: 0
  wait_while:
    description:
      - The states to wait in.
    type: list
    elements: str
    choices: [rejects, starting, silent, down]
    default: [rejects, starting, silent, down]
  must_answer:
    description:
      - Whether the module fails when the server does not answer in the end, with what is the matter.
    type: bool
    default: false
attributes:
  check_mode:
    description: Runs as ever, for it only reads.
    support: full
  diff_mode:
    description: Changes nothing, so there is no difference to show.
    support: none
seealso:
  - module: midi.capacity.pg_restart_info
  - name: How a server refuses a login
    description: The codes of its errors.
    link: https://www.postgresql.org/docs/current/errcodes-appendix.html
"""

EXAMPLES = r"""
- name: Look whether PostgreSQL is down
  midi.capacity.pg_answer_info:
    data_directory: /var/lib/postgresql/16/main
  become: true
  become_user: postgres
  register: found

- name: Wait until PostgreSQL answers
  midi.capacity.pg_answer_info:
    wait_seconds: 60
    must_answer: true
  become: true
  become_user: postgres
"""

RETURN = r"""
state:
  description:
    - V(answers). V(rejects) is a server that runs and refuses the login. V(starting) is one that starts or stops.
      V(down) is one that is not there, so nobody listens or its process is gone. V(silent) is all else that gives no
      answer, a connection that leads to the wrong place among it.
  returned: success, and with the failure that it causes
  type: str
  sample: rejects
words:
  description: What is the matter, empty for a server that answers.
  returned: success, and with the failure that it causes
  type: str
  sample: 'cannot connect to PostgreSQL: role "tuner" does not exist (db1 port 5432, role "tuner", database "postgres")'
remedy:
  description: What helps against it, or empty.
  returned: success, and with the failure that it causes
  type: str
  sample: check login_user and its password, or the pgpass file
started_at:
  description: When the server was started, or null for one that does not answer.
  returned: success, and with the failure that it causes
  type: str
pid:
  description: The number of the process that holds O(data_directory), where the server does not answer and it is known.
  returned: success, and with the failure that it causes
  type: int
waited_seconds:
  description: How long the module asked.
  returned: success, and with the failure that it causes
  type: float
  sample: 1.4
"""

from ansible.module_utils.basic import missing_required_lib
from ansible_collections.midi.capacity.plugins.module_utils import _postgres
from ansible_collections.midi.capacity.plugins.module_utils._argspec import ArgumentSpec
from ansible_collections.midi.capacity.plugins.module_utils._errors import OperatorError
from ansible_collections.midi.capacity.plugins.module_utils._restart_answer import ask

WAIT_WHILE = ["rejects", "starting", "silent", "down"]
SPEC = ArgumentSpec(
    {
        "data_directory": {"type": "path"},
        "wait_seconds": {"type": "float", "default": 0},
        "wait_while": {"type": "list", "elements": "str", "choices": WAIT_WHILE, "default": WAIT_WHILE},
        "must_answer": {"type": "bool", "default": False},
    }
)


def main():
    module = _postgres.POSTGRES_SPEC.merge(SPEC).create_module()
    if _postgres.psycopg2 is None:
        module.fail_json(msg=missing_required_lib("psycopg2"), exception=_postgres.PSYCOPG2_IMPORT_ERROR)
    try:
        result = ask(module.params)
    except OperatorError as error:
        module.fail_json(msg=str(error), **error.details)
    module.exit_json(changed=False, **result)


if __name__ == "__main__":
    main()
