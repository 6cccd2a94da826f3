#!/usr/bin/python
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: pg_settings
short_description: Set PostgreSQL settings and prove that they are in effect
version_added: 0.1.0
author:
  - The midi.capacity founders (@midi-capacity)
description:
  - Sets any number of settings over one connection with C(ALTER SYSTEM), reloads the configuration once, and
    reads every setting back with its source.
  - Nothing is touched unless all settings are known, of the right type and in range, and nothing overrides
    them. All faults are listed at once.
  - A setting that a command line option, an environment variable or C(ALTER ROLE/DATABASE ... SET) overrides is
    reported with what to change, because C(ALTER SYSTEM) and even a restart would not make it take effect.
  - The module never restarts the server. RV(restart_required) says that a value waits for a restart.
extends_documentation_fragment:
  - midi.capacity.postgres
options:
  settings:
    description:
      - The settings, by name. Numbers may carry PostgreSQL's units (V(128MB), V(5min)); booleans and enums are
        taken in any spelling that PostgreSQL takes.
      - Settings that are lists take a YAML list or a comma-separated text.
      - With O(state=absent) the values are not used and may be left empty.
    type: dict
    required: true
  state:
    description:
      - V(present) makes each setting have the wanted value.
      - V(absent) takes away what C(ALTER SYSTEM) stored for each setting, so that the other configuration files
        or the default count again.
    type: str
    choices: [present, absent]
    default: present
  reset:
    description:
      - With O(state=present), settings for which what C(ALTER SYSTEM) stored is taken away in the same go.
    type: list
    elements: str
    default: []
  lists:
    description:
      - V(merge) adds the wanted elements of C(shared_preload_libraries), C(session_preload_libraries) and
        C(local_preload_libraries) to those that are there. V(replace) makes these lists exactly as wanted.
      - All other lists are always made exactly as wanted.
    type: str
    choices: [merge, replace]
    default: merge
  on_override:
    description:
      - What happens when something overrides a wanted value. V(fail) changes nothing at all and fails.
      - V(warn) stores the values all the same, so that they count as soon as the override is gone, and warns.
    type: str
    choices: [fail, warn]
    default: fail
  on_danger:
    description:
      - What happens when a dangerous setting, wanted here or left behind by somebody else, would be in effect after
        this run or from the next start on. RV(dangers) says which those are.
      - V(fail) changes nothing at all and fails. V(warn) goes on and warns.
    type: str
    choices: [fail, warn]
    default: warn
  restore_safety:
    description:
      - Whether dangerous settings that C(ALTER SYSTEM) stored are taken back, together with what is wanted. RV(dangers)
        says which settings are dangerous, and RV(restored) which were taken back.
      - What C(ALTER SYSTEM) stored is taken away. Where the files below say something dangerous as well, the safe
        value is stored instead.
      - What stands elsewhere (on the command line, in other files, with a role or a database) stays, and is for
        O(on_danger). So is what O(settings) want.
    type: bool
    default: false
attributes:
  check_mode:
    description: Tells what it would change, and changes nothing.
    support: full
  diff_mode:
    description: Shows the configured values before and after, per setting that differs.
    support: full
notes:
  - Needs a role that may read the configuration files and run C(ALTER SYSTEM), commonly a superuser.
  - A setting of an extension is known only once its library is loaded.
seealso:
  - module: community.postgresql.postgresql_alter_system
  - name: How PostgreSQL finds the value of a setting
    description: Configuration files, ALTER SYSTEM, the command line, and what wins.
    link: https://www.postgresql.org/docs/current/config-setting.html
"""

EXAMPLES = r"""
- name: Raise connections and parallel workers, and load pg_stat_statements beside what is loaded already
  midi.capacity.pg_settings:
    settings:
      max_connections: 256
      max_parallel_workers: 32
      max_parallel_workers_per_gather: 16
      max_worker_processes: 32
      shared_preload_libraries: pg_stat_statements
  become: true
  become_user: postgres
  register: tuned

- name: Say whether a restart is due
  ansible.builtin.debug:
    msg: "Restart needed: {{ tuned.restart_required }}"

- name: Take away what ALTER SYSTEM stored for single settings
  midi.capacity.pg_settings:
    state: absent
    settings:
      work_mem:
      random_page_cost:
  become: true
  become_user: postgres

- name: Take back fsync = off and its kind, which a bulk loader left behind, and refuse what stands elsewhere
  midi.capacity.pg_settings:
    settings: {}
    restore_safety: true
    on_danger: fail
  become: true
  become_user: postgres
"""

RETURN = r"""
settings:
  description:
    - Every setting of O(settings), by its name as PostgreSQL spells it; with O(restore_safety) also those of
      RV(restored), and C(wal_level) as long as a server that was started with V(minimal) waits for its restart.
  returned: success
  type: dict
  contains:
    wanted:
      description: The value that the configuration files shall give, in PostgreSQL's own writing.
      type: str
      sample: 256
    before:
      description: The value that the configuration files gave before.
      type: str
      sample: 100
    live:
      description: The value that the server uses, read back. In check mode, the value as it would be.
      type: str
      sample: 256
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
    state:
      description: V(applied), V(pending_restart) or V(overridden).
      type: str
      sample: applied
    action:
      description: What was done to the configuration, V(set), V(reset) or V(none).
      type: str
      sample: set
restart_required:
  description: Whether a value waits for a restart of the server.
  returned: success
  type: bool
overridden:
  description: Everything that wins over a wanted value. With O(on_override=fail) it comes with the failure.
  returned: success, and with the failure that it causes
  type: list
  elements: dict
  contains:
    name:
      description: The setting.
      type: str
    by:
      description: What overrides it, for example V(the command line) or V(role "importer").
      type: str
    value:
      description: The value that wins.
      type: str
    wanted:
      description: The value that does not come through.
      type: str
    remedy:
      description: What to change so that the wanted value counts.
      type: str
dangers:
  description:
    - Settings, wanted here or not, that risk the data, blind the statistics or would keep the server from
      starting again. In check mode, those that would be left. With O(on_danger=fail) they come with the failure.
  returned: success, and with the failure that it causes
  type: list
  elements: dict
  contains:
    name:
      description: The setting.
      type: str
    value:
      description: Its value, live or waiting for the next start.
      type: str
    consequence:
      description: What it can cost.
      type: str
    where:
      description: Where it is set.
      type: str
    remedy:
      description: What to do about it.
      type: str
    prevents_start:
      description: Whether the server will not start again with it.
      type: bool
stored:
  description:
    - What C(ALTER SYSTEM) had stored and has stored now, for every setting whose stored value changes. In check mode,
      as it would be.
    - With V(before) as O(settings), and those where it is null as O(reset), the module takes all of it back.
  returned: success
  type: dict
  contains:
    before:
      description: The value as it was in C(postgresql.auto.conf), or null where there was none.
      type: str
      sample: null
    after:
      description: The value as it is there now, or null where there is none.
      type: str
      sample: "256"
restored:
  description: Dangerous settings that were taken back, by O(restore_safety). In check mode, those that would be.
  returned: success
  type: list
  elements: str
  sample: [fsync, full_page_writes]
executed_queries:
  description: The statements that were run to change something; in check mode none.
  returned: success
  type: list
  elements: str
  sample: ["ALTER SYSTEM SET \"max_connections\" = '256'"]
server:
  description: Which server it was.
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
"""

from ansible.module_utils.basic import missing_required_lib
from ansible_collections.midi.capacity.plugins.module_utils import _postgres
from ansible_collections.midi.capacity.plugins.module_utils._argspec import ArgumentSpec
from ansible_collections.midi.capacity.plugins.module_utils._errors import OperatorError
from ansible_collections.midi.capacity.plugins.module_utils._settings.values import secrets
from ansible_collections.midi.capacity.plugins.module_utils._settings_flow import converge

SPEC = ArgumentSpec(
    {
        "settings": {"type": "dict", "required": True},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "reset": {"type": "list", "elements": "str", "default": []},
        "lists": {"type": "str", "choices": ["merge", "replace"], "default": "merge"},
        "on_override": {"type": "str", "choices": ["fail", "warn"], "default": "fail"},
        "on_danger": {"type": "str", "choices": ["fail", "warn"], "default": "warn"},
        "restore_safety": {"type": "bool", "default": False},
    },
    secrets=lambda options: secrets(options["settings"]),
)


def main():
    module = _postgres.POSTGRES_SPEC.merge(SPEC).create_module()
    if _postgres.psycopg2 is None:
        module.fail_json(msg=missing_required_lib("psycopg2"), exception=_postgres.PSYCOPG2_IMPORT_ERROR)
    try:
        result = converge(module.params, check_mode=module.check_mode)
    except OperatorError as error:
        module.fail_json(msg=str(error), **error.details)
    for warning in result.pop("warnings"):
        module.warn(warning)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
