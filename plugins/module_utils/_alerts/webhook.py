# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A message as JSON for a webhook of one's own."""

from __future__ import annotations

from typing import Any, Dict

from ansible_collections.midi.capacity.plugins.module_utils._alerts.texts import Place, body, subject

Json = Dict[str, Any]

SCHEMA_VERSION = 1
# Of an alert; what only the memory needs stays there.
FIELDS = (
    "key",
    "kind",
    "metric",
    "subject",
    "state",
    "since",
    "bad_since",
    "worst",
    "value",
    "unit",
    "direction",
    "warn",
    "critical",
    "detail",
    "reason",
    "title",
    "meaning",
    "remedy",
    "attempts",
)


def payload(message: Json, place: Place) -> Json:
    """schema_version, id (the same when it is sent again), kind, state, at, host, database, subject, body, alerts.

    An alert has the FIELDS, and previous: the state that was told last.
    """
    alerts = [{**{name: alert[name] for name in FIELDS}, "previous": alert["told"]} for alert in message["alerts"]]
    return {
        "schema_version": SCHEMA_VERSION,
        **{name: message[name] for name in ("id", "kind", "state", "at")},
        **place._asdict(),
        "subject": subject(message, place),
        "body": body(message, place),
        "alerts": alerts,
    }
