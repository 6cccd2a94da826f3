# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether counters were reset between two moments, and when."""

from __future__ import annotations

from typing import Optional


class UnknownReset(Exception):
    """Counters began anew at a moment that nobody knows; the message says how that shows."""


def begin(before: Optional[str], after: Optional[str], taken_at: str, until: str) -> Optional[str]:
    """From when on counters count in the window: their reset in it, or None if there was none. Raises UnknownReset.

    before, after: the time of their last reset as the earlier and the later snapshot have it; None is never.
    taken_at, until: when the window begins and ends. All in ISO 8601 of the same width, so that texts sort.
    """
    if before == after:
        return None
    if after is None or after <= taken_at:
        raise UnknownReset("the time of their reset has changed, to one that is not in the window")
    if after > until:
        raise UnknownReset("the time of their reset is after the end of the window: the clock was set")
    return after
