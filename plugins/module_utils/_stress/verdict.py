# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a stress test ended well, in words."""

from __future__ import annotations

from typing import Any, Dict, Mapping, Optional

from ansible_collections.midi.capacity.plugins.module_utils._report import human

Json = Dict[str, Any]


def verdict(outcome: Mapping[str, Any], errors: int, unread: Optional[str] = None) -> Json:
    """{ended_well, passed, text}. ended_well: by itself with exit status 0; passed: and without an error in its log.

    unread: why the server could not be read any more afterwards. Then nothing has ended well.
    """
    ended_well = outcome["exit_status"] == 0 and outcome["ended_by"] == "itself" and not unread
    return {
        "ended_well": ended_well,
        "passed": ended_well and not errors,
        "text": f"{_ended(outcome)}{_errors(errors)}{_unread(unread)}",
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


def _unread(reason: Optional[str]) -> str:
    return f"; afterwards the server could not be read: {reason.rstrip('.')}" if reason else ""


def _errors(errors: int) -> str:
    return f", and its log has {human.plural(errors, 'error')}" if errors else ""
