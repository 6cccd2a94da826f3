#!/usr/bin/python
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: pg_server_info
short_description: Tell which PostgreSQL server and database a connection leads to
version_added: 0.1.0
author:
  - The midi.capacity founders (@midi-capacity)
description:
  - Reads what tells a server and its database from all others, so that what was stored of one is not taken for
    another's.
  - Any role may use it.
extends_documentation_fragment:
  - midi.capacity.postgres
attributes:
  check_mode:
    description: Only reads, in check mode too.
    support: full
  diff_mode:
    description: Changes nothing, so there is no difference to show.
    support: none
seealso:
  - module: midi.capacity.pg_snapshot_info
  - module: midi.capacity.pg_settings_info
"""

EXAMPLES = r"""
- name: Find out which server it is
  midi.capacity.pg_server_info:
    login_db: midi_library
  become: true
  become_user: postgres
  register: found

- name: Say so
  ansible.builtin.debug:
    msg: "{{ found.server.database }} of {{ found.server.system_identifier }}"
"""

RETURN = r"""
server:
  description: Which server and database it is.
  returned: success
  type: dict
  contains:
    system_identifier:
      description: What tells this cluster from all others. A text, because many readers of JSON would round it.
      type: str
      sample: "7711527333102537146"
    database:
      description: The database.
      type: str
      sample: midi_library
    version:
      description: Version of the server.
      type: str
      sample: "16.4"
    version_num:
      description: The same as a number.
      type: int
      sample: 160004
    in_recovery:
      description: Whether it is a standby.
      type: bool
"""

from ansible.module_utils.basic import missing_required_lib
from ansible_collections.midi.capacity.plugins.module_utils import _postgres
from ansible_collections.midi.capacity.plugins.module_utils._errors import OperatorError


def main():
    module = _postgres.POSTGRES_SPEC.create_module()
    if _postgres.psycopg2 is None:
        module.fail_json(msg=missing_required_lib("psycopg2"), exception=_postgres.PSYCOPG2_IMPORT_ERROR)
    try:
        server = _postgres.Server.connect(module.params)
        found = {
            "system_identifier": server.system_identifier(),
            "database": server.database,
            "version": server.version,
            "version_num": server.version_num,
            "in_recovery": server.in_recovery(),
        }
        server.close()
    except OperatorError as error:
        module.fail_json(msg=str(error), **error.details)
    module.exit_json(changed=False, server=found)


if __name__ == "__main__":
    main()
