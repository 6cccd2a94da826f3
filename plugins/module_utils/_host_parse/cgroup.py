# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Control groups, version 1, 2 or both: which group a process is in, where that group's files are, what they say."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from .mounts import Mount, beneath
from .number import natural

# Version 1 writes "no limit" as the greatest number of whole pages in a signed 64-bit integer. The page size differs
# between machines, so everything that no machine can have counts as no limit.
UNLIMITED_BYTES = 1 << 62


class Membership(NamedTuple):
    """controllers: version 1's, each with the group's path. unified: the path in version 2, None without it."""

    controllers: dict[str, str]
    unified: str | None

    @property
    def version(self) -> str:
        """1, 2, or hybrid where both hierarchies exist."""
        if self.unified is None:
            return "1"
        return "hybrid" if self.controllers else "2"


class Limit(NamedTuple):
    """A limit (bytes, or a number of CPUs) and the file that sets it."""

    value: float
    source: str


class Hierarchy(NamedTuple):
    """The hierarchy that a controller is in: its version (1 or 2), the process' path in it, its mounts."""

    version: int
    path: str
    mounts: list[Mount]

    @property
    def escapes(self) -> bool:
        """Whether the group lies outside of the cgroup namespace of whoever reads the path."""
        return _climbs(self.path)


def parse_membership(text: str) -> Membership:
    """/proc/PID/cgroup."""
    controllers: dict[str, str] = {}
    unified = None
    for line in text.split("\n"):
        if not line:
            continue
        fields = line.split(":", 2)
        if len(fields) != 3 or not fields[2].startswith("/"):
            raise ValueError(f"a line of the process' cgroup file is not understood: {line[:80]!r}")
        if fields[:2] == ["0", ""]:
            unified = fields[2]
        else:
            controllers.update((name, fields[2]) for name in fields[1].split(","))
    if unified is None and not controllers:
        raise ValueError("the process is in no cgroup")
    return Membership(controllers, unified)


def hierarchy(membership: Membership, mounts: Sequence[Mount], controller: str) -> Hierarchy:
    """Where a controller's figures are. A controller is in one hierarchy only; version 1 names its own."""
    if controller in membership.controllers:
        path = membership.controllers[controller]
        found = [mount for mount in mounts if mount.file_system_type == "cgroup" and controller in mount.options]
        version = 1
    elif membership.unified is not None:
        path = membership.unified
        found = [mount for mount in mounts if mount.file_system_type == "cgroup2"]
        version = 2
    else:
        raise ValueError(f"no cgroup controller {controller}")
    if not found:
        raise ValueError(f"the cgroup hierarchy of the controller {controller} is not mounted")
    return Hierarchy(version, path, found)


def places(group: Hierarchy) -> list[tuple[str, str]]:
    """Where the group's directory may be, likeliest first: (directory, mount point). Empty when nothing covers it.

    A container mounts a part of the hierarchy: what the path says beyond the mount's root is below the mount point.
    """
    found = []
    for mount in sorted(reversed(group.mounts), key=lambda mount: len(mount.root), reverse=True):
        way = beneath(group.path, mount.root)
        if way is not None and not _climbs(way):
            found.append((mount.mount_point.rstrip("/") + way or "/", mount.mount_point))
    return found


def lineage(directory: str, mount_point: str) -> list[str]:
    """The group's directory and those of its ancestors, up to the mount point."""
    found = [directory]
    while found[-1] != mount_point and beneath(found[-1], mount_point) is not None:
        found.append(found[-1].rpartition("/")[0] or "/")
    return found


def parse_limit_bytes(text: str) -> int | None:
    """memory.limit_in_bytes (version 1) or memory.max (version 2); None for no limit."""
    if text.strip() == "max":
        return None
    value = natural(text)
    return value if value < UNLIMITED_BYTES else None


def parse_hierarchical_limit_bytes(text: str) -> int | None:
    """From version 1's memory.stat: the kernel's own smallest of the group and all ancestors, seen or not."""
    return parse_limit_bytes(str(_keyed(text, "hierarchical_memory_limit")))


def parse_quota_v1(quota: str, period: str) -> float | None:
    """CPUs from cpu.cfs_quota_us and cpu.cfs_period_us; None for no quota."""
    return None if quota.strip() == "-1" else _cpus(quota, period)


def parse_quota_v2(text: str) -> float | None:
    """CPUs from cpu.max, `quota period` or `max period`; None for no quota."""
    quota, _space, period = text.strip().partition(" ")
    return None if quota == "max" else _cpus(quota, period)


def parse_usage_seconds_v1(text: str) -> float:
    """CPU time that a group has had, from cpuacct.usage."""
    return natural(text) / 1e9


def parse_usage_seconds_v2(text: str) -> float:
    """CPU time that a group has had, from cpu.stat."""
    return _keyed(text, "usage_usec") / 1e6


def smallest(limits: Iterable[Limit], ceiling: float | None = None) -> Limit | None:
    """The limit that binds. One above the ceiling (what the host has) binds nothing."""
    binding = [limit for limit in limits if ceiling is None or limit.value <= ceiling]
    return min(binding, key=lambda limit: limit.value) if binding else None


def _climbs(path: str) -> bool:
    return "/../" in f"{path}/"


def _keyed(text: str, key: str) -> int:
    for line in text.splitlines():
        name, _space, value = line.partition(" ")
        if name == key:
            return natural(value)
    raise ValueError(f"no {key} in it")


def _cpus(quota: str, period: str) -> float:
    if natural(period) == 0:
        raise ValueError("a CPU period of 0")
    return natural(quota) / natural(period)
