# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An alert in one line: what, its value, and against which limit."""

from __future__ import annotations

from typing import Any, Dict, List

from ansible_collections.midi.capacity.plugins.module_utils._report import human
from ansible_collections.midi.capacity.plugins.module_utils._thresholds.catalog import ABOVE
from ansible_collections.midi.capacity.plugins.module_utils._thresholds.model import (
    BADNESS,
    CRITICAL,
    OK,
    UNKNOWN,
    WARNING,
    beyond,
)
from ansible_collections.midi.capacity.plugins.module_utils._thresholds.units import UNITS

Json = Dict[str, Any]

_LIMITS = {WARNING: "warn", CRITICAL: "critical"}


def headline(alert: Json) -> str:
    """Of described.described, or of a message."""
    return f"{name(alert)}: {_said(alert)}"


def name(alert: Json) -> str:
    return f"{alert['title']}, {alert['subject']}" if alert["subject"] else f"{alert['title']}"


def tally(alerts: List[Json]) -> str:
    """2 critical, 1 unknown, 1 recovered: the worst first."""
    states = sorted((alert["state"] for alert in alerts), key=lambda state: -BADNESS[state])
    return ", ".join(
        f"{human.count(states.count(state))} {'recovered' if state == OK else state}" for state in dict.fromkeys(states)
    )


def _said(alert: Json) -> str:
    if alert["state"] == UNKNOWN:
        return "cannot be read"
    if alert["value"] is None:
        return alert["reason"] or "no value"
    limit = alert.get(_LIMITS.get(alert["state"], ""))
    unit = UNITS[alert["unit"]]
    shown = unit.shown(alert["value"])
    if limit is None or alert["unit"] == "flag":
        return shown
    direction = alert["direction"]
    if beyond(direction, alert["value"], limit):
        # Rounded, a value just beyond its limit looks as if it were on it.
        near = "just " if shown == unit.shown(limit) else f"{shown}, "
        return f"{near}{direction} {unit.shown(limit)}"
    back = limit - alert["hysteresis"] if direction == ABOVE else limit + alert["hysteresis"]
    return f"{shown}, not back to {unit.shown(back)} yet"
