#!/usr/bin/python
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: capacity_agent
short_description: Have the agent on a host, with its configuration and its schedule, in one step
version_added: 0.1.0
author:
  - The midi.capacity founders (@midi-capacity)
description:
  - Installs the program C(capacity-agent), which is a copy of the modules of this collection that it needs, writes its
    configuration, makes its directories, and has cron or systemd run it.
  - A version of the program has a directory of its own, which is named by what is in it. It is there whole before the
    command starts it, and only if it starts at all. The version before it stays, older ones go. What is damaged is
    found and written again.
  - When a host runs the agent is computed from its name, so that hosts take turns and each keeps its own.
  - Everything that is in the way is told at once, before anything is touched; so is what the agent itself would not
    take in its configuration. Files that this module did not write are in the way, and stay as they are.
options:
  state:
    description:
      - Whether the agent is there. With V(absent) all of it goes but its history, its log and their directories, and
        RV(kept) tells what stays.
    type: str
    choices: [present, absent]
    default: present
  config:
    description:
      - The agent's configuration. C(interval_seconds) and C(capture_seconds) come from O(interval_minutes) and
        O(capture_minutes). Addresses of webhooks, values of headers and passwords in it are in no output. C(host) and
        C(database) have to be there.
      - With O(state=absent) C(state_dir) of it tells where the agent keeps its state. With C(host) and C(database) no
        other one's agent is removed. The rest is not needed.
    type: dict
  account:
    description:
      - The account of the host that the agent runs as. Without it, the one that the module runs as.
    type: str
  prefix:
    description:
      - The directory of the versions of the program.
    type: path
    default: /usr/local/lib/capacity-agent
  command:
    description:
      - The command that starts the program. It uses the Python that this module runs with.
      - What cron, systemd, logrotate and C(systemd-tmpfiles) get is called as it is, so a host may have several agents,
        each with a command, an O(prefix) and a C(state_dir) of its own.
      - Another command for the same C(state_dir) is refused while the one before is there.
    type: path
    default: /usr/local/bin/capacity-agent
  schedule:
    description:
      - What runs snapshots and captures.
    type: str
    choices: [cron, timer, none]
    default: cron
  deadman:
    description:
      - What runs the look for snapshots that do not come any more. V(auto) is what does not run the snapshots, if the
        host has it, so that it notices when the other one stands still.
    type: str
    choices: [auto, cron, timer, none]
    default: auto
  mailto:
    description:
      - Whom cron mails what a run prints, which is nothing unless the agent itself fails. Empty for nobody.
    type: str
    default: root
  interval_minutes:
    description:
      - How far snapshots are apart. A number that divides an hour, or hours that divide a day.
    type: int
    default: 60
  capture_minutes:
    description:
      - How far captures of the statements' counters are apart, V(0) for none. A number that divides an hour.
    type: int
    default: 5
  snapshot:
    description:
      - Whether the agent takes a snapshot right away if its history has none, if anything of it changed, or if the last
        snapshot lacks something. The first proves that the agent works, as its account and with what it logs in by.
      - Only a first snapshot is a change; those after it are what the schedule brings anyway.
    type: bool
    default: false
  cron_dir:
    description:
      - Where cron reads files. Empty to leave it out.
    type: path
    default: /etc/cron.d
  units_dir:
    description:
      - Where systemd reads units. Timers are begun and ended only where systemd looks by itself. Empty to leave it out.
    type: path
    default: /etc/systemd/system
  logrotate_dir:
    description:
      - Where logrotate reads files. Empty to leave it out.
    type: path
    default: /etc/logrotate.d
  tmpfiles_dir:
    description:
      - Where C(systemd-tmpfiles) reads files. Empty to leave it out.
    type: path
    default: /etc/tmpfiles.d
attributes:
  check_mode:
    description: Tells what it would change, and changes nothing.
    support: full
  diff_mode:
    description:
      - Shows the text of what it writes, but of the program only its version. Of the configuration it shows what
        differs, and of C(channels), C(postgres) and C(redis) only that they do.
    support: full
  platform:
    description: The systems that the module runs on.
    support: full
    platforms: posix
"""

EXAMPLES = r"""
- name: Have the agent, run by cron, with a timer of systemd that looks after it
  midi.capacity.capacity_agent:
    account: postgres
    config:
      host: "{{ inventory_hostname }}"
      database: midi_library
      state_dir: /var/lib/midi-capacity
      runtime_dir: /run/midi-capacity
      log_file: /var/log/midi-capacity/agent.log
      postgres:
        service: midi_capacity
      channels:
        - type: syslog
  become: true

- name: Have it no more
  midi.capacity.capacity_agent:
    state: absent
  become: true
"""

RETURN = r"""
version:
  description: The version of the program, a digest of what is in it and of the Python that it is for.
  returned: O(state=present)
  type: str
  sample: 0f4b8c1d2e3a5f67
command:
  description: The command that starts it.
  returned: O(state=present)
  type: str
  sample: /usr/local/bin/capacity-agent
config:
  description: The file of its configuration.
  returned: O(state=present)
  type: str
  sample: /var/lib/midi-capacity/conf/agent.json
schedule:
  description: What runs the snapshots.
  returned: O(state=present)
  type: str
  sample: cron
deadman:
  description: What looks for snapshots that do not come any more; V(cron) for both is what a host without systemd gets.
  returned: O(state=present)
  type: str
  sample: timer
files:
  description: All that is installed, but directories of data.
  returned: O(state=present)
  type: list
  elements: str
  sample: [/etc/cron.d/capacity-agent, /usr/local/bin/capacity-agent]
history:
  description: What the history has after that. In check mode it is as it was.
  returned: O(state=present)
  type: dict
  contains:
    path:
      description: Its file.
      type: str
      sample: /var/lib/midi-capacity/agent/history.db
    snapshots:
      description: How many snapshots there are.
      type: int
    first:
      description: When the first one was taken; null without one.
      type: str
    last:
      description: When the last one was taken; null without one.
      type: str
    missing:
      description: What the last one could not read, each with C(part), C(reason) and C(remedy).
      type: list
      elements: dict
removed:
  description: What was there and is not any more.
  returned: success
  type: list
  elements: str
  sample: []
kept:
  description:
    - The version before this one; with O(state=absent) the directories that stay, and what is in the place of the
      textfile and is none of the agent's.
  returned: success
  type: list
  elements: str
  sample: [/var/lib/midi-capacity]
"""

from ansible_collections.midi.capacity.plugins.module_utils._agent_install import converge
from ansible_collections.midi.capacity.plugins.module_utils._agent_install_config import secrets
from ansible_collections.midi.capacity.plugins.module_utils._agent_remove import remove
from ansible_collections.midi.capacity.plugins.module_utils._argspec import ArgumentSpec
from ansible_collections.midi.capacity.plugins.module_utils._errors import OperatorError

SPEC = ArgumentSpec(
    {
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "config": {"type": "dict"},
        "account": {"type": "str"},
        "prefix": {"type": "path", "default": "/usr/local/lib/capacity-agent"},
        "command": {"type": "path", "default": "/usr/local/bin/capacity-agent"},
        "schedule": {"type": "str", "choices": ["cron", "timer", "none"], "default": "cron"},
        "deadman": {"type": "str", "choices": ["auto", "cron", "timer", "none"], "default": "auto"},
        "mailto": {"type": "str", "default": "root"},
        "interval_minutes": {"type": "int", "default": 60},
        "capture_minutes": {"type": "int", "default": 5},
        "snapshot": {"type": "bool", "default": False},
        "cron_dir": {"type": "path", "default": "/etc/cron.d"},
        "units_dir": {"type": "path", "default": "/etc/systemd/system"},
        "logrotate_dir": {"type": "path", "default": "/etc/logrotate.d"},
        "tmpfiles_dir": {"type": "path", "default": "/etc/tmpfiles.d"},
    },
    secrets=secrets,
    required_if=[("state", "present", ["config"])],
)


def main():
    module = SPEC.create_module()
    try:
        if module.params["state"] == "absent":
            result = remove(module.params, module.check_mode)
        else:
            result = converge(module.params, module.check_mode)
    except OperatorError as error:
        module.fail_json(msg=str(error), **error.details)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
