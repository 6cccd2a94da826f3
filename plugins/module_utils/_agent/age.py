# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How old the last snapshot is."""

from __future__ import annotations

from typing import Any, Mapping, Optional

from ansible_collections.midi.capacity.plugins.module_utils import _moments
from ansible_collections.midi.capacity.plugins.module_utils._thresholds.model import Reading


def age_intervals(last: Optional[Mapping[str, Any]], now: Mapping[str, Any], interval_seconds: float) -> Reading:
    """In intervals of the schedule. last, now: heads, see window.

    In one boot by the clock that nobody sets. Over a reboot the other one may have been set back: then it is taken for
    new, because one that is old shows at the next snapshot that does not come.
    """
    if last is None:
        return Reading(None, reason="there is no snapshot")
    seconds = now["monotonic_seconds"] - last["monotonic_seconds"]
    if last["boot_id"] != now["boot_id"] or seconds < 0:
        seconds = max(0.0, _moments.elapsed(last["taken_at"], now["taken_at"]))
    return Reading(round(seconds / interval_seconds, 2), detail=f"the last one is of {last['taken_at']}")
