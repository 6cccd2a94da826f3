# SPDX-License-Identifier: GPL-3.0-or-later
"""Module redis_shrink against a real Redis that holds more than it shall."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from demo.servers import EmbeddedRedis
from tests.integration.conftest import RunModule

MB = 1024**2


def fill(server: EmbeddedRedis, megabytes: int = 20) -> None:
    with server.client() as client:
        for number in range(megabytes):
            client.set(f"key:{number}", "x" * MB)


def setting(server: EmbeddedRedis, **values: Any) -> None:
    with server.client() as client:
        for name, value in values.items():
            client.config_set(name.replace("_", "-"), value)


def facts(server: EmbeddedRedis) -> dict[str, Any]:
    with server.client() as client:
        return {**client.config_get("maxmemory*"), "keys": client.dbsize(), "evicted": client.info()["evicted_keys"]}


def place(server: EmbeddedRedis) -> dict[str, Any]:
    return {"login_unix_socket": str(server.socket)}


@pytest.mark.parametrize("files", [{"appendonly": "yes", "save": ""}, {"appendonly": "no", "save": "3600 1"}])
def test_it_holds_less_in_memory_and_after_a_start(
    redis_server: EmbeddedRedis, run_module: RunModule, files: dict[str, str]
) -> None:
    setting(redis_server, maxmemory="64mb", maxmemory_policy="allkeys-lru", **files)
    fill(redis_server)
    before = facts(redis_server)
    checked = run_module("redis_shrink", check=True, maxmemory="8mb", **place(redis_server))
    assert checked["changed"] and facts(redis_server) == before
    done = run_module("redis_shrink", maxmemory="8mb", **place(redis_server))
    assert done["changed"] and done["diff"] == checked["diff"]
    assert "maxmemory = 8mb" in done["diff"]["after"]
    assert done["used_bytes"] <= 8 * MB
    after = facts(redis_server)
    assert 0 < after["keys"] < 8 < before["keys"] == 20
    # What is read at the start is what is left, however the server ended.
    on_disk = [path for path in Path(redis_server.home).rglob("*") if path.suffix in (".aof", ".rdb")]
    assert sum(path.stat().st_size for path in on_disk) < 10 * MB, on_disk
    again = run_module("redis_shrink", maxmemory="8mb", **place(redis_server))
    assert (again["changed"], again["diff"]["after"]) == (False, "")
    assert facts(redis_server) == after


def test_a_queue_that_holds_more_is_refused(redis_server: EmbeddedRedis, run_module: RunModule) -> None:
    setting(redis_server, maxmemory="64mb", maxmemory_policy="noeviction")
    fill(redis_server)
    before = facts(redis_server)
    refused = run_module("redis_shrink", maxmemory="8mb", fails=True, **place(redis_server))
    assert (
        "must not evict (maxmemory-policy noeviction), so it cannot be made to hold no more than 8mb" in refused["msg"]
    )
    assert facts(redis_server) == before
    # What it holds fits.
    assert run_module("redis_shrink", maxmemory="48mb", **place(redis_server))["changed"]
    assert facts(redis_server)["keys"] == 20


def test_what_the_policy_does_not_let_go_is_told(redis_server: EmbeddedRedis, run_module: RunModule) -> None:
    # No key has a time to live.
    setting(redis_server, maxmemory="64mb", maxmemory_policy="volatile-lru")
    fill(redis_server)
    failed = run_module("redis_shrink", maxmemory="8mb", timeout_seconds=1, fails=True, **place(redis_server))
    assert "the server had no time to evict within 1 s; it holds 2" in failed["msg"]
    assert "see what maxmemory-policy lets it evict" in failed["msg"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"maxmemory": "much"}, "maxmemory takes whole bytes"),
        ({"maxmemory": "0"}, "maxmemory is 0, which is no limit"),
        ({"maxmemory": "8mb", "timeout_seconds": 0}, "timeout_seconds must be 1 or more"),
    ],
)
def test_bad_options_are_refused(run_module: RunModule, options: dict[str, Any], message: str) -> None:
    # No server is needed for that.
    assert message in run_module("redis_shrink", fails=True, **options)["msg"]
