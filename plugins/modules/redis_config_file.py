#!/usr/bin/python
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: redis_config_file
short_description: Set in its file what Redis reads when it starts, and tell whether that takes a restart
version_added: 0.1.0
author:
  - The midi.capacity founders (@midi-capacity)
description:
  - Puts a line for each setting into a C(redis.conf), where its first line was or at the end, and leaves all others
    as they are, also those that C(CONFIG REWRITE) wrote. What says the same in other words is left alone.
  - Asks the server that runs, if one does, what it runs with. What that server takes live is set by C(CONFIG SET), too;
    what it does not is in RV(restart_required). Which is which depends on the version, and the module knows.
  - Nothing is touched unless all settings can be taken. All faults are listed at once.
  - The text that was replaced is kept beside the file, with C(.before) at its name.
  - Restarts nothing. What of it is right afterwards another run in check mode tells.
extends_documentation_fragment:
  - midi.capacity.redis
options:
  path:
    description:
      - The configuration file on this host. A new one belongs to the owner and group of its directory, with mode
        V(0640). It must be no link.
    type: path
    required: true
  settings:
    description:
      - The settings, by name, with values as redis.conf has them; YAML's booleans become V(yes) and V(no).
      - Settings that hold a secret are refused.
    type: dict
    required: true
  initial:
    description:
      - Further settings for a file that is not there yet. In one that is they are left to others, as to
        M(midi.capacity.redis_settings).
    type: dict
    default: {}
  users_path:
    description:
      - The server's ACL file on this host, if it has one. A server that was started before that was last changed has
        read another one, and RV(restart_required) has V(users) then, whoever changed it and when.
    type: path
attributes:
  check_mode:
    description: Tells what it would change, and changes nothing.
    support: full
  diff_mode:
    description: Shows the values before and after, per setting that differs.
    support: full
notes:
  - Do not run M(midi.capacity.redis_settings) between this module and the restart that it asks for, because
    C(CONFIG REWRITE) writes what the server runs with.
  - The ACL user needs C(+info +config|get +config|set).
  - A server that does not take the login counts as one that has to be restarted, because it read its users then.
seealso:
  - module: midi.capacity.redis_settings
"""

EXAMPLES = r"""
- name: Have Redis listen on loopback, with users of its own
  midi.capacity.redis_config_file:
    path: /etc/redis/redis.conf
    settings:
      bind: 127.0.0.1
      aclfile: /etc/redis/users.acl
    users_path: /etc/redis/users.acl
  register: filed

- name: Restart Redis if that takes one
  ansible.builtin.systemd_service:
    name: redis-server
    state: restarted
  when: filed.restart_required | length > 0
"""

RETURN = r"""
running:
  description: Whether a server runs, even one that does not take the login.
  returned: success
  type: bool
login_refused:
  description: Whether a server runs that does not take the login, so that nobody knows what it runs with.
  returned: success
  type: bool
set_live:
  description: The settings that were set in the server that runs; in check mode those that would be.
  returned: success
  type: list
  elements: str
  sample: [bind]
restart_required:
  description:
    - What the server that runs has otherwise and does not take live. V(users) stands for a server that does not take
      the login, or was started before O(users_path) was changed. Empty when none runs.
  returned: success
  type: list
  elements: str
  sample: [aclfile]
before_path:
  description: Where the text that was replaced is kept; empty when nothing was, and in check mode.
  returned: success
  type: str
  sample: /etc/redis/redis.conf.before
problems:
  description: What is wrong with the settings.
  returned: when settings are refused before anything is touched
  type: list
  elements: str
  sample: ["io-thread is not a setting of this server: did you mean io-threads?"]
"""

from ansible_collections.midi.capacity.plugins.module_utils._argspec import ArgumentSpec
from ansible_collections.midi.capacity.plugins.module_utils._errors import OperatorError
from ansible_collections.midi.capacity.plugins.module_utils._redis import REDIS_SPEC
from ansible_collections.midi.capacity.plugins.module_utils._redis_config_flow import converge
from ansible_collections.midi.capacity.plugins.module_utils._redis_settings.secret import secrets

SPEC = ArgumentSpec(
    {
        "path": {"type": "path", "required": True},
        "settings": {"type": "dict", "required": True},
        "initial": {"type": "dict", "default": {}},
        "users_path": {"type": "path"},
    },
    # They are refused, and until then they must not show in the arguments that Ansible prints.
    secrets=lambda options: [*secrets(options["settings"]), *secrets(options["initial"])],
)


def main():
    module = REDIS_SPEC.merge(SPEC).create_module()
    try:
        result = converge(module.params, module.check_mode)
    except OperatorError as error:
        module.fail_json(msg=str(error), **error.details)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
