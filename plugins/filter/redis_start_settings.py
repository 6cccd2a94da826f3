# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: redis_start_settings
short_description: Tell settings that Redis reads only when it starts from the others
version_added: 0.1.0
author:
  - The midi.capacity founders (@midi-capacity)
description:
  - Gives those of some settings that Redis, in one version or another, takes from its file only, as
    M(midi.capacity.redis_config_file) sets them; or the others, as M(midi.capacity.redis_settings) does.
options:
  _input:
    description:
      - The settings by name.
    type: dict
    required: true
  others:
    description:
      - Whether to give the others.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Say what is for the file
  ansible.builtin.debug:
    msg: "{{ {'io-threads': 4, 'timeout': 300} | midi.capacity.redis_start_settings }}"
"""

RETURN = r"""
_value:
  description: The settings.
  type: dict
  sample: {"io-threads": 4}
"""

from ansible.errors import AnsibleFilterError


def redis_start_settings(settings, others=False):
    from ansible_collections.midi.capacity.plugins.module_utils._redis_settings.start import split

    try:
        return split(settings)[bool(others)]
    except AttributeError as error:
        raise AnsibleFilterError(f"redis_start_settings: these are no settings: {error!r}") from error


class FilterModule:
    def filters(self):
        return {"redis_start_settings": redis_start_settings}
