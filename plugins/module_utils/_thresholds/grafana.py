# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A dashboard of Grafana over the metrics of the textfile, with the thresholds as its colours.

The classic JSON model of https://grafana.com/docs/grafana/latest/dashboards/build-dashboards/view-dashboard-json-model/,
schema version 39, which Grafana 10.4 and newer read and migrate. The grid is 24 wide.
"""

from __future__ import annotations

import zlib
from typing import Any, Dict, List, Optional, Sequence

from ansible_collections.midi.capacity.plugins.module_utils._thresholds.catalog import ABOVE, AREAS, METRICS, Metric
from ansible_collections.midi.capacity.plugins.module_utils._thresholds.exposition import (
    DATABASE,
    LAST_SNAPSHOT,
    MISSING,
)
from ansible_collections.midi.capacity.plugins.module_utils._thresholds.model import Threshold

Json = Dict[str, Any]

UID = "midi-capacity"
SCHEMA_VERSION = 39
WIDTH = 24
_PER_ROW, _HEIGHT, _STAT_HEIGHT = 3, 8, 4
_GREEN, _YELLOW, _RED = "green", "yellow", "red"
_SOURCE = {"type": "prometheus", "uid": "${datasource}"}
_CHOSEN = '{instance=~"$instance",database=~"$database"}'


def document(thresholds: Sequence[Threshold], interval_seconds: int, title: str = "Capacity") -> Json:
    """The dashboard, as data. thresholds: of table.read; interval_seconds: of the schedule.

    Its uid and the ids of its panels are the same whenever it is made, so that an import takes the place of the last.
    """
    by_metric = {threshold.metric.name: threshold for threshold in thresholds if threshold.enabled}
    panels = _glance(by_metric, interval_seconds)
    top = _STAT_HEIGHT
    for area in AREAS:
        metrics = [metric for metric in METRICS if metric.area == area and _is_a_line(metric)]
        panels.append(_row(area, top))
        for place, metric in enumerate(metrics):
            panels.append(_line(metric, by_metric.get(metric.name), _cell(place, top + 1)))
        top += 1 + _HEIGHT * -(-len(metrics) // _PER_ROW)
    return {
        "uid": UID,
        "title": title,
        "tags": ["midi.capacity", "postgresql", "redis"],
        "schemaVersion": SCHEMA_VERSION,
        "version": 1,
        "editable": True,
        "graphTooltip": 1,
        "timezone": "utc",
        # Days, because a sample comes once an interval.
        "time": {"from": "now-7d", "to": "now"},
        "refresh": "5m",
        "annotations": {"list": []},
        "links": [],
        "templating": {"list": [_data_source(), *(_variable(name, text) for name, text in _VARIABLES)]},
        "panels": panels,
    }


_VARIABLES = (("instance", "Host"), (DATABASE, "Database"))


def _is_a_line(metric: Metric) -> bool:
    return metric.exported and metric.unit_name != "flag"


def _data_source() -> Json:
    return {
        "name": "datasource",
        "label": "Data source",
        "type": "datasource",
        "query": "prometheus",
        "current": {},
        "hide": 0,
        "includeAll": False,
        "multi": False,
        "options": [],
        "refresh": 1,
        "regex": "",
    }


def _variable(name: str, label: str) -> Json:
    query = f"label_values({LAST_SNAPSHOT}, {name})"
    return {
        "name": name,
        "label": label,
        "type": "query",
        "datasource": _SOURCE,
        "definition": query,
        "query": {"query": query, "refId": "Variable"},
        "current": {"text": ["All"], "value": ["$__all"]},
        "hide": 0,
        "includeAll": True,
        "multi": True,
        "options": [],
        "refresh": 2,
        "regex": "",
        "sort": 1,
    }


def _glance(by_metric: Dict[str, Threshold], interval: int) -> List[Json]:
    """The uppermost line: what is up, and whether anybody still looks."""
    flags = [metric for metric in METRICS if metric.unit_name == "flag"]
    width = WIDTH // (len(flags) + 2)
    mappings = [
        {"type": "value", "options": {"0": {"text": "up", "index": 0}, "1": {"text": "down", "index": 1}}},
    ]
    panels = [
        _stat(metric.title, metric.meaning, metric.prometheus + _CHOSEN, "none", _steps(by_metric.get(metric.name)))
        for metric in flags
    ]
    for panel in panels:
        panel["fieldConfig"]["defaults"]["mappings"] = mappings
    age = next(metric for metric in METRICS if not metric.exported)
    panels.append(
        _stat("Since the last snapshot", age.meaning, f"time() - {LAST_SNAPSHOT}{_CHOSEN}", "s",
              _steps(by_metric.get(age.name), interval))
    )  # fmt: skip
    panels.append(
        _stat("Metrics that cannot be read", "A check that cannot run says nothing of what it looks at",
              f"sum by (instance, database) ({MISSING}{_CHOSEN})", "none", [_step(_GREEN, None), _step(_YELLOW, 1)])
    )  # fmt: skip
    for place, panel in enumerate(panels):
        panel["gridPos"] = {"h": _STAT_HEIGHT, "w": width, "x": width * place, "y": 0}
    return panels


def _stat(title: str, meaning: str, expression: str, unit: str, steps: List[Json]) -> Json:
    return {
        **_panel("stat", title, meaning, expression, _legend(None), unit, steps),
        "options": {
            "colorMode": "background",
            "graphMode": "none",
            "justifyMode": "auto",
            "orientation": "auto",
            "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
            "textMode": "auto",
        },
    }


def _line(metric: Metric, threshold: Optional[Threshold], place: Json) -> Json:
    title = threshold.title if threshold else metric.title
    panel = _panel("timeseries", title, _described(metric, threshold), metric.prometheus + _CHOSEN,
                   _legend(metric.subject), metric.unit.grafana, _steps(threshold))  # fmt: skip
    defaults = panel["fieldConfig"]["defaults"]
    defaults["color"] = {"mode": "palette-classic"}
    defaults["min"] = 0
    # A sample lasts until the next; how the lines go between the two nobody knows.
    defaults["custom"] = {
        "drawStyle": "line",
        "lineInterpolation": "stepAfter",
        "lineWidth": 2,
        "fillOpacity": 10,
        "showPoints": "never",
        "thresholdsStyle": {"mode": "line" if threshold else "off"},
    }
    return {
        **panel,
        "gridPos": place,
        "options": {
            "legend": {"calcs": ["lastNotNull", "max"], "displayMode": "table", "placement": "bottom"},
            "tooltip": {"mode": "multi", "sort": "desc"},
        },
    }


def _panel(kind: str, title: str, meaning: str, expression: str, legend: str, unit: str, steps: List[Json]) -> Json:
    target = {"refId": "A", "datasource": _SOURCE, "expr": expression, "legendFormat": legend}
    return {
        "id": _id(expression),
        "type": kind,
        "title": title,
        "description": meaning,
        "datasource": _SOURCE,
        "targets": [target],
        "fieldConfig": {
            "defaults": {"unit": unit, "thresholds": {"mode": "absolute", "steps": steps}},
            "overrides": [],
        },
    }


def _row(title: str, top: int) -> Json:
    place = {"h": 1, "w": WIDTH, "x": 0, "y": top}
    return {"id": _id(title), "type": "row", "title": title, "collapsed": False, "gridPos": place, "panels": []}


def _cell(place: int, top: int) -> Json:
    width = WIDTH // _PER_ROW
    return {"h": _HEIGHT, "w": width, "x": width * (place % _PER_ROW), "y": top + _HEIGHT * (place // _PER_ROW)}


def _id(name: str) -> int:
    """The same for a panel whatever stands before it."""
    return zlib.crc32(name.encode()) % 1_000_000 + 1


def _legend(subject: Optional[str]) -> str:
    return " ".join(f"{{{{{name}}}}}" for name in ("instance", DATABASE, *([subject] if subject else [])))


def _described(metric: Metric, threshold: Optional[Threshold]) -> str:
    return f"{metric.meaning}.\n\nWhat to do: {threshold.remedy if threshold else metric.remedy}."


def _steps(threshold: Optional[Threshold], factor: float = 1) -> List[Json]:
    """Colours from low values to high ones; a colour holds from its value on. factor: of the panel's unit."""
    if threshold is None:
        return [_step(_GREEN, None)]
    per_base = threshold.metric.unit.per_base
    limits = [
        (colour, limit * factor / per_base)
        for colour, limit in ((_YELLOW, threshold.warn), (_RED, threshold.critical))
        if limit is not None
    ]
    if threshold.metric.unit_name == "flag":
        # Down is 1, and the limit 0 is not beyond itself.
        limits = [(colour, 1.0) for colour, _limit in limits]
    if threshold.direction == ABOVE:
        return [_step(_GREEN, None), *(_step(colour, limit) for colour, limit in limits)]
    steps: List[Json] = []
    begins: Optional[float] = None
    # The worst colour first; each ends where its limit is.
    for colour, limit in limits[::-1]:
        steps.append(_step(colour, begins))
        begins = limit
    return [*steps, _step(_GREEN, begins)]


def _step(colour: str, value: Optional[float]) -> Json:
    return {"color": colour, "value": value}
