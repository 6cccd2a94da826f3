# SPDX-License-Identifier: GPL-3.0-or-later
"""Host over trees of files as the kernel of one host or another would show them."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.midi.capacity.plugins.module_utils._errors import OperatorError
from ansible_collections.midi.capacity.plugins.module_utils._host import Host

GIB = 1 << 30
RAM = 16 * GIB
UNLIMITED = "9223372036854771712\n"

PLAIN = {
    "proc/stat": "cpu 10 0 10 80\ncpu0 5 0 5 40\ncpu1 5 0 5 40\ncpu2 0 0 0 0\ncpu3 0 0 0 0\n",
    "proc/cpuinfo": "processor\t: 0\nmodel name\t: Test CPU\n",
    "proc/loadavg": "0.50 0.60 0.70 1/100 999\n",
    "proc/uptime": "1000.50 3000.00\n",
    "proc/meminfo": (
        f"MemTotal: {RAM // 1024} kB\nMemAvailable: 8388608 kB\nSwapTotal: 2048 kB\nSwapFree: 1024 kB\n"
        "HugePages_Total: 8\nHugePages_Free: 5\nHugePages_Rsvd: 1\nHugePages_Surp: 2\nHugepagesize: 2048 kB\n"
    ),
    "proc/sys/kernel/osrelease": "6.1.0-test\n",
    "proc/self/status": "Name:\tpython\nCpus_allowed_list:\t0-127\n",
    "proc/self/cgroup": "0::/\n",
    "proc/self/mountinfo": "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n31 1 0:29 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n",
    "sys/fs/cgroup/cpu.stat": "usage_usec 1000000\n",
    "dev/shm/used": "",
}
V1_MOUNTS = """\
1 0 8:1 / / rw - ext4 /dev/sda1 rw
32 1 0:30 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct
33 1 0:31 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
"""

Look = Callable[..., dict]


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


@pytest.fixture
def look(tmp_path: Path) -> Look:
    """look(files, during={}, pid=None, paths=[]) -> host. `during` is written in the two seconds that are measured."""

    def run(files: dict[str, str], during: dict[str, str] | None = None, **arguments: Any) -> dict:
        write(tmp_path, PLAIN | files)
        clock = itertools.count(100.0, 2.0)
        host = Host(str(tmp_path), lambda _seconds: write(tmp_path, during or {}), lambda: next(clock))
        return host.capacity(arguments.pop("paths", []), 2.0, **arguments)

    return run


def reasons(host: dict) -> dict[str, str]:
    return {missing["part"]: missing["reason"] for missing in host["missing"]}


# All there


def test_what_stands_in_plain_files(look: Look) -> None:
    host = look({})
    assert host["kernel"] == "6.1.0-test"
    assert host["uptime_seconds"] == 1000.5
    assert host["load_average"] == [0.5, 0.6, 0.7]
    assert host["cpu"]["model"] == "Test CPU"
    assert host["memory"]["total_bytes"] == RAM
    assert host["memory"]["available_bytes"] == 8 * GIB
    assert host["memory"]["swap_total_bytes"] == 2 << 20
    assert host["memory"]["swap_free_bytes"] == 1 << 20
    assert host["memory"]["huge_pages"] == {
        "total": 8, "free": 5, "reserved": 1, "surplus": 2, "page_size_bytes": 2 << 20,
    }  # fmt: skip
    assert host["shm"]["size_bytes"] >= host["shm"]["free_bytes"] > 0


def test_cpu_use_is_measured_over_the_window(look: Look) -> None:
    later = {
        "proc/stat": "cpu 40 0 30 120 10\ncpu0 1 1 1 1\ncpu1 1 1 1 1\ncpu2 1 1 1 1\ncpu3 1 1 1 1\n",
        "sys/fs/cgroup/cpu.stat": "usage_usec 4000000\n",
    }
    cpu = look({}, later)["cpu"]
    assert cpu["busy_percent"] == 50.0
    assert cpu["states_percent"]["user"] == 30.0
    assert cpu["states_percent"]["iowait"] == 10.0
    assert cpu["sample_seconds"] == 2.0
    assert cpu["cgroup"]["used_cpus"] == 1.5


def test_a_clock_that_stands_still(tmp_path: Path) -> None:
    write(tmp_path, PLAIN)
    host = Host(str(tmp_path), wait=lambda _seconds: None, clock=lambda: 1.0).capacity([], 1.0)
    assert "no time passed" in reasons(host)["cpu.cgroup.used_cpus"]


def test_the_window_is_as_long_as_asked_for(tmp_path: Path) -> None:
    write(tmp_path, PLAIN)
    waited: list[float] = []
    Host(str(tmp_path), wait=waited.append).capacity([], 2.5)
    assert waited == [2.5]


def test_without_anything_to_measure_nothing_waits(tmp_path: Path) -> None:
    waited: list[float] = []
    host = Host(str(tmp_path), wait=waited.append).capacity([], 2.5)
    assert waited == []
    assert host["cpu"]["sample_seconds"] is None


# CPUs that can be used: the host has 4


V1_CPU = {"proc/self/cgroup": "3:cpu,cpuacct:/a/b\n", "proc/self/mountinfo": V1_MOUNTS}
V1_CPU_DIRECTORY = "sys/fs/cgroup/cpu,cpuacct"
V2_CPU = {"proc/self/cgroup": "0::/a/b\n"}
CPUS = {
    "none": ({}, 4.0, None),
    "affinity": ({"proc/self/status": "Cpus_allowed_list:\t1,3\n"}, 2.0, None),
    "v2 quota": ({**V2_CPU, "sys/fs/cgroup/a/b/cpu.max": "150000 100000\n"}, 1.5, "/sys/fs/cgroup/a/b/cpu.max"),
    "v2 no quota": ({**V2_CPU, "sys/fs/cgroup/a/b/cpu.max": "max 100000\n"}, 4.0, None),
    "v2 parent is tighter": (
        {**V2_CPU, "sys/fs/cgroup/a/b/cpu.max": "300000 100000\n", "sys/fs/cgroup/a/cpu.max": "20000 10000\n"},
        2.0,
        "/sys/fs/cgroup/a/cpu.max",
    ),
    "v2 quota above the host": (
        {**V2_CPU, "sys/fs/cgroup/a/b/cpu.max": "800000 100000\n"},
        4.0,
        "/sys/fs/cgroup/a/b/cpu.max",
    ),
    "v1 quota": (
        {
            **V1_CPU,
            f"{V1_CPU_DIRECTORY}/a/b/cpu.cfs_quota_us": "-1\n",
            f"{V1_CPU_DIRECTORY}/a/b/cpu.cfs_period_us": "100000\n",
            f"{V1_CPU_DIRECTORY}/a/cpu.cfs_quota_us": "25000\n",
            f"{V1_CPU_DIRECTORY}/a/cpu.cfs_period_us": "50000\n",
        },
        0.5,
        "/sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us",
    ),
}


@pytest.mark.parametrize(("files", "usable_cpus", "source"), CPUS.values(), ids=CPUS.keys())
def test_usable_cpus(look: Look, files: dict, usable_cpus: float, source: str | None) -> None:
    cpu = look(files)["cpu"]
    assert cpu["online_cpus"] == 4
    assert cpu["usable_cpus"] == usable_cpus
    assert cpu["cgroup"]["source"] == source


def test_cpu_of_a_group_of_version_1(look: Look) -> None:
    files = V1_CPU | {f"{V1_CPU_DIRECTORY}/a/b/cpuacct.usage": "5000000000\n"}
    back = {f"{V1_CPU_DIRECTORY}/a/b/cpuacct.usage": "4000000000\n"}
    assert look(files)["cpu"]["cgroup"]["used_cpus"] == 0
    host = look(files, back)
    assert host["cpu"]["cgroup"]["used_cpus"] is None
    assert "went backwards" in reasons(host)["cpu.cgroup.used_cpus"]


# The memory limit


def v1_memory(limits: dict[str, str], stat: str = UNLIMITED) -> dict[str, str]:
    """Files of a v1 hierarchy: {group: limit}; every group uses 1000 bytes, the first has the memory.stat."""
    base = "sys/fs/cgroup/memory"
    files = {f"{base}{group}/memory.limit_in_bytes": limit for group, limit in limits.items()}
    files |= {f"{base}{group}/memory.usage_in_bytes": "1000\n" for group in limits}
    files[f"{base}{next(iter(limits))}/memory.stat"] = f"cache 0\nhierarchical_memory_limit {stat}"
    return files


def v2_memory(limits: dict[str, str]) -> dict[str, str]:
    files = {f"sys/fs/cgroup{group}/memory.max": limit for group, limit in limits.items()}
    return files | {f"sys/fs/cgroup{group}/memory.current": "2000\n" for group in limits}


def mounted(*lines: str) -> dict[str, str]:
    return {"proc/self/mountinfo": "".join(f"{line}\n" for line in ("1 0 8:1 / / rw - ext4 /dev/sda1 rw", *lines))}


V1 = {"proc/self/cgroup": "4:memory:/a/b\n3:cpu,cpuacct:/\n", "proc/self/mountinfo": V1_MOUNTS}
HYBRID = {
    "proc/self/cgroup": "4:memory:/a/b\n3:cpu,cpuacct:/\n0::/user.slice\n",
    "proc/self/mountinfo": V1_MOUNTS + "34 1 0:32 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n",
}
V2 = {"proc/self/cgroup": "0::/a/b\n"}
DOCKER_V1 = {
    "proc/self/cgroup": "4:memory:/docker/4f\n",
    **mounted("33 1 0:31 /docker/4f /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory"),
}

MEMORY: dict[str, tuple[dict, str, int | None, str | None, int | None]] = {
    # files, version, limit, source, used
    "v1 own": (V1 | v1_memory({"/a/b": f"{GIB}\n"}), "1", GIB, "/memory/a/b/memory.limit_in_bytes", 1000),
    "v1 unlimited": (V1 | v1_memory({"/a/b": UNLIMITED, "/a": UNLIMITED, "": UNLIMITED}), "1", None, None, 1000),
    "v1 parent is tighter": (
        V1 | v1_memory({"/a/b": f"{4 * GIB}\n", "/a": f"{2 * GIB}\n", "": UNLIMITED}, f"{2 * GIB}\n"),
        "1", 2 * GIB, "/memory/a/memory.limit_in_bytes", 1000,
    ),
    "v1 own is tighter": (
        V1 | v1_memory({"/a/b": f"{GIB}\n", "/a": f"{2 * GIB}\n"}, f"{GIB}\n"),
        "1", GIB, "/memory/a/b/memory.limit_in_bytes", 1000,
    ),
    "v1 above the RAM": (V1 | v1_memory({"/a/b": f"{RAM + 4096}\n"}), "1", None, None, 1000),
    "v1 the RAM": (V1 | v1_memory({"/a/b": f"{RAM}\n"}), "1", RAM, "/memory/a/b/memory.limit_in_bytes", 1000),
    "hybrid": (HYBRID | v1_memory({"/a/b": f"{GIB}\n"}), "hybrid", GIB, "/memory/a/b/memory.limit_in_bytes", 1000),
    "hybrid, memory in version 2": (
        HYBRID
        | {"proc/self/cgroup": "3:cpu,cpuacct:/\n0::/x\n", "sys/fs/cgroup/unified/x/memory.max": f"{GIB}\n"}
        | {"sys/fs/cgroup/unified/x/memory.current": "3000\n"},
        "hybrid", GIB, "/unified/x/memory.max", 3000,
    ),
    "v2 own": (V2 | v2_memory({"/a/b": f"{GIB}\n"}), "2", GIB, "/a/b/memory.max", 2000),
    "v2 unlimited": (V2 | v2_memory({"/a/b": "max\n", "/a": "max\n"}), "2", None, None, 2000),
    "v2 parent is tighter": (
        V2 | v2_memory({"/a/b": f"{4 * GIB}\n", "/a": f"{2 * GIB}\n"}), "2", 2 * GIB, "/a/memory.max", 2000,
    ),
    "v2 grandparent is the only one": (
        {"proc/self/cgroup": "0::/a/b/c\n"} | v2_memory({"/a/b/c": "max\n", "/a/b": "max\n", "/a": f"{GIB}\n"}),
        "2", GIB, "/a/memory.max", 2000,
    ),
    "v2 in a container of its own namespace": (
        {"proc/self/cgroup": "0::/\n"} | v2_memory({"": f"{GIB}\n"}), "2", GIB, "/memory.max", 2000,
    ),
    "v2 in a container that sees the host's names": (
        {"proc/self/cgroup": "0::/docker/4f/init\n"}
        | mounted("31 1 0:29 /docker/4f /sys/fs/cgroup ro - cgroup2 cgroup2 rw")
        | v2_memory({"/init": "max\n", "": f"{GIB}\n"}),
        "2", GIB, "/memory.max", 2000,
    ),
    "v1 in a container": (
        DOCKER_V1 | v1_memory({"": f"{GIB}\n"}, f"{GIB}\n"), "1", GIB, "/memory/memory.limit_in_bytes", 1000,
    ),
    "v1 in a container, with a limit on an ancestor out of sight": (
        DOCKER_V1 | v1_memory({"": f"{4 * GIB}\n"}, f"{2 * GIB}\n"), "1", 2 * GIB, "/memory/memory.stat", 1000,
    ),
    "v1 in a container, below its own part": (
        DOCKER_V1 | {"proc/self/cgroup": "4:memory:/docker/4f/pg\n"}
        | v1_memory({"/pg": f"{GIB}\n", "": f"{4 * GIB}\n"}, f"{GIB}\n"),
        "1", GIB, "/memory/pg/memory.limit_in_bytes", 1000,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("files", "version", "limit", "source", "used"), MEMORY.values(), ids=MEMORY.keys())
def test_memory_limit(
    look: Look, files: dict, version: str, limit: int | None, source: str | None, used: int | None
) -> None:
    host = look(files)
    group = host["memory"]["cgroup"]
    assert group["version"] == version
    assert group["limit_bytes"] == limit
    assert group["source"] == (source and f"/sys/fs/cgroup{source}")
    assert group["used_bytes"] == used
    assert host["memory"]["usable_bytes"] == (RAM if limit is None else limit)
    out_of_sight = source is None or source.endswith("memory.stat")
    assert group["limit_used_bytes"] == (None if out_of_sight else used)
    assert [part for part in reasons(host) if part.startswith("memory")] == []


def test_the_use_is_told_of_the_own_group_and_of_the_one_that_sets_the_limit(look: Look) -> None:
    files = V2 | v2_memory({"/a/b": "max\n", "/a": f"{GIB}\n"}) | {"sys/fs/cgroup/a/memory.current": "7000\n"}
    group = look(files)["memory"]["cgroup"]
    assert (group["used_bytes"], group["limit_used_bytes"]) == (2000, 7000)


def test_a_group_that_is_not_below_the_mount_is_stood_in_for(look: Look) -> None:
    host = look({"proc/self/cgroup": "0::/docker/4f\n"} | v2_memory({"": f"{GIB}\n"}))
    assert host["memory"]["cgroup"]["source"] == "/sys/fs/cgroup/memory.max"
    assert host["memory"]["usable_bytes"] == GIB
    assert "the cgroup /docker/4f is not below /sys/fs/cgroup" in reasons(host)["memory.cgroup"]


def test_another_process_has_limits_of_its_own(look: Look) -> None:
    files = V2 | v2_memory({"/a/b": f"{GIB}\n", "/pg": f"{2 * GIB}\n"})
    files |= {
        "proc/42/cgroup": "0::/pg\n",
        "proc/42/status": "Cpus_allowed_list:\t3\n",
        "proc/42/root/dev/shm/used": "",
        "sys/fs/cgroup/pg/cpu.max": "50000 100000\n",
    }
    host = look(files, pid=42)
    assert host["memory"]["usable_bytes"] == 2 * GIB
    assert host["cpu"]["affinity_cpus"] == 1
    assert host["cpu"]["usable_cpus"] == 0.5
    assert host["shm"]["size_bytes"] > 0
    own = look(files)
    assert (own["memory"]["usable_bytes"], own["cpu"]["affinity_cpus"], own["cpu"]["usable_cpus"]) == (GIB, 4, 4.0)


def test_another_container_s_group_is_out_of_sight(look: Look) -> None:
    files = v2_memory({"": f"{GIB}\n"}) | {"proc/42/cgroup": "0::/../other\n"}
    host = look(files, pid=42)
    assert host["memory"]["cgroup"] == dict.fromkeys(
        ["version", "limit_bytes", "source", "used_bytes", "limit_used_bytes"]
    )
    assert "/../other lies outside" in reasons(host)["memory.cgroup"]


# /dev/shm of another process, whose root directory this account may not enter


def closed_process(tmp_path: Path, shm_device: str) -> dict[str, str]:
    (tmp_path / "proc/42").mkdir(parents=True)
    # Root may enter everything; a link to itself shuts out root too.
    (tmp_path / "proc/42/root").symlink_to("root")
    line = "40 1 {} / /dev/shm rw - tmpfs tmpfs rw"
    return {
        "proc/42/mountinfo": line.format(shm_device) + "\n",
        "proc/self/mountinfo": PLAIN["proc/self/mountinfo"] + line.format("0:50") + "\n",
    }


def test_a_closed_process_with_the_same_shm(look: Look, tmp_path: Path) -> None:
    assert look(closed_process(tmp_path, "0:50"), pid=42)["shm"]["size_bytes"] > 0


def test_a_closed_process_with_another_shm(look: Look, tmp_path: Path) -> None:
    host = look(closed_process(tmp_path, "0:51"), pid=42)
    assert host["shm"] == {"size_bytes": None, "free_bytes": None}
    assert "proc/42/root/dev/shm" in reasons(host)["shm"]


# Disks


def mounts_of(tmp_path: Path, *lines: str) -> dict[str, str]:
    """A mountinfo; {dev} in a line is the number of the device that the tree is really on."""
    device = tmp_path.stat().st_dev
    number = f"{os.major(device)}:{os.minor(device)}"
    return {"proc/self/mountinfo": "".join(line.format(dev=number) + "\n" for line in lines)}


def test_disk(look: Look, tmp_path: Path) -> None:
    files = mounts_of(tmp_path, "1 0 9:9 / / rw - xfs /dev/sda1 rw", "2 1 {dev} / /srv/pg rw - ext4 /dev/sdb1 rw")
    (disk,) = look(files | {"srv/pg/data/PG_VERSION": "16"}, paths=["/srv/pg/data"])["disks"]
    real = os.statvfs(tmp_path)
    assert disk["path"] == "/srv/pg/data"
    assert disk["mount_point"] == "/srv/pg"
    assert disk["file_system_type"] == "ext4"
    assert disk["device"] == "/dev/sdb1"
    assert disk["rotational"] is None
    assert disk["size_bytes"] == real.f_blocks * real.f_frsize
    assert disk["inodes"]["total"] == real.f_files


def test_a_symbolic_link_leads_to_its_file_system(look: Look, tmp_path: Path) -> None:
    (tmp_path / "srv/pg").mkdir(parents=True)
    (tmp_path / "data").symlink_to("srv/pg")
    files = mounts_of(tmp_path, "1 0 9:9 / / rw - xfs /dev/sda1 rw", "2 1 {dev} / /srv/pg rw - ext4 /dev/sdb1 rw")
    disks = look(files, paths=["/data", "/"])["disks"]
    assert [disk["mount_point"] for disk in disks] == ["/srv/pg", "/"]


@pytest.mark.parametrize(("content", "rotational"), [("1\n", True), ("0\n", False)])
@pytest.mark.parametrize("kind", ["disk", "partition", "mapped by name"])
def test_rotational(look: Look, tmp_path: Path, kind: str, content: str, rotational: bool) -> None:
    device, source = "8:17", "/dev/sdb1"
    disk = tmp_path / "sys/devices/pci0/block/sdb"
    (disk / "sdb1").mkdir(parents=True)
    write(disk, {"queue/rotational": content})
    by_number = tmp_path / "sys/dev/block"
    by_number.mkdir(parents=True)
    if kind == "disk":
        (by_number / "8:17").symlink_to("../../devices/pci0/block/sdb")
    elif kind == "partition":
        (by_number / "8:17").symlink_to("../../devices/pci0/block/sdb/sdb1")
    else:
        # btrfs: the mount's number is no device's, the source is a link to the device.
        device, source = "0:40", "/dev/mapper/vg-pg"
        write(tmp_path, {"dev/sdb1": ""})
        (tmp_path / "dev/mapper").mkdir()
        (tmp_path / "dev/mapper/vg-pg").symlink_to("../sdb1")
        (tmp_path / "sys/class/block").mkdir(parents=True)
        (tmp_path / "sys/class/block/sdb1").symlink_to("../../devices/pci0/block/sdb/sdb1")
    host = look({"proc/self/mountinfo": f"1 0 {device} / / rw - ext4 {source} rw\n"}, paths=["/"])
    assert host["disks"][0]["rotational"] is rotational


def test_without_mountinfo_the_space_is_still_told(look: Look, tmp_path: Path) -> None:
    host = look({"proc/self/mountinfo": "nonsense\n"}, paths=["/"])
    assert host["disks"][0]["size_bytes"] > 0
    assert host["disks"][0]["mount_point"] is None
    assert "is not understood" in reasons(host)["disks.mount_point"]


def test_a_path_that_no_mount_covers(look: Look) -> None:
    host = look({"proc/self/mountinfo": "1 0 8:1 / /elsewhere rw - ext4 /dev/sda1 rw\n"}, paths=["/"])
    assert host["disks"][0]["size_bytes"] > 0
    assert "no mount that covers it" in reasons(host)["disks[/].mount_point"]


def test_a_path_that_may_not_be_looked_at(look: Look, tmp_path: Path) -> None:
    (tmp_path / "closed").symlink_to("closed")
    host = look({}, paths=["/closed", "/"])
    assert host["disks"][0]["size_bytes"] is None
    assert host["disks"][1]["size_bytes"] > 0
    assert "closed" in reasons(host)["disks[/closed]"]


# Missing parts


def test_a_host_that_shows_nothing(tmp_path: Path) -> None:
    host = Host(str(tmp_path)).capacity([], 0.1)
    assert set(reasons(host)) == {
        "kernel", "uptime_seconds", "load_average", "cpu.busy_percent", "cpu.affinity_cpus", "cpu.model",
        "cpu.cgroup.quota_cpus", "cpu.cgroup.used_cpus", "memory", "memory.cgroup", "disks.mount_point", "shm",
    }  # fmt: skip
    assert all(reason for reason in reasons(host).values())
    assert values_of({key: value for key, value in host.items() if key != "missing"}) == {None}


def values_of(tree: Any) -> set:
    if isinstance(tree, dict):
        tree = list(tree.values())
    return set().union(*map(values_of, tree)) if isinstance(tree, list) else {tree}


BROKEN = {
    # file: its content, the part that is missing for it
    "proc/stat": ("cpu x\n", "cpu.busy_percent"),
    "proc/cpuinfo": ("processor: 0\n", "cpu.model"),
    "proc/loadavg": ("none\n", "load_average"),
    "proc/uptime": ("\n", "uptime_seconds"),
    "proc/self/status": ("Name:\tx\n", "cpu.affinity_cpus"),
    "proc/self/cgroup": ("nonsense\n", "memory.cgroup"),
    "proc/meminfo": ("MemTotal: 1024 kB\n", "memory.available_bytes"),
    "sys/fs/cgroup/memory.max": ("much\n", "memory.cgroup.limit_bytes"),
    "sys/fs/cgroup/memory.current": ("\n", "memory.cgroup.used_bytes"),
    "sys/fs/cgroup/cpu.max": ("100000 0\n", "cpu.cgroup.quota_cpus"),
    "sys/fs/cgroup/cpu.stat": ("user_usec 1\n", "cpu.cgroup.used_cpus"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_one_broken_file_costs_one_part(look: Look, name: str) -> None:
    content, part = BROKEN[name]
    moved = {"proc/stat": PLAIN["proc/stat"].replace("cpu 10", "cpu 99")}
    whole = v2_memory({"": "max\n"}) | {"sys/fs/cgroup/cpu.max": "max 100000\n"}
    assert look(whole, moved)["missing"] == []
    found = reasons(look(whole | {name: content}, {**moved, name: content}))
    assert part in found
    if name not in ("proc/self/cgroup", "proc/meminfo"):
        assert list(found) == [part]
        assert name in found[part]


def test_counters_that_go_backwards(look: Look) -> None:
    host = look({}, {"proc/stat": PLAIN["proc/stat"].replace("cpu 10", "cpu 9")})
    assert host["cpu"]["busy_percent"] is None
    assert set(host["cpu"]["states_percent"].values()) == {None}
    assert host["cpu"]["online_cpus"] == 4
    assert "went backwards: user" in reasons(host)["cpu.busy_percent"]


def test_a_kernel_without_the_memory_controller(look: Look) -> None:
    host = look({})
    assert host["memory"]["cgroup"]["version"] == "2"
    assert host["memory"]["usable_bytes"] == RAM
    assert "memory.current" in reasons(host)["memory.cgroup.used_bytes"]


def test_an_unreadable_limit_does_not_hide_the_parent_s(look: Look) -> None:
    host = look(V2 | v2_memory({"/a/b": "much\n", "/a": f"{GIB}\n"}))
    assert host["memory"]["usable_bytes"] == GIB
    assert "/a/b/memory.max: not a number" in reasons(host)["memory.cgroup.limit_bytes"]


def test_a_limit_is_told_even_without_the_ram(look: Look) -> None:
    memory = look(V2 | v2_memory({"/a/b": f"{GIB}\n"}) | {"proc/meminfo": ""})["memory"]
    assert (memory["total_bytes"], memory["usable_bytes"]) == (None, GIB)


# Refusals


@pytest.mark.parametrize("seconds", [0.0, 0.09, 60.1, -1.0, float("nan"), float("inf")])
def test_a_sample_that_cannot_be(tmp_path: Path, seconds: float) -> None:
    with pytest.raises(OperatorError, match=r"sample_seconds.*give 0\.1 to 60\.0"):
        Host(str(tmp_path)).capacity([], seconds)


@pytest.mark.parametrize("seconds", [0.1, 60.0])
def test_the_shortest_and_the_longest_sample(tmp_path: Path, seconds: float) -> None:
    write(tmp_path, PLAIN)
    waited: list[float] = []
    Host(str(tmp_path), wait=waited.append).capacity([], seconds)
    assert waited == [seconds]


def test_absent_paths_are_named_all_at_once(tmp_path: Path) -> None:
    write(tmp_path, {"there/file": ""})
    with pytest.raises(OperatorError, match="do not exist: /nope, /there/file/below ") as caught:
        Host(str(tmp_path)).capacity(["/there", "/nope", "/there/file/below"], 0.1)
    assert caught.value.details == {"absent_paths": ["/nope", "/there/file/below"]}


def test_relative_paths_are_refused(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match=r"not absolute: data, \./x "):
        Host(str(tmp_path)).capacity(["/", "data", "./x"], 0.1)


@pytest.mark.parametrize("pid", [0, -1, 43])
def test_a_process_that_is_not_there(tmp_path: Path, pid: int) -> None:
    write(tmp_path, {"proc/42/cgroup": "0::/\n"})
    with pytest.raises(OperatorError, match=f"no process {pid}, .*hidepid"):
        Host(str(tmp_path)).capacity([], 0.1, pid)
