# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Alerts for POST /api/v2/alerts of Alertmanager (its openapi.yaml): a list of {labels, annotations, startsAt, endsAt}.

Alertmanager knows an alert again by its labels and takes it for resolved at endsAt, by default five minutes after it
was heard of. So alerts that go on get an endsAt of their own, and should be sent at every run (news.standing); one
whose severity changed is another alert, so the one before is resolved in the same list.
"""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Sequence, Tuple

from ansible_collections.midi.capacity.plugins.module_utils import _moments
from ansible_collections.midi.capacity.plugins.module_utils._alerts.headline import headline
from ansible_collections.midi.capacity.plugins.module_utils._alerts.texts import Place
from ansible_collections.midi.capacity.plugins.module_utils._thresholds.catalog import BY_NAME, PREFIX
from ansible_collections.midi.capacity.plugins.module_utils._thresholds.model import BAD, CRITICAL, OK, WARNING

Json = Dict[str, Any]

TEST_NAME = "MidiCapacityTest"


def payload(
    alerts: Sequence[Json], place: Place, now: str, valid_seconds: float, generator_url: Optional[str] = None
) -> List[Json]:
    """alerts: of a message or of news.standing. valid_seconds: how long what is bad holds without being sent again."""
    found: List[Json] = []
    for alert in alerts:
        if alert["state"] in BAD:
            found.append(_entry(alert, alert["state"], place, _moments.after(now, valid_seconds), generator_url))
        if alert["told"] in BAD and _severity(alert["told"]) != _severity(alert["state"]):
            found.append(_entry(alert, alert["told"], place, now, generator_url))
    return found


def trial(place: Place, now: str, valid_seconds: float) -> List[Json]:
    """An alert that says nothing but that it arrives, and is over by itself."""
    labels = {"alertname": TEST_NAME, "severity": "info", **place._asdict()}
    annotations = {"summary": "This is a test: whoever reads it gets the alerts"}
    ends = _moments.after(now, valid_seconds)
    return [{"labels": labels, "annotations": annotations, "startsAt": now, "endsAt": ends}]


def _entry(alert: Json, state: str, place: Place, ends: str, generator_url: Optional[str]) -> Json:
    metric = BY_NAME.get(alert["metric"])
    labels = {
        "alertname": metric.alert_name if metric else PREFIX + alert["metric"],
        "severity": _severity(state),
        "metric": alert["metric"],
        **place._asdict(),
    }
    if alert["subject"]:
        labels[metric.subject if metric and metric.subject else "subject"] = alert["subject"]
    begins, ends = _span(alert["bad_since"], ends)
    entry = {"labels": labels, "annotations": _annotations(alert), "startsAt": begins, "endsAt": ends}
    return {**entry, "generatorURL": generator_url} if generator_url else entry


def _annotations(alert: Json) -> Dict[str, str]:
    found = {"summary": headline(alert), "state": alert["state"]}
    found.update({name: alert[name] for name in ("meaning", "remedy", "detail", "reason") if alert[name]})
    return found


def _severity(state: str) -> str:
    """A check that cannot run is one of the two that everybody routes."""
    return {CRITICAL: CRITICAL, OK: OK}.get(state, WARNING)


def _span(begins: str, ends: str) -> Tuple[str, str]:
    """It refuses what ends before it begins, which a clock that was set back can make."""
    return _moments.earliest(begins, ends), ends
