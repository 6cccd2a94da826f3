# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Aligned text for a terminal."""

from __future__ import annotations

from typing import List, Sequence


def columns(rows: Sequence[Sequence[str]]) -> List[str]:
    """A line for each row, its cells under those of the others; two blanks between, none at the end."""
    if not rows:
        return []
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    return ["  ".join(cell.ljust(widths[place]) for place, cell in enumerate(row)).rstrip() for row in rows]
