# SPDX-License-Identifier: GPL-3.0-or-later
"""Profiles: what is given wins and is reckoned with, and what comes out fits."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.midi.capacity.plugins.module_utils._sizing.budget import USUAL, Assumptions, budget
from ansible_collections.midi.capacity.plugins.module_utils._sizing.catalog import DEFINITIONS
from ansible_collections.midi.capacity.plugins.module_utils._sizing.effective import Effective
from ansible_collections.midi.capacity.plugins.module_utils._sizing.errors import SizingError
from ansible_collections.midi.capacity.plugins.module_utils._sizing.machine import DISKS, Machine, machine
from ansible_collections.midi.capacity.plugins.module_utils._sizing.profile import PROFILES, profile
from hypothesis import example, given
from hypothesis import strategies as st

MIB = 1 << 20
GIB = 1 << 30
HOST = Machine(60 * GIB, 16, 160000)
HOST_FACTS: dict[str, Any] = {
    "cpu": {"usable_cpus": 1.5},
    "memory": {"usable_bytes": 4 * GIB, "total_bytes": 64 * GIB},
    "shm": {"size_bytes": 64 * MIB},
    "disks": [{"path": "/data", "size_bytes": 100 * GIB}],
}

machines = st.builds(
    Machine,
    memory_bytes=st.integers(256 * MIB, 4096 * GIB),
    cpus=st.integers(1, 2000),
    version_num=st.sampled_from([140000, 150000, 160000, 170000, 180000]),
    disk=st.sampled_from(DISKS),
    disk_bytes=st.none() | st.integers(MIB, 100000 * GIB),
)


@given(
    st.sampled_from(PROFILES[:-1]),
    machines,
    st.integers(1, 5000),
    st.sampled_from([1, 2, 4.5]),
    st.builds(Assumptions, nodes_per_query=st.floats(0.1, 8), headroom_percent=st.floats(0, 50)),
)
@example("web", Machine(GIB, 2, 160000), 200, 2, USUAL)
def test_what_comes_out_fits(
    name: str, found: Machine, connections: int, multiplier: float, assumptions: Assumptions
) -> None:
    wanted = {"max_connections": connections, "hash_mem_multiplier": multiplier}
    settings = {**wanted, **profile(name, found, wanted, assumptions=assumptions)}
    least = budget(Effective({**settings, "work_mem": "64kB"}), found.memory_bytes, assumptions)
    # So many connections that not even the least work_mem fits are not the profile's fault, and it does not hide them.
    if least.over_bytes:
        assert settings["work_mem"] == "64kB"
    else:
        assert budget(Effective(settings), found.memory_bytes, assumptions).over_bytes == 0


@given(st.sampled_from(PROFILES[:-1]), machines, st.integers(1, 5000))
def test_what_comes_out_is_sound(name: str, found: Machine, connections: int) -> None:
    settings = profile(name, found, {"max_connections": connections})
    # Effective takes only values that the settings can have.
    known = Effective(settings)
    assert set(settings) <= set(DEFINITIONS)
    assert known.number("max_parallel_workers") < known.number("max_worker_processes")
    assert known.number("max_parallel_workers_per_gather") <= known.number("max_parallel_workers")
    assert known.size("min_wal_size") <= known.size("max_wal_size")
    assert known.size("shared_buffers") <= found.memory_bytes / 4
    assert known.size("work_mem") <= found.memory_bytes / 4


@given(st.sampled_from(PROFILES), machines, st.sets(st.sampled_from(sorted(profile("web", HOST, {})))))
def test_what_is_given_is_not_computed_and_the_rest_is(name: str, found: Machine, names: set[str]) -> None:
    all_of_it = profile(name, found, {})
    wanted = {setting.upper(): all_of_it[setting] for setting in names if setting in all_of_it}
    rest = profile(name, found, wanted)
    assert set(rest) == set(all_of_it) - names
    # What was computed, given, leads to the same.
    assert rest == {setting: value for setting, value in all_of_it.items() if setting not in names}


@pytest.mark.parametrize(
    ("wanted", "computed"),
    [
        ({"max_connections": 1024}, {"work_mem": "15104kB"}),
        ({"shared_buffers": "40GB"}, {"work_mem": "29184kB", "wal_buffers": "16MB"}),
        ({"shared_buffers": "128MB"}, {"work_mem": "94MB", "wal_buffers": "4MB"}),
        ({"max_parallel_workers": 32}, {"max_worker_processes": "40", "max_parallel_workers_per_gather": "4"}),
        ({"max_parallel_workers_per_gather": 24}, {"max_parallel_workers": "24", "max_worker_processes": "32"}),
        ({"max_worker_processes": 8}, {"max_parallel_workers": "8"}),
        ({"max_parallel_workers": 2}, {"max_parallel_workers_per_gather": "2", "max_worker_processes": "10"}),
        ({"maintenance_work_mem": "64MB"}, {"autovacuum_work_mem": "64MB"}),
        ({"autovacuum_max_workers": 10}, {"autovacuum_work_mem": "384MB"}),
        ({"max_wal_size": "512MB"}, {"min_wal_size": "128MB"}),
        ({"min_wal_size": "20GB"}, {"max_wal_size": "20GB"}),
        # Hashes that take four times what is usual leave a quarter.
        ({"hash_mem_multiplier": 8}, {"work_mem": "17920kB"}),
    ],
    ids=str,
)  # fmt: skip
def test_what_is_given_is_reckoned_with(wanted: dict[str, Any], computed: dict[str, str]) -> None:
    found = profile("web", HOST, wanted, {"max_connections": 200})
    assert {name: found[name] for name in computed} == computed


def test_what_the_server_has_counts_where_nothing_is_given() -> None:
    assert profile("web", HOST, {}, {"max_connections": "1024"}) == profile("web", HOST, {"max_connections": 1024})
    assert profile("web", HOST, {"max_connections": 50}, {"max_connections": "1024"}) == profile(
        "web", HOST, {"max_connections": 50}
    )
    # A live value of what is computed counts for nothing.
    assert profile("web", HOST, {}, {"shared_buffers": "1GB"}) == profile("web", HOST, {})


def test_a_standby_keeps_the_workers_that_it_has() -> None:
    live = {"max_worker_processes": "64"}
    assert profile("web", HOST, {}, live, standby=True)["max_worker_processes"] == "64"
    assert profile("web", HOST, {}, live)["max_worker_processes"] == "24"


def test_network_storage_and_other_systems() -> None:
    assert profile("web", Machine(GIB, 2, 160000, "network"), {})["effective_io_concurrency"] == "16"
    elsewhere = profile("web", Machine(GIB, 2, 160000, platform="darwin"), {})
    assert "huge_pages" not in elsewhere and "effective_io_concurrency" not in elsewhere


def test_wal_never_takes_more_than_an_eighth_of_the_disk() -> None:
    found = profile("analytics", Machine(64 * GIB, 8, 160000, disk_bytes=64 * GIB), {})
    assert (found["max_wal_size"], found["min_wal_size"]) == ("8GB", "2GB")
    tiny = profile("oltp", Machine(GIB, 1, 160000, disk_bytes=100 * MIB), {})
    assert (tiny["max_wal_size"], tiny["min_wal_size"]) == ("32MB", "32MB")


def test_no_profile_computes_nothing() -> None:
    assert profile("none", HOST, {"work_mem": "64MB"}) == {}


@pytest.mark.parametrize(
    ("name", "wanted", "complaint"),
    [
        ("warehouse", {}, "a profile is one of web, oltp, mixed, analytics, none, not 'warehouse'"),
        ("web", {"work_mem": "64 loaves", "max_connections": 0},
         "work_mem does not know the unit 'loaves'.*; max_connections takes 1 to 262143"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_said(name: str, wanted: dict[str, Any], complaint: str) -> None:
    with pytest.raises(SizingError, match=complaint):
        profile(name, HOST, wanted)


def test_the_machine_is_what_the_server_may_use() -> None:
    found = machine(HOST_FACTS, 160004, "san")
    assert found == Machine(4 * GIB, 1, 160004, "san", 64 * MIB, 100 * GIB)
    given_all = machine({}, 160004, memory="48GB", cpus=7.5)
    assert given_all == Machine(48 * GIB, 7, 160004)
    assert machine(HOST_FACTS, 160004, memory=str(2 * GIB), cpus=0.5) == Machine(
        2 * GIB, 1, 160004, "ssd", 64 * MIB, 100 * GIB
    )


@pytest.mark.parametrize(
    ("facts", "options", "complaint"),
    [
        ({}, {}, "the machine's memory and CPUs could not be measured and have to be given"),
        ({"memory": {"usable_bytes": None}, "cpu": {"usable_cpus": 2}}, {}, "machine's memory could not be measured"),
        ({}, {"memory": "4GB"}, "the machine's CPUs could not be measured"),
        (HOST_FACTS, {"memory": "4gb"}, "memory does not know the unit 'gb': write GB"),
        (HOST_FACTS, {"disk": "tape"}, "disk is one of ssd, hdd, san, network, not 'tape'"),
    ],
)  # fmt: skip
def test_a_machine_that_nobody_knows_is_said(facts: dict[str, Any], options: dict[str, Any], complaint: str) -> None:
    with pytest.raises(SizingError, match=complaint):
        machine(facts, 160004, **options)
