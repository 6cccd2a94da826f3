# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is compared: a threshold with a reading, and what comes of it."""

from __future__ import annotations

from typing import Any, Dict, List, NamedTuple, Optional

from ansible_collections.midi.capacity.plugins.module_utils._thresholds.catalog import ABOVE, Metric

OK, WARNING, CRITICAL, UNKNOWN, NOT_APPLICABLE = "ok", "warning", "critical", "unknown", "not applicable"
# States that people are told of.
BAD = (WARNING, CRITICAL, UNKNOWN)
# Which is worse: what cannot be seen may be critical, so it comes before what is known to be a warning.
BADNESS: Dict[str, int] = {NOT_APPLICABLE: 0, OK: 1, WARNING: 2, UNKNOWN: 3, CRITICAL: 4}

# What a threshold remembers from one sample to the next; JSON, an entry for each subject.
Memory = List[Dict[str, Any]]


class Threshold(NamedTuple):
    """One line of the table, checked.

    warn, critical: the limits, in the metric's unit; one of them may be None. A value on the limit is not beyond it.
    direction: above or below. samples: how many in a row have to be beyond a limit before the state gets worse
    (`for` in the table). unknown_samples: how many in a row have to be missing before it is unknown (`unknown_for`).
    hysteresis: how far back from the limit a value has to go before the state gets better.
    """

    metric: Metric
    title: str
    warn: Optional[float]
    critical: Optional[float]
    direction: str
    samples: int
    unknown_samples: int
    hysteresis: float
    remedy: str
    enabled: bool = True


class Reading(NamedTuple):
    """What was read of a metric.

    value: in the metric's unit, None when it could not be read. subject: which one (a file system, a standby); it is
    known again by this text. detail: what is worth saying about this very sample, for example the statement.
    reason: why there is no value. remedy: what to do about that, None where the command doctor has to find out.
    applicable: False where there is nothing to read (no Redis, no standby, no window yet); that is no fault.
    """

    value: Optional[float]
    subject: Optional[str] = None
    detail: Optional[str] = None
    reason: Optional[str] = None
    applicable: bool = True
    remedy: Optional[str] = None


class Evaluation(NamedTuple):
    """The state of one subject of a threshold after a sample."""

    threshold: Threshold
    subject: Optional[str]
    state: str
    value: Optional[float] = None
    detail: Optional[str] = None
    reason: Optional[str] = None
    remedy: Optional[str] = None


def beyond(direction: str, value: float, limit: float) -> bool:
    """Whether the value is on the wrong side of the limit; on it is on the right one."""
    return value > limit if direction == ABOVE else value < limit
