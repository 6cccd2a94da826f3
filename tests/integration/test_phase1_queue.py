# SPDX-License-Identifier: GPL-3.0-or-later
"""Phase 1 with a cache and a work queue, each a real Redis."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from demo.servers import EmbeddedRedis
from tests.integration.playbook_runs import PHASE1, Run, run_playbook


@pytest.fixture
def queue_server(tmp_path: Path) -> Iterator[EmbeddedRedis]:
    server = EmbeddedRedis(tmp_path / "queue")
    server.create()
    server.start()
    yield server
    server.stop()


def phase1(directory: Path, cache: EmbeddedRedis, queue: EmbeddedRedis, *arguments: str) -> Run:
    variables: dict[str, Any] = {
        "ansible_connection": "local",
        "ansible_python_interpreter": sys.executable,
        "capacity_become": False,
        "capacity_state_dir": str(directory / "state"),
        "capacity_report_dir": str(directory / "reports"),
        "capacity_redis_connection": {"login_unix_socket": str(cache.socket)},
        "capacity_redis_queue": {"maxmemory": "32mb", "connection": {"login_unix_socket": str(queue.socket)}},
        "redis_cache_packages": [],
        "redis_cache_maxmemory": "64mb",
        "redis_cache_keys": [{"pattern": "tag:{id}", "meaning": "Files with a tag", "ttl_seconds": 60}],
    }
    inventory = {"all": {"vars": variables, "children": {"redis": {"hosts": {"cache": {}}}}}}
    return run_playbook(PHASE1, directory, inventory, *arguments)


def live(server: EmbeddedRedis, name: str) -> str:
    with server.client() as client:
        return client.config_get(name)[name]


def test_the_queue_never_evicts_and_the_cache_does(
    tmp_path: Path, redis_server: EmbeddedRedis, queue_server: EmbeddedRedis
) -> None:
    checked = phase1(tmp_path, redis_server, queue_server, "--check")
    assert checked.returncode == 0, checked.output
    assert live(queue_server, "maxmemory") == "0"
    done = phase1(tmp_path, redis_server, queue_server)
    assert done.returncode == 0, done.output
    assert "Redis 6.2.14 as queue: 5 of 5 settings in effect" in done.text
    assert (live(redis_server, "maxmemory-policy"), live(redis_server, "maxmemory")) == ("allkeys-lfu", str(64 << 20))
    assert (live(queue_server, "maxmemory-policy"), live(queue_server, "maxmemory")) == ("noeviction", str(32 << 20))
    # The cache's document is none of the queue's business.
    assert [path.name for path in (tmp_path / "state").iterdir()] == ["cache-strategy.md"]
    assert phase1(tmp_path, redis_server, queue_server).changed("cache") == 0


def test_a_queue_on_the_server_of_the_cache_is_refused(tmp_path: Path, redis_server: EmbeddedRedis) -> None:
    untouched = redis_server.configuration.read_text()
    done = phase1(tmp_path, redis_server, redis_server)
    assert done.returncode == 2
    assert "would be cache and queue in one" in done.text
    assert redis_server.configuration.read_text() == untouched
    assert live(redis_server, "maxmemory-policy") == "noeviction"
