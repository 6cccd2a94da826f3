# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of the calls a percentile is."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Union


def rank(percentile: Union[int, float], calls: int) -> int:
    """The smallest number of calls that is at least this percentage: nearest rank, Hyndman and Fan 1996, type 1.

    percentile: more than 0 and at most 100, taken for the decimal number that it is written as: 99.9 is 999/1000.
    """
    if not 0 < percentile <= 100:
        raise ValueError(f"a percentile is more than 0 and at most 100, not {percentile}")
    return math.ceil(Fraction(str(percentile)) * calls / 100)
