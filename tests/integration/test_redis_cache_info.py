# SPDX-License-Identifier: GPL-3.0-or-later
"""Module redis_cache_info against a real Redis."""

from __future__ import annotations

from pathlib import Path

import pytest

from demo.servers import EmbeddedRedis
from tests.integration.conftest import RunModule
from tests.integration.redis_answers import answering


@pytest.fixture
def read(redis_server: EmbeddedRedis, run_module: RunModule) -> RunModule:
    """Run the module against the fixture's server."""

    def run(**options: object) -> dict:
        return run_module("redis_cache_info", login_unix_socket=str(redis_server.socket), **options)

    return run


@pytest.mark.parametrize("check", [True, False])
def test_everything_is_read_and_nothing_changed(redis_server: EmbeddedRedis, read: RunModule, check: bool) -> None:
    with redis_server.client() as client:
        client.config_set("maxmemory", "64mb")
        client.config_set("maxmemory-policy", "allkeys-lfu")
        client.mset({"tag:1": "1", "tag:2": "2"})
        client.set("tag:3", "3", ex=3600)
        for key in ("tag:1", "tag:2", "tag:3", "tag:4"):
            client.get(key)
        before = client.config_get("*")
        result = read(check=check)
        assert client.config_get("*") == before
    cache = result["cache"]
    assert result["changed"] is False
    assert cache["missing"] == []
    assert (cache["version"], cache["mode"], cache["role"]) == ("6.2.14", "standalone", "master")
    assert cache["config_file"] == str(redis_server.configuration)
    assert cache["memory"]["maxmemory_bytes"] == 64 * 1024**2
    assert cache["memory"]["maxmemory_policy"] == "allkeys-lfu"
    assert cache["memory"]["used_bytes"] > 0 and cache["memory"]["total_system_bytes"] > 0
    assert (cache["counters"]["hits"], cache["counters"]["misses"]) == (3, 1)
    assert cache["hit_ratio_since_start_percent"] == 75.0
    assert cache["clients"]["connected"] >= 1 and cache["clients"]["max"] > 0
    assert (cache["keyspace"]["db0"]["keys"], cache["keyspace"]["db0"]["expires"]) == (3, 1)
    assert (cache["persistence"]["aof_enabled"], cache["persistence"]["loading"]) == (False, False)
    assert cache["config"]["maxmemory-policy"] == "allkeys-lfu"
    assert cache["config"]["unixsocket"] == str(redis_server.socket)


def test_no_secret_is_among_the_facts(redis_server: EmbeddedRedis, read: RunModule) -> None:
    with redis_server.client() as client:
        client.config_set("masterauth", "s3cr3t-42")
        client.config_set("requirepass", "s3cr3t-43")
    result = read(login_password="s3cr3t-43")
    assert result["cache"]["missing"] == []
    assert "s3cr3t" not in str(result)


def test_settings_that_may_not_be_read_are_missing_with_the_reason(
    redis_server: EmbeddedRedis, read: RunModule
) -> None:
    with redis_server.client() as client:
        client.execute_command("ACL SETUSER", "app", "on", ">pass-1", "+info")
        cache = read(login_user="app", login_password="pass-1")["cache"]
        assert cache["config"] is None
        [gap] = cache["missing"]
        assert gap["part"] == "config"
        assert 'user "app" may not run CONFIG GET' in gap["reason"]
        assert "ACL SETUSER app +config|get" in gap["reason"]
        assert cache["memory"]["used_bytes"] > 0

        client.execute_command("ACL SETUSER", "app", "+config|get", "-info")
        denied = read(login_user="app", login_password="pass-1", fails=True)
    assert 'user "app" may not run INFO' in denied["msg"] and "ACL SETUSER app +info" in denied["msg"]


def test_a_managed_server_without_config_gives_the_rest(run_module: RunModule) -> None:
    answers = {"INFO": "redis_version:7.0.15\r\nrole:slave", "CONFIG": "-ERR unknown command 'CONFIG'"}
    with answering(answers) as port:
        cache = run_module("redis_cache_info", login_port=port)["cache"]
    assert (cache["version"], cache["role"], cache["config"]) == ("7.0.15", "replica", None)
    reasons = {gap["part"]: gap["reason"] for gap in cache["missing"]}
    assert "the server has no command CONFIG" in reasons["config"]
    assert reasons["info.used_memory"] == "the server's INFO does not have it"
    assert cache["memory"]["used_bytes"] is None


def test_a_connection_that_is_lost_meanwhile_is_a_failure(run_module: RunModule) -> None:
    with answering({"INFO": "redis_version:7.0.15", "CONFIG": None}) as port:
        assert "cannot talk to Redis" in run_module("redis_cache_info", login_port=port, fails=True)["msg"]


def test_an_unreachable_server_is_named_without_the_password(tmp_path: Path, run_module: RunModule) -> None:
    where = str(tmp_path / "none.sock")
    result = run_module("redis_cache_info", fails=True, login_unix_socket=where, login_password="s3cr3t-42")
    assert where in result["msg"] and "check that the server runs" in result["msg"]
    assert "s3cr3t-42" not in str(result)


def test_a_wrong_password_is_named_without_it(redis_server: EmbeddedRedis, read: RunModule) -> None:
    with redis_server.client() as client:
        client.config_set("requirepass", "right-one")
    result = read(login_password="wrong-one", fails=True)
    assert "refused the login" in result["msg"] and "check login_user and login_password" in result["msg"]
    assert "wrong-one" not in str(result)
