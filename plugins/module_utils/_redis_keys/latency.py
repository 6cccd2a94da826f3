# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Round trips, summed up."""

from __future__ import annotations

from typing import Dict, Optional, Sequence, Union


def summary(samples_seconds: Sequence[float]) -> Optional[Dict[str, Union[int, float]]]:
    """samples, median_ms, p99_ms and max_ms; None without a sample. A percentile is one of the samples."""
    if not samples_seconds:
        return None
    ordered = sorted(samples_seconds)
    return {
        "samples": len(ordered),
        "median_ms": _milliseconds(percentile(ordered, 50)),
        "p99_ms": _milliseconds(percentile(ordered, 99)),
        "max_ms": _milliseconds(ordered[-1]),
    }


def percentile(ordered: Sequence[float], share_percent: int) -> float:
    """The smallest sample that at least so many percent of all do not exceed (nearest rank)."""
    rank = -(-len(ordered) * share_percent // 100)
    return ordered[max(rank, 1) - 1]


def _milliseconds(seconds: float) -> float:
    return round(seconds * 1000, 3)
