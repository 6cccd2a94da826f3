# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The longest stretch in which a client got no answer, from the moments at which it asked and was answered."""

from __future__ import annotations

from typing import Optional


class Interruption:
    """Collects answers; moments are seconds of one clock that only goes forward."""

    def __init__(self) -> None:
        self.longest_seconds = 0.0
        self.answers = 0
        self._answered_at: Optional[float] = None

    def answered(self, at: float) -> None:
        """An answer came. A client that asks at once after each has waited since the one before."""
        if self._answered_at is not None:
            self.longest_seconds = max(self.longest_seconds, at - self._answered_at)
        self._answered_at = at
        self.answers += 1

    def ended(self, at: float) -> None:
        """Nobody asks any more; what is not answered until now counts as well."""
        if self._answered_at is not None:
            self.longest_seconds = max(self.longest_seconds, at - self._answered_at)
