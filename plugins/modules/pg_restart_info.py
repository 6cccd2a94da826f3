#!/usr/bin/python
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: pg_restart_info
short_description: Read what has to be known before a PostgreSQL server is restarted
version_added: 0.1.0
author:
  - The midi.capacity founders (@midi-capacity)
description:
  - Tells which settings the server would start with that it does not run with now, and those that a standby needs at
    least as much of as its primary, with the values before and after.
  - Gives the configuration for a trial start on an empty data directory, and, with O(auto_conf), what
    C(postgresql.auto.conf) has to say so that the server starts with the values that it runs with now.
extends_documentation_fragment:
  - midi.capacity.postgres
options:
  auto_conf:
    description:
      - Whether to give RV(auto_conf) and RV(auto_conf_now) as well. That file can hold passwords, so use C(no_log) with
        it.
    type: bool
    default: false
attributes:
  check_mode:
    description: Only reads, in check mode too.
    support: full
  diff_mode:
    description: Changes nothing, so there is no difference to show.
    support: none
notes:
  - Needs a superuser.
seealso:
  - module: midi.capacity.pg_settings
  - name: Settings that a standby needs as much of as its primary
    description: In which order they are to be changed.
    link: https://www.postgresql.org/docs/current/hot-standby.html#HOT-STANDBY-ADMIN
"""

EXAMPLES = r"""
- name: Look what a restart would change
  midi.capacity.pg_restart_info:
  become: true
  become_user: postgres
  register: known

- name: Say it
  ansible.builtin.debug:
    msg: "{{ item.key }} would go from {{ item.value.live }} to {{ item.value.next_start }}"
  loop: "{{ known.pending | dict2items }}"
"""

RETURN = r"""
pending:
  description: The settings that would have another value after a restart, by name.
  returned: success
  type: dict
  contains:
    live:
      description: The value that the server runs with, as C(SHOW) prints it.
      type: str
      sample: "100"
    next_start:
      description: The value that it would start with.
      type: str
      sample: "256"
required:
  description: The settings that a standby needs at least as much of as its primary, as RV(pending).
  returned: success
  type: dict
standbys:
  description: How many standbys stream from this server.
  returned: success
  type: int
  sample: 1
trial_conf:
  description: A configuration file with what decides about a start, without places and names of the server itself.
  returned: success
  type: str
  sample: "max_connections = '256'\n"
auto_conf:
  description: The text of C(postgresql.auto.conf) that makes the next start take the live values.
  returned: with O(auto_conf=true)
  type: str
auto_conf_now:
  description: The text of C(postgresql.auto.conf) as it is, which tells later whether somebody has changed it since.
  returned: with O(auto_conf=true)
  type: str
server:
  description: Which server it is.
  returned: success
  type: dict
  contains:
    version:
      description: Its version.
      type: str
      sample: "16.4"
    in_recovery:
      description: Whether it is a standby.
      type: bool
    cluster_name:
      description: Its setting C(cluster_name), on Debian version and cluster.
      type: str
      sample: 16/main
    data_directory:
      description: Its data directory.
      type: str
    system_identifier:
      description: The number that a primary and its standbys have in common.
      type: str
      sample: "7301234567890123456"
    bin_directory:
      description: Where its programs are.
      type: str
      sample: /usr/lib/postgresql/16/bin
    started_at:
      description: When it was started.
      type: str
    wal_lsn:
      description: Where its WAL is; on a standby, how far it is replayed.
      type: str
      sample: 0/3000060
"""

from ansible.module_utils.basic import missing_required_lib
from ansible_collections.midi.capacity.plugins.module_utils import _postgres
from ansible_collections.midi.capacity.plugins.module_utils._argspec import ArgumentSpec
from ansible_collections.midi.capacity.plugins.module_utils._errors import OperatorError
from ansible_collections.midi.capacity.plugins.module_utils._restart_flow import known

SPEC = ArgumentSpec({"auto_conf": {"type": "bool", "default": False}})


def main():
    module = _postgres.POSTGRES_SPEC.merge(SPEC).create_module()
    if _postgres.psycopg2 is None:
        module.fail_json(msg=missing_required_lib("psycopg2"), exception=_postgres.PSYCOPG2_IMPORT_ERROR)
    try:
        result = known(module.params)
    except OperatorError as error:
        module.fail_json(msg=str(error), **error.details)
    module.exit_json(changed=False, **result)


if __name__ == "__main__":
    main()
