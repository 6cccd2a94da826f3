# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What there is to tell: from the document and new evaluations to the next document and the messages to send.

Of each alert the document keeps what it is now and what was told last, so a message is a difference between the two.
One that could not be delivered leaves the difference, and comes again with what is true then; so there is at most one
for an alert, and never old news. Whoever could not be told that it was bad is still told that it is over.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any, Dict, Iterable, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.midi.capacity.plugins.module_utils import _moments
from ansible_collections.midi.capacity.plugins.module_utils._alerts import silences
from ansible_collections.midi.capacity.plugins.module_utils._alerts.described import described
from ansible_collections.midi.capacity.plugins.module_utils._alerts.memory import settled
from ansible_collections.midi.capacity.plugins.module_utils._thresholds.model import (
    BAD,
    BADNESS,
    OK,
    UNKNOWN,
    Evaluation,
    Memory,
    Threshold,
)

Json = Dict[str, Any]

# Kinds of news of an alert, and of messages; a digest has several alerts.
CHANGE, RECOVERY, REPEAT, SILENCE_OVER, DIGEST, TEST = "change", "recovery", "repeat", "silence over", "digest", "test"

REPEAT_SECONDS = 86400
DIGEST_FROM = 4
# Recoveries that wait to be delivered; those that ended first give way. What is bad is never dropped.
MOST_RECOVERED = 100
NOT_CHECKED = "it is not checked any more"


def advance(
    document: Json,
    thresholds: Sequence[Threshold],
    evaluations: Iterable[Evaluation],
    checks: Mapping[str, Memory],
    now: str,
    repeat_seconds: float = REPEAT_SECONDS,
    digest_from: int = DIGEST_FROM,
) -> Tuple[Json, List[Json]]:
    """The next document and its messages, worst first.

    thresholds: all of table.read, though fewer may have been evaluated; alerts of what is not in it or not enabled are
    over. checks: the memory that evaluate_all gave. repeat_seconds: how long until what is still bad is told again, 0
    for never. digest_from: from how many alerts on one message has all of them.
    """
    document = settled(document, now)
    in_force = {threshold.metric.name for threshold in thresholds if threshold.enabled}
    merged = {**document["checks"], **checks}
    document["checks"] = {name: memory for name, memory in merged.items() if name in in_force}
    document["silences"] = silences.active(document, now)
    alerts: Dict[str, Json] = document["alerts"]
    for evaluation in evaluations:
        found = described(evaluation)
        if found["state"] in BAD or found["key"] in alerts:
            alerts[found["key"]] = _next(alerts.get(found["key"]), found, now)
    for name, alert in alerts.items():
        if alert["metric"] not in in_force and alert["state"] in BAD:
            alerts[name] = _next(alert, {"state": OK, "value": None, "detail": None, "reason": NOT_CHECKED}, now)
    due = []
    for alert in alerts.values():
        silenced = silences.holds(document["silences"], alert["metric"])
        alert["hushed"] = alert["state"] in BAD and (silenced or alert["hushed"])
        kind = _due(alert, silenced, now, repeat_seconds)
        if kind is not None:
            due.append({**alert, "kind": kind})
    document["alerts"] = _kept(alerts)
    return document, _messages(due, now, digest_from)


def standing(document: Json) -> List[Json]:
    """What is bad and people were told of, as they were: for a channel that wants to hear it again and again."""
    return [
        {**alert, "kind": REPEAT, "state": alert["told"]}
        for alert in document["alerts"].values()
        if alert["told"] in BAD and alert["state"] in BAD
    ]


def trial(now: str) -> Json:
    """A message that says nothing but that it arrives."""
    return _message(TEST, [], now)


def _next(before: Optional[Json], found: Json, now: str) -> Json:
    """The alert after this sample."""
    state = found["state"] if found["state"] in BAD else OK
    alert = before or {
        "state": OK,
        "since": now,
        "bad_since": now,
        "worst": OK,
        "told": OK,
        "told_at": None,
        "attempts": 0,
        "error": None,
        "hushed": False,
    }
    after = {**alert, **found, "state": state}
    if found["value"] is None and state in BAD and state != UNKNOWN and before:
        # A gap that is too short to be unknown: the last value is still the one that says most.
        after.update({name: before[name] for name in ("value", "detail")})
    if state != alert["state"]:
        after["since"] = now
    if state in BAD and alert["state"] not in BAD:
        after["bad_since"], after["worst"] = now, state
    elif state in BAD:
        after["worst"] = max(alert["worst"], state, key=lambda name: BADNESS[name])
    return after


def _due(alert: Json, silenced: bool, now: str, repeat_seconds: float) -> Optional[str]:
    """What kind of news there is of it, if any."""
    if alert["state"] not in BAD:
        tried = alert["attempts"] and not silenced
        return RECOVERY if alert["told"] in BAD or tried else None
    if silenced:
        return None
    if alert["state"] != alert["told"]:
        return CHANGE
    if alert["hushed"]:
        return SILENCE_OVER
    passed = _moments.elapsed(alert["told_at"], now)
    return REPEAT if repeat_seconds and passed >= repeat_seconds else None


def _kept(alerts: Dict[str, Json]) -> Dict[str, Json]:
    """Without those that are over and need not be told."""
    over = [
        alert for alert in alerts.values() if alert["state"] not in BAD and (alert["told"] in BAD or alert["attempts"])
    ]
    over.sort(key=lambda alert: _moments.parsed(alert["since"]))
    waiting = {alert["key"] for alert in over[-MOST_RECOVERED:]}
    return {name: alert for name, alert in alerts.items() if alert["state"] in BAD or name in waiting}


def _messages(due: List[Json], now: str, digest_from: int) -> List[Json]:
    due.sort(key=lambda alert: (-BADNESS[alert["state"]], alert["metric"], alert["subject"] or ""))
    if len(due) >= max(2, digest_from):
        return [_message(DIGEST, due, now)]
    return [_message(alert["kind"], [alert], now) for alert in due]


def _message(kind: str, alerts: List[Json], now: str) -> Json:
    """id: the same when the same news is sent again, so that a receiver can tell."""
    news = [[alert[name] for name in ("key", "kind", "state", "since", "told_at")] for alert in alerts]
    told = json.dumps([kind, news if alerts else now], sort_keys=True)
    state = max((alert["state"] for alert in alerts), key=lambda name: BADNESS[name], default=OK)
    identity = hashlib.sha256(told.encode()).hexdigest()[:20]
    return {"id": identity, "kind": kind, "at": now, "state": state, "alerts": alerts}
