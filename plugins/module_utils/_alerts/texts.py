# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A message for people: subject and body, short: what, how bad, since when, what to do, where."""

from __future__ import annotations

from typing import Any, Dict, List, NamedTuple

from ansible_collections.midi.capacity.plugins.module_utils import _moments
from ansible_collections.midi.capacity.plugins.module_utils._alerts import plain
from ansible_collections.midi.capacity.plugins.module_utils._alerts.headline import headline, tally
from ansible_collections.midi.capacity.plugins.module_utils._alerts.news import REPEAT, SILENCE_OVER, TEST
from ansible_collections.midi.capacity.plugins.module_utils._report import human
from ansible_collections.midi.capacity.plugins.module_utils._thresholds.model import BAD

Json = Dict[str, Any]

LONGEST_SUBJECT, LONGEST_BODY = 160, 12000
# Of a digest; the rest is counted.
MOST_SHOWN = 30


class Place(NamedTuple):
    """Where it is."""

    host: str
    database: str


def subject(message: Json, place: Place) -> str:
    """One line."""
    where = f"({place.database} on {place.host})"
    if message["kind"] == TEST:
        return plain.line(f"[TEST] Alerts arrive {where}", LONGEST_SUBJECT)
    alerts = message["alerts"]
    if len(alerts) > 1:
        told = f"{human.count(len(alerts))} alerts: {tally(alerts)}"
    else:
        told = ("still " if message["kind"] in (REPEAT, SILENCE_OVER) else "") + headline(alerts[0])
    return plain.line(f"[{message['state'].upper()}] {told} {where}", LONGEST_SUBJECT)


def body(message: Json, place: Place) -> str:
    """Several lines, ending in a line break."""
    if message["kind"] == TEST:
        told = ["This is a test: whoever reads it gets the alerts."]
    else:
        alerts = message["alerts"]
        told = ["\n".join(_paragraph(alert)) for alert in alerts[:MOST_SHOWN]]
        if len(alerts) > MOST_SHOWN:
            told.append(
                f"And {human.count(len(alerts) - MOST_SHOWN)} more: run the command status of the agent on the host."
            )
    told.append(f"Host {place.host}, database {place.database}, {human.moment(message['at'])}.")
    return plain.lines("\n\n".join(told), LONGEST_BODY) + "\n"


def _paragraph(alert: Json) -> List[str]:
    bad = alert["state"] in BAD
    found = [f"{alert['state'].upper()}: {headline(alert)}."]
    found += _bad_times(alert) if bad else _over_times(alert)
    if alert["detail"]:
        found.append(f"Which: {alert['detail']}")
    if alert["reason"] and alert["value"] is None and bad:
        found.append(f"Why: {alert['reason']}")
    if bad:
        found.append(f"What it is: {alert['meaning']}.")
        found.append(f"What to do: {alert['remedy']}.")
    if alert["attempts"]:
        tried = f"It could not be told before, {human.times(alert['attempts'])}"
        found.append(tried + (f": {alert['error']}" if alert["error"] else "") + ".")
    return found


def _bad_times(alert: Json) -> List[str]:
    found = [f"So since {human.moment(alert['since'])}."]
    if alert["bad_since"] != alert["since"]:
        found.append(f"Not ok since {human.moment(alert['bad_since'])}, at worst {alert['worst']}.")
    if alert["kind"] == SILENCE_OVER:
        found.append("The silence about it has ended.")
    return found


def _over_times(alert: Json) -> List[str]:
    lasted = human.seconds(_moments.elapsed(alert["bad_since"], alert["since"]))
    return [
        f"It was {alert['worst']} from {human.moment(alert['bad_since'])} to {human.moment(alert['since'])} ({lasted})."
    ]
