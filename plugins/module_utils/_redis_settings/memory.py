# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The memory of a cache that the role starts: its limit, that of its container, and whether the host bears it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

from ansible_collections.midi.capacity.plugins.module_utils._redis_settings import headroom, values
from ansible_collections.midi.capacity.plugins.module_utils._report import human

AUTOMATIC = "auto"
# The checklist's limit, which is taken where the host bears it.
_PREFERRED_BYTES = 10 * 1024**3
_MIB = 1024**2
# Of a container's limit maxmemory is at most three quarters, and so much is left in any case: a fork for saving copies
# the pages that change meanwhile, and connections, replication and fragmentation come on top.
_CONTAINER_PERCENT = 75
_LEAST_HEADROOM_BYTES = 128 * _MIB


@dataclass(frozen=True)
class MemoryPlan:
    """maxmemory: as a setting. problem: what is wrong, or None."""

    maxmemory: str
    container_bytes: int
    problem: Optional[str]


@dataclass(frozen=True)
class Other:
    """Another server on the host: the cache of a queue, or the queue of a cache. maxmemory_bytes: 0 is no limit."""

    maxmemory_bytes: int = 0
    used_bytes: int = 0

    @property
    def takes_bytes(self) -> int:
        return self.maxmemory_bytes or self.used_bytes


def memory_plan(
    maxmemory: str,
    usable_bytes: Optional[int],
    limit_percent: int,
    container: str = "",
    other: Optional[Other] = None,
) -> MemoryPlan:
    """usable_bytes: of the host, if known. container: its limit, where one is given. Raises InvalidValue."""
    wanted_bytes = _wanted_bytes(maxmemory, usable_bytes, limit_percent, other)
    problem = headroom.problem(wanted_bytes, usable_bytes, limit_percent, other.takes_bytes if other else 0)
    least_bytes = wanted_bytes + _LEAST_HEADROOM_BYTES
    if not container:
        computed = max(-(-wanted_bytes * 100 // _CONTAINER_PERCENT // _MIB) * _MIB, least_bytes)
        return MemoryPlan(values.memory_text(wanted_bytes), computed, problem and f"maxmemory {problem}")
    given_bytes = values.memory_bytes(container)
    if problem is None and given_bytes < least_bytes:
        return MemoryPlan(
            values.memory_text(wanted_bytes),
            given_bytes,
            f"the container's limit of {human.size(given_bytes)} leaves no head-room above maxmemory"
            f" {values.memory_text(wanted_bytes)}: give it {human.size(least_bytes)} at least, better a third more than"
            " maxmemory, because saving forks the server",
        )
    return MemoryPlan(values.memory_text(wanted_bytes), given_bytes, problem and f"maxmemory {problem}")


def _wanted_bytes(maxmemory: str, usable_bytes: Optional[int], limit_percent: int, other: Optional[Other]) -> int:
    if str(maxmemory).strip().lower() != AUTOMATIC:
        return values.memory_bytes(maxmemory)
    if usable_bytes is None:
        raise values.InvalidValue("auto needs the host's memory, which could not be read: give a size, such as 10gb")
    if other and not other.maxmemory_bytes:
        # What it uses is another figure at every run.
        raise values.InvalidValue(
            "auto needs to know what is left, and the other server has no limit: give it one first"
        )
    left_bytes = usable_bytes * limit_percent // 100 - (other.takes_bytes if other else 0)
    if left_bytes < _MIB:
        raise values.InvalidValue(
            f"auto has nothing left of the host's {human.size(usable_bytes)} RAM, of which at most {limit_percent} % is"
            " allowed: the other server has it; give both a size"
        )
    return min(_PREFERRED_BYTES, left_bytes // _MIB * _MIB)
