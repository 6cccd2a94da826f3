# SPDX-License-Identifier: GPL-3.0-or-later
"""Modules redis_config_file and redis_restart_proof against a real Redis, and passwords that stand in a file."""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path

import pytest

from demo.servers import START_SECONDS, EmbeddedRedis, until
from tests.integration.conftest import RunModule


@pytest.fixture
def options(redis_server: EmbeddedRedis) -> dict:
    return {"login_unix_socket": str(redis_server.socket), "path": str(redis_server.configuration)}


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def live(server: EmbeddedRedis, name: str) -> str:
    with server.client() as client:
        return client.config_get(name)[name]


def test_what_the_server_takes_live_is_set_and_filed(
    redis_server: EmbeddedRedis, run_module: RunModule, options: dict
) -> None:
    before = redis_server.configuration.read_text()
    wanted = {**options, "settings": {"tcp-keepalive": 100, "protected-mode": False}}
    checked = run_module("redis_config_file", check=True, **wanted)
    assert (checked["changed"], checked["set_live"]) == (True, ["tcp-keepalive", "protected-mode"])
    assert redis_server.configuration.read_text() == before
    assert live(redis_server, "tcp-keepalive") == "300"

    ran = run_module("redis_config_file", **wanted)
    assert ran["diff"] == checked["diff"]
    assert "tcp-keepalive = 100" in ran["diff"]["after"]
    assert (ran["running"], ran["restart_required"]) == (True, [])
    assert (live(redis_server, "tcp-keepalive"), live(redis_server, "protected-mode")) == ("100", "no")
    assert "tcp-keepalive 100" in redis_server.configuration.read_text().splitlines()
    assert Path(ran["before_path"]).read_text() == before

    with redis_server.client() as client:
        client.config_rewrite()
    written = redis_server.configuration.read_text()
    assert run_module("redis_config_file", **wanted)["changed"] is False
    assert redis_server.configuration.read_text() == written


def test_what_it_does_not_take_live_waits_for_a_restart(
    redis_server: EmbeddedRedis, run_module: RunModule, options: dict
) -> None:
    wanted = {**options, "settings": {"databases": 4}}
    assert run_module("redis_config_file", **wanted)["restart_required"] == ["databases"]
    assert live(redis_server, "databases") == "16"
    # The file has it, and the server has not: that is still to do.
    again = run_module("redis_config_file", **wanted)
    assert (again["changed"], again["restart_required"]) == (True, ["databases"])
    redis_server.stop()
    redis_server.start()
    done = run_module("redis_config_file", **wanted)
    assert (done["changed"], done["restart_required"]) == (False, [])
    assert live(redis_server, "databases") == "4"


def test_a_port_is_changed_live_and_found_where_the_file_has_it(
    redis_server: EmbeddedRedis, run_module: RunModule, options: dict
) -> None:
    first, second = free_port(), free_port()
    run_module("redis_config_file", **options, settings={"port": first})
    tcp = {"path": options["path"], "login_host": "127.0.0.1", "login_port": second}
    moved = run_module("redis_config_file", **tcp, settings={"port": second})
    assert (moved["running"], moved["set_live"], moved["restart_required"]) == (True, ["port"], [])
    assert live(redis_server, "port") == str(second)
    assert run_module("redis_config_file", **tcp, settings={"port": second})["changed"] is False


def test_a_new_file_has_all_of_it_and_belongs_to_its_directory(run_module: RunModule, tmp_path: Path) -> None:
    path = tmp_path / "redis.conf"
    wanted = {"path": str(path), "settings": {"port": free_port()}, "initial": {"maxmemory": "64mb", "save": ["900 1"]}}
    wanted["login_port"] = wanted["settings"]["port"]
    assert run_module("redis_config_file", check=True, **wanted)["changed"] is True
    assert not path.exists()
    done = run_module("redis_config_file", **wanted)
    assert (done["running"], done["before_path"]) == (False, "")
    assert path.read_text() == f"maxmemory 64mb\nsave 900 1\nport {wanted['login_port']}\n"
    assert path.stat().st_mode & 0o777 == 0o640
    assert path.stat().st_uid == tmp_path.stat().st_uid
    # What others keep from now on is no business of this module.
    path.write_text(path.read_text().replace("64mb", "128mb"))
    assert run_module("redis_config_file", **wanted)["changed"] is False
    assert sorted(found.name for found in tmp_path.iterdir() if found.name.startswith(".redis.conf")) == []


def test_faults_are_told_at_once_and_nothing_is_touched(
    redis_server: EmbeddedRedis, run_module: RunModule, options: dict
) -> None:
    before = redis_server.configuration.read_text()
    settings = {"databasis": 4, "databases": "many", "requirepass": "only-for-this-test", "tcp-keepalive": 100}
    failed = run_module("redis_config_file", fails=True, **options, settings=settings)
    assert failed["problems"] == [
        "databasis is not a setting of this server: did you mean databases?",
        "databases takes a whole number, not 'many'",
        "requirepass holds a secret, which a task would show: use an ACL file",
    ]
    assert "only-for-this-test" not in str(failed)
    assert redis_server.configuration.read_text() == before
    assert live(redis_server, "tcp-keepalive") == "300"


def test_a_link_in_the_place_of_the_file_is_refused(run_module: RunModule, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text("port 1\n")
    (tmp_path / "redis.conf").symlink_to(tmp_path / "elsewhere")
    failed = run_module(
        "redis_config_file", fails=True, path=str(tmp_path / "redis.conf"), settings={"port": 2}, login_port=free_port()
    )
    assert "name the file itself, and no link to it" in failed["msg"]
    assert (tmp_path / "elsewhere").read_text() == "port 1\n"


@pytest.fixture
def guarded(redis_server: EmbeddedRedis, tmp_path: Path) -> Path:
    """The file with the password that the server wants."""
    with redis_server.client() as client:
        client.config_set("requirepass", "only-for-this-test")
    path = tmp_path / "password"
    path.write_text("only-for-this-test\n")
    return path


def test_a_password_from_a_file_lets_every_module_in(
    redis_server: EmbeddedRedis, run_module: RunModule, guarded: Path
) -> None:
    login = {"login_unix_socket": str(redis_server.socket)}
    assert "give login_password" in run_module("redis_cache_info", fails=True, **login)["msg"]
    found = run_module("redis_cache_info", **login, login_password_file=str(guarded))
    assert "only-for-this-test" not in str(found)


@pytest.mark.parametrize(
    ("text", "more", "message"),
    [
        (None, {}, "the file with the password cannot be read: No such file"),
        ("", {}, "the first line of the file with the password is empty"),
        ("x", {"login_password": "y"}, "login_password and login_password_file are both given"),
        ("wrong", {}, "Redis refused the login"),
    ],
)
def test_a_password_file_that_does_not_do_is_told(
    redis_server: EmbeddedRedis, run_module: RunModule, guarded: Path, text: str | None, more: dict, message: str
) -> None:
    guarded.unlink() if text is None else guarded.write_text(text)
    login = {"login_unix_socket": str(redis_server.socket), "login_password_file": str(guarded), **more}
    assert message in run_module("redis_cache_info", fails=True, **login)["msg"]


def test_a_server_that_does_not_take_the_login_has_to_be_restarted(
    run_module: RunModule, options: dict, guarded: Path
) -> None:
    guarded.write_text("the-new-one\n")
    done = run_module("redis_config_file", **options, login_password_file=str(guarded), settings={"databases": 4})
    assert (done["running"], done["login_refused"], done["restart_required"]) == (True, True, ["users"])


def test_users_that_came_after_its_start_have_to_be_read(
    redis_server: EmbeddedRedis, run_module: RunModule, options: dict, tmp_path: Path
) -> None:
    path = tmp_path / "users.acl"
    path.write_text("user default on nopass ~* &* +@all\n")
    wanted = {**options, "settings": {"aclfile": str(path)}}
    run_module("redis_config_file", **wanted)
    redis_server.stop()
    redis_server.start()
    wanted["users_path"] = str(path)
    assert run_module("redis_config_file", **wanted)["restart_required"] == []

    started = time.time()
    with redis_server.client() as client:
        # Who says when it started says it in whole seconds.
        for _attempt in until(START_SECONDS):
            if client.time()[0] > started + 1:
                break
    # Its text may be older than the server: a file that was put in its place.
    (tmp_path / "new").write_text("user default on nopass ~* &* +@all\nuser app on nopass ~app:* +get\n")
    os.utime(tmp_path / "new", (0, 0))
    (tmp_path / "new").rename(path)
    for _run in range(2):
        late = run_module("redis_config_file", **wanted)
        assert (late["changed"], late["login_refused"], late["restart_required"]) == (False, False, ["users"])
    redis_server.stop()
    redis_server.start()
    assert run_module("redis_config_file", **wanted)["restart_required"] == []
    with redis_server.client() as client:
        assert client.acl_users() == ["app", "default"]


def test_before_the_first_run_check_mode_goes_without_the_password(
    run_module: RunModule, options: dict, tmp_path: Path
) -> None:
    login = {**options, "login_password_file": str(tmp_path / "none"), "settings": {"databases": 4}}
    assert run_module("redis_config_file", check=True, **login)["running"] is False
    assert "cannot be read" in run_module("redis_config_file", fails=True, **login)["msg"]


def test_a_key_proves_a_restart(redis_server: EmbeddedRedis, run_module: RunModule) -> None:
    login = {"login_unix_socket": str(redis_server.socket)}
    with redis_server.client() as client:
        client.config_set("save", "900 1")
    key = run_module("redis_restart_proof", **login, state="written")["key"]
    with redis_server.client() as client:
        assert 0 < client.ttl(key) <= 86400
    early = run_module("redis_restart_proof", fails=True, **login, state="found", key=key)
    assert "the server was not restarted since the key was written" in early["msg"]
    redis_server.stop()
    redis_server.start()
    run_module("redis_restart_proof", **login, state="found", key=key)
    gone = run_module("redis_restart_proof", fails=True, **login, state="found", key=key)
    assert f"the key {key}, which was written before the restart, is gone" in gone["msg"]


def test_the_proof_in_check_mode_writes_nothing(redis_server: EmbeddedRedis, run_module: RunModule) -> None:
    login = {"login_unix_socket": str(redis_server.socket)}
    assert run_module("redis_restart_proof", check=True, **login, state="written")["key"] is None
    with redis_server.client() as client:
        assert client.dbsize() == 0
    assert "key is not given" in run_module("redis_restart_proof", fails=True, **login, state="found")["msg"]
