# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: phase1_summary
short_description: Say where phase 1 stands on a host
version_added: 0.1.0
author:
  - The midi.capacity founders (@midi-capacity)
description:
  - Gives a short text with every setting (wanted, live, where it comes from), the extension, the cache, the
    agent and its history and the baseline, and what is left to do.
options:
  _input:
    description:
      - C(tuning), C(cache), C(agent) and C(baseline), each the fact that the role
        P(midi.capacity.postgres_tuning#role), P(midi.capacity.redis_cache#role),
        P(midi.capacity.monitoring_cron#role) or P(midi.capacity.capacity_baseline#role) leaves, or V(null) where it
        did not run. C(baseline_cache) is C(cache) of the host whose cache is in the baseline.
    type: dict
    required: true
  check_mode:
    description:
      - Whether the facts are of a run in check mode, so that they tell what would be.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Say where the settings stand
  ansible.builtin.debug:
    msg: "{{ {'tuning': postgres_tuning_result} | midi.capacity.phase1_summary }}"
"""

RETURN = r"""
_value:
  description: The summary, in lines.
  type: str
"""

from ansible.errors import AnsibleFilterError


def phase1_summary(results, check_mode=False):
    from ansible_collections.midi.capacity.plugins.module_utils._summary.phase1 import phase1

    try:
        return phase1(results, check_mode)
    except (AttributeError, KeyError, TypeError) as error:
        raise AnsibleFilterError(f"phase1_summary: these are no results of phase 1: {error!r}") from error


class FilterModule:
    def filters(self):
        return {"phase1_summary": phase1_summary}
