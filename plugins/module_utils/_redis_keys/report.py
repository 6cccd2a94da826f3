# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an invalidation did, in one sentence."""

from __future__ import annotations

from typing import Any, Mapping, Sequence, Tuple

from ansible_collections.midi.capacity.plugins.module_utils._report import human


def sentence(counts: Sequence[Tuple[str, int]], check_mode: bool, latency: Mapping[str, Any]) -> str:
    """counts: number of keys by pattern. latency: before and during, each as latency.summary makes it or None."""
    if not counts:
        return "This event invalidates nothing."
    total = sum(number for _name, number in counts)
    if not total:
        return f"There is no key of {', '.join(name for name, _number in counts)}. {_round_trips(latency)}"
    parts = ", ".join(f"{human.count(number)} of {name}" for name, number in counts)
    verb = "Would unlink" if check_mode else "Unlinked"
    return f"{verb} {human.count(total)} {'key' if total == 1 else 'keys'}: {parts}. {_round_trips(latency)}"


def _round_trips(latency: Mapping[str, Any]) -> str:
    if not latency["before"] or not latency["during"]:
        return f"How long Redis took to answer meanwhile was not measured: {latency['reason']}"
    return f"Redis answered a PING in {_range(latency['before'])} before and in {_range(latency['during'])} meanwhile."


def _range(found: Mapping[str, Any]) -> str:
    return f"{human.milliseconds(found['p99_ms'])} (p99, at most {human.milliseconds(found['max_ms'])})"
