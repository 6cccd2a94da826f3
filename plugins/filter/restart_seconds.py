# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: restart_seconds
short_description: Tell how long a restart of PostgreSQL takes at most
version_added: 0.1.0
author:
  - The midi.capacity founders (@midi-capacity)
description:
  - Adds up what a restart by role C(postgres_tuning) may take, the way back included, for the maintenance window that
    has to stay open and for the watch over the clients.
options:
  _input:
    description:
      - How long running transactions are given to end.
    type: float
    required: true
  timeout:
    description:
      - How long each of checkpoint, stop, start and answer may take, and the trial and the replay of the primary's WAL.
    type: float
    required: true
  trial:
    description:
      - Whether the values are tried before.
    type: bool
    required: true
  earlier:
    description:
      - How long hosts take that are restarted before this one.
    type: float
    default: 0
"""

EXAMPLES = r"""
- name: Say how long the window has to be
  ansible.builtin.debug:
    msg: "{{ (30 | midi.capacity.restart_seconds(timeout=60, trial=true)).whole }}"
"""

RETURN = r"""
_value:
  description:
    - C(restart), from the checkpoint before the drain to the end of the way back; C(own), with the trial; C(whole),
      with the hosts before. All in seconds.
  type: dict
"""

from ansible.errors import AnsibleFilterError
from ansible.module_utils.parsing.convert_bool import boolean


def restart_seconds(drain, timeout, trial, earlier=0):
    from ansible_collections.midi.capacity.plugins.module_utils._restart.duration import seconds

    try:
        return seconds(float(drain), float(timeout), boolean(trial), float(earlier))
    except (TypeError, ValueError) as error:
        raise AnsibleFilterError(f"restart_seconds: {error}") from error


class FilterModule:
    def filters(self):
        return {"restart_seconds": restart_seconds}
