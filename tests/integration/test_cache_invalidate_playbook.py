# SPDX-License-Identifier: GPL-3.0-or-later
"""playbooks/cache_invalidate.yml, as an operator runs it after an event."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from demo.servers import EmbeddedRedis
from tests.integration.cache_keys import FOREIGN, KEYS, RANGES, SIGNATURES, TAGS, calls, fill
from tests.integration.playbook_runs import ROOT, Run, run_playbook

PLAYBOOK = str(ROOT / "playbooks" / "cache_invalidate.yml")
REST = SIGNATURES + len(FOREIGN)


class Operator:
    """Runs the playbook against a cache that is full of keys."""

    def __init__(self, directory: Path, server: EmbeddedRedis) -> None:
        self.directory = directory
        self.variables: dict[str, Any] = {
            "ansible_connection": "local",
            "ansible_python_interpreter": sys.executable,
            "capacity_become": False,
            "capacity_redis_connection": {"login_unix_socket": str(server.socket)},
            "redis_cache_keys": KEYS,
        }
        self.group = "redis"

    def run(self, *arguments: str, **extra: Any) -> Run:
        inventory = {"all": {"vars": self.variables, "children": {self.group: {"hosts": {"cache": {}}}}}}
        return run_playbook(PLAYBOOK, self.directory, inventory, *arguments, **extra)


@pytest.fixture
def operator(redis_server: EmbeddedRedis, tmp_path: Path) -> Operator:
    with redis_server.client() as client:
        fill(client)
    return Operator(tmp_path, redis_server)


def size(server: EmbeddedRedis) -> int:
    with server.client() as client:
        return client.dbsize()


def test_check_run_and_second_run(redis_server: EmbeddedRedis, operator: Operator) -> None:
    total = TAGS + RANGES
    checked = operator.run("--check", "--diff", "-e", "event=import_completed")
    assert checked.returncode == 0, checked.output
    assert f"Would unlink {total:,} keys: {TAGS:,} of tag:{{tag_id}}, {RANGES:,} of" in checked.text
    assert f"-tag:{{tag_id}} = {TAGS} keys" in checked.output
    assert size(redis_server) == total + REST

    first = operator.run("-e", "event=import_completed")
    assert first.returncode == 0 and first.changed("cache") == 1, first.output
    assert f"Unlinked {total:,} keys" in first.text and "Redis answered a PING in" in first.text
    with redis_server.client() as client:
        assert client.dbsize() == REST
        assert not {"keys", "del"} & set(calls(client))

    second = operator.run("-e", "event=import_completed")
    assert second.returncode == 0 and second.changed("cache") == 0, second.output


def test_patterns_without_an_event_and_a_group_of_another_name(redis_server: EmbeddedRedis, operator: Operator) -> None:
    operator.group = "caches"
    patterns = json.dumps({"patterns": ["key_signature:{key}"]})
    done = operator.run("-e", patterns, capacity_redis_group="caches")
    assert done.returncode == 0 and f"Unlinked {SIGNATURES} keys" in done.text, done.output
    assert size(redis_server) == TAGS + RANGES + len(FOREIGN)


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        (
            {"event": "import_complete"},
            "there is no event import_complete: known are import_completed, analysis_completed,",
        ),
        ({}, "neither an event nor a pattern is given: known are import_completed, analysis_completed, analysed"),
        ({"event": "import_completed", "redis_cache_keys": []}, "the keys declare no pattern"),
        ({"event": "x", "redis_cache_keys": [{**KEYS[0], "ttl_seconds": 0}]}, "ttl_seconds is 0: give the seconds"),
    ],
)
def test_what_cannot_be_invalidated(
    redis_server: EmbeddedRedis, operator: Operator, variables: dict[str, Any], message: str
) -> None:
    done = operator.run(**variables)
    assert done.returncode == 2 and message in done.text, done.output
    assert size(redis_server) == TAGS + RANGES + REST


def test_a_wrong_password_is_in_no_output(redis_server: EmbeddedRedis, operator: Operator) -> None:
    with redis_server.client() as client:
        client.config_set("requirepass", "right-one")
    operator.variables["capacity_redis_connection"]["login_password"] = "wrong-one"
    done = operator.run("-vvv", "-e", "event=import_completed")
    assert done.returncode == 2 and "refused the login" in done.text, done.output
    assert "wrong-one" not in done.output
