# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How everything stands between two snapshots: the states of the last one, and of the agent itself as it is now."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional, Sequence

from ansible_collections.midi.capacity.plugins.module_utils._agent.readings import OF_THE_AGENT
from ansible_collections.midi.capacity.plugins.module_utils._alerts.described import described
from ansible_collections.midi.capacity.plugins.module_utils._thresholds import evaluate
from ansible_collections.midi.capacity.plugins.module_utils._thresholds.model import (
    BAD,
    NOT_APPLICABLE,
    UNKNOWN,
    Evaluation,
    Reading,
    Threshold,
)

Json = Dict[str, Any]
NEVER = "there is no snapshot that has it"


def evaluations(
    thresholds: Sequence[Threshold],
    checks: Mapping[str, Any],
    last: Optional[Mapping[str, Any]],
    now: Mapping[str, Sequence[Reading]],
) -> List[Evaluation]:
    """checks: the memory of evaluate_all. last: its readings as captures have kept them, None without any. now: of the
    agent."""
    found: List[Evaluation] = []
    known = readings(last or {})
    for threshold in thresholds:
        name = threshold.metric.name
        if not threshold.enabled:
            continue
        if name in OF_THE_AGENT:
            # As it is at this moment: nobody has to wait for a second sample of it.
            found += evaluate.evaluate(threshold, now.get(name, ()), None)[0]
            continue
        found += _of_metric(threshold, checks.get(name) or [], known.get(name, ()))
    return found


def readings(last: Mapping[str, Any]) -> Dict[str, List[Reading]]:
    """Of what is remembered as JSON."""
    return {name: [Reading(**entry) for entry in entries] for name, entries in last.get("readings", {}).items()}


def described_all(entries: Sequence[Evaluation]) -> List[Json]:
    """As JSON, those that apply; bad ones first."""
    shown = [described(entry) for entry in entries if entry.state != NOT_APPLICABLE]
    return sorted(shown, key=lambda entry: entry["state"] not in BAD)


def _of_metric(
    threshold: Threshold, memory: Sequence[Mapping[str, Any]], readings: Sequence[Reading]
) -> List[Evaluation]:
    known = {entry["subject"]: entry for entry in memory}
    if not readings and not known:
        return [Evaluation(threshold, None, UNKNOWN, reason=NEVER)]
    found = []
    for subject, reading in evaluate.by_subject(threshold, readings).items():
        if not reading.applicable and subject not in known:
            found.append(Evaluation(threshold, subject, NOT_APPLICABLE, reason=reading.reason))
            continue
        # One that nobody remembers waits for its server, which another one tells.
        state = known[subject]["state"] if subject in known else NOT_APPLICABLE
        found.append(
            Evaluation(threshold, subject, state, reading.value, reading.detail, reading.reason, reading.remedy)
        )
    seen = {entry.subject for entry in found}
    found += [
        Evaluation(threshold, subject, entry["state"], reason=entry.get("reason"))
        for subject, entry in known.items()
        if subject not in seen
    ]
    return found
