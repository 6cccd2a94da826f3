#!/usr/bin/python
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: pg_settings_info
short_description: Read PostgreSQL settings, as they are and as the next start would make them
version_added: 0.1.0
author:
  - The midi.capacity founders (@midi-capacity)
description:
  - Reads settings with their sources, and tells for each the value that the server would start with next time. The
    two differ while a change waits for a restart.
  - With O(settings) it tells what the values would be if M(midi.capacity.pg_settings) were to set these, and refuses
    what that module would refuse of them. It changes nothing.
  - Tells the server's main process, whose control group has the limits that the server is under; see
    M(midi.capacity.host_capacity_info).
extends_documentation_fragment:
  - midi.capacity.postgres
options:
  names:
    description:
      - The settings to read, by name. Those that this version of PostgreSQL does not know are named in RV(unknown).
    type: list
    elements: str
    required: true
  settings:
    description:
      - Settings that are going to be wanted, by name, as for O(midi.capacity.pg_settings#module:settings).
      - They need not be among O(names).
    type: dict
    default: {}
  extensions:
    description:
      - Extensions that are going to be wanted. One that the server's host does not have is refused, because a server
        that is to load its library would not start.
    type: list
    elements: str
    default: []
attributes:
  check_mode:
    description: Only reads, in check mode too.
    support: full
  diff_mode:
    description: Changes nothing, so there is no difference to show.
    support: none
notes:
  - Needs a role that may read the configuration files, commonly a superuser.
seealso:
  - module: midi.capacity.pg_settings
  - module: midi.capacity.host_capacity_info
"""

EXAMPLES = r"""
- name: Read what the memory is given to, if work_mem were 64MB
  midi.capacity.pg_settings_info:
    names: [shared_buffers, work_mem, max_connections]
    settings:
      work_mem: 64MB
  become: true
  become_user: postgres
  register: known

- name: Say what waits for a restart
  ansible.builtin.debug:
    msg: "{{ item.key }} is {{ item.value.live }} and will be {{ item.value.next_start }}"
  loop: "{{ known.settings | dict2items | selectattr('value.pending_restart') }}"
"""

RETURN = r"""
settings:
  description: Every known setting of O(names), by its name as PostgreSQL spells it.
  returned: success
  type: dict
  contains:
    live:
      description: The value that the server uses, as C(SHOW) prints it.
      type: str
      sample: 128MB
    next_start:
      description: The value that it would start with, O(settings) counted.
      type: str
      sample: 15GB
    fixed:
      description: Whether the server was started with the value, so that no file and no C(ALTER SYSTEM) changes it.
      type: bool
    source:
      description: Where the live value comes from, as in the view C(pg_settings).
      type: str
      sample: configuration file
    sourcefile:
      description: File of the live value, or null.
      type: str
    sourceline:
      description: Line in RV(settings.sourcefile), or null.
      type: int
    context:
      description: When a change takes effect, as in the view C(pg_settings); V(postmaster) is a restart.
      type: str
      sample: postmaster
    pending_restart:
      description: Whether a value in the files waits for a restart.
      type: bool
unknown:
  description: Those of O(names) that this version of PostgreSQL does not have.
  returned: success
  type: list
  elements: str
next_start:
  description: RV(settings.next_start) alone, by name.
  returned: success
  type: dict
  sample: {"shared_buffers": "15GB", "work_mem": "64MB"}
fixed:
  description: The live values of the settings that are RV(settings.fixed), by name.
  returned: success
  type: dict
  sample: {"max_connections": "100"}
extensions:
  description: Every one of O(extensions), by its name, as it is in the database that the module is connected to.
  returned: success
  type: dict
  contains:
    version:
      description: Its version; null where it was not created.
      type: str
      sample: "1.10"
    schema:
      description: Its schema; null where it was not created.
      type: str
      sample: public
server:
  description: Which server it was.
  returned: success
  type: dict
  contains:
    version:
      description: Its version.
      type: str
      sample: "16.4"
    version_num:
      description: Its version as a number.
      type: int
      sample: 160004
    in_recovery:
      description: Whether it is a standby.
      type: bool
    system_identifier:
      description: What tells this cluster from all others, and a standby has that of its primary.
      type: str
      sample: "7711527333102537146"
    cluster_name:
      description: Its setting C(cluster_name), on Debian version and cluster.
      type: str
      sample: 16/main
    data_directory:
      description: Its data directory.
      type: str
    postmaster_pid:
      description:
        - The number of its main process on the host that runs the module.
        - A server in a container has it, too, if the container is on that host.
        - Null where its processes cannot be seen there, as with a server on another host.
      type: int
      sample: 812
"""

from ansible.module_utils.basic import missing_required_lib
from ansible_collections.midi.capacity.plugins.module_utils import _postgres
from ansible_collections.midi.capacity.plugins.module_utils._argspec import ArgumentSpec
from ansible_collections.midi.capacity.plugins.module_utils._errors import OperatorError
from ansible_collections.midi.capacity.plugins.module_utils._settings.values import secrets
from ansible_collections.midi.capacity.plugins.module_utils._settings_read import read

SPEC = ArgumentSpec(
    {
        "names": {"type": "list", "elements": "str", "required": True},
        "settings": {"type": "dict", "default": {}},
        "extensions": {"type": "list", "elements": "str", "default": []},
    },
    secrets=lambda options: secrets(options["settings"]),
)


def main():
    module = _postgres.POSTGRES_SPEC.merge(SPEC).create_module()
    if _postgres.psycopg2 is None:
        module.fail_json(msg=missing_required_lib("psycopg2"), exception=_postgres.PSYCOPG2_IMPORT_ERROR)
    try:
        result = read(module.params)
    except OperatorError as error:
        module.fail_json(msg=str(error), **error.details)
    module.exit_json(changed=False, **result)


if __name__ == "__main__":
    main()
