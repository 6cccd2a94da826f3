# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: maintenance_window
short_description: Tell whether a maintenance window is open
version_added: 0.1.0
author:
  - The midi.capacity founders (@midi-capacity)
description:
  - Looks at the controller's clock and says whether maintenance may begin now, and when it may the next time.
options:
  _input:
    description:
      - One window or several, separated by semicolons, each the days, the time of the day, and the time zone, which is
        UTC if left out. An end that is not later than the beginning is on the next day.
      - An empty text is always open.
    type: str
    required: true
  needed_seconds:
    description:
      - How long the window has to stay open.
    type: float
    default: 0
  now:
    description:
      - The moment to look at instead of the clock, in ISO 8601 with its offset.
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: Say when maintenance may begin
  ansible.builtin.debug:
    msg: "{{ ('Sat,Sun 02:00-05:00 Europe/Berlin' | midi.capacity.maintenance_window).text }}"
"""

RETURN = r"""
_value:
  description: C(open), C(closes_at) and C(opens_at) (in UTC, or null), and C(text) for people.
  type: dict
"""

from datetime import datetime, timezone

from ansible.errors import AnsibleFilterError


def maintenance_window(text, needed_seconds=0, now=""):
    from ansible_collections.midi.capacity.plugins.module_utils._restart.window import WindowError, state

    try:
        moment = datetime.fromisoformat(now) if now else datetime.now(timezone.utc)
        return state(str(text or ""), moment, float(needed_seconds))
    except (TypeError, ValueError) as error:
        # WindowError says what to write; the others are about the filter's own options.
        prefix = "" if isinstance(error, WindowError) else "maintenance_window: "
        raise AnsibleFilterError(f"{prefix}{error}") from error


class FilterModule:
    def filters(self):
        return {"maintenance_window": maintenance_window}
