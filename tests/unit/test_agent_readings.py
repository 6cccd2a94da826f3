# SPDX-License-Identifier: GPL-3.0-or-later
"""_agent.readings: from a snapshot and its window to every metric of the catalog, each with a value or the reason."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from ansible_collections.midi.capacity.plugins.module_utils._agent import readings
from ansible_collections.midi.capacity.plugins.module_utils._agent.window import Window
from ansible_collections.midi.capacity.plugins.module_utils._thresholds.catalog import BY_NAME, METRICS
from ansible_collections.midi.capacity.plugins.module_utils._thresholds.evaluate import evaluate_all
from ansible_collections.midi.capacity.plugins.module_utils._thresholds.model import BAD, Reading

from tests.unit.baseline_example import CACHE, GIB, HOST, MIB, baseline, missing, setting
from tests.unit.thresholds_example import DEFAULTS

UP, NO_LOGIN = {"down": False, "reason": None}, {"down": None, "reason": "password authentication failed"}
DOWN = {"down": True, "reason": "connection refused"}
BACKUP = Reading(7200.0, detail="/backup/midi.dump")
NO_REDIS = Reading(None, reason="no Redis is looked at", applicable=False)
NO_WINDOW = Reading(None, reason=readings.NO_WINDOW, applicable=False)


def row(query: str, mean_ms: float, calls: int, **more: Any) -> dict[str, Any]:
    return {"query": query, "queryid": "9", "mean_exec_time_ms": mean_ms, "calls": calls, "own": False,
            "toplevel": True, **more}  # fmt: skip


STATEMENTS = {
    "seconds": 3600.0, "rows": [row("SELECT  1\n  FROM files", 12.5, 100), row("SELECT 2", 999, 9)],
    "total": {"calls": 7200}, "evictions": 0,
}  # fmt: skip
DATABASE = {"seconds": 1800.0, "hit_ratio_percent": 98.5, "xact_commit": 3000, "xact_rollback": 600}
CACHED = {"hit_ratio_percent": 80.0, "hits": 80, "evicted_keys": 3, "total_commands": 200}
PERCENTILES = {f"p{place}": {"estimate_ms": float(place), "lower_ms": 2.0, "upper_ms": 210.0} for place in (50, 95, 99)}
LATENCY = {"calls": 7000, "percentiles": PERCENTILES, "method": "estimated", "confidence": "usual"}


def snapshot(**parts: Any) -> dict[str, Any]:
    """One as the history gives it: everything was read, and nothing is amiss."""
    found = copy.deepcopy(baseline(redis=copy.deepcopy(CACHE), **parts.pop("over", {}))["snapshot"])
    found["statements"]["all"] = {"statements": 4500}
    found["settings"]["pg_stat_statements.max"] = setting("5000")
    found["reach"] = {"postgres": UP, "redis": UP}
    found["host_is_elsewhere"] = False
    return {**found, **parts}


def without_server(reach: dict[str, Any], **parts: Any) -> dict[str, Any]:
    """As _agent_take makes it when there is no connection."""
    gone = dict.fromkeys(("server", "settings", "connections", "database", "statements", "growth"))
    health = dict.fromkeys(snapshot()["health"])
    entries = missing("server", reach["reason"])
    return snapshot(**{
        **gone, "health": health, "sizes": {"database_bytes": None, "tables": None, "indexes": None},
        "reach": {"postgres": reach, "redis": UP}, "missing": entries, **parts,
    })  # fmt: skip


def window(**parts: Any) -> Window:
    """found: what is other in it, None for no such thing."""
    changes = parts.pop("found", {})
    found = None if changes is None else {"statements": STATEMENTS, "database": DATABASE, **changes}
    return Window(
        **{"seconds": 3600.0, "found": found, "cache": CACHED, "cpu_busy_percent": 40.0, "reasons": [], **parts}
    )


def read(of: dict[str, Any], since: Window | None = None, latency: Any = None) -> dict[str, list[Reading]]:
    return readings.read(of, since, latency, BACKUP)


def one(metric: str, of: dict[str, Any] | None = None, since: Window | None = None, latency: Any = None) -> Reading:
    (found,) = read(of or snapshot(), since, latency)[metric]
    return found


def why(reason: str) -> list[dict[str, str]]:
    return [{"part": part, "reason": reason} for part in ("statements", "database", "cache")]


# The contract with the catalog.


def test_what_is_read_and_what_is_of_the_agent_are_the_catalog_no_more_and_no_less() -> None:
    read_here = {*readings._READERS, "backup_age_seconds"}
    assert not read_here & set(readings.OF_THE_AGENT)
    assert read_here | set(readings.OF_THE_AGENT) == set(BY_NAME)
    assert set(read(snapshot())) == read_here
    assert not set(readings.figures(snapshot(), None, None)) & set(BY_NAME)


@pytest.mark.parametrize(
    ("of", "since", "latency"),
    [
        (snapshot(), window(), LATENCY),
        (snapshot(), None, None),
        (without_server(DOWN), None, None),
        (without_server(NO_LOGIN, host=None, redis=None, host_is_elsewhere=True), None, None),
        (snapshot(reach={"postgres": UP, "redis": DOWN}, redis=None), window(cache=None), LATENCY),
    ],
)
def test_each_reading_is_a_value_or_a_reason_and_of_what_the_catalog_says(of: Any, since: Any, latency: Any) -> None:
    for name, found in read(of, since, latency).items():
        assert found, name
        for reading in found:
            assert (reading.value is None) == bool(reading.reason), (name, reading)
            assert reading.applicable or reading.value is None
            # One by one, or once for all of them where there are none to be had.
            assert reading.subject is None or BY_NAME[name].subject, name
            assert reading.value is None or 0 <= reading.value <= (BY_NAME[name].most or reading.value), name


def test_without_a_window_what_needs_one_is_no_fault_and_only_that() -> None:
    found = read(snapshot(), None)
    for metric in METRICS:
        if metric.windowed:
            assert found[metric.name] == [NO_WINDOW]
    apart = {name for name, several in found.items() if several == [NO_WINDOW]}
    assert apart == {metric.name for metric in METRICS if metric.windowed}


@pytest.mark.parametrize(("reach", "state"), [(DOWN, "critical"), (NO_LOGIN, "unknown")])
def test_a_server_that_is_away_is_one_alert(reach: Any, state: str) -> None:
    """What needs it has no value, says why, and waits for it."""
    found = read(without_server(reach), window(found={"statements": None, "database": None}, reasons=why("no")))
    states, _memory = evaluate_all(DEFAULTS, found)
    bad = [(entry.threshold.metric.name, entry.state) for entry in states if entry.state in BAD]
    assert [entry for entry in bad if entry[0] not in readings.OF_THE_AGENT] == [("postgres_down", state)]
    for metric in METRICS:
        if metric.needs == "postgres_down" and metric.area != "Host" and not metric.windowed:
            assert [reading.reason for reading in found[metric.name]] == [reach["reason"]], metric.name


# One by one.


@pytest.mark.parametrize(
    ("reach", "expected"),
    [
        (UP, Reading(0.0)),
        (DOWN, Reading(1.0, detail="connection refused")),
        (NO_LOGIN, Reading(None, reason="password authentication failed")),
    ],
)
def test_down_is_what_nobody_can_use(reach: Any, expected: Reading) -> None:
    of = snapshot(reach={"postgres": reach, "redis": reach})
    assert one("postgres_down", of) == one("redis_down", of) == readings.down(reach) == expected


def test_connections() -> None:
    found = one("connections_used_percent")
    assert (found.value, found.detail) == (5.53, "14 of 253: 10 idle, 3 active, 1 idle in transaction")
    for connections in (
        None,
        {"total": None, "usable_maximum": 9},
        {**snapshot()["connections"], "usable_maximum": None},
    ):
        of = snapshot(connections=connections, missing=missing("connections", "it may not look"))
        assert one("connections_used_percent", of) == Reading(None, reason="it may not look")


def test_blocks_found() -> None:
    assert one("buffer_hit_ratio_percent", since=window()) == Reading(98.5)
    idle = window(found={"database": {**DATABASE, "hit_ratio_percent": None}})
    assert one("buffer_hit_ratio_percent", since=idle) == Reading(
        None, reason="no block was read in the window", applicable=False
    )


@pytest.mark.parametrize(
    ("since", "reason"),
    [
        (window(found={"database": None, "statements": None}, reasons=why("another server")), "another server"),
        (window(found=None), "it was not read"),
        # What bars the whole of it, and what is said of other parts is not why.
        (
            window(found=None, reasons=[{"part": "clock", "reason": "set"}, {"part": "window", "reason": "no time"}]),
            "no time",
        ),
        (
            window(
                found={"database": None, "statements": None},
                reasons=[{"part": "server", "reason": "restarted"}, *why("reset")],
            ),
            "reset",
        ),
    ],
)
def test_a_window_that_cannot_be_had_is_unknown_and_says_why(since: Window, reason: str) -> None:
    for name in ("buffer_hit_ratio_percent", "statement_mean_ms", "statement_p95_ms", "statements_evicted"):
        assert one(name, since=since) == Reading(None, reason=reason), name


SLOT = {"name": "a", "retained_bytes": 16 * MIB, "wal_status": "reserved"}


@pytest.mark.parametrize(
    ("metric", "path", "value", "expected"),
    [
        ("oldest_transaction_seconds", "oldest_transaction_seconds", 185.2, 185.2),
        ("oldest_transaction_seconds", "oldest_transaction_seconds", 0, 0),
        ("xid_age_percent", "oldest_xid_age", 214748364, 10.0),
        ("xid_age_percent", "oldest_xid_age", 2**31, 100.0),
        ("inactive_slots", "inactive_slots", [], 0),
        ("inactive_slots", "inactive_slots", [SLOT, SLOT], 2),
        ("invalid_indexes", "invalid_indexes", [], 0),
    ],
)
def test_health(metric: str, path: str, value: Any, expected: float) -> None:
    assert one(metric, snapshot(health={**snapshot()["health"], path: value})).value == expected
    of = snapshot(
        health={**snapshot()["health"], path: None}, missing=missing(f"health.{path}", "it timed out", "wait")
    )
    assert one(metric, of) == Reading(None, reason="it timed out (wait)")


def test_invalid_indexes_are_named_without_those_being_built() -> None:
    indexes = [{"schema": "public", "name": f"i{number}", "building": number == 0} for number in range(8)]
    found = one("invalid_indexes", snapshot(health={**snapshot()["health"], "invalid_indexes": indexes}))
    assert (found.value, found.detail) == (7, "public.i1, public.i2, public.i3, public.i4, public.i5 and 2 more")


def test_the_slowest_statement_is_one_that_was_called_often_enough_and_not_our_own() -> None:
    rows = [
        *STATEMENTS["rows"], row("own", 500, 100, own=True), row("in a function", 500, 100, toplevel=False),
    ]  # fmt: skip
    found = one("statement_mean_ms", since=window(found={"statements": {**STATEMENTS, "rows": rows}}))
    assert found == Reading(12.5, detail="100 calls of SELECT 1 FROM files (queryid 9)")
    few = window(found={"statements": {**STATEMENTS, "rows": rows[1:]}})
    assert one("statement_mean_ms", since=few) == Reading(
        None, reason="no statement was called 10 times in the window", applicable=False
    )
    hidden = window(found={"statements": {**STATEMENTS, "rows": [row("", 5, 10)]}})
    assert "a statement whose text is hidden" in str(one("statement_mean_ms", since=hidden).detail)
    long = window(found={"statements": {**STATEMENTS, "rows": [row("x" * 999, 5, 10)]}})
    assert len(str(one("statement_mean_ms", since=long).detail)) < 220


def test_percentiles_say_that_they_are_estimated_and_what_is_certain() -> None:
    assert one("statement_p95_ms", since=window(), latency=LATENCY) == Reading(
        95.0, detail="estimated; certainly between 2 ms and 210 ms"
    )
    few = {**LATENCY, "calls": 9, "percentiles": {}}
    assert one("statement_p95_ms", since=window(), latency=few) == Reading(
        None, reason="there were fewer than 10 calls in the window", applicable=False
    )
    assert one("statement_p95_ms", since=window()) == Reading(
        None, reason="there is no capture of statements in the window", applicable=False
    )


def test_entries_of_statements() -> None:
    assert one("statements_used_percent") == Reading(90.0, detail="4,500 of 5,000")
    assert one("statements_evicted", since=window(found={"statements": {**STATEMENTS, "evictions": 3}})) == Reading(3.0)
    for parts in ({"statements": None}, {"settings": None}, {"settings": {}}):
        of = snapshot(**parts, missing=missing("statements", "not loaded", "preload it"))
        assert one("statements_used_percent", of) == Reading(None, reason="not loaded (preload it)")


def test_processors_over_the_window_or_over_the_sample_of_the_first_snapshot() -> None:
    assert one("cpu_busy_percent", since=window()) == Reading(40.0, detail="over 1 h")
    assert one("cpu_busy_percent", since=window(cpu_busy_percent=None)) == Reading(12.34, detail="over 1.001 s")
    limited = {**HOST["cpu"], "usable_cpus": 2.0, "cgroup": {"quota_cpus": 2.0, "source": "x", "used_cpus": 0.5}}
    assert one("cpu_busy_percent", snapshot(host={**HOST, "cpu": limited})).value == 25
    lost = {**HOST["cpu"], "busy_percent": None}
    of = snapshot(host={**HOST, "cpu": lost}, missing=missing("host.cpu.busy_percent", "no /proc"))
    assert one("cpu_busy_percent", of) == Reading(None, reason="no /proc")


def test_disks_each_by_its_mount_point() -> None:
    data, other = HOST["disks"][0], {**HOST["disks"][0], "path": "/wal", "mount_point": "/wal", "used_percent": 99.5}
    odd = {**other, "path": "/gone", "mount_point": None, "used_percent": None}
    of = snapshot(host={**HOST, "disks": [data, data, other, odd]}, missing=missing("host.disks[/gone]", "it is gone"))
    assert read(of)["disk_used_percent"] == [
        Reading(26.3, "/", detail="700 GiB of 1000 GiB are free"),
        Reading(99.5, "/wal", detail="700 GiB of 1000 GiB are free"),
        Reading(None, "/gone", reason="it is gone"),
    ]


@pytest.mark.parametrize("elsewhere", [True, False])
def test_a_host_that_is_another_one_is_no_fault_and_one_that_cannot_be_read_is(elsewhere: bool) -> None:
    of = snapshot(host=None, host_is_elsewhere=elsewhere, missing=missing("host", "PostgreSQL runs at 10.0.0.1"))
    for name in ("cpu_busy_percent", "disk_used_percent"):
        assert one(name, of) == Reading(None, reason="PostgreSQL runs at 10.0.0.1", applicable=not elsewhere)


def test_the_cache() -> None:
    found = read(snapshot(), window())
    assert found["cache_hit_ratio_percent"] == [Reading(80.0)]
    assert found["cache_evictions_percent"] == [Reading(1.5)]
    assert found["redis_memory_percent"] == [Reading(20.0, detail="2 GiB of 10 GiB")]


CACHE_METRICS = ("cache_hit_ratio_percent", "cache_evictions_percent")


@pytest.mark.parametrize(
    ("of", "since", "expected"),
    [
        (snapshot(redis=None, reach={"postgres": UP, "redis": None}), window(cache=None), NO_REDIS),
        (
            snapshot(redis=None, reach={"postgres": UP, "redis": DOWN}, missing=missing("redis", "refused")),
            window(cache=None),
            Reading(None, reason="refused"),
        ),
        # There was no cache before.
        (snapshot(), window(cache=None), NO_WINDOW),
        # There was, and the two cannot be compared.
        (snapshot(), window(cache=None, reasons=why("no time passes")), Reading(None, reason="no time passes")),
        (
            snapshot(),
            window(cache=dict.fromkeys(CACHED), reasons=why("it was reset")),
            Reading(None, reason="it was reset"),
        ),
    ],
)
def test_a_cache_without_figures(of: Any, since: Window, expected: Reading) -> None:
    for name in CACHE_METRICS:
        assert one(name, of, since) == expected


def test_a_cache_that_nobody_used() -> None:
    idle = window(cache={"hit_ratio_percent": None, "hits": 0, "evicted_keys": 0, "total_commands": 0})
    reasons = ["no lookup in the window", "no operation in the window"]
    for name, reason in zip(CACHE_METRICS, reasons, strict=True):
        assert one(name, since=idle) == Reading(None, reason=reason, applicable=False)


def test_memory_of_redis() -> None:
    def memory(**changes: Any) -> Reading:
        return one(
            "redis_memory_percent",
            snapshot(redis={**CACHE, "memory": {**CACHE["memory"], **changes}}, missing=missing("redis.memory", "old")),
        )

    assert memory(maxmemory_bytes=0) == Reading(None, reason="it has no maxmemory", applicable=False)
    assert memory(maxmemory_bytes=None) == memory(used_bytes=None) == Reading(None, reason="old")
    assert one("redis_memory_percent", snapshot(redis=None, reach={"postgres": UP, "redis": None})) == NO_REDIS


def standby(**changes: Any) -> dict[str, Any]:
    return {"application_name": "db2", "address": "10.0.0.2", "lag_bytes": 4096, "lag_seconds": 1.5, **changes}


def replication(*standbys: dict[str, Any], receiver: Any = None) -> dict[str, Any]:
    found = {"standbys": list(standbys), "receiver": receiver}
    return snapshot(health={**snapshot()["health"], "replication": found})


@pytest.mark.parametrize(
    ("changes", "seconds", "lag_bytes"),
    [
        ({}, Reading(1.5, "db2 at 10.0.0.2"), Reading(4096, "db2 at 10.0.0.2")),
        # PostgreSQL forgets the time of one that has everything, and has none of one that has just begun.
        ({"lag_bytes": 0, "lag_seconds": None}, Reading(0.0, "db2 at 10.0.0.2"), Reading(0, "db2 at 10.0.0.2")),
        (
            {"lag_seconds": None},
            Reading(None, "db2 at 10.0.0.2", reason="no time is known of it yet", applicable=False),
            Reading(4096, "db2 at 10.0.0.2"),
        ),
        (
            {"lag_bytes": None, "lag_seconds": None},
            Reading(None, "db2 at 10.0.0.2", reason="it was not read"),
            Reading(None, "db2 at 10.0.0.2", reason="it was not read"),
        ),
        (
            {"application_name": "", "address": None},
            Reading(1.5, "standby at a Unix socket"),
            Reading(4096, "standby at a Unix socket"),
        ),
    ],
)
def test_standbys_each_by_its_name(changes: dict[str, Any], seconds: Reading, lag_bytes: Reading) -> None:
    found = read(replication(standby(**changes)))
    assert (found["replication_lag_seconds"], found["replication_lag_bytes"]) == ([seconds], [lag_bytes])


def test_replication_of_a_standby_of_none_and_of_what_cannot_be_read() -> None:
    found = read(replication(receiver={"lag_bytes": 7, "lag_seconds": None}))
    assert found["replication_lag_bytes"] == [Reading(7, "this standby")]
    assert found["replication_lag_seconds"] == [Reading(None, "this standby", reason="it has replayed nothing yet")]
    found = read(replication())
    assert found["replication_lag_bytes"] == [Reading(None, reason="there is no standby", applicable=False)]
    of = snapshot(health={**snapshot()["health"], "replication": None}, missing=missing("health", "timed out"))
    assert read(of)["replication_lag_seconds"] == [Reading(None, reason="timed out")]


def test_slots_that_nobody_reads() -> None:
    slots = [
        {"name": "a", "retained_bytes": 5 * GIB, "wal_status": "extended"},
        {"name": "b", "retained_bytes": None, "wal_status": "lost"},
    ]
    found = read(snapshot(health={**snapshot()["health"], "inactive_slots": slots}))
    assert found["inactive_slots"] == [Reading(2.0, detail="a, b")]
    assert found["slot_retained_bytes"] == [Reading(5.0 * GIB, "a", detail="extended")]
    assert read(snapshot())["slot_retained_bytes"] == [
        Reading(None, reason="there is no inactive slot", applicable=False)
    ]


def test_the_age_of_the_backup_is_handed_through() -> None:
    assert one("backup_age_seconds") == BACKUP


# What the history's table has.


def test_figures() -> None:
    assert readings.figures(snapshot(), window(), LATENCY) == {
        "window_seconds": 3600.0,
        "database_bytes": 5 * GIB,
        "growth_rows": 1720000,
        "connections": 14,
        "transactions_per_second": 2.0,
        "statements_per_second": 2.0,
        "statement_p50_ms": 50.0,
        "statement_p99_ms": 99.0,
    }
    for of, since in ((without_server(DOWN), None), (without_server(DOWN), window(seconds=None, found=None))):
        assert set(readings.figures(of, since, None).values()) == {None}
    # A reset at the very end leaves no time to share it out over.
    idle = window(found={"database": {**DATABASE, "seconds": 0.0}, "statements": {**STATEMENTS, "seconds": 0.0}})
    found = readings.figures(snapshot(), idle, None)
    assert found["transactions_per_second"] is found["statements_per_second"] is None


@pytest.mark.parametrize(
    ("several", "above", "below"),
    [
        ([], None, None),
        ([NO_REDIS, NO_REDIS], None, None),
        ([Reading(1.0, "a"), Reading(9.0, "b"), Reading(None, "c", reason="x"), NO_REDIS], "b", "a"),
        ([NO_REDIS, Reading(None, "c", reason="x")], "c", "c"),
        ([Reading(0.0, "a"), Reading(None, "c", reason="x")], "a", "a"),
    ],
)
def test_the_worst_of_several(several: list[Reading], above: str | None, below: str | None) -> None:
    found = [readings.worst(several, way) for way in (True, False)]
    assert [reading and reading.subject for reading in found] == [above, below]


def test_the_example_is_of_what_a_snapshot_is() -> None:
    """Or these tests were of nothing: of each metric there is a value in one of them."""
    of = replication(standby())
    of["health"]["inactive_slots"] = [SLOT]
    found = read(of, window(), LATENCY)
    assert [name for name, several in found.items() if all(reading.value is None for reading in several)] == []
