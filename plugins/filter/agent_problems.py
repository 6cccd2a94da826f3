# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: agent_problems
short_description: Tell what is wrong with a configuration of the agent
version_added: 0.1.0
author:
  - The midi.capacity founders (@midi-capacity)
description:
  - Looks at all of it, the thresholds, channels and probes in it too, as the agent itself does.
options:
  _input:
    description:
      - The configuration, as M(midi.capacity.capacity_agent) takes it.
    type: dict
    required: true
  interval_minutes:
    description:
      - How far snapshots are apart.
    type: int
    default: 60
  capture_minutes:
    description:
      - How far captures of the statements' counters are apart, V(0) for none.
    type: int
    default: 5
"""

EXAMPLES = r"""
- name: Say what is wrong
  ansible.builtin.debug:
    msg: "{{ {'host': 'db1', 'state_dir': 'here'} | midi.capacity.agent_problems }}"
"""

RETURN = r"""
_value:
  description: What is wrong, a sentence each; nothing where the agent can do with it.
  type: list
  elements: str
  sample: ["config: keep_days is 0: write a whole number from 1 to 36500"]
"""


def agent_problems(config, interval_minutes=60, capture_minutes=5):
    from ansible_collections.midi.capacity.plugins.module_utils import _agent_install_config

    options = {
        "config": config,
        "interval_minutes": int(interval_minutes),
        "capture_minutes": int(capture_minutes),
    }
    return _agent_install_config.odd_schedule(options) + _agent_install_config.problems(options)


class FilterModule:
    def filters(self):
        return {"agent_problems": agent_problems}
