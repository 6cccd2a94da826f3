# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many different keys there were. SCAN gives a key twice when the server resizes its table meanwhile."""

from __future__ import annotations

from array import array
from typing import Dict

_BUCKETS = 256


class DistinctCount:
    """Takes 8 bytes a key, so that ten million fit anywhere; keys are told apart by 64 bits of hash."""

    def __init__(self) -> None:
        self._buckets: Dict[int, "array[int]"] = {}

    def add(self, key: str) -> None:
        number = hash(key)
        self._buckets.setdefault(number % _BUCKETS, array("q")).append(number)

    def count(self) -> int:
        return sum(len(set(bucket)) for bucket in self._buckets.values())
