# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is no window."""

from __future__ import annotations

from ansible_collections.midi.capacity.plugins.module_utils import _moments
from ansible_collections.midi.capacity.plugins.module_utils._report.human import moment


class NotAWindow(ValueError):
    """The two moments have no time between them."""


def seconds_of(earlier: str, later: str) -> float:
    """The time between two moments in ISO 8601. Raises NotAWindow."""
    seconds = _moments.elapsed(earlier, later)
    if seconds == 0:
        # Of a clock that counts whole seconds, or was set back.
        raise NotAWindow(f"by the clock there is less than a second between the two, both of {moment(earlier)}")
    if seconds < 0:
        raise NotAWindow(f"no time passes from {moment(earlier)} to {moment(later)}; the earlier one has to come first")
    return seconds
