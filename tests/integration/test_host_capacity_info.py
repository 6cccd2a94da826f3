# SPDX-License-Identifier: GPL-3.0-or-later
"""Module host_capacity_info against what other programs and system calls say of this very host."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.midi.capacity.plugins.module_utils._host import Host

from demo.account import as_server_account
from tests.integration.conftest import ROOT, RunModule

MIB = 1 << 20
# Other programs come and go between two readings.
DRIFT_BYTES = 256 * MIB


def output(*command: str) -> str:
    environment = {**os.environ, "LC_ALL": "C"}
    return subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout


@contextlib.contextmanager
def running(*command: str) -> Iterator[subprocess.Popen]:
    """A process that has said its first line, until the block ends."""
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
        yield process
    finally:
        process.kill()
        process.communicate()


@contextlib.contextmanager
def burners(count: int) -> Iterator[list[int]]:
    """Processes that use as much CPU as they can get; gives their numbers."""
    with contextlib.ExitStack() as stack:
        command = (sys.executable, "-c", "print('ready', flush=True)\nwhile True: pass")
        yield [stack.enter_context(running(*command)).pid for _each in range(count)]


def cpu_seconds(pids: list[int]) -> float:
    """User and system time that the processes have had."""
    ticks = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def idle_seconds() -> float:
    """What all CPUs together have idled since boot."""
    return float(Path("/proc/uptime").read_text().split()[1])


def test_nothing_is_missing_and_check_mode_tells_the_same(run_module: RunModule) -> None:
    ran = run_module("host_capacity_info", sample_seconds=0.1)
    checked = run_module("host_capacity_info", sample_seconds=0.1, check=True)
    for result in (ran, checked):
        assert result["changed"] is False
        assert [found for found in result["host"]["missing"] if found["part"] != "cpu.model"] == []
    assert shape(checked["host"]) == shape(ran["host"])
    assert checked["host"]["memory"]["total_bytes"] == ran["host"]["memory"]["total_bytes"]


def shape(tree: object) -> object:
    return {key: shape(value) for key, value in tree.items()} if isinstance(tree, dict) else None


def test_memory_agrees_with_free(run_module: RunModule) -> None:
    lines = output("free", "--bytes").splitlines()
    names = lines[0].split()
    memory = dict(zip(names, map(int, lines[1].split()[1:]), strict=True))
    swap = dict(zip(names, map(int, lines[2].split()[1:]), strict=False))
    found = run_module("host_capacity_info", sample_seconds=0.1)["host"]["memory"]
    assert found["total_bytes"] == memory["total"]
    assert found["available_bytes"] == pytest.approx(memory["available"], abs=DRIFT_BYTES)
    assert found["swap_total_bytes"] == swap["total"]
    assert found["swap_free_bytes"] == pytest.approx(swap["free"], abs=DRIFT_BYTES)
    assert 0 < found["usable_bytes"] <= found["total_bytes"]
    assert 0 < found["cgroup"]["used_bytes"] <= found["total_bytes"]


def test_disks_agree_with_df(run_module: RunModule, tmp_path: Path) -> None:
    paths = ["/", str(tmp_path), "/dev/shm"]
    columns = "source,fstype,size,used,avail,pcent,itotal,iused,iavail,target"
    expected = [line.split() for line in output("df", "-B1", f"--output={columns}", *paths).splitlines()[1:]]
    host = run_module("host_capacity_info", sample_seconds=0.1, paths=paths)["host"]
    assert [disk["path"] for disk in host["disks"]] == paths
    for disk, (source, kind, size, used, available, percent, total, _iused, ifree, target) in zip(
        host["disks"], expected, strict=True
    ):
        assert (disk["device"], disk["file_system_type"], disk["mount_point"]) == (source, kind, target)
        assert disk["size_bytes"] == int(size)
        assert disk["used_bytes"] == pytest.approx(int(used), abs=DRIFT_BYTES)
        assert disk["free_bytes"] == pytest.approx(int(available), abs=DRIFT_BYTES)
        # df rounds up.
        assert disk["used_percent"] == pytest.approx(int(percent.rstrip("%")) - 0.5, abs=1)
        if total != "0":
            assert disk["inodes"]["total"] == int(total)
            assert disk["inodes"]["free"] == pytest.approx(int(ifree), abs=20000)
    assert host["shm"]["size_bytes"] == host["disks"][2]["size_bytes"]


def test_rotational_agrees_with_lsblk(run_module: RunModule) -> None:
    columns = "MAJ:MIN,ROTA"
    known = dict(line.split() for line in output("lsblk", "--noheadings", "--raw", "-o", columns).splitlines())
    device = Path("/").stat().st_dev
    number = f"{os.major(device)}:{os.minor(device)}"
    (disk,) = run_module("host_capacity_info", sample_seconds=0.1)["host"]["disks"]
    expected = {None: None, "0": False, "1": True}[known.get(number)]
    assert disk["rotational"] is expected


def test_the_rest_agrees_with_the_system_calls(run_module: RunModule) -> None:
    host = run_module("host_capacity_info", sample_seconds=0.1)["host"]
    assert host["kernel"] == platform.release()
    assert host["load_average"] == pytest.approx(os.getloadavg(), abs=1)
    assert host["uptime_seconds"] == pytest.approx(float(output("cat", "/proc/uptime").split()[0]), abs=60)
    assert host["cpu"]["online_cpus"] == os.sysconf("SC_NPROCESSORS_ONLN")
    assert host["cpu"]["affinity_cpus"] == len(os.sched_getaffinity(0))
    assert 0 < host["cpu"]["usable_cpus"] <= host["cpu"]["affinity_cpus"]


def test_the_affinity_of_another_process(run_module: RunModule) -> None:
    one = {min(os.sched_getaffinity(0))}
    with burners(1) as (pid,):
        os.sched_setaffinity(pid, one)
        cpu = run_module("host_capacity_info", sample_seconds=0.1, pid=pid)["host"]["cpu"]
    assert cpu["affinity_cpus"] == 1
    assert cpu["usable_cpus"] <= 1


@pytest.mark.parametrize("count", [0, len(os.sched_getaffinity(0))])
def test_busy_agrees_with_the_kernel_s_idle_clock(count: int) -> None:
    """The idle seconds in /proc/uptime are another account of the same time; without burners and with one per CPU."""
    cpus = os.sysconf("SC_NPROCESSORS_ONLN")
    with burners(count) as pids:
        burnt, idle = cpu_seconds(pids), idle_seconds()
        cpu = Host().capacity([], 2.0)["cpu"]
        burnt, idle = cpu_seconds(pids) - burnt, idle_seconds() - idle
    window = cpu["sample_seconds"] * cpus
    not_idle = cpu["busy_percent"] + cpu["states_percent"]["iowait"]
    assert not_idle == pytest.approx(100 * (1 - idle / window), abs=10)
    assert cpu["busy_percent"] >= 100 * burnt / window - 10
    if count == cpu["usable_cpus"] == cpus:
        assert cpu["busy_percent"] > 80


def test_used_cpus_of_the_group_cover_what_a_process_in_it_uses() -> None:
    with burners(1) as pids:
        burnt = cpu_seconds(pids)
        cpu = Host().capacity([], 2.0)["cpu"]
        burnt = cpu_seconds(pids) - burnt
    assert burnt > 0.2
    assert cpu["cgroup"]["used_cpus"] >= burnt / cpu["sample_seconds"] - 0.1
    assert cpu["cgroup"]["used_cpus"] <= cpu["online_cpus"] + 0.1


def test_bad_options_are_refused(run_module: RunModule) -> None:
    absent = run_module("host_capacity_info", fails=True, paths=["/", "/not/there", "/nor/this"])
    assert "these paths do not exist: /not/there, /nor/this" in absent["msg"]
    assert absent["absent_paths"] == ["/not/there", "/nor/this"]
    assert "0.1 to 60" in run_module("host_capacity_info", fails=True, sample_seconds=61)["msg"]
    gone = subprocess.Popen(["true"])
    gone.wait()
    assert f"no process {gone.pid}" in run_module("host_capacity_info", fails=True, pid=gone.pid)["msg"]


# As an ordinary user, and into another container


def run_as_ordinary_user(**options: object) -> dict:
    """What the module finds when an account without privileges runs it."""
    prefix = as_server_account(Path(sys.executable), ROOT)
    command = [*prefix, sys.executable, "-m", "ansible_collections.midi.capacity.plugins.modules.host_capacity_info"]
    arguments = json.dumps({"ANSIBLE_MODULE_ARGS": {"sample_seconds": 0.1, **options}})
    environment = {**os.environ, "PYTHONPATH": str(ROOT / ".collections")}
    done = subprocess.run(
        command, input=arguments, capture_output=True, text=True, cwd="/", env=environment, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)["host"]


@pytest.mark.parametrize("pid", [None, 1])
def test_an_ordinary_user_is_told_everything_of_itself_and_of_init(pid: int | None) -> None:
    host = run_as_ordinary_user(pid=pid)
    assert [found for found in host["missing"] if found["part"] != "cpu.model"] == []
    assert host["memory"]["usable_bytes"] > 0
    assert host["shm"]["size_bytes"] > 0


@pytest.mark.root
def test_the_shm_of_a_process_with_mounts_of_its_own(run_module: RunModule) -> None:
    """What a container has: 64 MB, and its own. Root is told, others that they may not look."""
    script = f"mount -t tmpfs -o size={64 * MIB} tmpfs /dev/shm && echo ready && exec cat"
    with running("unshare", "--mount", "sh", "-c", script) as process:
        found = run_module("host_capacity_info", sample_seconds=0.1, pid=process.pid)["host"]
        refused = run_as_ordinary_user(pid=process.pid)
    assert found["shm"] == {"size_bytes": 64 * MIB, "free_bytes": 64 * MIB}
    assert refused["shm"] == {"size_bytes": None, "free_bytes": None}
    assert [missing["part"] for missing in refused["missing"] if missing["part"] != "cpu.model"] == ["shm"]
    assert "Permission denied" in refused["missing"][-1]["reason"]
