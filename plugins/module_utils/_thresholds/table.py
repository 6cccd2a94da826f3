# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of thresholds: what people declare, laid over the defaults and checked as a whole."""

from __future__ import annotations

import difflib
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.midi.capacity.plugins.module_utils._thresholds import fields
from ansible_collections.midi.capacity.plugins.module_utils._thresholds.catalog import (
    ABOVE,
    BELOW,
    BY_NAME,
    METRICS,
    Metric,
)
from ansible_collections.midi.capacity.plugins.module_utils._thresholds.defaults import DEFAULTS
from ansible_collections.midi.capacity.plugins.module_utils._thresholds.model import Threshold, beyond

_READERS: Dict[str, Callable[[Any], Any]] = {
    "name": fields.text,
    "warn": fields.limit,
    "critical": fields.limit,
    "for": fields.samples,
    "unknown_for": fields.samples,
    "hysteresis": fields.at_least_zero,
    "remedy": fields.text,
    "enabled": fields.switch,
}
FIELDS = ("metric", "unit", "direction", *_READERS)


def read(entries: Any = ()) -> Tuple[List[Threshold], List[str]]:
    """All thresholds in the order of the catalog, disabled ones too, and everything that is wrong, a sentence each.

    entries: a list of mappings with the FIELDS, of which only metric has to be there; what one has takes the place of
    the default of that metric, field by field. warn or critical null: no such limit.
    A threshold with something wrong is as its default, so that whoever must go on can.
    """
    if entries is None:
        entries = ()
    if not isinstance(entries, (list, tuple)):
        return _defaults(), ["the thresholds are no list: write a list of mappings, each with a metric"]
    problems: List[str] = []
    found = {threshold.metric.name: threshold for threshold in _defaults()}
    places: Dict[str, int] = {}
    for position, entry in enumerate(entries, 1):
        metric, faults = _metric(entry, position, places)
        label = f"entry {position} ({metric.name})" if metric else f"entry {position}"
        if metric:
            threshold, faults = _threshold(metric, entry)
            if not faults:
                found[metric.name] = threshold
        problems += [f"{label}: {fault}" for fault in faults]
    return [found[metric.name] for metric in METRICS], problems


def enabled(thresholds: Sequence[Threshold]) -> List[Threshold]:
    """Those that are in force."""
    return [threshold for threshold in thresholds if threshold.enabled]


def _defaults() -> List[Threshold]:
    return [_threshold(BY_NAME[entry["metric"]], {})[0] for entry in DEFAULTS]


def _metric(entry: Any, position: int, places: Dict[str, int]) -> Tuple[Optional[Metric], List[str]]:
    if not isinstance(entry, Mapping):
        return None, ["it is no mapping: write metric and what is to be other than the default"]
    name = entry.get("metric")
    if not isinstance(name, str) or name not in BY_NAME:
        if name is None:
            return None, ["it has no metric: name one of " + ", ".join(BY_NAME)]
        return None, [f"there is no metric {name}{nearest(str(name), BY_NAME)}"]
    if name in places:
        return None, [f"{name} stands in entry {places[name]} already: write both as one"]
    places[name] = position
    return BY_NAME[name], []


def _threshold(metric: Metric, entry: Mapping[str, Any]) -> Tuple[Threshold, List[str]]:
    """entry: the metric is known. With faults the threshold is not to be used."""
    faults = [f"there is no field {name}{nearest(str(name), FIELDS)}" for name in entry if name not in FIELDS]
    faults += _unit(metric, entry)
    direction = entry.get("direction", metric.worse)
    if direction not in (ABOVE, BELOW):
        faults.append(f'direction is {direction!r}: write "{ABOVE}" or "{BELOW}", the one that is worse')
        direction = metric.worse
    values: Dict[str, Any] = {
        "name": metric.title,
        "warn": None,
        "critical": None,
        "for": 1,
        # A window that cannot be had once (a restart, a reset) is how windows are; twice in a row is a fault.
        "unknown_for": 2 if metric.windowed else 1,
        "hysteresis": 0,
        "remedy": metric.remedy,
        "enabled": True,
        **next(default for default in DEFAULTS if default["metric"] == metric.name),
        **entry,
    }
    known: Dict[str, Any] = {}
    for name, reader in _READERS.items():
        try:
            known[name] = reader(values[name])
        except fields.Fault as fault:
            faults.append(f"{name} {fault}")
    if len(known) == len(_READERS):
        known["whose"] = "" if "hysteresis" in entry else " by default"
        faults += _limits(metric, direction, known)
    return _made(metric, direction, known), faults


def _made(metric: Metric, direction: str, known: Mapping[str, Any]) -> Threshold:
    return Threshold(
        metric=metric,
        title=known.get("name", metric.title),
        warn=known.get("warn"),
        critical=known.get("critical"),
        direction=direction,
        samples=known.get("for", 1),
        unknown_samples=known.get("unknown_for", 1),
        hysteresis=known.get("hysteresis", 0.0),
        remedy=known.get("remedy", metric.remedy),
        enabled=known.get("enabled", True),
    )


def _unit(metric: Metric, entry: Mapping[str, Any]) -> List[str]:
    unit = entry.get("unit", metric.unit_name)
    if unit == metric.unit_name:
        return []
    return [f"unit is {unit!r}, but {metric.name} is in {metric.unit_name}: convert the limits, or leave unit out"]


def _limits(metric: Metric, direction: str, known: Mapping[str, Any]) -> List[str]:
    """What is wrong with limits that are numbers."""
    warn, critical = known["warn"], known["critical"]
    given = [(name, known[name]) for name in ("warn", "critical") if known[name] is not None]
    faults = []
    if not given and known["enabled"]:
        faults.append("it has neither warn nor critical: write one, or enabled: false")
    if warn is not None and critical is not None and not beyond(direction, critical, warn):
        faults.append(
            f"warn ({warn:g}) does not come before critical ({critical:g}), though {direction} is worse:"
            f" make critical the one further {direction}"
        )
    for name, limit in given:
        faults += _reach(metric, direction, name, limit) or _way_back(metric, direction, name, limit, known)
    return faults


def _reach(metric: Metric, direction: str, name: str, limit: float) -> List[str]:
    """No value is below 0, and none of some metrics above its most."""
    most = metric.most
    if direction == ABOVE and limit < 0:
        return [f"{name} is {limit:g}, and every value is above that: write 0 or more"]
    if direction == ABOVE and most is not None and limit >= most:
        return [f"{name} is {limit:g}, and no value is above {most:g}: write less"]
    if direction == BELOW and limit <= 0:
        return [f"{name} is {limit:g}, and no value is below 0: write more"]
    if direction == BELOW and most is not None and limit > most:
        return [f"{name} is {limit:g}, and every value is below that: write {most:g} at most"]
    return []


def _way_back(metric: Metric, direction: str, name: str, limit: float, known: Mapping[str, Any]) -> List[str]:
    hysteresis = known["hysteresis"]
    least_bad = limit - hysteresis if direction == ABOVE else limit + hysteresis
    if hysteresis and (least_bad < 0 or (metric.most is not None and least_bad > metric.most)):
        return [
            f"hysteresis is {hysteresis:g}{known['whose']}, so it would have to go back to {least_bad:g} from {name}"
            f" ({limit:g}), which no value can: write less"
        ]
    return []


def nearest(name: str, names: Any) -> str:
    """The end of a sentence that says that there is no such name: which it may have meant."""
    near = difflib.get_close_matches(name, list(names), n=3, cutoff=0.5)
    near = near or [known for known in names if name and name.lower() in known][:3]
    return ": did you mean " + " or ".join(near) + "?" if near else ": there are " + ", ".join(names)
