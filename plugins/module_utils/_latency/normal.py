# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The normal distribution: how much of it lies below, and its other way round."""

from __future__ import annotations

import math
from statistics import NormalDist

_ROOT_2 = math.sqrt(2)
_STANDARD = NormalDist()


def cdf(z: float) -> float:
    """Phi(z) = erfc(-z / sqrt 2) / 2: DLMF 7.2.2 (https://dlmf.nist.gov)."""
    return math.erfc(-z / _ROOT_2) / 2


def upper_quantile(tail: float) -> float:
    """The z above which the part `tail` lies, for 0 < tail < 1."""
    return -_STANDARD.inv_cdf(tail)
