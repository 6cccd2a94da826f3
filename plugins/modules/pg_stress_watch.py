#!/usr/bin/python
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: pg_stress_watch
short_description: Watch a stress test for a while, and the PostgreSQL server that it loads
version_added: 0.1.0
author:
  - The midi.capacity founders (@midi-capacity)
description:
  - Counts the connections of the server twice a second, by what they do, until the stress test ends or O(seconds) are
    over, and says in one line how far the test is.
  - Tells the test that somebody watches; without that it ends by itself.
  - It never fails because of the server. One that cannot be looked at, because it has no connection left for example,
    stands in RV(reason).
  - Its own connection is not counted.
extends_documentation_fragment:
  - midi.capacity.postgres
options:
  directory:
    description:
      - The directory of the run, as for M(midi.capacity.stress_command).
    type: path
    required: true
  seconds:
    description:
      - How long to watch.
    type: float
    default: 10.0
  stop:
    description:
      - Whether to have the test end, if it has not yet. It ends within seconds, with all processes of its group.
    type: bool
    default: false
  growth_table:
    description:
      - The table whose rows come in. Empty counts none.
    type: str
    default: ""
  rows_inserted_before:
    description:
      - What M(midi.capacity.pg_stress_guard_info) said of it before.
    type: int
    default: 0
attributes:
  check_mode:
    description: Only looks, in check mode too; O(stop) has no effect then.
    support: full
  diff_mode:
    description: Changes nothing on the server, so there is no difference to show.
    support: none
seealso:
  - module: midi.capacity.stress_command
  - module: midi.capacity.pg_stress_import
"""

EXAMPLES = r"""
- name: Watch until it has ended
  midi.capacity.pg_stress_watch:
    directory: /var/lib/midi-capacity/stress/20261128T070000Z
    growth_table: files
  register: seen
  loop: "{{ range(1500) }}"
  loop_control:
    label: "{{ seen.msg | default('') }}"
    break_when: seen.done or seen.lost
"""

RETURN = r"""
msg:
  description: How far the test is and what the server does, in one line.
  returned: success
  type: str
  sample: "runs, 2 min 10 s: 12,345 rows came in; 9 connections, 2 waiting for a lock"
done:
  description: Whether the test has ended.
  returned: success
  type: bool
lost:
  description: Whether the process that ran it is gone without having said that it has ended.
  returned: success
  type: bool
progress:
  description: What the test says of itself, C(elapsed_seconds), C(errors), C(files) and C(group), its
    process group; null before it began.
  returned: success
  type: dict
rows:
  description: How many rows came into O(growth_table), or null. Those of failed transactions count, too.
  returned: success
  type: int
samples:
  description:
    - How often it looked, C(samples), and C(sums) and C(most) of C(total), C(in_database), C(active), C(idle),
      C(idle_in_transaction) and C(waiting), each a number of connections.
  returned: success
  type: dict
reason:
  description: Why the server could not be looked at, some of the time or always; or null.
  returned: success
  type: str
"""

from ansible.module_utils.basic import missing_required_lib
from ansible_collections.midi.capacity.plugins.module_utils import _postgres, _stress_watch
from ansible_collections.midi.capacity.plugins.module_utils._argspec import ArgumentSpec
from ansible_collections.midi.capacity.plugins.module_utils._errors import OperatorError

SPEC = ArgumentSpec(
    {
        "directory": {"type": "path", "required": True},
        "seconds": {"type": "float", "default": 10.0},
        "stop": {"type": "bool", "default": False},
        "growth_table": {"type": "str", "default": ""},
        "rows_inserted_before": {"type": "int", "default": 0},
    }
)


def main():
    module = _postgres.POSTGRES_SPEC.merge(SPEC).create_module()
    if _postgres.psycopg2 is None:
        module.fail_json(msg=missing_required_lib("psycopg2"), exception=_postgres.PSYCOPG2_IMPORT_ERROR)
    options = {**module.params, "stop": module.params["stop"] and not module.check_mode}
    try:
        result = _stress_watch.watch(options)
    except OperatorError as error:
        module.fail_json(msg=str(error), **error.details)
    module.exit_json(changed=False, **result)


if __name__ == "__main__":
    main()
