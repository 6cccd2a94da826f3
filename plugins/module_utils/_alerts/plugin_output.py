# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a monitoring plugin says: exit code, one line with performance data, a line for each that is bad.

https://www.monitoring-plugins.org/doc/guidelines.html: 'label'=value[UOM];warn;crit;min;max. A range alerts outside of
it, so "80" is above 80 (and below 0, which nothing is) and "80:" is below 80. A value that there is not is U.
"""

from __future__ import annotations

import re
from typing import Any, Dict, List, Optional, Sequence, Tuple

from ansible_collections.midi.capacity.plugins.module_utils._alerts import plain, silences
from ansible_collections.midi.capacity.plugins.module_utils._alerts.described import described
from ansible_collections.midi.capacity.plugins.module_utils._alerts.headline import headline, tally
from ansible_collections.midi.capacity.plugins.module_utils._report import human
from ansible_collections.midi.capacity.plugins.module_utils._thresholds.catalog import ABOVE
from ansible_collections.midi.capacity.plugins.module_utils._thresholds.model import (
    BAD,
    BADNESS,
    CRITICAL,
    NOT_APPLICABLE,
    OK,
    UNKNOWN,
    WARNING,
    Evaluation,
)

EXIT_CODES: Dict[str, int] = {OK: 0, WARNING: 1, CRITICAL: 2, UNKNOWN: 3}
SERVICE = "CAPACITY"
LONGEST_LINE = 400

_NOT_IN_A_LABEL = re.compile(r"[='|\s]+")


def report(evaluations: Sequence[Evaluation], silenced: Sequence[Dict[str, Any]] = ()) -> Tuple[int, str]:
    """Exit code and output. What is critical decides before what is unknown, and that before a warning.

    silenced: the silences that hold. They are told, and change no state: monitoring has its own.
    """
    states = [evaluation.state for evaluation in evaluations if evaluation.state != NOT_APPLICABLE]
    # To look at nothing is no good news.
    worst = max(states, key=lambda state: BADNESS[state], default=UNKNOWN)
    bad = [described(evaluation) for evaluation in evaluations if evaluation.state in BAD]
    bad.sort(key=lambda alert: -BADNESS[alert["state"]])
    for alert in bad:
        alert["silenced"] = _silenced(alert, silenced)
    first = f"{SERVICE} {worst.upper()}: {_gist(bad, len(states))}"
    data = " ".join(performance(evaluation) for evaluation in evaluations if evaluation.state != NOT_APPLICABLE)
    lines = [_said(first) + (f" | {data}" if data else "")]
    lines += [_said(f"{alert['state'].upper()}: {headline(alert)}{_why(alert)}{alert['silenced']}") for alert in bad]
    return EXIT_CODES[worst], "\n".join(lines) + "\n"


def unknown(why: str) -> Tuple[int, str]:
    """As report, of a check that cannot run. Monitoring shows what it says on standard output only."""
    return EXIT_CODES[UNKNOWN], _said(f"{SERVICE} {UNKNOWN.upper()}: {why}") + "\n"


def performance(evaluation: Evaluation) -> str:
    """'label'=value[UOM];warn;crit;min;max"""
    threshold = evaluation.threshold
    metric = threshold.metric
    label = metric.name if evaluation.subject is None else f"{metric.name}:{evaluation.subject}"
    value = "U" if evaluation.value is None else _number(evaluation.value) + metric.unit.plugin
    warn, critical = (_range(threshold.direction, limit) for limit in (threshold.warn, threshold.critical))
    most = "" if metric.most is None else _number(metric.most)
    shown = _NOT_IN_A_LABEL.sub("_", plain.line(label, LONGEST_LINE))
    return f"'{shown}'={value};{warn};{critical};0;{most}"


def _gist(bad: List[Dict[str, Any]], checks: int) -> str:
    if not checks:
        return "nothing was checked"
    if not bad:
        return human.plural(checks, "check")
    others = f" (of {tally(bad)})" if len(bad) > 1 else ""
    return f"{headline(bad[0])}{bad[0]['silenced']}{others}"


def _silenced(alert: Dict[str, Any], silenced: Sequence[Dict[str, Any]]) -> str:
    end = silences.until(silenced, alert["metric"])
    return "" if end is None else f" (silenced until {human.moment(end)})"


def _why(alert: Dict[str, Any]) -> str:
    return f" ({alert['reason']})" if alert["reason"] and alert["value"] is None else ""


def _said(text: str) -> str:
    # A bar begins the performance data.
    return plain.line(text.replace("|", "/"), LONGEST_LINE)


def _range(direction: str, limit: Optional[float]) -> str:
    if limit is None:
        return ""
    return _number(limit) if direction == ABOVE else _number(limit) + ":"


def _number(value: float) -> str:
    """Without an exponent, which not all readers know."""
    return f"{value:.6f}".rstrip("0").rstrip(".")
