# SPDX-License-Identifier: GPL-3.0-or-later
"""Module redis_cache_invalidate against a real Redis."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from demo.servers import START_SECONDS, EmbeddedRedis, until
from tests.integration.cache_keys import FOREIGN, KEYS, RANGES, SIGNATURES, TAGS, calls, fill
from tests.integration.conftest import ROOT, RunModule
from tests.integration.redis_answers import answering

MODULE = "redis_cache_invalidate"
REST = SIGNATURES + len(FOREIGN)
MASTER = "redis_version:7.0.15\r\nredis_mode:standalone\r\nrole:master"


@pytest.fixture
def invalidate(redis_server: EmbeddedRedis, run_module: RunModule) -> RunModule:
    """Run the module against the fixture's server, which is full of keys."""
    with redis_server.client() as client:
        fill(client)

    def run(**options: Any) -> dict:
        return run_module(MODULE, **{"login_unix_socket": str(redis_server.socket), "keys": KEYS, **options})

    return run


def test_check_run_and_second_run(redis_server: EmbeddedRedis, invalidate: RunModule) -> None:
    expected = [
        {"pattern": "tag:{tag_id}", "key_count": TAGS},
        {"pattern": "bpm_range:{min}:{max}", "key_count": RANGES},
    ]
    with redis_server.client() as client:
        client.config_resetstat()
        checked = invalidate(event="import_completed", check=True)
        assert client.dbsize() == TAGS + RANGES + REST
        assert not {"unlink", "del", "keys"} & set(calls(client))

        first = invalidate(event="import_completed")
        ran = calls(client)
        # The set of 100,000 members went, too, and nobody had to wait for it.
        assert not {"del", "keys", "expire", "flushdb"} & set(ran)
        assert ran["unlink"] == first["batches"] >= (TAGS + RANGES) // 500
        assert sorted(client.scan_iter("*", 1000)) == sorted(
            [*FOREIGN, *(f"key_signature:{n}" for n in range(SIGNATURES))]
        )

        second = invalidate(event="import_completed")
        assert client.dbsize() == REST
        assert calls(client)["unlink"] == ran["unlink"]
    assert checked["changed"] is True and checked["patterns"] == expected
    assert checked["msg"].startswith(f"Would unlink {TAGS + RANGES:,} keys: {TAGS:,} of tag:{{tag_id}}, ")
    assert checked["batches"] == 0
    assert first["changed"] is True and first["patterns"] == expected
    assert (first["event"], first["key_count"]) == ("import_completed", TAGS + RANGES)
    assert first["diff"] == checked["diff"]
    assert f"tag:{{tag_id}} = {TAGS} keys" in first["diff"]["before"]
    assert "tag:{tag_id} = 0 keys" in first["diff"]["after"]
    assert second["changed"] is False and second["key_count"] == 0
    assert (second["diff"]["before"], second["diff"]["after"]) == ("", "")
    assert second["msg"].startswith("There is no key of tag:{tag_id}, bpm_range:{min}:{max}.")


def test_how_long_redis_takes_meanwhile_is_measured(invalidate: RunModule) -> None:
    latency = invalidate(event="import_completed")["latency"]
    assert latency["reason"] is None
    assert latency["before"]["samples"] == 100 and latency["during"]["samples"] >= 2
    for found in (latency["before"], latency["during"]):
        assert 0 < found["median_ms"] <= found["p99_ms"] <= found["max_ms"] < 10_000


def test_one_pattern_by_its_name(redis_server: EmbeddedRedis, invalidate: RunModule) -> None:
    result = invalidate(patterns=["key_signature:{key}"], batch_size=5, pause_ms=0)
    assert (result["event"], result["key_count"], result["batches"]) == (None, SIGNATURES, 5)
    with redis_server.client() as client:
        assert client.dbsize() == TAGS + RANGES + len(FOREIGN)
        assert client.exists("key_signature:") == 1


def test_keys_with_glob_characters_and_any_bytes(redis_server: EmbeddedRedis, run_module: RunModule) -> None:
    pattern = r"a\*b\?c\[d\]e\{f\}g\\h^-:{x}"
    mine = [
        rb"a*b?c[d]e{f}g\h^-:1",
        b"a*b?c[d]e{f}g\\h^-:\xff\x00\n",
        rb"a*b?c[d]e{f}g\h^-:*",
        rb"a*b?c[d]e{f}g\h^-:[x]",
    ]
    others = [rb"axb?c[d]e{f}g\h^-:1", rb"a*b1c[d]e{f}g\h^-:1", rb"a*b?cde{f}g\h^-:1", rb"a*b?c[d]e{f}g\h^-:1:2"]
    keys = [{"pattern": pattern, "meaning": "Strange", "ttl_seconds": 1}]
    with redis_server.client() as client:
        for key in [*mine, *others]:
            client.set(key, "x")
        result = run_module(MODULE, login_unix_socket=str(redis_server.socket), keys=keys, patterns=[pattern])
        assert result["key_count"] == len(mine)
        assert sorted(client.scan_iter()) == sorted(key.decode() for key in others)


def test_an_event_that_invalidates_nothing(redis_server: EmbeddedRedis, invalidate: RunModule) -> None:
    events = ["import_completed", "analysis_completed", "analysed", "renamed"]
    result = invalidate(event="renamed", events=events)
    assert (result["changed"], result["patterns"]) == (False, [])
    assert result["msg"] == "This event invalidates nothing."
    with redis_server.client() as client:
        assert client.dbsize() == TAGS + RANGES + REST


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"event": "import_complete"}, "there is no event import_complete: known are import_completed, "),
        ({"event": "import_complete"}, "did you mean import_completed?"),
        ({}, "neither an event nor a pattern is given: known are import_completed, analysis_completed, analysed"),
        ({"event": ""}, "neither an event nor a pattern is given"),
        ({"event": "analysed", "patterns": ["tag:{tag_id}"]}, "both an event and patterns are given"),
        ({"patterns": ["tag:*"]}, "there is no pattern tag:*: known are tag:{tag_id}, "),
        ({"event": "analysed", "keys": [KEYS[0], KEYS[0]]}, "pattern tag:{tag_id} is given twice"),
        ({"event": "analysed", "keys": [*KEYS, {**KEYS[0], "pattern": "tag:all"}]}, "both mean the key tag:all"),
        ({"event": "analysed", "keys": []}, "the keys declare no pattern"),
        ({"event": "analysed", "events": ["analysed"]}, "has import_completed, which is no event"),
        ({"event": "analysed", "batch_size": 0}, "batch_size must be 1 to 10000, and not 0"),
        ({"event": "analysed", "pause_ms": 1001}, "pause_ms must be 0 to 1000, and not 1001"),
    ],
)
def test_bad_options_are_told_before_any_server_is_asked(run_module: RunModule, options: dict, message: str) -> None:
    assert message in run_module(MODULE, fails=True, **{"login_port": 1, "keys": KEYS, **options})["msg"]


@pytest.mark.parametrize("check", [True, False])
def test_a_replica_is_refused(redis_server: EmbeddedRedis, invalidate: RunModule, check: bool) -> None:
    with redis_server.client() as client:
        client.execute_command("REPLICAOF", "192.0.2.1", "6380")
        message = invalidate(event="analysed", check=check, fails=True)["msg"]
        assert client.dbsize() == TAGS + RANGES + REST
    assert "this server is a replica" in message and "its master, which it says is 192.0.2.1:6380" in message


def test_a_cluster_is_refused(tmp_path: Path, run_module: RunModule) -> None:
    server = EmbeddedRedis(tmp_path / "node", {"cluster-enabled": "yes"})
    server.create()
    server.start()
    try:
        message = run_module(MODULE, login_unix_socket=str(server.socket), keys=KEYS, event="analysed", fails=True)[
            "msg"
        ]
    finally:
        server.stop()
    assert "a node of a Redis Cluster" in message and "use a cache that is one server" in message


def test_a_user_needs_no_more_than_is_documented(redis_server: EmbeddedRedis, invalidate: RunModule) -> None:
    login = {"login_user": "app", "login_password": "pass-1", "event": "import_completed"}
    with redis_server.client() as client:
        client.execute_command("ACL SETUSER", "app", "on", ">pass-1", "+info", "+scan", "+ping")
        assert invalidate(**login, check=True)["key_count"] == TAGS + RANGES

        refused = invalidate(**login, fails=True)
        assert 'user "app" may not run UNLINK' in refused["msg"] and "ACL SETUSER app +unlink" in refused["msg"]
        assert "; 0 keys unlinked before that" in refused["msg"] and refused["unlinked_before"] == 0

        client.execute_command("ACL SETUSER", "app", "+unlink", "~tag:*")
        halfway = invalidate(**login, fails=True)
        assert f"on the keys that it was given; {TAGS} keys unlinked before that" in halfway["msg"]
        assert (halfway["unlinked_before"], client.dbsize()) == (TAGS, RANGES + REST)

        client.execute_command("ACL SETUSER", "app", "~bpm_range:*", "-ping")
        result = invalidate(**login)
        assert (result["key_count"], client.dbsize()) == (RANGES, REST)
    assert (result["latency"]["before"], result["latency"]["during"]) == (None, None)
    assert "ACL SETUSER app +ping" in result["latency"]["reason"]
    assert "was not measured" in result["msg"]


def test_a_wrong_password_is_named_without_it(redis_server: EmbeddedRedis, invalidate: RunModule) -> None:
    with redis_server.client() as client:
        client.config_set("requirepass", "right-one")
    result = invalidate(event="analysed", login_password="wrong-one", fails=True)
    assert "refused the login" in result["msg"] and "wrong-one" not in str(result)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (None, "unlinked before that, and perhaps those of the batch that was on its way"),
        ("-MISCONF Redis is configured to save RDB snapshots", "UNLINK failed: MISCONF Redis is configured to save"),
        (
            "-READONLY You can't write against a read only replica.",
            "UNLINK failed: You can't write against a read only",
        ),
    ],
)
def test_a_server_that_takes_no_writes(run_module: RunModule, answer: str | None, message: str) -> None:
    answers = {"INFO": MASTER, "SCAN": ["0", ["tag:1"]], "UNLINK": answer}
    with answering(answers) as port:
        result = run_module(MODULE, login_port=port, keys=KEYS, event="import_completed", fails=True)
    assert message in result["msg"] and "0 keys unlinked" in result["msg"] and "run again" in result["msg"]


def test_a_key_that_scan_gives_twice_is_counted_once(run_module: RunModule) -> None:
    answers = {"INFO": MASTER, "SCAN 0": ["7", ["tag:1", "tag:2", "tag:1"]], "SCAN 7": ["0", ["tag:2", "tag:1:x"]]}
    with answering(answers) as port:
        result = run_module(MODULE, login_port=port, keys=KEYS, patterns=["tag:{tag_id}"], check=True)
    assert result["key_count"] == 2


def test_a_run_that_is_killed_is_run_again(redis_server: EmbeddedRedis, invalidate: RunModule, tmp_path: Path) -> None:
    options = {"keys": KEYS, "event": "import_completed", "batch_size": 1, "pause_ms": 1}
    arguments = tmp_path / "killed.json"
    internal = {"_ansible_remote_tmp": str(tmp_path), "login_unix_socket": str(redis_server.socket)}
    arguments.write_text(json.dumps({"ANSIBLE_MODULE_ARGS": {**options, **internal}}))
    command = [sys.executable, "-m", f"ansible_collections.midi.capacity.plugins.modules.{MODULE}", str(arguments)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / ".collections")}
    with redis_server.client() as client:
        running = subprocess.Popen(command, cwd="/", env=environment, stdout=subprocess.PIPE, start_new_session=True)
        for _attempt in until(START_SECONDS):
            if client.dbsize() < TAGS + RANGES + REST:
                break
        running.kill()
        running.communicate()
        left = client.dbsize() - REST
        assert 0 < left < TAGS + RANGES
        # The process that measures does not outlive it.
        for _attempt in until(START_SECONDS):
            if len(client.client_list()) == 1:
                break
        assert len(client.client_list()) == 1

        assert invalidate(event="import_completed")["key_count"] == left
        assert client.dbsize() == REST


def test_a_large_value_stops_nobody(redis_server: EmbeddedRedis, run_module: RunModule) -> None:
    """Redis' own log of slow commands is the witness: freeing this set in the foreground takes many milliseconds."""
    with redis_server.client() as client:

        def fill(key: str) -> None:
            for start in range(0, 500_000, 5000):
                client.sadd(key, *(f"file-{number}" for number in range(start, start + 5000)))

        fill("tag:huge")
        fill("huge")
        client.config_set("slowlog-log-slower-than", 0)
        client.config_set("slowlog-max-len", 100_000)
        client.slowlog_reset()
        client.delete("huge")
        result = run_module(MODULE, login_unix_socket=str(redis_server.socket), keys=KEYS, event="import_completed")
        log = client.slowlog_get(100_000)
    unlinked, deleted = (
        [entry["duration"] for entry in log if entry["command"].startswith(name)] for name in (b"UNLINK", b"DEL")
    )
    assert result["key_count"] == 1 and len(unlinked) == len(deleted) == 1
    # Of the same machine at the same time.
    assert unlinked[0] < deleted[0] / 4
