# SPDX-License-Identifier: GPL-3.0-or-later
"""The budget: what counts, what is over, and that the values called safe are."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.midi.capacity.plugins.module_utils._sizing.budget import Assumptions, budget
from ansible_collections.midi.capacity.plugins.module_utils._sizing.catalog import DEFINITIONS, NEEDED
from ansible_collections.midi.capacity.plugins.module_utils._sizing.effective import Effective
from ansible_collections.midi.capacity.plugins.module_utils._sizing.errors import SizingError
from ansible_collections.midi.capacity.plugins.module_utils._sizing.verdict import verdict
from hypothesis import example, given
from hypothesis import strategies as st

MIB = 1 << 20
GIB = 1 << 30
# What the settings take at most.
MOST_WORK_MEM_KIB = 2147483647
MOST_CONNECTIONS = 262143
# The checklist's wish for its host of 60 GB.
WISH = {"max_connections": 256, "work_mem": "256MB", "shared_buffers": "15GB"}
POOLS = [{"name": "api", "size": 50, "instances": 4}, {"name": "importer", "size": 60}]


def lines(settings: dict[str, Any], **assumptions: Any) -> dict[str, tuple[str, int]]:
    found = budget(Effective(settings), 60 * GIB, Assumptions(**assumptions))
    return {line.name: (line.formula, line.number_bytes) for line in found.lines}


def test_the_sum_of_the_defaults() -> None:
    assert lines({}) == {
        "shared_buffers": ("", 128 * MIB),
        "wal_buffers": ("", 4 * MIB),
        "queries": ("100 connections x 4MB of work_mem", 400 * MIB),
        "parallel queries": ("8 workers x 4MB of work_mem", 32 * MIB),
        "autovacuum": ("3 workers x 64MB of maintenance_work_mem", 192 * MIB),
        "maintenance": ("1 session x 64MB of maintenance_work_mem", 64 * MIB),
        "processes": ("121 processes x 2MB", 242 * MIB),
    }


@pytest.mark.parametrize(
    ("settings", "assumptions", "name", "expected"),
    [
        ({"max_connections": 256, "work_mem": "256MB"}, {}, "queries",
         ("256 connections x 256MB of work_mem", 64 * GIB)),
        ({}, {"nodes_per_query": 2}, "queries", ("100 connections x 4MB of work_mem x 2 nodes", 800 * MIB)),
        ({"hash_mem_multiplier": 1}, {}, "queries", ("100 connections x 4MB of work_mem", 400 * MIB)),
        ({"hash_mem_multiplier": 8}, {"nodes_per_query": 0.25}, "queries",
         ("100 connections x 4MB of work_mem x 0.25 nodes x 4 for hash_mem_multiplier 8", 400 * MIB)),
        # Parallel workers are taken of all workers.
        ({"max_parallel_workers": 32, "max_worker_processes": 4}, {}, "parallel queries",
         ("4 workers x 4MB of work_mem", 16 * MIB)),
        ({"autovacuum_work_mem": "1GB", "autovacuum_max_workers": 5}, {}, "autovacuum",
         ("5 workers x 1GB of autovacuum_work_mem", 5 * GIB)),
        ({"maintenance_work_mem": "2GB"}, {"maintenance_sessions": 3}, "maintenance",
         ("3 sessions x 2GB of maintenance_work_mem", 6 * GIB)),
        ({"shared_buffers": "8GB"}, {}, "wal_buffers", ("", 16 * MIB)),
        ({"wal_buffers": "32MB"}, {}, "wal_buffers", ("", 32 * MIB)),
        ({"max_wal_senders": 0, "max_connections": 50}, {}, "processes", ("61 processes x 2MB", 122 * MIB)),
    ],
    ids=str,
)  # fmt: skip
def test_a_term(settings: dict[str, Any], assumptions: dict[str, Any], name: str, expected: tuple[str, int]) -> None:
    assert lines(settings, **assumptions)[name] == expected


def test_the_checklists_wish_is_refused_with_its_64_gb() -> None:
    found = verdict(WISH, 60 * GIB)
    assert not found["fits"]
    assert found["limit_bytes"] == 54 * GIB
    assert found["headroom_bytes"] == 6 * GIB
    assert found["total_bytes"] == sum(line["bytes"] for line in found["lines"])
    assert found["text"].splitlines() == [
        "the settings can want 81.8 GB of memory, and PostgreSQL may use 54 GB: 60 GB without 10 % head-room."
        " To mend it: work_mem at most 148MB, or max_connections at most 145",
        "81.8 GB of memory at most, of 54 GB (60 GB without 10 % head-room for the system)",
        "  shared_buffers    15 GB",
        "  wal_buffers       16 MB",
        "  queries           64 GB   256 connections x 256MB of work_mem",
        "  parallel queries  2 GB    8 workers x 256MB of work_mem",
        "  autovacuum        192 MB  3 workers x 64MB of maintenance_work_mem",
        "  maintenance       64 MB   1 session x 64MB of maintenance_work_mem",
        "  processes         554 MB  277 processes x 2MB",
    ]
    assert found["largest_safe"] == {"work_mem": "148MB", "max_connections": 145, "shared_buffers": None}
    assert verdict({**WISH, "work_mem": "148MB"}, 60 * GIB)["fits"]
    assert not verdict({**WISH, "work_mem": "149MB"}, 60 * GIB)["fits"]
    assert verdict({**WISH, "max_connections": 145}, 60 * GIB)["fits"]
    assert not verdict({**WISH, "max_connections": 146}, 60 * GIB)["fits"]


def test_what_fits_is_one_line() -> None:
    found = verdict({}, 4 * GIB)
    assert found["fits"] and found["problems"] == [] and found["warnings"] == []
    assert found["text"] == "1.04 GB of memory at most, of 3.6 GB (4 GB without 10 % head-room for the system)"


def test_shared_buffers_beyond_the_memory_is_the_lever() -> None:
    found = verdict({"shared_buffers": "80GB"}, 60 * GIB)
    assert found["largest_safe"]["work_mem"] is found["largest_safe"]["max_connections"] is None
    assert "To mend it: shared_buffers at most 54349MB" in found["problems"][0]
    assert verdict({"shared_buffers": found["largest_safe"]["shared_buffers"]}, 60 * GIB)["fits"]


def test_more_than_one_lever_is_needed() -> None:
    (problem,) = verdict({**WISH, "shared_buffers": "80GB"}, 60 * GIB)["problems"]
    assert problem.endswith("To mend it: no single setting does it: lower more than one, shared_buffers first")


@given(
    st.fixed_dictionaries(
        {
            "max_connections": st.integers(1, 3000),
            "work_mem": st.integers(64, 1 << 22),
            "shared_buffers": st.integers(16, 1 << 22),
            "hash_mem_multiplier": st.floats(1, 20),
            "max_parallel_workers": st.integers(0, 200),
            "autovacuum_work_mem": st.integers(-1, 1 << 20),
        }
    ),
    st.integers(64 * MIB, 8192 * GIB),
    st.floats(0.1, 5),
)
@example({"max_connections": 1, "work_mem": 64, "shared_buffers": 16, "max_parallel_workers": 0}, 8192 * GIB, 0.25).via(
    "more than work_mem can be"
)
def test_what_is_called_safe_fits_and_a_little_more_does_not(
    settings: dict[str, Any], memory_bytes: int, nodes: float
) -> None:
    assumptions = Assumptions(nodes_per_query=nodes)

    def over(**changed: Any) -> int:
        return budget(Effective({**settings, **changed}), memory_bytes, assumptions).over_bytes

    found = budget(Effective(settings), memory_bytes, assumptions)
    safe_bytes, connections = found.safe_work_mem_bytes, found.safe_max_connections
    if safe_bytes is None:
        assert over(work_mem="64kB") or found.total_bytes + 65 * 1024 * found.work_mem_users > (found.limit_bytes or 0)
    else:
        assert not over(work_mem=safe_bytes // 1024)
        assert safe_bytes // 1024 > MOST_WORK_MEM_KIB - 2 or over(work_mem=safe_bytes // 1024 + 2)
    if connections is not None:
        assert not over(max_connections=connections)
        assert connections > MOST_CONNECTIONS - 2 or over(max_connections=connections + 2)
    # Where it fits as it is, the levers are at least where they stand; rounding may take one step.
    if not found.over_bytes and connections is not None:
        assert connections >= settings["max_connections"] - 1


def test_pools_find_the_connections_that_are_left_for_them() -> None:
    found = verdict({"max_connections": 256}, 60 * GIB, pools=POOLS)
    assert found["usable_connections"] == 253
    assert found["problems"] == [
        "the applications' pools want 260 connections (api 4 x 50 = 200, importer 60), and 253 are usable:"
        " max_connections 256 - superuser_reserved_connections 3. To mend it: max_connections at least 263,"
        " or smaller pools"
    ]
    assert verdict({"max_connections": 263}, 60 * GIB, pools=POOLS)["fits"]
    reserved = verdict({"max_connections": 263, "reserved_connections": 5}, 60 * GIB, pools=POOLS)
    assert "max_connections 263 - superuser_reserved_connections 3 - reserved_connections 5" in reserved["text"]
    assert "at least 268" in reserved["text"]
    # Jinja may have made texts of the numbers.
    assert not verdict({}, pools=[{"name": "api", "size": "98"}])["fits"]
    assert verdict({}, pools=[{"name": "api", "size": "97"}])["fits"]


@pytest.mark.parametrize(
    ("pools", "complaint"),
    [
        ([{"name": "api"}], "pool 1 takes name, size and perhaps instances, not {'name': 'api'}"),
        ([{"name": "api", "size": 5, "instance": 2}], "pool 1 takes name, size and perhaps instances"),
        (["api"], "pool 1 takes name"),
        ([{"name": "a", "size": 0}, {"name": "b", "size": 5, "instances": 1.5}],
         "size and instances of pool a are whole numbers from 1 on; size and instances of pool b are"),
    ],
)  # fmt: skip
def test_pools_that_cannot_be_are_refused(pools: list[Any], complaint: str) -> None:
    with pytest.raises(SizingError, match=complaint):
        verdict({}, pools=pools)


def test_workers_that_never_start_fail_where_they_are_wanted() -> None:
    settings = {"max_parallel_workers": 32, "max_worker_processes": 8}
    text = "max_parallel_workers is 32, and with max_worker_processes = 8 there will never be that many"
    for wanted in (None, {"max_parallel_workers"}, {"max_worker_processes", "work_mem"}):
        found = verdict(settings, 60 * GIB, wanted=wanted)
        assert not found["fits"] and text in found["problems"][0]
    left_behind = verdict(settings, 60 * GIB, wanted={"work_mem"})
    assert left_behind["fits"] and text in left_behind["warnings"][0]
    assert verdict({"max_parallel_workers": 8, "max_worker_processes": 8}, 60 * GIB)["fits"]


@pytest.mark.parametrize(
    ("settings", "shm_bytes", "sums"),
    [
        # Docker gives 64 MB: four queries with two workers and the leader each.
        ({}, 64 * MIB, "12 processes (4 queries with 2 workers each) x work_mem 4MB x hash_mem_multiplier 2 = 96 MB"),
        ({}, 96 * MIB, None),
        ({"hash_mem_multiplier": 1}, 64 * MIB, None),
        ({"max_parallel_workers_per_gather": 0}, 64 * MIB, None),
        ({"max_parallel_workers": 0, "maintenance_work_mem": "1GB"}, 64 * MIB,
         "a parallel VACUUM can want maintenance_work_mem = 1 GB"),
        ({"max_parallel_workers": 0, "maintenance_work_mem": "1GB", "max_parallel_maintenance_workers": 0},
         64 * MIB, None),
        ({"dynamic_shared_memory_type": "mmap"}, 64 * MIB, None),
        ({}, None, None),
    ],
    ids=str,
)  # fmt: skip
def test_shared_memory_for_parallel_queries(settings: dict[str, Any], shm_bytes: int | None, sums: str | None) -> None:
    found = verdict(settings, 60 * GIB, shm_bytes)
    # It never fails: whether queries run in parallel at all is for the planner to say.
    assert found["fits"]
    if sums is None:
        assert found["warnings"] == []
    else:
        (warning,) = found["warnings"]
        assert warning.startswith("/dev/shm has 64 MB, and ") and sums in warning
        assert "--shm-size" in warning


def test_without_the_memory_nothing_is_called_too_much() -> None:
    found = verdict(WISH)
    assert found["fits"] and found["limit_bytes"] is None and found["headroom_bytes"] is None
    assert found["warnings"] == [
        "how much memory PostgreSQL may use is not known, so 81.8 GB was not checked against it"
    ]
    assert found["largest_safe"] == {"work_mem": None, "max_connections": None, "shared_buffers": None}


@pytest.mark.parametrize(
    ("assumptions", "complaint"),
    [
        ({"nodes_per_query": 0}, "nodes_per_query is more than 0"),
        ({"maintenance_sessions": -1}, "maintenance_sessions is 0 or more"),
        ({"headroom_percent": 100}, "headroom_percent is 0 or more and less than 100"),
    ],
)
def test_assumptions_that_cannot_be_are_refused(assumptions: dict[str, Any], complaint: str) -> None:
    with pytest.raises(SizingError, match=complaint):
        Assumptions(**assumptions)


@pytest.mark.parametrize("name", sorted(set(NEEDED) - {"dynamic_shared_memory_type"}))
def test_everything_that_is_read_of_a_server_counts(name: str) -> None:
    """What is needed is needed: another value of it changes the verdict, at the latest where /dev/shm is tiny."""
    pools = [{"name": "app", "size": 50}]
    other = 0 if name.startswith("max_parallel_") else 1 + 2 * abs(int(DEFINITIONS[name].boot_val or "0"))
    base = {"max_parallel_workers_per_gather": 0} if name == "max_parallel_maintenance_workers" else {}
    assert verdict(base, GIB, MIB, pools) != verdict({**base, name: other}, GIB, MIB, pools)
