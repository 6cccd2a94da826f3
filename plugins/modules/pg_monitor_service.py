#!/usr/bin/python
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: pg_monitor_service
short_description: Have a libpq service that a monitoring role logs in by, and prove it
version_added: 0.1.0
author:
  - The midi.capacity founders (@midi-capacity)
description:
  - Finds out how a role that exists can log in, writes a service file for that, and a password file if it needs a
    password, and logs in by the service. Both files are for the account alone that the module runs as.
  - Tried are, in this order, what the service says already, a login without a password, and one with the password of
    the password file; over the Unix socket first and then on 127.0.0.1, or on O(login_host) alone where that is given.
  - Proves that the role may read what members of C(pg_monitor) may, and no table of a user that is not open to
    everybody.
  - The options of the connection say where the server is; O(login_user) and O(login_password) are not used.
extends_documentation_fragment:
  - midi.capacity.postgres
options:
  role:
    description:
      - The role that logs in.
    type: str
    required: true
  directory:
    description:
      - The directory of the files C(pg_service.conf) and C(pgpass). It has to be there, but in check mode.
    type: path
    required: true
  name:
    description:
      - The name of the service.
    type: str
    default: midi_capacity
  password:
    description:
      - The password to use where one is needed. Without it the one of the password file is used, and made up if there
        is none. Only printable characters of ASCII.
    type: str
  prepare_password:
    description:
      - Whether to do nothing but have a password in the password file, and return its RV(hash) so that the role can be
        given it. Use it with C(no_log).
    type: bool
    default: false
  must_log_in:
    description:
      - Whether to fail when the role cannot log in. The message has a line for C(pg_hba.conf).
    type: bool
    default: true
attributes:
  check_mode:
    description: Logs in, tells what it would write, and writes nothing.
    support: full
  diff_mode:
    description: Shows what differs in the service; of a password it shows only that it differs.
    support: full
notes:
  - Run it as the account that the service is for.
"""

EXAMPLES = r"""
- name: Log in as the monitoring role, if that can be done with what is there
  midi.capacity.pg_monitor_service:
    role: midi_monitor
    directory: /var/lib/midi-capacity/conf
    login_db: midi_library
    must_log_in: false
  become: true
  register: login

- name: Have a password for it
  midi.capacity.pg_monitor_service:
    role: midi_monitor
    directory: /var/lib/midi-capacity/conf
    prepare_password: true
  become: true
  no_log: true
  register: prepared
  when: not login.logs_in
"""

RETURN = r"""
logs_in:
  description: Whether the role can log in.
  returned: success, unless O(prepare_password)
  type: bool
host:
  description: Where it logs in, the host of the service; empty for libpq's default socket, null if it cannot.
  returned: success, unless O(prepare_password)
  type: str
  sample: 127.0.0.1
attempts:
  description: What did not work, and why.
  returned: success, unless O(prepare_password), and with the failure to log in
  type: list
  elements: str
proof:
  description: What was tried as that role; null if it cannot log in.
  returned: success, unless O(prepare_password)
  type: dict
  contains:
    refused_table:
      description: The table that it was refused to read; null if there is none that is not open to everybody.
      type: str
    public_tables:
      description: Tables that are open to everybody, and so to this role.
      type: list
      elements: str
service_file:
  description: The service file.
  returned: success
  type: str
  sample: /var/lib/midi-capacity/conf/pg_service.conf
password_file:
  description: The password file; null if the role needs none.
  returned: success
  type: str
hash:
  description: The password as C(CREATE ROLE) takes it, in SCRAM-SHA-256, with another salt each time.
  returned: success with O(prepare_password)
  type: str
"""

from ansible.module_utils.basic import missing_required_lib
from ansible_collections.midi.capacity.plugins.module_utils import _postgres
from ansible_collections.midi.capacity.plugins.module_utils._argspec import ArgumentSpec
from ansible_collections.midi.capacity.plugins.module_utils._errors import OperatorError
from ansible_collections.midi.capacity.plugins.module_utils._monitor_service import converge

SPEC = ArgumentSpec(
    {
        "role": {"type": "str", "required": True},
        "directory": {"type": "path", "required": True},
        "name": {"type": "str", "default": "midi_capacity"},
        "password": {"type": "str", "no_log": True},
        "prepare_password": {"type": "bool", "default": False, "no_log": False},
        "must_log_in": {"type": "bool", "default": True},
    }
)


def main():
    module = _postgres.POSTGRES_SPEC.merge(SPEC).create_module()
    if _postgres.psycopg2 is None:
        module.fail_json(msg=missing_required_lib("psycopg2"), exception=_postgres.PSYCOPG2_IMPORT_ERROR)
    try:
        result = converge(module.params, check_mode=module.check_mode)
    except OperatorError as error:
        module.fail_json(msg=str(error), **error.details)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
