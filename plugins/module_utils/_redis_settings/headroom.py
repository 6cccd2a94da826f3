# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How much of a host's memory a cache may take, and what a lower limit costs."""

from __future__ import annotations

from typing import Optional

from ansible_collections.midi.capacity.plugins.module_utils._redis_settings.values import memory_text
from ansible_collections.midi.capacity.plugins.module_utils._report import human

# From here on nothing is checked.
UNCHECKED_PERCENT = 100


def problem(
    maxmemory_bytes: int, total_bytes: Optional[int], limit_percent: int, others_bytes: int = 0
) -> Optional[str]:
    """What is wrong with a maxmemory on a host with so much RAM; None when nothing is, or nobody knows the RAM.

    Saving forks the server: pages that change meanwhile exist twice. Buffers and fragmentation come on top.
    others_bytes: what another server on the host may take, which forks as well.
    """
    if limit_percent >= UNCHECKED_PERCENT:
        return None
    remedy = "a fork for saving, buffers and fragmentation need the rest (maxmemory_limit_percent)"
    if maxmemory_bytes == 0:
        return f"is 0, which is no limit at all, where at most {limit_percent} % of the host's RAM is allowed: {remedy}"
    sum_bytes = maxmemory_bytes + others_bytes
    if total_bytes is None or sum_bytes * 100 <= total_bytes * limit_percent:
        return None
    others = f" and the {human.size(others_bytes)} of the other server on this host are" if others_bytes else " is"
    return (
        f"{memory_text(maxmemory_bytes)}{others} {human.percent(sum_bytes, total_bytes)} of the host's"
        f" {human.size(total_bytes)} RAM, where at most {limit_percent} %"
        f" ({human.size(total_bytes * limit_percent // 100)}) is allowed: {remedy}"
    )


def consequence(maxmemory_bytes: int, used_bytes: Optional[int], policy: str) -> Optional[str]:
    """What a maxmemory below the memory in use does at once, or None."""
    if used_bytes is None or maxmemory_bytes == 0 or maxmemory_bytes >= used_bytes:
        return None
    what = f"maxmemory {memory_text(maxmemory_bytes)} is less than the {human.size(used_bytes)} in use"
    if policy == "noeviction":
        return f"{what}: with maxmemory-policy noeviction the server refuses writes until keys are deleted"
    return f"{what}: the server evicts keys by {policy} until it fits"
