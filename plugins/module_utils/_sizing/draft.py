# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of a server's settings while a profile is computed."""

from __future__ import annotations

from typing import Any, Dict, Mapping

from ansible_collections.midi.capacity.plugins.module_utils._sizing.budget import USUAL, Assumptions
from ansible_collections.midi.capacity.plugins.module_utils._sizing.effective import Effective


class Draft:
    """Given settings before computed ones before live ones. Raises SizingError for values that cannot be."""

    def __init__(
        self,
        given: Mapping[str, Any],
        live: Mapping[str, Any],
        standby: bool = False,
        assumptions: Assumptions = USUAL,
    ) -> None:
        self.given = Effective(given)
        self.live = Effective(live)
        self.standby = standby
        self.assumptions = assumptions
        self.computed: Dict[str, str] = {}
        self._given, self._live = given, live

    @property
    def known(self) -> Effective:
        return Effective({**self._live, **self.computed, **self._given})

    def settle(self, found: Mapping[str, str]) -> None:
        """Take over what is not given."""
        self.computed.update({name: value for name, value in found.items() if name not in self.given})
