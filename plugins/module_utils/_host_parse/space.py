# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""File systems: space and inodes, as df counts them."""

from __future__ import annotations

from typing import Any, NamedTuple


class Counted(NamedTuple):
    """Blocks or inodes: how many there are, how many are free, how many of these an ordinary user may take."""

    total: int
    free: int
    available: int

    @property
    def used(self) -> int:
        return self.total - self.free

    @property
    def used_percent(self) -> float | None:
        """used / (used + available), so 100 when an ordinary user can take no more; None where nothing is counted."""
        reachable = self.used + self.available
        return round(100.0 * self.used / reachable, 2) if reachable else None


def space(block_bytes: int, blocks: Counted) -> dict[str, Any]:
    """size_bytes, used_bytes, free_bytes (for an ordinary user) and used_percent."""
    return {
        "size_bytes": blocks.total * block_bytes,
        "used_bytes": blocks.used * block_bytes,
        "free_bytes": blocks.available * block_bytes,
        "used_percent": blocks.used_percent,
    }


def inodes(counted: Counted) -> dict[str, Any] | None:
    """total, used, free and used_percent; None for a file system that makes inodes as it needs them."""
    if counted.total == 0:
        return None
    return {
        "total": counted.total,
        "used": counted.used,
        "free": counted.available,
        "used_percent": counted.used_percent,
    }
