# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The host's CPU, memory and disks, and the limits of a process' cgroup. The only place that reads /proc and /sys."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from ansible_collections.midi.capacity.plugins.module_utils._errors import OperatorError
from ansible_collections.midi.capacity.plugins.module_utils._host_parse import (
    cgroup,
    cpu,
    kernel_setting,
    load,
    meminfo,
    mounts,
    number,
    process,
    sockets,
    space,
)

SHORTEST_SAMPLE_SECONDS = 0.1
LONGEST_SAMPLE_SECONDS = 60.0

MEMINFO_NAMES = {
    "total_bytes": "MemTotal",
    "available_bytes": "MemAvailable",
    "swap_total_bytes": "SwapTotal",
    "swap_free_bytes": "SwapFree",
}
HUGE_PAGES_NAMES = {
    "total": "HugePages_Total",
    "free": "HugePages_Free",
    "reserved": "HugePages_Rsvd",
    "surplus": "HugePages_Surp",
    "page_size_bytes": "Hugepagesize",
}
# By the version of the cgroup hierarchy.
MEMORY_LIMIT_FILE = {1: "memory.limit_in_bytes", 2: "memory.max"}
MEMORY_USED_FILE = {1: "memory.usage_in_bytes", 2: "memory.current"}
CPU_QUOTA_FILE = {1: "cpu.cfs_quota_us", 2: "cpu.max"}
SHM = "/dev/shm"
SOCKET_FILES = ("/proc/net/tcp", "/proc/net/tcp6")


class Host:
    """The machine that this runs on."""

    def __init__(
        self,
        root: str = "/",
        wait: Callable[[float], Any] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """root: where /proc, /sys and /dev are looked for. wait lets the given seconds pass, clock counts them."""
        self._files = _Files(root)
        self._wait = wait
        self._clock = clock

    def capacity(self, paths: Iterable[str], sample_seconds: float, pid: int | None = None) -> dict:
        """What the host has and uses; the shape is that of `host` in the RETURN of host_capacity_info.

        paths: absolute paths whose file systems to measure. sample_seconds: over which the use of CPU is measured.
        pid: the process whose cgroup, CPUs and /dev/shm count; None for this one.
        A part that cannot be read is null and named in `missing`. Raises OperatorError for bad arguments only.
        """
        paths = list(paths)
        _refuse_sample(sample_seconds)
        _refuse_paths(self._files, paths)
        _refuse_pid(self._files, pid)
        look = _Look(self._files, pid)
        return {
            "kernel": look.attempt("kernel", _kernel, look),
            "uptime_seconds": look.attempt("uptime_seconds", look.parsed, load.parse_uptime_seconds, "/proc/uptime"),
            "load_average": look.attempt("load_average", look.parsed, load.parse_load_average, "/proc/loadavg"),
            "cpu": _cpu(look, sample_seconds, self._wait, self._clock),
            "memory": _memory(look),
            "disks": _disks(look, paths),
            "shm": look.attempt("shm", _shm, look) or {"size_bytes": None, "free_bytes": None},
            "missing": look.missing,
        }

    def process(self, pid: int) -> process.Process | None:
        """A process; None when there is none of that number, or this account may not see it."""
        try:
            boot_seconds = process.parse_boot_seconds(self._files.text("/proc/stat"))
            ticks_per_second = os.sysconf("SC_CLK_TCK")
            return process.parse_process(self._files.text(f"/proc/{pid}/stat"), boot_seconds, ticks_per_second)
        except (OSError, ValueError):
            return None

    def holders(self, port: int, addresses: Iterable[str]) -> list:
        """Who listens so that nobody else can listen on the port at one of the addresses, as host_port_info tells it.

        Raises OperatorError when the kernel's list cannot be read.
        """
        found: list = []
        for path in SOCKET_FILES:
            try:
                found += sockets.parse_listening(self._files.text(path))
            except FileNotFoundError:
                continue  # No IPv6 here.
            except (OSError, ValueError) as error:
                raise OperatorError(f"who listens cannot be told: {_reason(error)}", path) from None
        held = sockets.in_the_way(found, port, addresses)
        owners = self._socket_owners({listening.inode for listening in held}) if held else {}
        return [
            {
                "address": listening.address,
                "port": listening.port,
                "pid": owners.get(listening.inode),
                "process": self._name(owners.get(listening.inode)),
            }
            for listening in held
        ]

    def kernel_setting(self, path: str) -> str:
        """What a file of the kernel says. Raises OperatorError."""
        try:
            return kernel_setting.value_of(self._files.text(path))
        except OSError as error:
            raise OperatorError(
                f"the setting of the kernel cannot be read: {error.strerror}", path, "see whether this kernel has it"
            ) from None

    def set_kernel_setting(self, path: str, value: str) -> None:
        """Raises OperatorError when the kernel takes it not, or the account may not."""
        try:
            # In place, for these are no files that could be replaced.
            with open(self._files.real(path), "r+", encoding="utf-8") as file:
                file.truncate()
                file.write(value)
        except OSError as error:
            raise OperatorError(
                f"the setting of the kernel cannot be changed to {value}: {error.strerror}",
                path,
                "become root; in a container, set it on the machine that the container runs on",
            ) from None

    def _socket_owners(self, inodes: set) -> dict:
        """The process of each socket, as far as this account may see them."""
        wanted = {f"socket:[{inode}]": inode for inode in inodes}
        owners: dict = {}
        for pid in self._files.numbers("/proc"):
            for link in self._files.links(f"/proc/{pid}/fd"):
                if link in wanted:
                    # A child that inherited it has a higher number, commonly.
                    owners.setdefault(wanted[link], pid)
        return owners

    def _name(self, pid: int | None) -> str | None:
        found = None if pid is None else self.process(pid)
        return found.name if found else None

    def numbered(self, pid: int) -> list[int]:
        """The process of that number, and those that have it in a PID namespace of their own, as in a container."""
        return [
            pid,
            *(number for number in self._files.numbers("/proc") if number != pid and self._inside(number) == pid),
        ]

    def _inside(self, pid: int) -> int | None:
        try:
            return process.parse_innermost_pid(self._files.text(f"/proc/{pid}/status"))
        except (OSError, ValueError):
            return None


class _Files:
    """Files below a root, named as if that root were /."""

    def __init__(self, root: str) -> None:
        self._root = os.path.realpath(root)

    def real(self, path: str) -> str:
        return os.path.join(self._root, path.lstrip("/"))

    def text(self, path: str) -> str:
        with open(self.real(path), encoding="utf-8", errors="surrogateescape") as file:
            return file.read()

    def numbers(self, path: str) -> list[int]:
        """The names in a directory that are numbers."""
        return sorted(int(name) for name in os.listdir(self.real(path)) if name.isdigit())

    def links(self, path: str) -> list:
        """Where the links in a directory lead; none for what may not be looked at, or is gone."""
        found = []
        with contextlib.suppress(OSError):
            for name in os.listdir(self.real(path)):
                with contextlib.suppress(OSError):
                    found.append(os.readlink(os.path.join(self.real(path), name)))
        return found

    def is_directory(self, path: str) -> bool:
        return os.path.isdir(self.real(path))

    def exists(self, path: str) -> bool:
        """False only for what is known not to exist; a path that may not be looked at might."""
        try:
            os.stat(self.real(path))
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError:
            return True
        return True

    def resolved(self, path: str) -> str:
        """The path without symbolic links, below the root."""
        way = os.path.relpath(os.path.realpath(self.real(path)), self._root)
        return "/" if way == "." else f"/{way}"

    def device(self, path: str) -> str:
        """major:minor of the file system that a path is on."""
        device = os.stat(self.real(path)).st_dev
        return f"{os.major(device)}:{os.minor(device)}"

    def space(self, path: str) -> dict:
        """Space and inodes of the file system that a path is on."""
        found = os.statvfs(self.real(path))
        figures = space.space(found.f_frsize, space.Counted(found.f_blocks, found.f_bfree, found.f_bavail))
        figures["inodes"] = space.inodes(space.Counted(found.f_files, found.f_ffree, found.f_favail))
        return figures


class _Look:
    """One look at the host, on behalf of one process; collects what could not be read, with the reason."""

    def __init__(self, files: _Files, pid: int | None) -> None:
        self.files = files
        self.pid = pid
        self.process = "/proc/self" if pid is None else f"/proc/{pid}"
        self.missing: list = []

    def attempt(self, part: str, read: Callable, *arguments: Any) -> Any:
        """What `read` returns; None, with the reason noted, when it cannot be had."""
        try:
            return read(*arguments)
        except (OSError, ValueError) as error:
            self.note(part, _reason(error))
            return None

    def note(self, part: str, reason: str) -> None:
        self.missing.append({"part": part, "reason": reason})

    def parsed(self, parse: Callable, path: str) -> Any:
        """A file's content as `parse` understands it; the file is named in the ValueError when it does not."""
        try:
            return parse(self.files.text(path))
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from None

    def mounts(self) -> list:
        return self.parsed(mounts.parse_mountinfo, "/proc/self/mountinfo")

    def membership(self) -> cgroup.Membership:
        return self.parsed(cgroup.parse_membership, f"{self.process}/cgroup")


def _kernel(look: _Look) -> str:
    return look.files.text("/proc/sys/kernel/osrelease").strip()


# CPU


def _cpu(look: _Look, sample_seconds: float, wait: Callable, clock: Callable) -> dict:
    window = _Window(look, {"cpu.busy_percent": _cpu_times, "cpu.cgroup.used_cpus": _group_cpu_seconds})
    window.measure(sample_seconds, wait, clock)
    online = window.last("cpu.busy_percent", lambda times: len(times.online))
    affinity = look.attempt("cpu.affinity_cpus", _affinity_cpus, look, online)
    quota = look.attempt("cpu.cgroup.quota_cpus", _cpu_quota, look)
    usable = _least(online, affinity, quota and quota.value)
    use = window.between("cpu.busy_percent", cpu.cpu_use)
    return {
        "model": look.attempt("cpu.model", look.parsed, cpu.parse_model, "/proc/cpuinfo"),
        "online_cpus": online,
        "affinity_cpus": affinity,
        "usable_cpus": None if usable is None else float(usable),
        "sample_seconds": None if window.seconds is None else round(window.seconds, 3),
        "busy_percent": use and use.busy_percent,
        "states_percent": use.states_percent if use else dict.fromkeys(cpu.STATES),
        "states_seconds": window.last("cpu.busy_percent", _seconds_by_state),
        "cgroup": {
            "quota_cpus": quota and quota.value,
            "source": quota and quota.source,
            "used_cpus": window.between("cpu.cgroup.used_cpus", window.per_second),
            "used_seconds": window.last("cpu.cgroup.used_cpus", lambda seconds: round(seconds, 3)),
        },
    }


def _seconds_by_state(times: cpu.CpuTimes) -> dict:
    per_second = os.sysconf("SC_CLK_TCK")
    return {state: round(ticks / per_second, 2) for state, ticks in times.ticks.items()}


class _Window:
    """Counters, read at both ends of a stretch of time. seconds: its length, None when nothing could be read."""

    def __init__(self, look: _Look, readers: dict) -> None:
        """readers: {part: function of the look}."""
        self._look = look
        self._readers = readers
        self._before: dict = {}
        self._after: dict = {}
        self.seconds: float | None = None

    def measure(self, seconds: float, wait: Callable, clock: Callable) -> None:
        started = clock()
        self._before = self._read(self._readers)
        if not self._before:
            return
        # This is the window over which CPU use is measured, not a wait for something to happen.
        wait(seconds)
        self.seconds = clock() - started
        self._after = self._read(self._before)

    def last(self, part: str, figure: Callable) -> Any:
        """A figure of the later reading; None without one."""
        return figure(self._after[part]) if part in self._after else None

    def between(self, part: str, difference: Callable) -> Any:
        """difference(before, after), or None, with the reason noted."""
        if part not in self._after:
            return None
        return self._look.attempt(part, difference, self._before[part], self._after[part])

    def per_second(self, before: float, after: float) -> float:
        if after < before:
            raise ValueError("the counter went backwards")
        if not self.seconds:
            raise ValueError("no time passed while it was measured")
        return round((after - before) / self.seconds, 3)

    def _read(self, parts: Iterable[str]) -> dict:
        found = {part: self._look.attempt(part, self._readers[part], self._look) for part in parts}
        return {part: value for part, value in found.items() if value is not None}


def _cpu_times(look: _Look) -> cpu.CpuTimes:
    return look.parsed(cpu.parse_stat, "/proc/stat")


def _affinity_cpus(look: _Look, online: int | None) -> int:
    allowed = len(look.parsed(cpu.parse_allowed_cpus, f"{look.process}/status"))
    # The list may name CPUs that are not there, and a container's /proc/stat may number them afresh: compare counts.
    return allowed if online is None else min(allowed, online)


def _group_cpu_seconds(look: _Look) -> float:
    group = _find_group(look, "cpuacct", "cpu.cgroup.used_cpus")
    if group.version == 1:
        return look.parsed(cgroup.parse_usage_seconds_v1, f"{group.directories[0]}/cpuacct.usage")
    return look.parsed(cgroup.parse_usage_seconds_v2, f"{group.directories[0]}/cpu.stat")


def _cpu_quota(look: _Look) -> cgroup.Limit | None:
    part = "cpu.cgroup.quota_cpus"
    group = _find_group(look, "cpu", part)
    read = _quota_v1 if group.version == 1 else _quota_v2
    return cgroup.smallest(_limits(look, group, CPU_QUOTA_FILE[group.version], read, part))


def _quota_v1(files: _Files, source: str) -> float | None:
    period = os.path.join(os.path.dirname(source), "cpu.cfs_period_us")
    return cgroup.parse_quota_v1(files.text(source), files.text(period))


def _quota_v2(files: _Files, source: str) -> float | None:
    return cgroup.parse_quota_v2(files.text(source))


# Memory


def _memory(look: _Look) -> dict:
    found = look.attempt("memory", look.parsed, meminfo.parse_meminfo, "/proc/meminfo")
    figures: dict = _named(look, found, MEMINFO_NAMES, "memory")
    figures["huge_pages"] = _named(look, found, HUGE_PAGES_NAMES, "memory.huge_pages")
    group = look.attempt("memory.cgroup", _group_memory, look, figures["total_bytes"])
    keys = ("version", "limit_bytes", "source", "used_bytes", "limit_used_bytes")
    figures["cgroup"] = group or dict.fromkeys(keys)
    figures["usable_bytes"] = _least(figures["total_bytes"], figures["cgroup"]["limit_bytes"])
    return figures


def _named(look: _Look, found: dict | None, names: dict, part: str) -> dict:
    """Figures of /proc/meminfo under our names; a name that is not there is noted, unless nothing is there at all."""
    if found is None:
        return dict.fromkeys(names)
    for key, name in names.items():
        if name not in found:
            look.note(f"{part}.{key}", f"/proc/meminfo has no {name}")
    return {key: found.get(name) for key, name in names.items()}


def _group_memory(look: _Look, total_bytes: int | None) -> dict:
    group = _find_group(look, "memory", "memory.cgroup")
    limit = cgroup.smallest(_memory_limits(look, group), total_bytes)
    used_bytes = look.attempt("memory.cgroup.used_bytes", _used_bytes, look, group.version, group.directories[0])
    return {
        "version": look.membership().version,
        "limit_bytes": limit and limit.value,
        "source": limit and limit.source,
        "used_bytes": used_bytes,
        "limit_used_bytes": limit and _limit_used_bytes(look, group.version, limit.source),
    }


def _memory_limits(look: _Look, group: _Group) -> Iterator[cgroup.Limit]:
    part = "memory.cgroup.limit_bytes"
    yield from _limits(look, group, MEMORY_LIMIT_FILE[group.version], _limit_bytes, part)
    if group.version == 1:
        # In a container this knows of ancestors that are not mounted.
        own = _Group(1, group.directories[:1])
        yield from _limits(look, own, "memory.stat", _hierarchical_limit_bytes, part)


def _limit_bytes(files: _Files, source: str) -> int | None:
    return cgroup.parse_limit_bytes(files.text(source))


def _hierarchical_limit_bytes(files: _Files, source: str) -> int | None:
    return cgroup.parse_hierarchical_limit_bytes(files.text(source))


def _used_bytes(look: _Look, version: int, directory: str) -> int:
    return look.parsed(number.natural, os.path.join(directory, MEMORY_USED_FILE[version]))


def _limit_used_bytes(look: _Look, version: int, source: str) -> int | None:
    """What the group that sets the limit uses; None when that group is out of sight."""
    directory, name = os.path.split(source)
    if name != MEMORY_LIMIT_FILE[version]:
        return None
    return look.attempt("memory.cgroup.limit_used_bytes", _used_bytes, look, version, directory)


# Control groups


class _Group(NamedTuple):
    """A cgroup that was found: its hierarchy's version; its directory and those of its ancestors, own first."""

    version: int
    directories: list


def _find_group(look: _Look, controller: str, part: str) -> _Group:
    """Where the process' group for a controller is; ValueError when it cannot be told."""
    group = cgroup.hierarchy(look.membership(), look.mounts(), controller)
    for directory, mount_point in cgroup.places(group):
        if look.files.is_directory(directory):
            return _Group(group.version, cgroup.lineage(directory, mount_point))
    if group.escapes:
        raise ValueError(f"the cgroup {group.path} lies outside of what can be seen from here")
    mount_point = group.mounts[-1].mount_point
    look.note(part, f"the cgroup {group.path} is not below {mount_point}; the group mounted there stands in for it")
    return _Group(group.version, [mount_point])


def _limits(look: _Look, group: _Group, name: str, read: Callable, part: str) -> Iterator[cgroup.Limit]:
    """The limits that the group and its ancestors set in the files of that name, own first."""
    for directory in group.directories:
        source = os.path.join(directory, name)
        try:
            value = read(look.files, source)
        except FileNotFoundError:
            continue  # The root group, or one that the controller is not enabled for: it sets no limit.
        except (OSError, ValueError) as error:
            look.note(part, f"{source}: {_reason(error)}")
            continue
        if value is not None:
            yield cgroup.Limit(value, source)


# Disks


def _disks(look: _Look, paths: list) -> list:
    known = look.attempt("disks.mount_point", look.mounts)
    return [_disk(look, path, known) for path in paths]


def _disk(look: _Look, path: str, known: list | None) -> dict:
    part = f"disks[{path}]"
    figures = look.attempt(part, look.files.space, path)
    mount = None
    if known is not None and figures is not None:
        mount = look.attempt(f"{part}.mount_point", _mount_of, look, path, known)
    keys = ("size_bytes", "used_bytes", "free_bytes", "used_percent", "inodes")
    return {
        "path": path,
        "mount_point": mount and mount.mount_point,
        "file_system_type": mount and mount.file_system_type,
        "device": mount and mount.source,
        "rotational": mount and look.attempt(f"{part}.rotational", _rotational, look.files, mount),
        **(figures or dict.fromkeys(keys)),
    }


def _mount_of(look: _Look, path: str, known: list) -> mounts.Mount:
    found = mounts.mount_of(known, look.files.resolved(path), look.files.device(path))
    if found is None:
        raise ValueError("/proc/self/mountinfo has no mount that covers it")
    return found


def _rotational(files: _Files, mount: mounts.Mount) -> bool | None:
    """What the kernel says of the mount's block device; None where there is none, or it does not say."""
    places = [f"/sys/dev/block/{mount.device}"]
    if mount.source.startswith("/dev/"):
        # btrfs gives its mounts a number that is no device's.
        places.append("/sys/class/block/" + os.path.basename(files.resolved(mount.source)))
    for place in filter(files.is_directory, places):
        directory = files.resolved(place)
        # A partition has no queue of its own; the disk above it has.
        for owner in (directory, os.path.dirname(directory)):
            if files.exists(f"{owner}/queue/rotational"):
                return files.text(f"{owner}/queue/rotational").strip() == "1"
    return None


def _shm(look: _Look) -> dict:
    figures = look.files.space(_shm_path(look))
    return {"size_bytes": figures["size_bytes"], "free_bytes": figures["free_bytes"]}


def _shm_path(look: _Look) -> str:
    """/dev/shm as the process sees it: a container has its own."""
    if look.pid is None:
        return SHM
    inside = f"{look.process}/root{SHM}"
    try:
        os.stat(look.files.real(inside))
    except OSError:
        # Only its owner may look inside a process, but anyone may see whether it has the same file system as we.
        theirs = _shm_device(look.parsed(mounts.parse_mountinfo, f"{look.process}/mountinfo"))
        if theirs is None or theirs != _shm_device(look.mounts()):
            raise
        return SHM
    return inside


def _shm_device(known: list) -> str | None:
    return next((mount.device for mount in reversed(known) if mount.mount_point == SHM), None)


# Arguments and answers


def _refuse_sample(seconds: float) -> None:
    # Written so that NaN is refused too.
    if not SHORTEST_SAMPLE_SECONDS <= seconds <= LONGEST_SAMPLE_SECONDS:
        raise OperatorError(
            f"CPU use cannot be measured over {seconds} s",
            "option sample_seconds",
            f"give {SHORTEST_SAMPLE_SECONDS} to {LONGEST_SAMPLE_SECONDS}",
        )


def _refuse_paths(files: _Files, paths: list) -> None:
    relative = [path for path in paths if not path.startswith("/")]
    if relative:
        raise OperatorError(f"these paths are not absolute: {', '.join(relative)}", "option paths", "begin each with /")
    absent = [path for path in paths if not files.exists(path)]
    if absent:
        raise OperatorError(
            f"these paths do not exist: {', '.join(absent)}",
            "option paths",
            "correct them, or create the directories first",
            {"absent_paths": absent},
        )


def _refuse_pid(files: _Files, pid: int | None) -> None:
    if pid is None:
        return
    if not files.exists(f"/proc/{pid}"):
        raise OperatorError(
            f"there is no process {pid}, or this account may not see it",
            "option pid",
            "give the number of a process that runs; where /proc is mounted with hidepid, run as its owner or as root",
        )


def _least(*figures: float | None) -> float | None:
    """The smallest of those that are known."""
    return min((figure for figure in figures if figure is not None), default=None)


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return str(error)
