# SPDX-License-Identifier: GPL-3.0-or-later
"""Windows between snapshots of a real PostgreSQL 18 and a real Redis: what resets, evictions and restarts do."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.midi.capacity.plugins.module_utils._windows import caches, snapshots

from demo.servers import EmbeddedPostgres, EmbeddedRedis, until
from tests.integration.conftest import RunModule, query

# The fewest that pg_stat_statements keeps.
KEPT = 100
LONGEST_SECONDS = 60
WORK = "SELECT count(*) AS work FROM generate_series(1, 500)"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    """A PostgreSQL with statement statistics, and few of them."""
    preload = {"shared_preload_libraries": "'pg_stat_statements'", "pg_stat_statements.max": str(KEPT)}
    made = EmbeddedPostgres(tmp_path / "pg", preload)
    made.create()
    made.start()
    query(made, "CREATE EXTENSION pg_stat_statements")
    yield made
    made.stop()


def wait_until(condition: Callable[[], bool]) -> None:
    for _attempt in until(LONGEST_SECONDS):
        if condition():
            return
    raise AssertionError(f"not so after {LONGEST_SECONDS} s")


class Watch:
    def __init__(self, server: EmbeddedPostgres, run_module: RunModule) -> None:
        self.server, self._run_module = server, run_module

    def snapshot(self) -> dict[str, Any]:
        place = {"login_unix_socket": str(self.server.socket), "login_db": "postgres", "login_user": "postgres"}
        return self._run_module("pg_snapshot_info", **place, host=False, statements_limit=1000)["snapshot"]

    def work(self, times: int) -> None:
        for _time in range(times):
            query(self.server, WORK)

    def end(self, by: signal.Signals) -> None:
        """And start it again."""
        os.kill(int((self.server.data / "postmaster.pid").read_text().split()[0]), by)
        wait_until(lambda: not self.server.running())
        self.server.start()


@pytest.fixture
def watch(server: EmbeddedPostgres, run_module: RunModule) -> Watch:
    return Watch(server, run_module)


def worked(found: dict[str, Any]) -> list[dict[str, Any]]:
    return [row for row in found["statements"]["rows"] if "AS work" in row["query"]]


def told(found: dict[str, Any], part: str) -> str:
    return "; ".join(entry["reason"] for entry in found["reasons"] if entry["part"] == part)


def test_work_resets_and_what_is_new(watch: Watch) -> None:
    first = watch.snapshot()
    watch.work(5)
    second = watch.snapshot()
    found = snapshots.window(first, second)
    # It is new: the whole of its counters.
    assert [(row["calls"], row["rows"], row["since"]) for row in worked(found)] == [(5, 5, None)]
    assert found["reasons"] == [] and found["statements"]["incomplete"] is None
    assert found["statements"]["total"]["calls"] > 5
    assert found["database"]["xact_commit"] >= 5
    watch.work(3)
    third = watch.snapshot()
    (row,) = worked(snapshots.window(second, third))
    assert row["calls"] == 3
    assert row["mean_exec_time_ms"] == pytest.approx(row["total_exec_time_ms"] / 3)
    # They add up, on a real server, too.
    assert [entry["calls"] for entry in worked(snapshots.window(first, third))] == [8]

    queryid = row["queryid"]
    query(watch.server, f"SELECT pg_stat_statements_reset(0, 0, {queryid})")
    watch.work(2)
    fourth = watch.snapshot()
    found = snapshots.window(third, fourth)
    (row,) = worked(found)
    assert row["calls"] == 2
    assert third["taken_at"] < row["since"] < fourth["taken_at"]
    assert found["statements"]["incomplete"] and "the counters began anew" in told(found, "statements")

    query(watch.server, "SELECT pg_stat_statements_reset()")
    query(watch.server, "SELECT pg_stat_reset()")
    watch.work(4)
    fifth = watch.snapshot()
    found = snapshots.window(fourth, fifth)
    assert [entry["calls"] for entry in worked(found)] == [4]
    for part in ("statements", "database"):
        assert "its counters were reset at" in told(found, part)
        assert fourth["taken_at"] < found[part]["from"] < fifth["taken_at"]
        assert found[part]["seconds"] < found["seconds"]


def test_a_reset_of_the_cluster_s_counters_is_no_crash(watch: Watch) -> None:
    watch.work(50)
    first = watch.snapshot()
    query(watch.server, "SELECT pg_stat_reset_shared()")
    watch.work(3)
    second = watch.snapshot()
    assert first["server"]["counters_since"] < second["server"]["counters_since"]
    found = snapshots.window(first, second)
    assert found["reasons"] == [] and 3 <= found["database"]["xact_commit"] < 50
    # After an immediate stop the statements are there, and the counters of the database are not.
    watch.end(signal.SIGQUIT)
    watch.work(1)
    third = watch.snapshot()
    assert second["statements"]["stats_reset"] == third["statements"]["stats_reset"]
    found = snapshots.window(second, third)
    assert found["database"]["from"] == third["server"]["counters_since"]
    assert found["database"]["xact_commit"] == third["database"]["xact_commit"]


def test_statements_that_made_room_for_others(watch: Watch) -> None:
    first = watch.snapshot()
    for number in range(2 * KEPT):
        # Another number of columns is another statement; another constant or name is not.
        query(watch.server, f"SELECT {', '.join(['1'] * (number + 1))}")
    found = snapshots.window(first, watch.snapshot())
    assert found["statements"]["evictions"] > 0
    assert "to make room for others" in found["statements"]["incomplete"]
    assert found["statements"]["rest"] is None


def test_a_restart_keeps_the_counters_and_a_crash_does_not(watch: Watch) -> None:
    watch.work(5)
    first = watch.snapshot()
    watch.work(2)
    watch.server.stop()
    watch.server.start()
    watch.work(1)
    second = watch.snapshot()
    found = snapshots.window(first, second)
    assert [row["calls"] for row in worked(found)] == [3]
    assert found["server"]["restarted_at"] == second["server"]["postmaster_start"]
    assert told(found, "server").startswith("it was started again at")
    assert found["database"]["xact_commit"] >= 3

    # An immediate stop would not do: the counters of statements outlive it.
    watch.end(signal.SIGKILL)
    watch.work(1)
    third = watch.snapshot()
    found = snapshots.window(second, third)
    assert [row["calls"] for row in worked(found)] == [1]
    for part in ("statements", "database"):
        assert second["taken_at"] < found[part]["from"] < third["taken_at"], part
        assert "its counters were reset at" in told(found, part)


def until_the_next_second(facts: dict[str, Any]) -> None:
    """taken_at of a cache is in whole seconds, so that the next one has to come in a later one."""
    wait_until(lambda: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()) > facts["taken_at"])


def test_a_cache(redis_server: EmbeddedRedis, run_module: RunModule) -> None:
    def facts() -> dict[str, Any]:
        return run_module("redis_cache_info", login_unix_socket=str(redis_server.socket))["cache"]

    def ask(hits: int, misses: int) -> None:
        with redis_server.client() as client:
            client.set("there", "1")
            for _time in range(hits):
                client.get("there")
            for _time in range(misses):
                client.get("not there")

    ask(10, 10)
    first = facts()
    ask(3, 1)
    until_the_next_second(first)
    second = facts()
    found = caches.window(first, second)
    assert (found["hits"], found["misses"], found["hit_ratio_percent"], found["reasons"]) == (3, 1, 75.0, [])
    with redis_server.client() as client:
        client.config_resetstat()
    until_the_next_second(second)
    third = facts()
    found = caches.window(second, third)
    assert found["hits"] is None and "RESETSTAT" in found["reasons"][0]["reason"]
    until_the_next_second(third)
    redis_server.stop()
    redis_server.start()
    ask(2, 0)
    fourth = facts()
    until_the_next_second(fourth)
    fifth = facts()
    found = caches.window(third, fifth)
    assert (found["hits"], found["misses"]) == (2, 0)
    assert "it was started again at" in found["reasons"][0]["reason"]
