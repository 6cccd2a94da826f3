# SPDX-License-Identifier: GPL-3.0-or-later
"""The connection to Redis: arguments from options, and errors in words."""

from __future__ import annotations

from typing import Any

import pytest
import redis
from ansible_collections.midi.capacity.plugins.module_utils import _redis
from ansible_collections.midi.capacity.plugins.module_utils._redis import (
    Cache,
    CacheError,
    KeyNotPermitted,
    Loading,
    LoginRefused,
    NotPermitted,
    ReadOnly,
    Unreachable,
    connection_arguments,
    describe,
    gist,
    version_tuple,
)

TCP = {"login_host": "cache", "login_port": 6379}
REFUSED = redis.exceptions.ConnectionError("Connection refused")


class FailingClient:
    """A client whose every command fails alike."""

    def __init__(self, error: Exception) -> None:
        self.error, self.closed = error, False

    def set_response_callback(self, *_arguments: Any) -> None:
        pass

    def execute_command(self, *_arguments: Any) -> None:
        raise self.error

    def close(self) -> None:
        self.closed = True


@pytest.mark.parametrize(
    ("error", "kind", "message"),
    [
        (redis.exceptions.BusyLoadingError("x"), Loading, "Redis is loading its data"),
        (redis.exceptions.AuthenticationError("Authentication required."), LoginRefused, "give login_password"),
        (redis.exceptions.AuthenticationError("invalid username-password pair"), LoginRefused, "check login_user and"),
        (
            redis.exceptions.AuthenticationError("AUTH called without any password configured for the default user"),
            LoginRefused,
            "leave login_password out",
        ),
        (redis.exceptions.ResponseError("AUTH called without any password configured"), LoginRefused, "leave login"),
        (redis.exceptions.ResponseError("WRONGPASS invalid username-password pair"), LoginRefused, "check login_user"),
        (redis.exceptions.NoPermissionError("x"), NotPermitted, "ACL SETUSER app +config|set"),
        # As Redis 6.2 says it, and as 7.0 does.
        (
            redis.exceptions.NoPermissionError(
                "this user has no permissions to access one of the keys used as arguments"
            ),
            KeyNotPermitted,
            "ACL SETUSER app ~PATTERN",
        ),
        (redis.exceptions.NoPermissionError("No permissions to access a key"), KeyNotPermitted, "on the keys that it"),
        (
            redis.exceptions.NoPermissionError("User app has no permissions to run the 'memory|usage' command"),
            NotPermitted,
            "+config|set",
        ),
        (
            redis.exceptions.ReadOnlyError("You can't write against a read only replica."),
            ReadOnly,
            "connect to the mas",
        ),
        (redis.exceptions.TimeoutError("Timeout reading"), Unreachable, "check that the server runs"),
        (redis.exceptions.ConnectionError("Permission denied"), Unreachable, "become_user"),
        (redis.exceptions.ConnectionError("Connection closed by server."), Unreachable, "set tls to true"),
        (redis.exceptions.ConnectionError("SSL: WRONG_VERSION_NUMBER"), Unreachable, "set tls to false"),
        (redis.exceptions.ConnectionError("certificate verify failed"), Unreachable, "give ca_certs"),
        (redis.exceptions.ConnectionError("max number of clients reached"), Unreachable, "raise maxclients"),
        (redis.exceptions.ResponseError("unknown command 'CONFIG'"), NotPermitted, "has no command CONFIG"),
        (redis.exceptions.ResponseError("DENIED Redis is running in protected mode"), Unreachable, "its own host"),
        (redis.exceptions.ResponseError("Invalid argument"), CacheError, "CONFIG SET failed: Invalid argument ("),
        # From Redis 7 on the server says that itself.
        (redis.exceptions.ResponseError("CONFIG SET failed (x) - y"), CacheError, "CONFIG SET failed (x) - y ("),
    ],
)
def test_errors_in_words(error: Exception, kind: type, message: str) -> None:
    with pytest.raises(CacheError) as caught:
        Cache(FailingClient(error), "cache:6379", "app").config_set({"timeout": "1"})
    assert caught.value.__class__ is kind
    assert message in str(caught.value) and "(cache:6379)" in str(caught.value)
    assert not str(caught.value).startswith("CONFIG SET failed: CONFIG SET failed")


def test_a_password_that_a_driver_quotes_is_masked(monkeypatch: pytest.MonkeyPatch) -> None:
    client = FailingClient(redis.exceptions.ConnectionError("could not send AUTH s3cr3t-42"))
    monkeypatch.setattr(_redis.redis, "Redis", lambda **_arguments: client)
    monkeypatch.setattr(_redis, "connection_arguments", lambda options: {})
    with pytest.raises(Unreachable) as caught:
        Cache.connect({**TCP, "login_password": "s3cr3t-42"})
    assert "s3cr3t-42" not in str(caught.value) and "AUTH ********" in str(caught.value)
    assert client.closed


def test_a_library_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_redis, "redis", None)
    with pytest.raises(CacheError, match="the Python library redis is missing for .*python3-redis"):
        Cache.connect(TCP)


@pytest.mark.parametrize("port", [0, -1, 65536])
def test_a_port_that_is_none_is_refused_before_anything(port: int) -> None:
    with pytest.raises(CacheError, match=f"^login_port is {port}, which is no port.*give 1 to 65535"):
        Cache.connect({**TCP, "login_port": port})


@pytest.mark.parametrize(
    "options", [{**TCP, "login_port": 65535}, {"login_port": 0, "login_unix_socket": "/run/redis.sock"}]
)
def test_a_port_that_is_one_or_does_not_count(monkeypatch: pytest.MonkeyPatch, options: dict[str, Any]) -> None:
    monkeypatch.setattr(_redis.redis, "Redis", lambda **_arguments: FailingClient(REFUSED))
    with pytest.raises(Unreachable):
        Cache.connect(options)


def test_arguments_for_tcp_and_tls() -> None:
    plain = connection_arguments({**TCP, "login_user": "app", "login_password": "x", "tls": False})
    assert (plain["host"], plain["port"], plain["username"], plain["password"]) == ("cache", 6379, "app", "x")
    assert "ssl" not in plain and "unix_socket_path" not in plain
    tls = connection_arguments({**TCP, "tls": True, "validate_certs": True, "ca_certs": "/ca.pem"})
    assert (tls["ssl"], tls["ssl_cert_reqs"], tls["ssl_check_hostname"]) == (True, "required", True)
    assert tls["ssl_ca_certs"] == "/ca.pem"
    lax = connection_arguments({**TCP, "tls": True, "validate_certs": False})
    assert (lax["ssl_cert_reqs"], lax["ssl_check_hostname"]) == ("none", False)


def test_a_socket_takes_precedence() -> None:
    arguments = connection_arguments({**TCP, "tls": True, "login_unix_socket": "/run/redis.sock"})
    assert arguments["unix_socket_path"] == "/run/redis.sock"
    assert "host" not in arguments and "ssl" not in arguments


@pytest.mark.parametrize("options", [TCP, {**TCP, "tls": True}, {"login_unix_socket": "/run/redis.sock"}])
def test_the_driver_takes_the_arguments(options: dict[str, Any]) -> None:
    client = redis.Redis(**connection_arguments(options))
    client.close()


@pytest.mark.parametrize(
    ("options", "where"),
    [
        (TCP, "cache:6379"),
        ({"login_host": "::1", "login_port": 1}, "[::1]:1"),
        ({**TCP, "login_unix_socket": "/run/redis.sock"}, "/run/redis.sock"),
    ],
)
def test_describe(options: dict[str, Any], where: str) -> None:
    assert describe(options) == where


@pytest.mark.parametrize(
    ("text", "expected"),
    [("7.0.15", (7, 0, 15)), ("8.0-rc1", (8, 0, 1)), ("6.2", (6, 2)), ("255.255.255", (255, 255, 255)), ("", ())],
)
def test_version_tuple(text: str, expected: tuple[int, ...]) -> None:
    assert version_tuple(text) == expected


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("Error 111 connecting to 127.0.0.1:1. Connection refused.", "Connection refused"),
        ("Error 32 while writing to socket. Broken pipe.", "Broken pipe"),
        ("Timeout\n reading  from socket", "Timeout reading from socket"),
        ("", "ConnectionError"),
    ],
)
def test_gist(message: str, expected: str) -> None:
    assert gist(redis.exceptions.ConnectionError(message)) == expected
