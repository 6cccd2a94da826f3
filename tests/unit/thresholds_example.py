# SPDX-License-Identifier: GPL-3.0-or-later
"""Thresholds and readings to try with."""

from __future__ import annotations

from typing import Any

from ansible_collections.midi.capacity.plugins.module_utils._thresholds import table
from ansible_collections.midi.capacity.plugins.module_utils._thresholds.model import Reading, Threshold

DEFAULTS, _PROBLEMS = table.read()


def threshold(metric: str = "cpu_busy_percent", **changes: Any) -> Threshold:
    """That of the metric, changed; `samples` is `for`."""
    entry = {("for" if name == "samples" else name): value for name, value in changes.items()}
    found, problems = table.read([{"metric": metric, **entry}])
    assert not problems, problems
    return next(one for one in found if one.metric.name == metric)


def only(*thresholds: Threshold) -> list[Threshold]:
    """All of the table, of which only these are in force."""
    names = {one.metric.name: one for one in thresholds}
    return [names.get(one.metric.name, one._replace(enabled=False)) for one in DEFAULTS]


def every_reading(value: float | None = None) -> dict[str, list[Reading]]:
    """One of each metric: the same value, or one that is well."""
    return {
        one.metric.name: [Reading(value if value is not None else (100 if one.direction == "below" else 0), subject)]
        for one in DEFAULTS
        for subject in ["one" if one.metric.subject else None]
    }
