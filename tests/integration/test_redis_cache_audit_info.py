# SPDX-License-Identifier: GPL-3.0-or-later
"""Module redis_cache_audit_info against a real Redis."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.midi.capacity.plugins.module_utils._redis_audit_flow import CHUNK

from demo.servers import EmbeddedRedis
from tests.integration.cache_keys import FOREIGN, KEYS, RANGES, SIGNATURES, TAGS, calls, fill
from tests.integration.conftest import RunModule
from tests.integration.redis_answers import answering

TOTAL = TAGS + RANGES + SIGNATURES + len(FOREIGN)
MODULE = "redis_cache_audit_info"


@pytest.fixture
def audit(redis_server: EmbeddedRedis, run_module: RunModule) -> RunModule:
    """Run the module against the fixture's server, which is full of keys."""
    with redis_server.client() as client:
        fill(client)

    def run(**options: Any) -> dict:
        return run_module(MODULE, **{"login_unix_socket": str(redis_server.socket), "keys": KEYS, **options})

    return run


@pytest.mark.parametrize("check", [True, False])
def test_all_keys_are_compared_and_none_is_touched(redis_server: EmbeddedRedis, audit: RunModule, check: bool) -> None:
    with redis_server.client() as client:
        client.config_resetstat()
        result = audit(sample_size=0, examples=3, check=check)
        ran = calls(client)
        assert client.dbsize() == TOTAL
        hits = client.info("stats")["keyspace_hits"]
    assert not {"keys", "get", "smembers", "debug"} & set(ran)
    found = result["audit"]
    assert result["changed"] is False and found["missing"] == []
    assert (found["extent"]["whole"], found["extent"]["stopped_by"]) == (True, "end")
    assert found["extent"]["key_count"] == found["extent"]["looked_at"] == TOTAL
    assert found["extent"]["hits_caused"] == hits
    assert found["extent"]["how"].startswith(f"All {TOTAL:,} keys of database 0 were looked at.")

    tags, ranges, signatures = found["patterns"]
    assert [entry["key_count"] for entry in found["patterns"]] == [TAGS, RANGES, SIGNATURES]
    assert [entry["key_count_estimated"] for entry in found["patterns"]] == [TAGS, RANGES, SIGNATURES]
    assert (tags["without_ttl"], tags["above_ttl"], tags["above_max_value_bytes"]) == (1, 0, 1)
    assert tags["examples"] == {"without_ttl": ["tag:big"], "above_ttl": [], "above_max_value_bytes": ["tag:big"]}
    # A set of 100,000 integers takes megabytes.
    assert tags["largest_bytes"] > 1_000_000
    assert tags["memory_bytes"] == tags["memory_bytes_estimated"] > tags["largest_bytes"]
    assert (ranges["without_ttl"], ranges["above_ttl"], ranges["above_max_value_bytes"]) == (0, RANGES, None)
    assert len(ranges["examples"]["above_ttl"]) == 3
    assert (signatures["without_ttl"], signatures["above_ttl"]) == (0, 0)

    others = found["unmatched"]
    assert (others["key_count"], others["without_ttl"]) == (len(FOREIGN), len(FOREIGN))
    assert len(others["examples"]) == 3 and set(others["examples"]) <= set(FOREIGN)
    largest = found["largest"][0]
    assert (largest["key"], largest["pattern"], largest["type"]) == ("tag:big", "tag:{tag_id}", "set")
    assert largest["bytes"] == tags["largest_bytes"]
    assert len(found["largest"]) == 10


def test_a_sample_says_that_it_is_one(audit: RunModule) -> None:
    found = audit(sample_size=5000)["audit"]
    assert (found["extent"]["whole"], found["extent"]["stopped_by"]) == (False, "sample_size")
    assert (found["extent"]["looked_at"], found["extent"]["key_count"]) == (5000, TOTAL)
    assert f"A sample: 5,000 of {TOTAL:,} keys" in found["extent"]["how"]
    tags = found["patterns"][0]
    assert tags["key_count"] < 5000
    # 5000 of 28000: the standard deviation is one percent of what is estimated.
    assert abs(tags["key_count_estimated"] - TAGS) < 0.1 * TAGS
    assert abs(found["unmatched"]["key_count_estimated"] - len(FOREIGN)) < 0.3 * len(FOREIGN)
    counted = sum(entry["key_count"] for entry in [*found["patterns"], found["unmatched"]])
    assert counted == 5000


def test_the_time_limit_ends_it(redis_server: EmbeddedRedis, audit: RunModule) -> None:
    with redis_server.client() as client:
        pipeline = client.pipeline(transaction=False)
        for start in range(0, 200_000, 1000):
            pipeline.mset({f"more:{number}": "" for number in range(start, start + 1000)})
        pipeline.execute()
    # One key at a time costs a round trip for every few: far more than a second for all.
    extent = audit(sample_size=0, time_limit_seconds=1, scan_count=10)["audit"]["extent"]
    assert (extent["whole"], extent["stopped_by"]) == (False, "time_limit")
    assert 0 < extent["looked_at"] < extent["key_count"] == TOTAL + 200_000


def test_an_empty_cache(redis_server: EmbeddedRedis, run_module: RunModule) -> None:
    found = run_module(MODULE, login_unix_socket=str(redis_server.socket), keys=KEYS)["audit"]
    assert (found["extent"]["whole"], found["extent"]["looked_at"]) == (True, 0)
    assert found["largest"] == [] and found["missing"] == []
    assert found["patterns"][0]["memory_bytes"] == 0


def test_sizes_that_may_not_be_read_are_missing_with_the_reason(redis_server: EmbeddedRedis, audit: RunModule) -> None:
    grants = ["+info", "+scan", "+pttl", "+type"]
    with redis_server.client() as client:
        client.execute_command("ACL SETUSER", "app", "on", ">pass-1", "~*", *grants)
        found = audit(login_user="app", login_password="pass-1", sample_size=0)["audit"]
        refused = [entry["count"] for entry in client.acl_log() if entry["object"].startswith("memory")]
    [gap] = found["missing"]
    assert (gap["part"], gap["key_count"]) == ("memory", TOTAL)
    assert "ACL SETUSER app +memory|usage" in gap["reason"]
    assert found["patterns"][0]["memory_bytes"] is None and found["patterns"][0]["above_max_value_bytes"] is None
    assert (found["patterns"][0]["without_ttl"], found["patterns"][0]["key_count"]) == (1, TAGS)
    assert found["largest"] == []
    # It does not ask again and again, but only in the first round trip.
    assert len(refused) == 1 and refused[0] <= CHUNK


def test_keys_that_may_not_be_read_are_counted_and_the_rest_is_there(
    redis_server: EmbeddedRedis, audit: RunModule
) -> None:
    with redis_server.client() as client:
        commands = ["+info", "+scan", "+pttl", "+type", "+memory|usage"]
        client.execute_command("ACL SETUSER", "app", "on", ">pass-1", "~bpm_range:*", *commands)
        found = audit(login_user="app", login_password="pass-1", sample_size=0)["audit"]
    readable = RANGES + 2
    assert [(gap["part"], gap["key_count"]) for gap in found["missing"]] == [
        ("ttl", TOTAL - readable),
        ("memory", TOTAL - readable),
    ]
    assert 'user "app" may not run PTTL on the keys' in found["missing"][0]["reason"]
    tags, ranges, _signatures = found["patterns"]
    assert (tags["key_count"], tags["without_ttl"], tags["memory_bytes"]) == (TAGS, None, None)
    assert (ranges["above_ttl"], ranges["memory_bytes"] > 0) == (RANGES, True)


def test_a_user_without_scan_is_told_what_to_grant(redis_server: EmbeddedRedis, audit: RunModule) -> None:
    with redis_server.client() as client:
        client.execute_command("ACL SETUSER", "app", "on", ">pass-1", "~*", "+info")
    message = audit(login_user="app", login_password="pass-1", fails=True)["msg"]
    assert 'user "app" may not run SCAN' in message and "ACL SETUSER app +scan" in message


def test_a_replica_may_be_audited(redis_server: EmbeddedRedis, audit: RunModule) -> None:
    with redis_server.client() as client:
        client.execute_command("REPLICAOF", "127.0.0.1", "1")
    found = audit(sample_size=0)["audit"]
    assert found["server"]["role"] == "replica" and found["extent"]["whole"] is True


def test_keys_of_any_bytes_are_shown(redis_server: EmbeddedRedis, run_module: RunModule) -> None:
    with redis_server.client() as client:
        client.set(b"tag:\xff\x00", "x")
        client.set("tag:two\nlines", "x")
    found = run_module(MODULE, login_unix_socket=str(redis_server.socket), keys=KEYS)["audit"]
    assert sorted(found["patterns"][0]["examples"]["without_ttl"]) == ["tag:\\xff\\x00", "tag:two\\x0alines"]
    assert found["missing"] == [] and len(found["largest"]) == 2


def test_other_databases_are_told_of(redis_server: EmbeddedRedis, run_module: RunModule) -> None:
    with redis_server.client() as client:
        client.execute_command("SELECT", 3)
        client.set("tag:1", "x")
        client.execute_command("SELECT", 0)
    result = run_module(MODULE, login_unix_socket=str(redis_server.socket), keys=KEYS)
    assert "database 0 only; this server has keys in others, too: db3 (1)" in str(result["warnings"])
    assert result["audit"]["extent"]["looked_at"] == 0


def test_all_faults_in_the_keys_and_nothing_is_read(run_module: RunModule) -> None:
    keys = [{**KEYS[0], "ttl_seconds": 0}, {**KEYS[0], "pattern": "tag:*"}]
    # No server: it is not even asked.
    result = run_module(MODULE, login_port=1, keys=keys, fails=True)
    assert result["msg"].startswith("2 faults in the keys; nothing was touched")
    assert [problem.partition(":")[0] for problem in result["problems"]] == ["pattern tag", "pattern tag"]


@pytest.mark.parametrize(
    ("option", "value"),
    [("sample_size", -1), ("time_limit_seconds", 0), ("memory_samples", 0), ("scan_count", 1), ("largest", 101)],
)
def test_options_out_of_range(run_module: RunModule, option: str, value: int) -> None:
    result = run_module(MODULE, login_port=1, keys=KEYS, fails=True, **{option: value})
    assert f"{option} must be " in result["msg"] and f"and not {value}" in result["msg"]


def test_a_wrong_password_is_named_without_it(redis_server: EmbeddedRedis, audit: RunModule) -> None:
    with redis_server.client() as client:
        client.config_set("requirepass", "right-one")
    result = audit(login_password="wrong-one", fails=True)
    assert "refused the login" in result["msg"] and "wrong-one" not in str(result)


@pytest.mark.parametrize(
    ("mode", "message"),
    [("cluster", "a node of a Redis Cluster, which has only a part of the keys"), ("sentinel", "this is a Sentinel")],
)
def test_servers_that_have_no_whole_are_refused(run_module: RunModule, mode: str, message: str) -> None:
    with answering({"INFO": f"redis_version:7.0.15\r\nredis_mode:{mode}\r\nrole:master"}) as port:
        assert message in run_module(MODULE, login_port=port, keys=KEYS, fails=True)["msg"]
