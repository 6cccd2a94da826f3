# SPDX-License-Identifier: GPL-3.0-or-later
"""What Redis says about itself, as facts."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from ansible_collections.midi.capacity.plugins.module_utils._redis_info.parse import parse_info, parse_keyspace, role
from ansible_collections.midi.capacity.plugins.module_utils._redis_info.report import CONFIG, hit_ratio_percent, report
from ansible_collections.midi.capacity.plugins.module_utils._redis_settings import catalog
from hypothesis import given
from hypothesis import strategies as st

TEXT = """# Server\r
redis_version:7.0.15\r
redis_mode:standalone\r
run_id:abc\r
uptime_in_seconds:86400\r
config_file:/etc/redis/redis.conf\r
\r
# Clients\r
connected_clients:3\r
maxclients:10000\r
# Memory\r
used_memory:1000\r
used_memory_peak:2000\r
used_memory_rss:1500\r
maxmemory:10737418240\r
maxmemory_policy:allkeys-lfu\r
mem_fragmentation_ratio:1.50\r
total_system_memory:64424509440\r
# Persistence\r
loading:0\r
aof_enabled:1\r
aof_rewrite_in_progress:0\r
aof_last_bgrewrite_status:ok\r
aof_last_write_status:ok\r
rdb_last_save_time:1795480181\r
rdb_last_bgsave_status:ok\r
rdb_changes_since_last_save:5\r
# Stats\r
keyspace_hits:80\r
keyspace_misses:20\r
evicted_keys:1\r
expired_keys:2\r
total_commands_processed:500\r
# Replication\r
role:slave\r
# Keyspace\r
db0:keys=10,expires=9,avg_ttl=1800000\r
db12:keys=1,expires=0,avg_ttl=0,subexpiry=0\r
"""
# Not UTC, to see that the report is.
NOW = datetime(2026, 11, 24, 1, 29, 41, tzinfo=timezone(timedelta(hours=1)))


def test_parse_info() -> None:
    info = parse_info(TEXT)
    assert info["redis_version"] == "7.0.15" and info["db0"] == "keys=10,expires=9,avg_ttl=1800000"
    assert not [name for name in info if name.startswith("#")]
    assert parse_info("unixsocket:/a:b\r\nempty:\r\nnonsense\r\n") == {"unixsocket": "/a:b", "empty": ""}


def test_parse_keyspace() -> None:
    assert parse_keyspace(parse_info(TEXT)) == {
        "db0": {"keys": 10, "expires": 9, "avg_ttl_ms": 1800000},
        "db12": {"keys": 1, "expires": 0, "avg_ttl_ms": 0},
    }
    assert parse_keyspace({"dbsize": "keys=1", "mydb0": "keys=1"}) == {}


@given(st.text())
def test_any_text_is_parsed(text: str) -> None:
    assert all(":" in text for _name in parse_info(text))


@pytest.mark.parametrize(("said", "expected"), [("master", "master"), ("slave", "replica"), (None, None)])
def test_role(said: str | None, expected: str | None) -> None:
    assert role({} if said is None else {"role": said}) == expected


def test_report() -> None:
    config = {"maxmemory": "10737418240", "requirepass": "s3cr3t-42"}
    facts = report(parse_info(TEXT), config, NOW)
    assert facts["taken_at"] == "2026-11-24T00:29:41Z"
    assert (facts["version"], facts["role"], facts["uptime_seconds"]) == ("7.0.15", "replica", 86400)
    assert facts["memory"] == {
        "used_bytes": 1000,
        "used_peak_bytes": 2000,
        "used_rss_bytes": 1500,
        "maxmemory_bytes": 10737418240,
        "maxmemory_policy": "allkeys-lfu",
        "fragmentation_ratio": 1.5,
        "total_system_bytes": 64424509440,
    }
    assert facts["hit_ratio_since_start_percent"] == 80.0
    assert facts["persistence"]["aof_enabled"] is True and facts["persistence"]["loading"] is False
    assert facts["persistence"]["rdb_last_save_at"] == "2026-11-24T00:29:41Z"
    # Whatever else comes in stays out.
    assert facts["config"] == {"maxmemory": "10737418240"}
    assert facts["missing"] == []


def test_what_is_missing_says_so() -> None:
    info = parse_info(TEXT.replace("used_memory:1000", "used_memory:much"))
    del info["role"]
    facts = report(info, None, NOW, "not permitted")
    assert (facts["memory"]["used_bytes"], facts["role"], facts["config"]) == (None, None, None)
    assert facts["missing"] == [
        {"part": "info.role", "reason": "the server's INFO does not have it"},
        {"part": "info.used_memory", "reason": "the server's INFO gives 'much'"},
        {"part": "config", "reason": "not permitted"},
    ]


def test_a_server_without_a_configuration_file_lacks_nothing() -> None:
    facts = report(parse_info(TEXT.replace("/etc/redis/redis.conf", "")), {}, NOW)
    assert facts["config_file"] is None and facts["missing"] == []


def test_no_setting_that_holds_a_secret_is_asked_for() -> None:
    assert not set(CONFIG) & set(catalog.SECRET)


@pytest.mark.parametrize(
    ("hits", "misses", "expected"),
    [(80, 20, 80.0), (1, 2, 33.33), (0, 5, 0.0), (5, 0, 100.0), (0, 0, None), (None, 1, None), (1, None, None)],
)
def test_hit_ratio(hits: int | None, misses: int | None, expected: float | None) -> None:
    assert hit_ratio_percent(hits, misses) == expected
