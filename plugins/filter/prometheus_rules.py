# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: prometheus_rules
short_description: Write thresholds as alerting rules of Prometheus
version_added: 0.1.0
author:
  - The midi.capacity founders (@midi-capacity)
description:
  - Gives a rules file over the metrics of the agent's textfile.
  - There is an alert for each limit of each threshold, for what cannot be read, and for snapshots that do not come.
extends_documentation_fragment:
  - midi.capacity.thresholds
options:
  expected:
    description:
      - Labels of each series of snapshots that there has to be. Without it only the absence of all of them is noticed.
    type: list
    elements: dict
    default: []
"""

EXAMPLES = r"""
- name: Write rules for Prometheus
  ansible.builtin.copy:
    content: "{{ [{'metric': 'disk_used_percent', 'warn': 60}] | midi.capacity.prometheus_rules(60) }}"
    dest: /etc/prometheus/midi-capacity.rules.yml
    mode: "0644"
"""

RETURN = r"""
_value:
  description: The text of the file.
  type: str
"""

import json

from ansible.errors import AnsibleFilterError


def prometheus_rules(thresholds, interval_minutes, expected=()):
    from ansible_collections.midi.capacity.plugins.module_utils._thresholds import prometheus_rules, table

    found, problems = table.read(thresholds)
    if problems:
        raise AnsibleFilterError("prometheus_rules: " + "; ".join(problems))
    # JSON is YAML, and needs no library.
    return json.dumps(prometheus_rules.document(found, 60 * int(interval_minutes), expected), indent=2) + "\n"


class FilterModule:
    def filters(self):
        return {"prometheus_rules": prometheus_rules}
