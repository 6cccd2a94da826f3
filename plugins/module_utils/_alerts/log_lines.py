# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A message for the system's log: its subject, and of a digest a line for each alert as well."""

from __future__ import annotations

from typing import Any, Dict, List, Tuple

from ansible_collections.midi.capacity.plugins.module_utils._alerts import plain
from ansible_collections.midi.capacity.plugins.module_utils._alerts.headline import headline
from ansible_collections.midi.capacity.plugins.module_utils._alerts.texts import MOST_SHOWN, Place, subject
from ansible_collections.midi.capacity.plugins.module_utils._thresholds.model import CRITICAL, UNKNOWN, WARNING

LONGEST_LINE = 400
# Severities of RFC 5424, 6.2.1: critical, error, warning; notice for the others.
SEVERITIES = {CRITICAL: 2, UNKNOWN: 3, WARNING: 4}
NOTICE = 5


def lines(message: Dict[str, Any], place: Place) -> List[Tuple[int, str]]:
    """Severity and text of each line."""
    alerts = message["alerts"]
    found = [(SEVERITIES.get(message["state"], NOTICE), subject(message, place))]
    if len(alerts) > 1:
        found += [
            (SEVERITIES.get(alert["state"], NOTICE), f"{alert['state'].upper()}: {headline(alert)}")
            for alert in alerts[:MOST_SHOWN]
        ]
    return [(severity, plain.line(text, LONGEST_LINE)) for severity, text in found]
