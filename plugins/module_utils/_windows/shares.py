# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shares in percent."""

from __future__ import annotations

from typing import Optional, Union

Number = Union[int, float]


def percent(part: Optional[Number], whole: Optional[Number]) -> Optional[float]:
    """Two decimals; None where there is no whole or one of them is unknown."""
    return None if part is None or not whole else round(100.0 * part / whole, 2)
