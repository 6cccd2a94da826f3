# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Readings in Prometheus' text format, for the textfile collector of node_exporter.

Format 0.0.4 of https://prometheus.io/docs/instrumenting/exposition_formats/, without time stamps, which that collector
refuses. HELP is the same in every file, as it wants where several write the same metric.
A reading that there is not is left out, and never NaN: no comparison with NaN is true, so no alert would come, and it
spoils every maximum and mean. midi_capacity_reading_missing says so instead.
"""

from __future__ import annotations

from typing import Dict, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.midi.capacity.plugins.module_utils import _moments
from ansible_collections.midi.capacity.plugins.module_utils._thresholds.evaluate import by_subject, waits
from ansible_collections.midi.capacity.plugins.module_utils._thresholds.exposition import (
    DATABASE,
    LAST_SNAPSHOT,
    MISSING,
    selector,
)
from ansible_collections.midi.capacity.plugins.module_utils._thresholds.model import Reading, Threshold
from ansible_collections.midi.capacity.plugins.module_utils._thresholds.units import base_text

_EPOCH = "1970-01-01T00:00:00Z"

Sample = Tuple[Dict[str, str], str]


def text(
    thresholds: Sequence[Threshold], readings: Mapping[str, Sequence[Reading]], taken_at: str, database: str
) -> str:
    """The whole file. thresholds: all of table.read; readings: by name of the metric; taken_at: of the snapshot."""
    common = {DATABASE: database}
    lines = _family(
        LAST_SNAPSHOT,
        "When the last snapshot was taken, in seconds since 1970 in UTC",
        [(common, f"{_moments.elapsed(_EPOCH, taken_at):.3f}")],
    )
    missing: List[Sample] = []
    for threshold in thresholds:
        metric = threshold.metric
        found = by_subject(threshold, readings.get(metric.name, ()))
        if not metric.exported:
            continue
        samples = [
            (_labels(common, metric.subject, subject), base_text(metric.unit, reading.value))
            for subject, reading in found.items()
            if reading.value is not None
        ]
        lines += _family(metric.prometheus, metric.meaning, samples) if samples else []
        applicable = [reading for reading in found.values() if reading.applicable]
        if threshold.enabled and (applicable or not found):
            absent = not samples or any(reading.value is None for reading in applicable)
            told = absent and not waits(threshold, thresholds, readings)
            missing.append(({**common, "metric": metric.name}, str(int(told))))
    lines += _family(MISSING, "1 if the metric could not be read at the last snapshot, 0 if it could", missing)
    return "\n".join(lines) + "\n"


def _labels(common: Dict[str, str], name: Optional[str], subject: Optional[str]) -> Dict[str, str]:
    return common if subject is None else {**common, name or "subject": subject}


def _family(name: str, meaning: str, samples: Sequence[Sample]) -> List[str]:
    """The lines of one metric, which stand together."""
    shown = meaning.replace("\\", "\\\\").replace("\n", "\\n")
    head = [f"# HELP {name} {shown}", f"# TYPE {name} gauge"]
    return head + [f"{name}{selector(labels)} {value}" for labels, value in samples]
