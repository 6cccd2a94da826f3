# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a server was seen doing, look by look: connections and who waits. Summaries that can be put together."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional, Sequence

Json = Dict[str, Any]

# total: client connections of all databases; in_database: of the one under test. waiting: those that wait for a lock.
FIGURES = ("total", "in_database", "active", "idle", "idle_in_transaction", "waiting")


def summary(samples: Sequence[Mapping[str, int]]) -> Json:
    """{samples, sums, most} of samples that have FIGURES."""
    return {
        "samples": len(samples),
        "sums": {name: sum(sample[name] for sample in samples) for name in FIGURES},
        "most": {name: max((sample[name] for sample in samples), default=0) for name in FIGURES},
    }


def merged(summaries: Sequence[Json]) -> Optional[Json]:
    """{samples, most, mean} of all of them together; None where there was no sample."""
    count = sum(found["samples"] for found in summaries)
    if not count:
        return None
    return {
        "samples": count,
        "most": {name: max(found["most"][name] for found in summaries) for name in FIGURES},
        "mean": {name: round(sum(found["sums"][name] for found in summaries) / count, 2) for name in FIGURES},
    }


def reasons(found: Sequence[Optional[str]]) -> List[str]:
    """Why samples are missing, each reason once, in the order in which they came up."""
    return list(dict.fromkeys(reason for reason in found if reason))
