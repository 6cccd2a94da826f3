# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From readings to states, sample by sample.

Worse takes `samples` readings in a row that are beyond a limit; critical counts for warning too. Better takes one
reading that is `hysteresis` back from the limit; between there and the limit nothing changes.
No value for `unknown_samples` in a row is unknown. A gap that is shorter changes nothing and interrupts no row. The
first value after unknown counts at once, for nobody knows how long it has been so.
"""

from __future__ import annotations

import math
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from ansible_collections.midi.capacity.plugins.module_utils._thresholds.catalog import ABOVE
from ansible_collections.midi.capacity.plugins.module_utils._thresholds.model import (
    CRITICAL,
    NOT_APPLICABLE,
    OK,
    UNKNOWN,
    WARNING,
    Evaluation,
    Memory,
    Reading,
    Threshold,
    beyond,
)

NOTHING_READ = "nothing was read for it"
NO_NUMBER = "what was read is no finite number"
GONE = "it is not there any more"
BACK = "it can be read again, one by one"

_LEVELS = (OK, WARNING, CRITICAL)


class _Memory(NamedTuple):
    """Of one subject. level: by values alone. beyond_*: how many readings in a row; missing: how many had no value."""

    state: str = OK
    level: str = OK
    beyond_warn: int = 0
    beyond_critical: int = 0
    missing: int = 0


def evaluate(
    threshold: Threshold, readings: Sequence[Reading], previous: Optional[Memory] = None
) -> Tuple[List[Evaluation], Memory]:
    """The states after this sample, and what to hand over with the next; see the package for subjects that vanish."""
    known = {entry["subject"]: _remembered(entry) for entry in previous or ()}
    seen = by_subject(threshold, readings or [Reading(None, reason=NOTHING_READ)])
    found: List[Evaluation] = []
    kept: Dict[Optional[str], _Memory] = {}
    for subject, reading in seen.items():
        if not reading.applicable:
            found.append(Evaluation(threshold, subject, NOT_APPLICABLE, None, reading.detail, reading.reason))
            continue
        kept[subject] = after = _after(threshold, known.get(subject, _Memory()), reading.value)
        found.append(
            Evaluation(threshold, subject, after.state, reading.value, reading.detail, reading.reason, reading.remedy)
        )
    all_missing = None in seen and seen[None].applicable and seen[None].value is None
    for subject in [subject for subject in known if subject not in seen]:
        if all_missing:
            kept[subject] = known[subject]
        else:
            found.append(Evaluation(threshold, subject, NOT_APPLICABLE, reason=BACK if subject is None else GONE))
    return found, [{"subject": subject, **memory._asdict()} for subject, memory in kept.items()]


def evaluate_all(
    thresholds: Sequence[Threshold],
    readings: Mapping[str, Sequence[Reading]],
    previous: Optional[Mapping[str, Any]] = None,
) -> Tuple[List[Evaluation], Dict[str, Memory]]:
    """evaluate for each that is enabled. readings, previous and the memory: by the name of the metric.

    What needs a server that is down, and has no value, is left as it was: one alert says so, not twenty.
    """
    found: List[Evaluation] = []
    memory: Dict[str, Memory] = {}
    for threshold in thresholds:
        name = threshold.metric.name
        if not threshold.enabled:
            continue
        before = (previous or {}).get(name)
        if waits(threshold, thresholds, readings):
            memory[name] = before or []
            continue
        states, memory[name] = evaluate(threshold, readings.get(name, ()), before)
        found += states
    return found, memory


def waits(threshold: Threshold, thresholds: Sequence[Threshold], readings: Mapping[str, Sequence[Reading]]) -> bool:
    """Whether it has no value because its server is down, or may be, and another threshold says so."""
    needs = threshold.metric.needs
    if not any(entry.metric.name == needs and entry.enabled for entry in thresholds):
        return False
    server = [reading for reading in readings.get(needs or "", ()) if reading.applicable]
    own = readings.get(threshold.metric.name, ())
    if any(reading.value is not None or not reading.applicable for reading in own):
        return False
    return any(reading.value is None or reading.value > 0 for reading in server)


def by_subject(threshold: Threshold, readings: Sequence[Reading]) -> Dict[Optional[str], Reading]:
    """The worst of those with the same subject; one without a value tells nothing of the others."""
    found: Dict[Optional[str], Reading] = {}
    for reading in readings:
        if reading.value is not None and not math.isfinite(reading.value):
            reading = reading._replace(value=None, reason=reading.reason or NO_NUMBER)
        before = found.get(reading.subject)
        if before is None or _worse(threshold, reading, before):
            found[reading.subject] = reading
    return found


def _remembered(entry: Mapping[str, Any]) -> _Memory:
    return _Memory(**{name: entry[name] for name in _Memory._fields if name in entry})


def _worse(threshold: Threshold, reading: Reading, before: Reading) -> bool:
    if reading.value is None or before.value is None:
        return before.value is None and reading.applicable
    return beyond(threshold.direction, reading.value, before.value)


def _after(threshold: Threshold, before: _Memory, value: Optional[float]) -> _Memory:
    if value is None:
        missing = min(before.missing + 1, threshold.unknown_samples)
        state = UNKNOWN if missing >= threshold.unknown_samples else before.state
        return before._replace(state=state, missing=missing)
    needed = 1 if before.state == UNKNOWN else threshold.samples
    # Counted no further than it matters, so that what is remembered comes to rest.
    warns = _counted(threshold, before.beyond_warn, value, threshold.warn)
    criticals = _counted(threshold, before.beyond_critical, value, threshold.critical)
    level = OK
    if warns >= needed or _held(threshold, before, value, WARNING, threshold.warn):
        level = WARNING
    if criticals >= needed or _held(threshold, before, value, CRITICAL, threshold.critical):
        level = CRITICAL
    return _Memory(level, level, warns, criticals, 0)


def _counted(threshold: Threshold, count: int, value: float, limit: Optional[float]) -> int:
    """How many readings in a row were beyond the limit, this one included."""
    if limit is None or not beyond(threshold.direction, value, limit):
        return 0
    return min(count + 1, threshold.samples)


def _held(threshold: Threshold, before: _Memory, value: float, level: str, limit: Optional[float]) -> bool:
    """Whether a level that was reached is not left yet."""
    if limit is None or _LEVELS.index(before.level) < _LEVELS.index(level):
        return False
    back = limit - threshold.hysteresis if threshold.direction == ABOVE else limit + threshold.hysteresis
    return beyond(threshold.direction, value, back)
