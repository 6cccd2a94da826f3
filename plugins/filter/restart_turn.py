# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: restart_turn
short_description: Tell when a server of a replicated cluster is to be restarted
version_added: 0.1.0
author:
  - The midi.capacity founders (@midi-capacity)
description:
  - Settings that a standby needs as much of as its primary are raised on the standbys first and lowered on the primary
    first. Says when a host has its turn, and refuses what would stop a standby.
positional: host
options:
  _input:
    description:
      - For each host of the run C(host), its name, C(due), whether it is to be restarted now, C(seconds), how long that
        takes at most, and of M(midi.capacity.pg_restart_info) what it says of C(system_identifier), C(in_recovery),
        C(required) and C(standbys).
    type: list
    elements: dict
    required: true
  host:
    description:
      - The host to tell it for.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Say when this host has its turn
  ansible.builtin.debug:
    msg: "{{ (servers | midi.capacity.restart_turn(inventory_hostname)).turn }}"
"""

RETURN = r"""
_value:
  description:
    - C(turn), which is 1 or 2, or 0 for a host that is not restarted; C(after), the hosts that have to be done
      before; C(replay_of), the primary whose WAL has to be replayed before, or null; C(problem), why it must not be
      restarted, or an empty text; C(earlier_seconds), how long the first turn takes at most, for a host of the second.
  type: dict
"""

from ansible.errors import AnsibleFilterError


def restart_turn(servers, host):
    from ansible_collections.midi.capacity.plugins.module_utils._restart.order import turn_of

    try:
        return turn_of(host, servers)
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise AnsibleFilterError(f"restart_turn: these are no facts about servers: {error!r}") from error


class FilterModule:
    def filters(self):
        return {"restart_turn": restart_turn}
