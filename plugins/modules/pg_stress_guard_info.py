#!/usr/bin/python
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: pg_stress_guard_info
short_description: Check that a PostgreSQL database may be stressed
version_added: 0.1.0
author:
  - The midi.capacity founders (@midi-capacity)
description:
  - Fails unless the database is marked as one for tests, or O(allow) says that it may be stressed all the same. It also
    fails on a standby, and while another stress test runs on the host.
  - The mark is C(ALTER DATABASE name SET midi_capacity.test = on). Only what is stored for the database, for all roles,
    counts; a copy of the database does not have it.
  - It changes nothing.
extends_documentation_fragment:
  - midi.capacity.postgres
options:
  allow:
    description:
      - Whether a database that is not marked may be stressed.
    type: bool
    default: false
  importer:
    description:
      - Whether the database also has to have the tables that M(midi.capacity.pg_stress_import) fills.
    type: bool
    default: false
  growth_table:
    description:
      - The table whose rows come in, for RV(rows_inserted). Empty leaves that out.
    type: str
    default: ""
  directory:
    description:
      - The directory of stress tests on the host. Without it, whether one runs is not looked at.
    type: path
  command:
    description:
      - The command of the stress test. With an address of PostgreSQL in it, or in O(environment), that has another
        database, it is refused, because it would stress another one than was looked at.
    type: raw
  environment:
    description:
      - The variables that the command gets. C(PGDATABASE) counts as an address does.
    type: dict
    default: {}
  patterns:
    description:
      - What the lines of a log mean, as for O(midi.capacity.stress_command#module:patterns). Only checked here.
    type: list
    elements: dict
    default: []
attributes:
  check_mode:
    description: Only reads, in check mode too.
    support: full
  diff_mode:
    description: Changes nothing, so there is no difference to show.
    support: none
seealso:
  - module: midi.capacity.pg_stress_import
"""

EXAMPLES = r"""
- name: Check that the database may be stressed
  midi.capacity.pg_stress_guard_info:
    login_db: midi_library_test
    growth_table: files
  become: true
  become_user: postgres
"""

RETURN = r"""
database:
  description: The database.
  returned: success
  type: str
  sample: midi_library_test
marked:
  description: Whether it is marked as one for tests.
  returned: success
  type: bool
allowed_by:
  description: Why it may be stressed, in words.
  returned: success
  type: str
  sample: its mark
rows_inserted:
  description:
    - How many rows have come into O(growth_table) since its statistics began, or null. The difference of two of these
      tells how far an import is.
  returned: success
  type: int
"""

from ansible.module_utils.basic import missing_required_lib
from ansible_collections.midi.capacity.plugins.module_utils import _postgres, _stress_guard, _stress_run
from ansible_collections.midi.capacity.plugins.module_utils._argspec import ArgumentSpec
from ansible_collections.midi.capacity.plugins.module_utils._errors import OperatorError
from ansible_collections.midi.capacity.plugins.module_utils._stress import command

SPEC = ArgumentSpec(
    {
        "allow": {"type": "bool", "default": False},
        "importer": {"type": "bool", "default": False},
        "growth_table": {"type": "str", "default": ""},
        "directory": {"type": "path"},
        "command": {"type": "raw"},
        "environment": {"type": "dict", "default": {}},
        "patterns": {"type": "list", "elements": "dict", "default": []},
    },
    secrets=lambda options: command.secrets(options["environment"]),
)


def guard(options):
    _stress_run.checked_patterns(options["patterns"])
    server = _postgres.Server.connect(options)
    try:
        return _stress_guard.guard(server, options)
    finally:
        server.close()


def main():
    module = _postgres.POSTGRES_SPEC.merge(SPEC).create_module()
    if _postgres.psycopg2 is None:
        module.fail_json(msg=missing_required_lib("psycopg2"), exception=_postgres.PSYCOPG2_IMPORT_ERROR)
    try:
        result = guard(module.params)
    except OperatorError as error:
        module.fail_json(msg=str(error), **error.details)
    module.exit_json(changed=False, **result)


if __name__ == "__main__":
    main()
