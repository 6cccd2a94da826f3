# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: grafana_dashboard
short_description: Write thresholds as a dashboard of Grafana
version_added: 0.1.0
author:
  - The midi.capacity founders (@midi-capacity)
description:
  - Gives a dashboard over the metrics of the agent's textfile, to import or to provision.
  - Its identity is the same whenever it is made.
extends_documentation_fragment:
  - midi.capacity.thresholds
"""

EXAMPLES = r"""
- name: Write a dashboard for Grafana
  ansible.builtin.copy:
    content: "{{ [{'metric': 'disk_used_percent', 'warn': 60}] | midi.capacity.grafana_dashboard(60) }}"
    dest: /var/lib/grafana/dashboards/midi-capacity.json
    mode: "0644"
"""

RETURN = r"""
_value:
  description: The text of the file.
  type: str
"""

import json

from ansible.errors import AnsibleFilterError


def grafana_dashboard(thresholds, interval_minutes):
    from ansible_collections.midi.capacity.plugins.module_utils._thresholds import grafana, table

    found, problems = table.read(thresholds)
    if problems:
        raise AnsibleFilterError("grafana_dashboard: " + "; ".join(problems))
    return json.dumps(grafana.document(found, 60 * int(interval_minutes)), indent=2) + "\n"


class FilterModule:
    def filters(self):
        return {"grafana_dashboard": grafana_dashboard}
