# SPDX-License-Identifier: GPL-3.0-or-later
"""Role redis_cache, run by ansible-playbook against a real Redis."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from demo.servers import START_SECONDS, EmbeddedRedis, until
from tests.integration.conftest import ROOT
from tests.integration.redis_answers import answering

BASE = {"redis_cache_become": False, "redis_cache_packages": [], "redis_cache_maxmemory": "64mb"}


class Playbook:
    """Runs the role with some variables, and knows what it left behind."""

    def __init__(self, server: EmbeddedRedis, directory: Path) -> None:
        self.server, self.directory = server, directory
        self.result_file = directory / "result.json"

    def run(self, *arguments: str, fails: bool = False, **variables: Any) -> str:
        """What ansible-playbook printed; whether it failed is asserted."""
        self.result_file.unlink(missing_ok=True)
        connection = {"login_unix_socket": str(self.server.socket)}
        write_result = {
            "name": "Hand over the result",
            "ansible.builtin.copy": {"content": "{{ redis_cache_result | to_json }}", "dest": str(self.result_file)},
            "check_mode": False,
            "changed_when": False,
            "diff": False,
        }
        play = {
            "name": "Run the role",
            "hosts": "all",
            "gather_facts": False,
            "roles": [{"role": "midi.capacity.redis_cache"}],
            "tasks": [write_result],
            "vars": {**BASE, "redis_cache_connection": connection, **variables},
        }
        path = self.directory / "playbook.yml"
        path.write_text(json.dumps([play]))
        command = [str(Path(sys.executable).parent / "ansible-playbook"), "-i", "cache,", "-c", "local", str(path)]
        command += ["-e", json.dumps({"ansible_python_interpreter": sys.executable}), *arguments]
        environment = {**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "ANSIBLE_NOCOLOR": "1"}
        done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment, check=False)
        assert (done.returncode != 0) == fails, done.stdout + done.stderr
        return done.stdout + done.stderr

    @property
    def result(self) -> dict:
        return json.loads(self.result_file.read_text())


@pytest.fixture
def playbook(redis_server: EmbeddedRedis, tmp_path: Path) -> Playbook:
    return Playbook(redis_server, tmp_path)


def live(server: EmbeddedRedis, name: str) -> str:
    with server.client() as client:
        return client.config_get(name)[name]


def test_check_run_and_second_run(redis_server: EmbeddedRedis, playbook: Playbook) -> None:
    untouched = redis_server.configuration.read_text()
    checked = playbook.run("--check", "--diff", redis_cache_settings={"timeout": 300})
    assert "+maxmemory = 64mb" in checked and "+timeout = 300" in checked
    assert redis_server.configuration.read_text() == untouched
    assert live(redis_server, "maxmemory") == "0"
    assert playbook.result["settings"][0]["live"] == "300"

    first = playbook.run(redis_cache_settings={"timeout": 300})
    assert "changed=1 " in first
    assert live(redis_server, "maxmemory") == str(64 * 1024**2)
    assert live(redis_server, "save") == "900 1 300 10 60 10000"
    assert playbook.result["persisted"] is True
    assert playbook.result["server"] == {
        "version": "6.2.14",
        "role": "master",
        "config_file": str(redis_server.configuration),
        "where": str(redis_server.socket),
    }
    rows = {row["name"]: row for row in playbook.result["settings"]}
    assert sorted(rows) == ["appendfsync", "appendonly", "maxmemory", "maxmemory-policy", "save", "timeout"]
    assert rows["maxmemory-policy"] == {
        "name": "maxmemory-policy",
        "wanted": "allkeys-lfu",
        "before": "noeviction",
        "live": "allkeys-lfu",
        "state": "applied",
    }
    written = redis_server.configuration.read_text()
    second = playbook.run(redis_cache_settings={"timeout": 300})
    assert "changed=0 " in second
    assert redis_server.configuration.read_text() == written


def test_words_and_numbers_of_the_command_line_are_taken_as_meant(
    redis_server: EmbeddedRedis, playbook: Playbook
) -> None:
    playbook.run("-e", "redis_cache_appendonly=false", redis_cache_maxmemory=64 * 1024**2)
    assert live(redis_server, "appendonly") == "no"
    assert live(redis_server, "maxmemory") == str(64 * 1024**2)
    assert "changed=0 " in playbook.run("-e", "redis_cache_appendonly=no", "-e", "redis_cache_maxmemory=67108864")


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"redis_cache_maxmemory": ""}, "redis_cache_maxmemory is empty: say how much memory the cache may take"),
        (
            {"redis_cache_settings": {"Maxmemory-Policy": "noeviction"}},
            "redis_cache_settings has maxmemory-policy: set redis_cache_maxmemory_policy instead",
        ),
        ({"redis_cache_maxmemory": "1024gb"}, "of the host's"),
        (
            {"redis_cache_instance": "queue"},
            "redis_cache_maxmemory_policy is allkeys-lfu: a queue that evicts loses jobs",
        ),
        # Somebody else's server is never restarted.
        ({"redis_cache_settings": {"databases": 4}}, "databases cannot change while the server runs"),
        ({"redis_cache_users_file": "/users.acl"}, "redis_cache_users_file is given without redis_cache_password_file"),
    ],
)
def test_bad_variables_are_told_and_change_nothing(
    redis_server: EmbeddedRedis, playbook: Playbook, variables: dict, message: str
) -> None:
    untouched = redis_server.configuration.read_text()
    assert message in " ".join(playbook.run(fails=True, **variables).split())
    assert redis_server.configuration.read_text() == untouched
    assert live(redis_server, "maxmemory") == "0"


def failed_to_save(server: EmbeddedRedis) -> None:
    # A directory in the place of the file: nothing can be renamed to it.
    (server.home / "taken").mkdir()
    with server.client() as client:
        client.config_set("dbfilename", "taken")
        client.bgsave()
        for _attempt in until(START_SECONDS):
            if client.info("persistence")["rdb_last_bgsave_status"] == "err":
                break


def test_a_cache_that_cannot_save_is_told(redis_server: EmbeddedRedis, playbook: Playbook) -> None:
    failed_to_save(redis_server)
    text = " ".join(playbook.run(fails=True, redis_cache_appendonly=False).split())
    (redis_server.home / "taken").rmdir()
    assert 'Redis cannot save its data: {"snapshot": "err"}' in text
    assert str(redis_server.home) in text


def test_snapshots_that_are_not_wanted_may_have_failed(redis_server: EmbeddedRedis, playbook: Playbook) -> None:
    failed_to_save(redis_server)
    playbook.run(redis_cache_appendonly=False, redis_cache_save=[])
    (redis_server.home / "taken").rmdir()


# A server that has all that is wanted already.
SET = {
    "maxmemory": str(64 * 1024**2),
    "maxmemory-policy": "allkeys-lfu",
    "appendonly": "yes",
    "appendfsync": "everysec",
    "save": "900 1 300 10 60 10000",
    "dir": "/data",
}


@pytest.mark.parametrize(("rewrite", "write", "told"), [("err", "ok", False), ("ok", "err", True), ("ok", "ok", False)])
def test_writing_the_append_only_file_counts_and_not_rewriting_it(
    playbook: Playbook, rewrite: str, write: str, told: bool
) -> None:
    """Without its rewrite the file only grows; the server tries again."""
    fields = {"redis_version": "7.0.15", "config_file": "/redis.conf", "role": "master", "aof_enabled": "1"}
    fields |= {"aof_last_bgrewrite_status": rewrite, "aof_last_write_status": write, "rdb_last_bgsave_status": "ok"}
    info = "\r\n".join(f"{name}:{value}" for name, value in fields.items())
    with answering({"INFO": info, "CONFIG GET": [part for pair in SET.items() for part in pair]}) as port:
        output = playbook.run(fails=told, redis_cache_connection={"login_port": port})
    assert ('cannot save its data: {"append-only file": "err", "snapshot": "ok"}' in " ".join(output.split())) == told


def test_something_else_that_sets_them_back_is_found(redis_server: EmbeddedRedis, playbook: Playbook) -> None:
    def set_back() -> None:
        # The limit is what the module writes last; then it is done, and the proof comes over another connection.
        for _attempt in until(START_SECONDS):
            if "maxmemory 64mb" in redis_server.configuration.read_text():
                break
        with redis_server.client() as client:
            client.config_set("timeout", 0)

    with ThreadPoolExecutor() as threads:
        done = threads.submit(set_back)
        text = " ".join(playbook.run(fails=True, redis_cache_settings={"timeout": 300}).split())
        done.result()
    assert "Redis was set and already has other values again" in text and "timeout = 0" in text


def test_one_server_for_cache_and_queue_is_refused(redis_server: EmbeddedRedis, playbook: Playbook) -> None:
    untouched = redis_server.configuration.read_text()
    same = {"login_unix_socket": str(redis_server.socket)}
    text = " ".join(playbook.run(fails=True, redis_cache_other_connection=same).split())
    assert f"{redis_server.socket} would be cache and queue in one" in text
    assert redis_server.configuration.read_text() == untouched
    # On this host the names of loopback are one place.
    names = {
        "redis_cache_connection": {"login_host": "localhost"},
        "redis_cache_other_connection": {"login_port": 6379},
    }
    assert "127.0.0.1:6379 would be cache and queue in one" in " ".join(playbook.run(fails=True, **names).split())


def test_a_password_from_a_file_is_nowhere_to_be_seen(
    redis_server: EmbeddedRedis, playbook: Playbook, tmp_path: Path
) -> None:
    with redis_server.client() as client:
        client.config_set("requirepass", "only-for-this-test")
    (tmp_path / "password").write_text("only-for-this-test\n")
    output = playbook.run("-vvv", "--diff", redis_cache_password_file=str(tmp_path / "password"))
    assert "only-for-this-test" not in output
    assert "maxmemory 64mb" in redis_server.configuration.read_text()
