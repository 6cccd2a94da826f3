# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What became of a message."""

from __future__ import annotations

from typing import Any, Dict, Mapping, Optional

from ansible_collections.midi.capacity.plugins.module_utils._alerts import plain
from ansible_collections.midi.capacity.plugins.module_utils._alerts.memory import settled
from ansible_collections.midi.capacity.plugins.module_utils._thresholds.model import BAD, OK

Json = Dict[str, Any]

MOST_ATTEMPTS = 10**6
LONGEST_ERROR = 300
# Outcomes where no channel is set up: the log has it, and that is where it was to go. No channel can have that name.
ONLY_LOGGED: Mapping[str, Optional[str]] = {"(log)": None}


def delivered(document: Json, message: Json, outcomes: Mapping[str, Optional[str]], now: str) -> Json:
    """The document after a message was tried. outcomes: for each channel None, or why it failed.

    One channel is enough; without one the news stays, and advance gives it again.
    """
    document = settled(document, now)
    arrived = any(error is None for error in outcomes.values())
    failures = "; ".join(f"{channel}: {error}" for channel, error in outcomes.items() if error is not None)
    shown = plain.line(failures or "there is no channel", LONGEST_ERROR)
    document["delivery"] = {
        "at": now,
        "id": message["id"],
        "arrived": arrived,
        "outcomes": {
            channel: None if error is None else plain.line(error, LONGEST_ERROR) for channel, error in outcomes.items()
        },
    }
    alerts = document["alerts"]
    for told in message["alerts"]:
        alert = alerts.get(told["key"])
        if alert is None:
            continue
        if not arrived:
            alert.update(attempts=min(alert["attempts"] + 1, MOST_ATTEMPTS), error=shown)
            continue
        state = told["state"] if told["state"] in BAD else OK
        alert.update(told=state, told_at=now, attempts=0, error=None, hushed=False)
        if alert["state"] not in BAD and state == OK:
            del alerts[told["key"]]
    return document
