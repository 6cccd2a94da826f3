# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The thresholds as alerting rules of Prometheus over the metrics of the textfile.

https://prometheus.io/docs/prometheus/latest/configuration/alerting_rules/; checked for 2.42 and newer. What is done:
- an alert for each limit, with the label severity; past critical both fire, so let Alertmanager inhibit the warning.
- `for`: samples in a row come at the schedule's interval, so n of them are n - 1 intervals; a tenth more, so that the
  last of them has been read when time is up.
- hysteresis: an alert that fires goes on until the value is as far back, by what Prometheus says of its own alerts.
- what cannot be read: a warning, from midi_capacity_reading_missing.
- the dead man: a snapshot that is too old, and one that there is not at all.
"""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Sequence

from ansible_collections.midi.capacity.plugins.module_utils._thresholds.catalog import ABOVE, Metric
from ansible_collections.midi.capacity.plugins.module_utils._thresholds.exposition import (
    LAST_SNAPSHOT,
    MISSING,
    selector,
)
from ansible_collections.midi.capacity.plugins.module_utils._thresholds.model import CRITICAL, WARNING, Threshold
from ansible_collections.midi.capacity.plugins.module_utils._thresholds.units import base_text

Json = Dict[str, Any]

GROUP = "midi_capacity"
CANNOT_BE_READ = "MidiCapacityReadingMissing"
NO_SNAPSHOT = "MidiCapacitySnapshotAbsent"
AGENT_REMEDY = "look whether cron or the timer runs, and run the command doctor of the agent"

_PLACE = "({{ $labels.database }} on {{ $labels.instance }})"


def document(
    thresholds: Sequence[Threshold], interval_seconds: int, expected: Sequence[Mapping[str, str]] = ()
) -> Json:
    """The rules file, as data. thresholds: of table.read; interval_seconds: of the schedule.

    expected: labels of each series of snapshots that there has to be, for example {"instance": "db1:9100"}. Without it
    only the absence of all of them is noticed.
    """
    rules: List[Json] = []
    for threshold in thresholds:
        if threshold.enabled:
            rules += _rules(threshold, interval_seconds)
            if not threshold.metric.exported:
                rules.append(_absence(expected or [{}], interval_seconds))
    return {"groups": [{"name": GROUP, "rules": rules + _missing(thresholds, interval_seconds)}]}


def _rules(threshold: Threshold, interval: int) -> List[Json]:
    limits = ((WARNING, threshold.warn), (CRITICAL, threshold.critical))
    return [
        _rule(
            threshold.metric.alert_name,
            _expression(threshold, severity, limit, interval),
            _for(threshold.samples, interval),
            severity,
            {
                "summary": _summary(threshold, severity, limit),
                "description": _plain(threshold.metric.meaning),
                "remedy": _plain(threshold.remedy),
            },
        )
        for severity, limit in limits
        if limit is not None
    ]


def _rule(name: str, expression: str, lasting: str, severity: str, annotations: Json, **more: str) -> Json:
    labels = {"severity": severity, **more}
    return {"alert": name, "expr": expression, "for": lasting, "labels": labels, "annotations": annotations}


def _expression(threshold: Threshold, severity: str, limit: float, interval: int) -> str:
    metric = threshold.metric
    # An age that was written to a file stands still when nobody writes it any more.
    series = metric.prometheus if metric.exported else f"(time() - {LAST_SNAPSHOT}) / {interval}"
    above = threshold.direction == ABOVE
    begins = f"{series} {'>' if above else '<'} {base_text(metric.unit, limit)}"
    if not threshold.hysteresis:
        return begins
    back = limit - threshold.hysteresis if above else limit + threshold.hysteresis
    lasts = f"{series} {'>' if above else '<'} {base_text(metric.unit, back)}"
    fires = selector({"alertname": metric.alert_name, "severity": severity, "alertstate": "firing"})
    return f"{begins} or ({lasts} and ignoring (alertname, alertstate, severity) ALERTS{fires})"


def _summary(threshold: Threshold, severity: str, limit: float) -> str:
    metric, unit = threshold.metric, threshold.metric.unit
    title = _plain(threshold.title)
    if metric.unit_name == "flag":
        return f"{title}: {unit.shown(1)} {_PLACE}"
    subject = f", {{{{ $labels.{metric.subject} }}}}" if metric.subject else ""
    value = f"{{{{ $value | {unit.template} }}}}"
    shown = f"{severity} {threshold.direction} {unit.shown(limit)}"
    return f"{title}{subject}: {value}{'B' if metric.unit_name == 'bytes' else ''}, {shown} {_PLACE}"


def _absence(expected: Sequence[Mapping[str, str]], interval: int) -> Json:
    """One rule, because promtool takes several of one name and labels for a mistake."""
    return _rule(
        NO_SNAPSHOT,
        " or ".join(f"absent({LAST_SNAPSHOT}{selector(labels)})" for labels in expected),
        _duration(2 * interval),
        CRITICAL,
        {
            # absent() has the labels that it was asked for.
            "summary": "There is no snapshot at all{{ range $k, $v := $labels }} {{ $k }}={{ $v }}{{ end }}",
            "description": "Prometheus has no time of a last snapshot: the agent has not run, or nobody reads its file",
            "remedy": f"look whether node_exporter reads the directory of the file; {AGENT_REMEDY}",
        },
    )


def _missing(thresholds: Sequence[Threshold], interval: int) -> List[Json]:
    """One rule for all that have the same patience."""
    by_samples: Dict[int, List[Metric]] = {}
    for threshold in thresholds:
        if threshold.enabled and threshold.metric.exported:
            by_samples.setdefault(threshold.unknown_samples, []).append(threshold.metric)
    return [
        _rule(
            CANNOT_BE_READ,
            f'{MISSING}{{metric=~"{"|".join(metric.name for metric in metrics)}"}} > 0',
            _for(samples, interval),
            WARNING,
            {
                "summary": f"{{{{ $labels.metric }}}} cannot be read {_PLACE}",
                "description": "A check that cannot run says nothing of what it looks at",
                "remedy": "run the command check of the agent on the host: it says why",
            },
            # So that two rules of this name are not the same to promtool.
            unknown_for=str(samples),
        )
        for samples, metrics in sorted(by_samples.items())
    ]


def _for(samples: int, interval: int) -> str:
    return _duration((samples - 1) * interval + (max(1, interval // 10) if samples > 1 else 0))


def _duration(seconds: int) -> str:
    unit, length = next((name, length) for name, length in (("h", 3600), ("m", 60), ("s", 1)) if not seconds % length)
    return f"{seconds // length}{unit}" if seconds else "0s"


def _plain(text: str) -> str:
    """Text that a template shows as it is."""
    return text.replace("{{", '{{ "{{" }}')
