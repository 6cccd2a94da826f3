# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: settings_way_back
short_description: Tell what to store so that PostgreSQL's settings are as before a run
version_added: 0.1.0
author:
  - The midi.capacity founders (@midi-capacity)
description:
  - Reads the history that P(midi.capacity.postgres_tuning#role) keeps and gives the values of before.
options:
  _input:
    description:
      - The entries of the history.
    type: list
    elements: dict
    required: true
  server:
    description:
      - The server, by its C(system_identifier) and C(data_directory). Entries of others do not count.
    type: dict
    required: true
  to:
    description:
      - The id of the run before which it is to be as it was. Empty takes the newest one.
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: Take the newest run back
  midi.capacity.pg_settings:
    settings: "{{ back.settings }}"
    reset: "{{ back.reset }}"
    lists: replace
  vars:
    back: "{{ entries | midi.capacity.settings_way_back(known.server) }}"
"""

RETURN = r"""
_value:
  description:
    - C(settings), the values to store; C(reset), the names whose stored value is to be taken away; C(undoes), the id of
      the run that it goes back before; C(ids), of all runs that are taken back.
  type: dict
"""

from ansible.errors import AnsibleFilterError


def settings_way_back(entries, server, to=""):
    from ansible_collections.midi.capacity.plugins.module_utils._history.rollback import HistoryError, way_back

    try:
        return way_back(entries, server, str(to))
    except HistoryError as error:
        raise AnsibleFilterError(str(error)) from error
    except (AttributeError, LookupError, TypeError) as error:
        raise AnsibleFilterError(f"settings_way_back: these are no entries of the history: {error!r}") from error


class FilterModule:
    def filters(self):
        return {"settings_way_back": settings_way_back}
