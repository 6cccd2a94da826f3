# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One alert as JSON: what was evaluated, with everything that a text about it needs."""

from __future__ import annotations

from typing import Any, Dict, Optional

from ansible_collections.midi.capacity.plugins.module_utils._alerts import plain
from ansible_collections.midi.capacity.plugins.module_utils._thresholds.model import UNKNOWN, Evaluation

Json = Dict[str, Any]

LONGEST_SUBJECT, LONGEST_TEXT = 200, 500
# That of the threshold is about a value, which there is not.
UNKNOWN_REMEDY = "run the commands check and doctor of the agent on the host; until then nobody knows"


def key(metric: str, subject: Optional[str]) -> str:
    """What an alert is known again by. No metric has a colon."""
    return metric if subject is None else f"{metric}:{subject}"


def described(evaluation: Evaluation) -> Json:
    threshold = evaluation.threshold
    metric = threshold.metric
    return {
        "key": key(metric.name, _short(evaluation.subject, LONGEST_TEXT)),
        "metric": metric.name,
        "subject": _short(evaluation.subject, LONGEST_SUBJECT),
        "state": evaluation.state,
        "value": evaluation.value,
        "detail": _short(evaluation.detail, LONGEST_TEXT),
        "reason": _short(evaluation.reason, LONGEST_TEXT),
        "title": threshold.title,
        "unit": metric.unit_name,
        "direction": threshold.direction,
        "warn": threshold.warn,
        "critical": threshold.critical,
        "hysteresis": threshold.hysteresis,
        "meaning": metric.meaning,
        "remedy": (evaluation.remedy or UNKNOWN_REMEDY) if evaluation.state == UNKNOWN else threshold.remedy,
    }


def _short(text: Optional[str], most: int) -> Optional[str]:
    return None if text is None else plain.line(text, most)
