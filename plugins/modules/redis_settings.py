#!/usr/bin/python
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: redis_settings
short_description: Set Redis settings while the server runs, keep them, and prove that they are in effect
version_added: 0.1.0
author:
  - The midi.capacity founders (@midi-capacity)
description:
  - Sets any number of settings over one connection with C(CONFIG SET), reads every one of them back, and writes them
    into the server's configuration file with C(CONFIG REWRITE), so that a restart keeps them.
  - Nothing is touched unless all settings are known, can change while the server runs, and have values that they can
    take. All faults are listed at once.
  - What only the server can judge, it judges. If it refuses a value, reads it back as another, or cannot write its
    configuration file, all settings get back the values that they had.
  - From Redis 7.0 on all settings are set by one command, all or none. Redis 6.2 gets them one by one.
  - What makes the server evict keys, which are the memory limit and its policy, is set last and on its own, when all
    else is proven and in the file. If something fails even then, the message tells how many keys were evicted.
  - Where C(appendonly) is wanted, the module waits until the append-only file is really written.
  - The configuration file is written on every run, also when nothing differs, because a value that is live may come
    from a C(CONFIG SET) by hand, which a restart forgets. That is not reported as a change.
  - A restart undoes what a line that is read later says otherwise, in a file that the configuration file includes or
    on the server's command line. The module looks for those where it runs on the server's host, connects over a Unix
    socket or loopback, and may read the configuration file, which takes C(root) or the server's account. Elsewhere,
    that the file was written is all that it knows. Redis hides its command line unless C(set-proc-title) is V(no).
extends_documentation_fragment:
  - midi.capacity.redis
options:
  settings:
    description:
      - The settings, by name. Sizes may carry Redis' units, where V(10gb) is 10 times 1024 to the power of 3 and V(10g)
        is 10 times 1000 to the power of 3; YAML's booleans become V(yes) and V(no).
      - C(save) takes a list of pairs (V(3600 1)) or one text (V(3600 1 300 100)); an empty text or list switches saving
        off. Other settings with several words take a list or a text, too.
      - C(client-output-buffer-limit) changes the classes that are named and leaves the others as they are.
      - Settings that hold a secret (C(requirepass), C(masterauth), and the passwords of TLS keys) are refused.
    type: dict
    required: true
  persist:
    description:
      - Whether the settings are written into the server's configuration file.
      - V(always) changes nothing at all and fails when the server runs without a configuration file, as it does in a
        container that was started with nothing but options.
      - V(if_possible) warns then, on every run. V(never) leaves the file alone and warns, too; it is for servers whose
        file is managed in another way.
    type: str
    choices: [always, if_possible, never]
    default: always
  maxmemory_limit_percent:
    description:
      - The largest share of the host's RAM that C(maxmemory) may be, V(1) to V(100). A fork for saving needs room for
        the pages that change meanwhile, and so do buffers and fragmentation.
      - The host's RAM is what the server says. It does not know the limit of a container.
      - V(100) does not check; only then C(maxmemory) may be V(0), which is no limit.
    type: int
    default: 75
  aof_wait_seconds:
    description:
      - How long writing the append-only file may take after C(appendonly) was switched on, by this run or another.
    type: int
    default: 300
  on_override:
    description:
      - What happens when a restart would undo a wanted value, because an included file or the command line says
        otherwise. V(fail) changes nothing at all and fails. V(warn) sets and writes the values all the same, and warns.
      - C(CONFIG REWRITE) does not write a value that is Redis' default where the file has no line for it. When an
        included file gives another value then, the module finds that afterwards, and warns.
    type: str
    choices: [fail, warn]
    default: fail
attributes:
  check_mode:
    description: Tells what it would change, and changes nothing.
    support: full
  diff_mode:
    description: Shows the values before and after, per setting that differs.
    support: full
notes:
  - The ACL user needs C(+info +config|get +config|set +config|rewrite).
  - A replica has settings of its own; they are set where the module connects to.
  - A C(maxmemory) below the memory in use evicts keys at once, with a warning. No way back returns those keys.
  - C(CONFIG REWRITE) makes the configuration file anew, and commonly readable for everybody. Where the module may look
    at the file it gives it back its mode and owner at once; elsewhere look at them yourself if it holds a password.
seealso:
  - module: midi.capacity.redis_cache_info
  - name: Redis' configuration
    description: The file redis.conf, in which every setting is explained.
    link: https://redis.io/docs/latest/operate/oss_and_stack/management/config/
"""

EXAMPLES = r"""
- name: Limit the cache, let it evict what is used least, and keep it on disk
  midi.capacity.redis_settings:
    settings:
      maxmemory: 10gb
      maxmemory-policy: allkeys-lfu
      appendonly: true
      appendfsync: everysec
      save:
        - 900 1
        - 300 10
        - 60 10000
  register: tuned

- name: Say what was done
  ansible.builtin.debug:
    var: tuned.executed_commands

- name: Set something for the moment only
  midi.capacity.redis_settings:
    settings:
      slowlog-log-slower-than: 1000
    persist: never
"""

RETURN = r"""
settings:
  description: Every setting of O(settings), by its name as Redis spells it. Values are as redis.conf writes them.
  returned: success
  type: dict
  contains:
    name:
      description: The name as Redis spells it.
      type: str
      sample: maxmemory
    wanted:
      description: The value that the server shall use.
      type: str
      sample: 10gb
    before:
      description: The value that it used before.
      type: str
      sample: "0"
    live:
      description: The value that it uses, read back. In check mode, the value as it would be.
      type: str
      sample: 10gb
    state:
      description:
        - V(applied) is live and in the configuration file. V(live_only) is live, and either was not written into the
          file, whatever it says, or is in RV(overridden), so that a restart may forget it.
      type: str
      sample: applied
persisted:
  description: Whether the configuration file was written; in check mode, whether it would be.
  returned: success
  type: bool
executed_commands:
  description: The commands that were run to set and to keep the settings; in check mode none.
  returned: success
  type: list
  elements: str
  sample: ['CONFIG SET maxmemory "10737418240"', "CONFIG REWRITE"]
overridden:
  description:
    - Every wanted value that a restart would undo. With O(on_override=fail) it comes with the failure.
  returned: success, or when something overrides settings
  type: list
  elements: dict
  contains:
    name:
      description: The name of the setting.
      type: str
      sample: maxmemory
    by:
      description: What is read later, the file and line or V(the command line).
      type: str
      sample: /etc/redis/limits.conf line 3
    value:
      description: What it says.
      type: str
      sample: 100mb
    wanted:
      description: What is wanted.
      type: str
      sample: 10gb
    remedy:
      description: What to do about it.
      type: str
      sample: take "maxmemory 100mb" out of /etc/redis/limits.conf line 3
problems:
  description: What is wrong with O(settings).
  returned: when settings are refused before anything is touched
  type: list
  elements: str
  sample: ["maxmemory-polcy is not a setting of this server: did you mean maxmemory-policy?"]
server:
  description: Which server it was.
  returned: success
  type: dict
  contains:
    version:
      description: Its version.
      type: str
      sample: 7.0.15
    role:
      description: V(master) or V(replica).
      type: str
      sample: master
    config_file:
      description: Its configuration file, or null when it was started without one.
      type: str
      sample: /etc/redis/redis.conf
    where:
      description: Where the module connected to.
      type: str
      sample: 127.0.0.1:6379
"""

from ansible_collections.midi.capacity.plugins.module_utils._argspec import ArgumentSpec
from ansible_collections.midi.capacity.plugins.module_utils._errors import OperatorError
from ansible_collections.midi.capacity.plugins.module_utils._redis import REDIS_SPEC
from ansible_collections.midi.capacity.plugins.module_utils._redis_settings.secret import secrets
from ansible_collections.midi.capacity.plugins.module_utils._redis_settings_flow import converge

SPEC = ArgumentSpec(
    {
        "settings": {"type": "dict", "required": True},
        "persist": {"type": "str", "choices": ["always", "if_possible", "never"], "default": "always"},
        "maxmemory_limit_percent": {"type": "int", "default": 75},
        "aof_wait_seconds": {"type": "int", "default": 300},
        "on_override": {"type": "str", "choices": ["fail", "warn"], "default": "fail"},
    },
    # They are refused, and until then they must not show in the arguments that Ansible prints.
    secrets=lambda options: secrets(options["settings"]),
)


def main():
    module = REDIS_SPEC.merge(SPEC).create_module()
    try:
        result = converge(module.params, module.check_mode, module.warn)
    except OperatorError as error:
        module.fail_json(msg=str(error), **error.details)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
