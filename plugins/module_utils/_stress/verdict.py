# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a stress test ended well, in words."""

from __future__ import annotations

from typing import Any, Dict, Mapping

from ansible_collections.midi.capacity.plugins.module_utils._report import human

Json = Dict[str, Any]


def verdict(outcome: Mapping[str, Any], errors: int) -> Json:
    """{ended_well, passed, text}. ended_well: by itself with exit status 0; passed: and without an error in its log."""
    ended_well = outcome["exit_status"] == 0 and outcome["ended_by"] == "itself"
    return {
        "ended_well": ended_well,
        "passed": ended_well and not errors,
        "text": f"{_ended(outcome)}{_errors(errors)}",
    }


def _ended(outcome: Mapping[str, Any]) -> str:
    took = human.seconds(outcome["elapsed_seconds"])
    if outcome["ended_by"] == "time limit":
        return f"it was ended at its time limit, after {took}, with all processes of its group"
    if outcome["ended_by"] == "nobody watched":
        return f"it was ended after {took} with all processes of its group, because nobody watched it any more"
    if outcome["ended_by"] == "request":
        return f"it was ended on request, after {took}, with all processes of its group"
    if outcome["signal"]:
        return f"it was ended by {outcome['signal']} after {took}"
    return f"it ended with exit status {outcome['exit_status']} after {took}"


def _errors(errors: int) -> str:
    return f", and its log has {human.plural(errors, 'error')}" if errors else ""
