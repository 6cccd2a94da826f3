# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The units that metrics are in: for people, for Prometheus (base units), for monitoring plugins and for Grafana."""

from __future__ import annotations

from typing import Callable, Dict, NamedTuple

from ansible_collections.midi.capacity.plugins.module_utils._report import human


class Unit(NamedTuple):
    """suffix: how the name of a metric in it ends, empty for none; base_suffix: how its name in Prometheus does.

    per_base: how many of it are one of Prometheus' base unit. plugin: the unit of measurement in performance data.
    grafana: Grafana's name of the base unit. template: how Prometheus' templates show the base unit. shown: for people.
    """

    name: str
    suffix: str
    base_suffix: str
    per_base: float
    plugin: str
    grafana: str
    template: str
    shown: Callable[[float], str]


def _percent(value: float) -> str:
    return f"{human.significant(value)} %"


def _count(value: float) -> str:
    return human.count(value) if float(value).is_integer() else human.significant(value)


def _flag(value: float) -> str:
    return "down" if value > 0 else "up"


_UNITS = (
    Unit("percent", "_percent", "_ratio", 100.0, "%", "percentunit", "humanizePercentage", _percent),
    Unit("ms", "_ms", "_seconds", 1000.0, "ms", "s", "humanizeDuration", human.milliseconds),
    Unit("seconds", "_seconds", "_seconds", 1.0, "s", "s", "humanizeDuration", human.seconds),
    Unit("bytes", "_bytes", "_bytes", 1.0, "B", "bytes", "humanize1024", human.size),
    Unit("count", "", "", 1.0, "", "none", "humanize", _count),
    # 1 is down, 0 is up.
    Unit("flag", "", "", 1.0, "", "none", "humanize", _flag),
)
UNITS: Dict[str, Unit] = {unit.name: unit for unit in _UNITS}


def base_text(unit: Unit, value: float) -> str:
    """The value in Prometheus' base unit, as Prometheus reads it. A limit and a reading that are equal stay equal."""
    found = float(value) / unit.per_base
    return str(int(found)) if found.is_integer() and abs(found) < 1e15 else repr(found)
