# SPDX-License-Identifier: GPL-3.0-or-later
"""Module redis_settings against a real Redis 6.2, and against answers that a real one gives only in other places."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import redis
from ansible_collections.midi.capacity.plugins.module_utils._redis import Cache, CacheError
from ansible_collections.midi.capacity.plugins.module_utils._redis_settings import catalog, values
from ansible_collections.midi.capacity.plugins.module_utils._redis_settings.plan import SettingPlan
from ansible_collections.midi.capacity.plugins.module_utils._redis_settings_apply import apply

from demo.account import as_server_account
from demo.servers import START_SECONDS, EmbeddedRedis, redis_bin, until
from tests.integration.conftest import RunModule
from tests.integration.redis_answers import answering

MB = 1024**2
WANTED = {
    "maxmemory": "64mb",
    "maxmemory-policy": "ALLKEYS-LFU",
    "appendonly": True,
    "save": ["900 1", [300, 10]],
    "timeout": 300,
    "client-output-buffer-limit": "replica 32mb 8mb 60",
    "notify-keyspace-events": "KEA",
}


SMALL = {"maxmemory": "8mb", "maxmemory-policy": "allkeys-lru"}


def live(server: EmbeddedRedis, name: str) -> str:
    with server.client() as client:
        return client.config_get(name)[name]


def everything(server: EmbeddedRedis) -> tuple[dict, str, int]:
    """All settings, the configuration file, and how many keys there are."""
    with server.client() as client:
        return client.config_get("*"), server.configuration.read_text(), client.dbsize()


def filled(server: EmbeddedRedis) -> None:
    """Put 8000 keys of 2 kB into the server: more than the 8 MB that SMALL allows."""
    with server.client() as client:
        client.mset({f"key:{number}": os.urandom(1000).hex() for number in range(8000)})


@contextlib.contextmanager
def slowed_down(client: redis.Redis) -> Iterator[None]:
    """Meanwhile writing all data takes 20 s: a tenth of a second for each key."""
    client.mset({f"key:{number}": number for number in range(200)})
    client.config_set("rdb-key-save-delay", 100000)
    yield
    client.config_set("rdb-key-save-delay", 0)


def children(process_id: int) -> list[int]:
    return [int(text) for text in Path(f"/proc/{process_id}/task/{process_id}/children").read_text().split()]


def restart(server: EmbeddedRedis) -> None:
    server.stop()
    server.start()


@pytest.fixture
def settings(redis_server: EmbeddedRedis, run_module: RunModule) -> RunModule:
    """Run the module against the fixture's server."""

    def run(wanted: dict, **options: Any) -> dict:
        where = {} if "login_port" in options else {"login_unix_socket": str(redis_server.socket)}
        return run_module("redis_settings", **where, settings=wanted, **options)

    return run


class WritesOnce(Cache):
    """A connection to a server that writes its configuration file once and then no more."""

    written = False

    def config_rewrite(self) -> None:
        if self.written:
            raise CacheError("CONFIG REWRITE failed: No space left on device", self.where)
        super().config_rewrite()
        self.written = True


class WithoutFile(EmbeddedRedis):
    """A server that reads its configuration from its standard input, and so has no file that it could write."""

    def start(self) -> None:
        command = [
            *as_server_account(redis_bin() / "redis-server", self.home.parent),
            str(redis_bin() / "redis-server"),
        ]
        subprocess.run([*command, "-"], input=self.configuration.read_bytes(), cwd="/", capture_output=True, check=True)
        for _attempt in until(START_SECONDS):
            if self.running():
                return


@pytest.fixture
def without_file(tmp_path: Path) -> Iterator[EmbeddedRedis]:
    server = WithoutFile(tmp_path / "redis")
    server.create()
    server.start()
    yield server
    server.stop()


def test_check_run_second_run_and_restart(redis_server: EmbeddedRedis, settings: RunModule) -> None:
    untouched = everything(redis_server)
    checked = settings(WANTED, check=True)
    assert everything(redis_server) == untouched
    assert checked["changed"] and checked["persisted"] and checked["executed_commands"] == []

    first = settings(WANTED)
    assert first["changed"] and first["persisted"]
    assert first["diff"] == checked["diff"]
    assert first["diff"]["before"].splitlines()[2:4] == ["maxmemory = 0", "maxmemory-policy = noeviction"]
    assert first["diff"]["after"].splitlines()[2:4] == ["maxmemory = 64mb", "maxmemory-policy = allkeys-lfu"]
    assert first["settings"]["maxmemory"] == {
        "name": "maxmemory",
        "wanted": "64mb",
        "before": "0",
        "live": "64mb",
        "state": "applied",
    }
    # What evicts keys for good comes last, when all else is proven and in the file.
    assert first["executed_commands"][-5:] == [
        'CONFIG SET appendonly "yes"',
        "CONFIG REWRITE",
        'CONFIG SET maxmemory-policy "allkeys-lfu"',
        f'CONFIG SET maxmemory "{64 * MB}"',
        "CONFIG REWRITE",
    ]
    assert first["overridden"] == []
    assert first["server"] == {
        "version": "6.2.14",
        "role": "master",
        "config_file": str(redis_server.configuration),
        "where": str(redis_server.socket),
    }
    set_by_us, file, _keys = everything(redis_server)
    assert set_by_us["save"] == "900 1 300 10"
    assert f"slave {32 * MB} {8 * MB} 60" in set_by_us["client-output-buffer-limit"]

    second = settings(WANTED)
    assert not second["changed"] and second["persisted"] and second["diff"]["after"] == ""
    assert second["executed_commands"] == ["CONFIG REWRITE"]
    assert everything(redis_server)[:2] == (set_by_us, file)
    restart(redis_server)
    assert not settings(WANTED)["changed"]


def test_only_what_differs_is_set(settings: RunModule) -> None:
    result = settings({"timeout": 0, "maxmemory-samples": 7, "maxmemory-policy": "noeviction"})
    assert result["executed_commands"] == ['CONFIG SET maxmemory-samples "7"', "CONFIG REWRITE"]


@pytest.mark.parametrize("nothing", ["", [], '""'])
def test_saving_switched_off_stays_off(redis_server: EmbeddedRedis, settings: RunModule, nothing: Any) -> None:
    assert settings({"save": nothing})["settings"]["save"]["live"] == '""'
    restart(redis_server)
    assert live(redis_server, "save") == ""
    assert not settings({"save": nothing})["changed"]


@pytest.mark.parametrize("check", [True, False])
def test_bad_input_is_refused_whole_and_listed_at_once(
    redis_server: EmbeddedRedis, settings: RunModule, check: bool
) -> None:
    untouched = everything(redis_server)
    wanted = {
        "timeout": 300,
        "maxmemory_policy": "allkeys-lru",
        "maxmemory-policy": "some-keys",
        "maxmemory": "1024gb",
        "repl-backlog-size": "1.5gb",
        "databases": 32,
        "save": "900",
        "appendonly": "perhaps",
        "hz": "often",
        "slave-priority": 1,
        "replica-priority": 2,
    }
    result = settings(wanted, check=check, fails=True)
    assert everything(redis_server) == untouched
    assert len(result["problems"]) == 9
    for part in (
        "9 settings cannot be taken; nothing was changed",
        "did you mean maxmemory-policy?",
        "maxmemory-policy takes one of volatile-lru",
        "of the host's",
        "repl-backlog-size takes whole bytes",
        "databases cannot change while the server runs",
        "save takes pairs",
        "appendonly takes yes or no",
        "hz takes a whole number",
        "replica-priority is given twice, also as slave-priority",
    ):
        assert part in result["msg"]


@pytest.mark.parametrize("check", [True, False])
def test_secrets_are_refused_and_never_shown(redis_server: EmbeddedRedis, settings: RunModule, check: bool) -> None:
    result = settings({"requirepass": "s3cr3t-42", "MasterAuth": "s3cr3t-43"}, check=check, fails=True)
    assert "requirepass holds a secret" in result["msg"] and "MasterAuth holds a secret" in result["msg"]
    assert "s3cr3t" not in str(result)
    assert live(redis_server, "requirepass") == ""


@pytest.mark.parametrize("name", ["requirepass ", "require_pass", "requirepas"])
@pytest.mark.parametrize("value", ["s3cr3t-42", ["s3cr3t-42", ["s3cr3t-43"]]])
def test_a_misspelt_secret_is_not_shown_either(settings: RunModule, name: str, value: Any) -> None:
    result = settings({name: value}, fails=True)
    assert "did you mean requirepass?" in result["msg"] and name in str(result["invocation"])
    assert "s3cr3t" not in str(result)


@pytest.mark.parametrize("options", [{"maxmemory_limit_percent": 0}, {"aof_wait_seconds": 0}])
def test_bad_options_are_refused(settings: RunModule, options: dict) -> None:
    (name,) = options
    assert settings({"timeout": 1}, fails=True, **options)["msg"].startswith(f"{name} must be 1")


def test_what_only_the_server_can_refuse_leaves_nothing_half_done(
    redis_server: EmbeddedRedis, settings: RunModule
) -> None:
    untouched = everything(redis_server)
    result = settings({"timeout": 300, "maxmemory-samples": 0}, fails=True)
    assert "maxmemory-samples" in result["msg"] and "nothing was changed" in result["msg"]
    assert everything(redis_server) == untouched


def test_a_value_that_reads_back_as_another_is_taken_back(redis_server: EmbeddedRedis, settings: RunModule) -> None:
    """Without a word Redis makes 500 of an hz of 1000; a second run would want to change it again."""
    untouched = everything(redis_server)
    result = settings({"timeout": 300, "hz": 1000}, fails=True)
    assert "hz was set to 1000 and reads back as 500" in result["msg"] and "nothing was changed" in result["msg"]
    assert everything(redis_server) == untouched


def test_a_file_that_cannot_be_written_takes_all_back(redis_server: EmbeddedRedis, settings: RunModule) -> None:
    filled(redis_server)
    untouched = everything(redis_server)
    # Not even root can rename a file to a directory.
    aside = redis_server.configuration.rename(redis_server.home / "aside.conf")
    redis_server.configuration.mkdir()
    result = settings({"timeout": 300, **SMALL}, fails=True)
    # Also when nothing is to be changed: what is live would not be kept.
    unchanged = settings({"timeout": 0}, fails=True)
    redis_server.configuration.rmdir()
    aside.rename(redis_server.configuration)
    assert "the configuration file could not be written: " in result["msg"]
    assert "directory; nothing was changed" in result["msg"] and "persist=never" in result["msg"]
    assert "the server evicts keys by allkeys-lru" in str(result["warnings"])
    assert everything(redis_server) == untouched
    assert "could not be written: " in unchanged["msg"] and "nothing was changed" in unchanged["msg"]


def test_a_file_that_cannot_be_written_when_keys_are_gone(redis_server: EmbeddedRedis) -> None:
    """Written once, and then no more: as on a disk that fills up."""
    filled(redis_server)
    cache = WritesOnce.connect({"login_unix_socket": str(redis_server.socket)})
    settings, _file, keys = everything(redis_server)
    changes = [SettingPlan("timeout", "0", "300"), SettingPlan("maxmemory", "0", str(8 * MB))]
    with redis_server.client() as client:
        client.config_set("maxmemory-policy", "allkeys-lru")
        with pytest.raises(CacheError) as caught:
            apply(cache, changes, rewrite=True, aof_wait_seconds=1)
    cache.close()
    now, file, left = everything(redis_server)
    assert left < keys
    assert f"{keys - left:,} keys were evicted meanwhile" in str(caught.value)
    assert now == {**settings, "maxmemory-policy": "allkeys-lru"}
    assert "the configuration file keeps this for the next start: timeout = 300" in str(caught.value)
    assert "timeout 300" in file and "maxmemory 8mb" not in file


def test_without_a_file_nothing_is_touched_unless_that_is_said(
    without_file: EmbeddedRedis, run_module: RunModule
) -> None:
    options = {"login_unix_socket": str(without_file.socket), "settings": {"timeout": 300}}
    for check in (True, False):
        refused = run_module("redis_settings", check=check, fails=True, **options)
        assert "runs without a configuration file" in refused["msg"] and "nothing was changed" in refused["msg"]
        assert live(without_file, "timeout") == "0"

    options["persist"] = "if_possible"
    first = run_module("redis_settings", **options)
    assert first["changed"] and not first["persisted"] and first["server"]["config_file"] is None
    assert first["settings"]["timeout"]["state"] == "live_only"
    assert "may forget timeout, because it runs without a configuration file" in str(first["warnings"])
    assert live(without_file, "timeout") == "300"
    # That nothing is to be changed does not make it last.
    second = run_module("redis_settings", **options)
    assert not second["changed"] and second["settings"] == {
        "timeout": {**first["settings"]["timeout"], "before": "300"}
    }
    assert second["warnings"] == first["warnings"]
    for check in (True, False):
        refused = run_module("redis_settings", check=check, fails=True, **{**options, "persist": "always"})
        assert "runs without a configuration file" in refused["msg"]
    assert run_module("redis_settings", **{**options, "persist": "always", "settings": {}})["settings"] == {}


def test_never_leaves_the_file_alone(redis_server: EmbeddedRedis, settings: RunModule) -> None:
    before = redis_server.configuration.read_text()
    for executed in (['CONFIG SET timeout "300"'], []):
        result = settings({"timeout": 300}, persist="never")
        assert result["executed_commands"] == executed
        assert result["settings"]["timeout"]["state"] == "live_only" and not result["persisted"]
        assert "may forget timeout, because persist is never" in str(result["warnings"])
    assert redis_server.configuration.read_text() == before
    restart(redis_server)
    assert live(redis_server, "timeout") == "0"


def test_what_was_set_by_hand_is_kept_and_that_is_no_change(redis_server: EmbeddedRedis, settings: RunModule) -> None:
    with redis_server.client() as client:
        client.config_set("timeout", 300)
    checked = settings({"timeout": 300}, check=True)
    assert "timeout 300" not in redis_server.configuration.read_text()
    result = settings({"timeout": 300})
    for found in (checked, result):
        assert not found["changed"] and found["persisted"] and found["settings"]["timeout"]["state"] == "applied"
    restart(redis_server)
    assert live(redis_server, "timeout") == "300"


def test_the_append_only_file_is_really_on_when_the_module_ends(
    redis_server: EmbeddedRedis, settings: RunModule
) -> None:
    with redis_server.client() as client:
        client.set("tag:1", "files")
        settings({"appendonly": "yes"})
        persistence = client.info("persistence")
    assert (persistence["aof_enabled"], persistence["aof_rewrite_in_progress"]) == (1, 0)
    assert (redis_server.home / "appendonly.aof").stat().st_size > 0
    restart(redis_server)
    with redis_server.client() as client:
        assert client.get("tag:1") == "files"


def test_an_append_only_file_that_cannot_be_opened_takes_all_back(
    redis_server: EmbeddedRedis, settings: RunModule
) -> None:
    gone = redis_server.home / "gone"
    gone.mkdir(mode=0o777)
    with redis_server.client() as client:
        client.config_set("dir", str(gone))
    gone.rmdir()
    untouched = everything(redis_server)
    result = settings({"timeout": 300, "appendonly": True}, fails=True)
    assert "Unable to turn on AOF" in result["msg"] and "nothing was changed" in result["msg"]
    assert everything(redis_server) == untouched
    with redis_server.client() as client:
        client.config_set("dir", str(redis_server.home))


def test_an_append_only_file_whose_writer_dies_takes_all_back(redis_server: EmbeddedRedis, settings: RunModule) -> None:
    with redis_server.client() as client, slowed_down(client), ThreadPoolExecutor() as threads:
        untouched = everything(redis_server)
        running = threads.submit(settings, {"timeout": 300, "appendonly": True}, fails=True)
        for _attempt in until(START_SECONDS):
            writers = children(client.info("server")["process_id"])
            if writers:
                break
        os.kill(writers[0], signal.SIGKILL)
        result = running.result()
        assert everything(redis_server) == untouched
    assert "writing it in the background failed; nothing was changed" in result["msg"]


def test_a_slow_append_only_file_is_waited_for_so_long_and_no_longer(
    redis_server: EmbeddedRedis, settings: RunModule
) -> None:
    filled(redis_server)
    with redis_server.client() as client, slowed_down(client):
        untouched = everything(redis_server)
        started = time.monotonic()
        result = settings({"appendonly": True, **SMALL}, aof_wait_seconds=1, fails=True)
        assert time.monotonic() - started >= 1
        assert client.info("persistence")["aof_enabled"] == 0
        # No key was evicted for nothing.
        assert everything(redis_server) == untouched
    assert "was not written within 1 s; nothing was changed" in result["msg"]
    assert "the server evicts keys by allkeys-lru" in str(result["warnings"])


def test_an_append_only_file_that_somebody_else_switched_on_is_waited_for(
    redis_server: EmbeddedRedis, settings: RunModule
) -> None:
    with redis_server.client() as client:
        with slowed_down(client):
            client.config_set("appendonly", "yes")
            assert "was not written within 1 s" in settings({"appendonly": True}, aof_wait_seconds=1, fails=True)["msg"]
            # Theirs, so it stays on.
            assert client.info("persistence")["aof_enabled"] == 1
        # The writer still has the slow pace that it was begun with; another one has not.
        os.kill(children(client.info("server")["process_id"])[0], signal.SIGKILL)
        for _attempt in until(START_SECONDS):
            if client.info("persistence")["aof_last_bgrewrite_status"] == "err":
                break
        assert not settings({"appendonly": True})["changed"]
        assert client.info("persistence")["aof_rewrite_in_progress"] == 0


def test_a_lower_limit_than_what_is_in_use_warns_and_evicts(redis_server: EmbeddedRedis, settings: RunModule) -> None:
    filled(redis_server)
    with redis_server.client() as client:
        checked = settings(SMALL, check=True)
        assert client.dbsize() == 8000
        assert "the server evicts keys by allkeys-lru" in str(checked["warnings"])
        assert "the server evicts keys by allkeys-lru" in str(settings(SMALL)["warnings"])
        assert 0 < client.dbsize() < 8000
    assert "warnings" not in settings(SMALL)


def test_a_new_policy_does_not_evict_by_a_limit_that_is_lifted(
    redis_server: EmbeddedRedis, settings: RunModule
) -> None:
    filled(redis_server)
    with redis_server.client() as client:
        client.config_set("maxmemory", 8 * MB)
        settings({"maxmemory": "64mb", "maxmemory-policy": "allkeys-lru"})
        assert client.dbsize() == 8000


@pytest.fixture
def included(redis_server: EmbeddedRedis) -> Path:
    """A file that redis.conf includes after it set a limit of 16 MB."""
    path = redis_server.home / "more.conf"
    path.write_text("timeout 5\nmaxmemory 32mb\n")
    path.chmod(0o644)
    text = redis_server.configuration.read_text()
    redis_server.configuration.write_text(f"maxmemory 16mb\ninclude {path}\n{text}")
    restart(redis_server)
    assert live(redis_server, "maxmemory") == str(32 * MB)
    return path


@pytest.mark.parametrize("check", [True, False])
def test_an_included_file_that_undoes_it_is_named_before_anything_is_touched(
    redis_server: EmbeddedRedis, settings: RunModule, included: Path, check: bool
) -> None:
    untouched = everything(redis_server)
    result = settings({"timeout": 300, "maxmemory": "64mb"}, check=check, fails=True)
    assert "1 setting would not outlive a restart" in result["msg"] and "nothing was changed" in result["msg"]
    (overridden,) = result["overridden"]
    assert overridden == {
        "name": "maxmemory",
        "by": f"{included} line 2",
        "value": "32mb",
        "wanted": "64mb",
        "remedy": f'take "maxmemory 32mb" out of {included} line 2',
    }
    assert everything(redis_server) == untouched
    # What is said is true, and so is what to do about it.
    warned = settings({"timeout": 300, "maxmemory": "64mb"}, check=check, on_override="warn")
    assert [found["name"] for found in warned["overridden"]] == ["maxmemory"]
    assert warned["settings"]["maxmemory"]["state"] == "live_only"
    assert warned["settings"]["timeout"]["state"] == "applied"
    assert "a restart of the server undoes this: maxmemory is 32mb" in str(warned["warnings"])
    restart(redis_server)
    assert live(redis_server, "maxmemory") == str(32 * MB)
    included.write_text("")
    result = settings({"maxmemory": "64mb"})
    assert result["overridden"] == [] and result["settings"]["maxmemory"]["state"] == "applied"
    restart(redis_server)
    assert live(redis_server, "maxmemory") == str(64 * MB)


def test_an_included_file_that_says_the_same_is_no_matter(
    redis_server: EmbeddedRedis, settings: RunModule, included: Path
) -> None:
    result = settings({"maxmemory": "32mb", "timeout": 5})
    assert not result["changed"] and result["overridden"] == []


def test_a_default_that_is_not_written_beside_an_included_file_is_warned_of(
    redis_server: EmbeddedRedis, settings: RunModule, included: Path
) -> None:
    result = settings({"timeout": 0})
    assert result["settings"]["timeout"]["state"] == "live_only"
    assert "a restart of the server undoes this: timeout is 5" in str(result["warnings"])
    restart(redis_server)
    assert live(redis_server, "timeout") == "5"


def test_a_command_line_that_undoes_it_is_named(redis_server: EmbeddedRedis, settings: RunModule) -> None:
    redis_server.stop()
    redis_server.start("--set-proc-title", "no", "--maxmemory", "100mb")
    untouched = everything(redis_server)
    result = settings({"maxmemory": "64mb"}, fails=True)
    assert 'by the command line, wanted 64mb: take "--maxmemory 100mb" out of the command' in result["msg"]
    assert everything(redis_server) == untouched
    assert settings({"maxmemory": "100mb"})["overridden"] == []


def test_where_the_server_cannot_be_looked_at_nothing_is_claimed(
    redis_server: EmbeddedRedis, run_module: RunModule, included: Path
) -> None:
    """Its answers come from elsewhere, with the number of a process that here is another one."""
    answers = {
        "INFO": f"redis_version:7.0.15\r\nprocess_id:{os.getpid()}\r\nconfig_file:{redis_server.configuration}",
        "CONFIG GET": ["maxmemory", str(64 * MB)],
    }
    with answering(answers) as port:
        result = run_module("redis_settings", login_port=port, settings={"maxmemory": "64mb"})
    assert result["overridden"] == [] and result["persisted"]


@pytest.mark.parametrize("wanted", [{"timeout": 300}, {"timeout": 300, "maxmemory": "64mb"}])
def test_a_file_that_only_some_may_read_stays_so(
    redis_server: EmbeddedRedis, settings: RunModule, wanted: dict
) -> None:
    """CONFIG REWRITE makes a new file, for all to read, and there may be a password in it."""
    redis_server.configuration.chmod(0o600)
    before = redis_server.configuration.stat()
    result = settings(wanted)
    after = redis_server.configuration.stat()
    assert result["persisted"] and "warnings" not in result
    assert after.st_mtime_ns != before.st_mtime_ns
    assert (after.st_mode, after.st_uid, after.st_gid) == (before.st_mode, before.st_uid, before.st_gid)


def test_a_server_that_is_loading_is_left_alone(
    redis_server: EmbeddedRedis, settings: RunModule, run_module: RunModule
) -> None:
    with redis_server.client() as client:
        # Twenty seconds, for a module that starts on a machine with more to do. One that is stopped then exits at once.
        client.mset({f"key:{number}": os.urandom(100000).hex() for number in range(200)})
        client.config_set("rdbcompression", "no")
        client.config_set("key-load-delay", 100000)
        with redis.Redis(unix_socket_path=str(redis_server.socket)) as other:
            connection = other.connection_pool.get_connection()
            connection.send_command("DEBUG", "RELOAD")
            for _attempt in until(START_SECONDS):
                if client.info("persistence")["loading"]:
                    break
            result = settings({"timeout": 300}, fails=True)
            assert "Redis is loading its data from disk" in result["msg"] and "wait until" in result["msg"]
            connection.disconnect()
    redis_server.stop()


def test_missing_permissions_are_named_and_nothing_is_left(redis_server: EmbeddedRedis, settings: RunModule) -> None:
    with redis_server.client() as client:
        client.execute_command("ACL SETUSER", "app", "on", ">pass-1", "+info")
        login = {"login_user": "app", "login_password": "pass-1"}
        untouched = everything(redis_server)
        grants = ("+config|get", "+config|set", "+config|rewrite")
        for grant in grants:
            result = settings({"timeout": 300}, fails=True, **login)
            assert f"ACL SETUSER app {grant}" in result["msg"]
            assert everything(redis_server) == untouched
            client.execute_command("ACL SETUSER", "app", grant)
        assert "pass-1" not in str(result)
        assert settings({"timeout": 300}, **login)["changed"]


def test_an_unreachable_server_is_named_without_the_password(tmp_path: Path, run_module: RunModule) -> None:
    result = run_module(
        "redis_settings",
        fails=True,
        settings={"timeout": 1},
        login_unix_socket=str(tmp_path / "none.sock"),
        login_password="s3cr3t-42",
    )
    assert str(tmp_path / "none.sock") in result["msg"] and "check that the server runs" in result["msg"]
    assert "s3cr3t-42" not in str(result)


def test_a_wrong_password_is_named_without_it(redis_server: EmbeddedRedis, settings: RunModule) -> None:
    with redis_server.client() as client:
        client.config_set("requirepass", "right-one")
    assert "give login_password" in settings({"timeout": 1}, fails=True)["msg"]
    result = settings({"timeout": 1}, login_password="wrong-one", fails=True)
    assert "refused the login" in result["msg"] and "check login_user and login_password" in result["msg"]
    assert "wrong-one" not in str(result)
    result = settings({"timeout": 1}, login_password="right-one")
    assert result["changed"] and "right-one" not in str(result)


def test_a_replica_is_set_too_and_said_to_be_one(redis_server: EmbeddedRedis, settings: RunModule) -> None:
    with redis_server.client() as client:
        client.replicaof("127.0.0.1", 1)
    result = settings({"timeout": 300})
    assert result["changed"] and result["server"]["role"] == "replica"
    assert live(redis_server, "timeout") == "300"


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        (
            {"INFO": "-DENIED Redis is running in protected mode because protected mode is enabled"},
            "Redis is in protected mode and takes connections of its own host only",
        ),
        ({"INFO": "-LOADING Redis is loading the dataset in memory"}, "Redis is loading its data from disk"),
        ({"INFO": "redis_version:6.0.16"}, "Redis 6.0.16 is not supported"),
        ({"INFO": "redis_version:7.0.15\r\nredis_mode:sentinel"}, "this is a Sentinel"),
        (
            {"INFO": "redis_version:7.0.15", "CONFIG": "-ERR unknown command 'CONFIG'"},
            "the server has no command CONFIG",
        ),
    ],
)
def test_servers_that_cannot_be_set(run_module: RunModule, answers: dict, message: str) -> None:
    with answering(answers) as port:
        result = run_module("redis_settings", login_port=port, settings={"timeout": 1}, fails=True)
    assert message in result["msg"] and f"127.0.0.1:{port}" in result["msg"]


def test_a_connection_that_is_lost_meanwhile_is_told_as_that(run_module: RunModule) -> None:
    answers = {"INFO": "redis_version:7.0.15\r\nconfig_file:/c", "CONFIG GET": ["timeout", "0"], "CONFIG SET": None}
    with answering(answers) as port:
        result = run_module("redis_settings", login_port=port, settings={"timeout": 1}, fails=True)
    assert "the connection was lost while settings were being changed" in result["msg"]
    assert "timeout" in result["msg"] and "nothing was changed" not in result["msg"]


COMPARED = [
    ("maxmemory", ["1gb", "1g", "1GB", "512Mb", "64k", "64KB", "100b", "100", "0"]),
    ("appendfsync", ["always", "No", "EVERYSEC"]),
    ("oom-score-adj", ["relative", "absolute", "no"]),
    ("activerehashing", ["no", "yes"]),
    ("save", ["900 1", "900 1 300 10", ""]),
    ("client-output-buffer-limit", ["replica 1gb 512mb 60", "normal 8m 8mb 5 pubsub 0 0 0"]),
    ("oom-score-adj-values", ["0 100 200"]),
    ("notify-keyspace-events", ["KEA", "Kg$", ""]),
    ("masteruser", ["yes", "007"]),
    ("slowlog-log-slower-than", ["-1", "0", "1000"]),
]


def test_values_mean_what_the_server_makes_of_them(redis_server: EmbeddedRedis) -> None:
    with redis_server.client() as client:
        for name, texts in COMPARED:
            for text in texts:
                current = client.config_get(name)[name]
                client.config_set(name, text)
                ours = values.canonical(name, text, current)
                assert values.same(name, ours, client.config_get(name)[name]), (name, text)
                # What we would send instead means the same.
                client.config_set(name, ours)
                assert values.same(name, ours, client.config_get(name)[name]), (name, text)


def test_the_catalog_says_what_the_server_says(redis_server: EmbeddedRedis) -> None:
    """Each setting is set to the value that it has; fixed are those that the server does not take."""
    fixed, refused = set(), set()
    with redis_server.client() as client:
        config = client.config_get("*")
        for name, value in config.items():
            try:
                client.config_set(name, value)
            except redis.ResponseError as error:
                if "Unsupported CONFIG parameter" in str(error):
                    refused.add(name)
            if catalog.why_fixed(name, (6, 2, 14), config):
                fixed.add(name)
    assert fixed == refused


def test_sizes_and_words_are_what_the_server_takes(redis_server: EmbeddedRedis) -> None:
    with redis_server.client() as client:
        config = client.config_get("*")
        for name in config:
            answer = ""
            try:
                client.config_set(name, "no-such-value")
            except redis.ResponseError as error:
                answer = str(error)
            assert ("must be a memory value" in answer) == (name in catalog.MEMORY), (name, answer)
            if "must be one of the following" in answer:
                # Newer versions have some more.
                assert set(answer.split("following: ")[1].split(", ")) <= set(catalog.WORDS[name]), name
