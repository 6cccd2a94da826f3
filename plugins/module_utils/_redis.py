# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Redis: the connection, commands and typed errors. The only place that imports redis."""

from __future__ import annotations

import inspect
import re
import sys
import traceback

from ansible_collections.midi.capacity.plugins.module_utils._argspec import ArgumentSpec
from ansible_collections.midi.capacity.plugins.module_utils._errors import OperatorError
from ansible_collections.midi.capacity.plugins.module_utils._redis_info.parse import parse_info

try:
    import redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry
except ImportError:
    redis = None
    REDIS_IMPORT_ERROR = traceback.format_exc()
else:
    REDIS_IMPORT_ERROR = None

OLDEST_VERSION = (6, 2)
# From this version on one CONFIG SET takes many settings and applies all of them or none.
ATOMIC_CONFIG_SET_VERSION = (7, 0)
CONNECT_TIMEOUT_SECONDS = 5
HIGHEST_PORT = 65535
# CONFIG REWRITE waits for the disk.
READ_TIMEOUT_SECONDS = 30

REDIS_SPEC = ArgumentSpec(
    {
        "login_host": {"type": "str", "default": "127.0.0.1"},
        "login_port": {"type": "int", "default": 6379},
        "login_user": {"type": "str"},
        "login_password": {"type": "str", "no_log": True},
        "login_password_file": {"type": "path", "no_log": False},
        "login_unix_socket": {"type": "path"},
        "tls": {"type": "bool", "default": False},
        "validate_certs": {"type": "bool", "default": True},
        "ca_certs": {"type": "path"},
    }
)


class CacheError(OperatorError):
    """A fault in talking to Redis."""


class Unreachable(CacheError):
    """No connection could be made, or it was lost."""


class NoPasswordFile(CacheError):
    """There is no file that the password could be read from."""


class LoginRefused(CacheError):
    """The server wants a password, or another one."""


class NotPermitted(CacheError):
    """The user that logged in may not run a command, or the server does not have it under its name."""


class KeyNotPermitted(NotPermitted):
    """The user may run the command, but not with the key that was given."""


class ReadOnly(CacheError):
    """The server takes no writes."""


class Loading(CacheError):
    """The server reads its data from disk and answers later."""


class Cache:
    """One connection to one Redis server; every command is tried once."""

    def __init__(self, client, where: str, login: str) -> None:
        self._client = client
        self._login = login
        self.where = where
        self.version = ""

    @classmethod
    def connect(cls, options: dict) -> Cache:
        """Connect as a module's options say. Raises Unreachable, LoginRefused, NotPermitted, Loading, or CacheError
        for a port that is none, a version that is too old or a library that is not there."""
        if redis is None:
            raise CacheError(
                f"the Python library redis is missing for {sys.executable}",
                remedy="install it (Debian package python3-redis), or have Ansible use a Python that has it",
                details={"exception": REDIS_IMPORT_ERROR},
            )
        _require_port(options)
        options = _with_password(options)
        # Commands answer as the server wrote it: how redis-py shapes answers differs between its versions.
        client = redis.Redis(**connection_arguments(options))
        for command in ("INFO", "CONFIG GET", "CONFIG SET", "CONFIG REWRITE", "SCAN"):
            client.set_response_callback(command, _as_answered)
        cache = cls(client, describe(options), options.get("login_user") or "default")
        try:
            cache.version = cache.info("server").get("redis_version", "")
            cache._require_version()
        except CacheError as error:
            cache.close()
            raise _without_password(error, options.get("login_password")) from None
        return cache

    @property
    def sets_atomically(self) -> bool:
        """Whether one CONFIG SET takes many settings, all or none."""
        return version_tuple(self.version) >= ATOMIC_CONFIG_SET_VERSION

    def info(self, section: str = "default") -> dict:
        """The fields of INFO, name to text."""
        return parse_info(self._run("INFO", section))

    def config_get(self, patterns: list) -> dict:
        """The settings that match any of the patterns, name to text."""
        found: dict = {}
        for pattern in patterns:
            # Redis 6.2 takes one pattern at a time.
            answer = self._run("CONFIG GET", pattern)
            found.update({answer[at]: answer[at + 1] for at in range(0, len(answer), 2)})
        return found

    def config_set(self, values: dict) -> None:
        """One CONFIG SET; more than one setting only where `sets_atomically`."""
        self._run("CONFIG SET", *[part for pair in values.items() for part in pair])

    def config_rewrite(self) -> None:
        """Have the server write the values it runs with into its configuration file."""
        self._run("CONFIG REWRITE")

    def scan(self, cursor: str, count: int, match: str = "") -> tuple:
        """One step: the next cursor, "0" at the end, and the keys of this step, of which some may come twice.

        Keys that are no UTF-8 have surrogates, and go back to the server as they came.
        """
        following, keys = self._run("SCAN", cursor, *(["MATCH", match] if match else []), "COUNT", count)
        return following, keys

    def for_each(self, command: str, keys: list, *options) -> list:
        """What the command answers for each key, in one round trip; where it fails for a key, a CacheError.

        Raises Unreachable, LoginRefused and Loading.
        """
        pipeline = self._client.pipeline(transaction=False)
        for key in keys:
            pipeline.execute_command(command, key, *options)
        try:
            answers = pipeline.execute(raise_on_error=False)
        except redis.RedisError as error:
            raise self._translated(error, command) from None
        return [self._translated(found, command) if isinstance(found, Exception) else found for found in answers]

    def unlink(self, keys: list) -> int:
        """How many of the keys there were; the server frees their memory in the background."""
        return self._run("UNLINK", *keys)

    def get(self, key: str):
        """The text of a key, or None."""
        return self._run("GET", key)

    def set_for(self, key: str, value: str, seconds: int) -> None:
        """Give a key a text, which goes by itself after so long."""
        self._run("SET", key, value, "EX", seconds)

    def purge_memory(self) -> None:
        """Have the allocator give back what it holds for nothing; does nothing where it is not jemalloc."""
        self._run("MEMORY PURGE")

    def rewrite_aof(self) -> None:
        """Begin to write the append-only file anew, in the background."""
        self._run("BGREWRITEAOF")

    def save(self) -> None:
        """Begin to save a snapshot in the background, after a rewrite of the append-only file if one runs."""
        self._run("BGSAVE", "SCHEDULE")

    def ping(self) -> None:
        self._run("PING")

    def close(self) -> None:
        self._client.close()

    def _run(self, command: str, *arguments):
        try:
            return self._client.execute_command(command, *arguments)
        except redis.RedisError as error:
            raise self._translated(error, command) from None

    def _require_version(self) -> None:
        if version_tuple(self.version) < OLDEST_VERSION:
            raise CacheError(
                f"Redis {self.version or 'of an unknown version'} is not supported",
                self.where,
                "upgrade the server: this collection works with Redis 6.2 to 8",
            )

    def _translated(self, error, command: str) -> CacheError:
        message = gist(error)
        if isinstance(error, redis.exceptions.BusyLoadingError):
            return Loading(
                "Redis is loading its data from disk", self.where, "wait until the server is up, then run again"
            )
        if isinstance(error, redis.exceptions.AuthenticationError):
            return LoginRefused(f"Redis refused the login: {message}", self.where, _login_remedy(message))
        if isinstance(error, redis.exceptions.ReadOnlyError):
            return ReadOnly(f"{command} failed: {message}", self.where, "connect to the master")
        if isinstance(error, redis.exceptions.NoPermissionError) and _is_about_keys(message):
            return KeyNotPermitted(
                f'user "{self._login}" may not run {command} on the keys that it was given',
                self.where,
                f"connect as a user that may, or allow the keys: ACL SETUSER {self._login} ~PATTERN",
            )
        if isinstance(error, redis.exceptions.NoPermissionError):
            return NotPermitted(
                f'user "{self._login}" may not run {command}',
                self.where,
                f"connect as a user that may, or allow it: ACL SETUSER {self._login} {_grant(command)}",
            )
        if isinstance(error, (redis.exceptions.ConnectionError, redis.exceptions.TimeoutError)):
            return Unreachable(f"cannot talk to Redis: {message}", self.where, _connect_remedy(message))
        return self._refused(message, command)

    def _refused(self, message: str, command: str) -> CacheError:
        lowered = message.lower()
        if lowered.startswith(("auth ", "wrongpass", "noauth")):
            # Older versions of redis-py do not tell these apart.
            return LoginRefused(f"Redis refused the login: {message}", self.where, _login_remedy(message))
        if lowered.startswith("unknown command"):
            return NotPermitted(
                f"the server has no command {command.split()[0]}",
                self.where,
                "take away the line rename-command in its configuration; a managed Redis may not offer the command",
            )
        if lowered.startswith("denied") and "protected mode" in lowered:
            return Unreachable(
                "Redis is in protected mode and takes connections of its own host only",
                self.where,
                "connect on the server's host (127.0.0.1 or the Unix socket), or give the server a password",
            )
        # Redis 7 begins its own message with the same words.
        what = message if lowered.startswith(f"{command} failed".lower()) else f"{command} failed: {message}"
        return CacheError(what, self.where)


def connection_arguments(options: dict) -> dict:
    """redis-py's arguments from a module's options, for every version of it from 4.1 to 8."""
    arguments = {
        "username": options.get("login_user"),
        "password": options.get("login_password"),
        "decode_responses": True,
        # Paths need not be UTF-8; this way they survive the way there and back.
        "encoding_errors": "surrogateescape",
        "socket_connect_timeout": CONNECT_TIMEOUT_SECONDS,
        "socket_timeout": READ_TIMEOUT_SECONDS,
        # redis-py >= 6 would try again and again by itself.
        "retry": Retry(NoBackoff(), 0),
    }
    if options.get("login_unix_socket"):
        arguments["unix_socket_path"] = options["login_unix_socket"]
    else:
        arguments["host"] = options.get("login_host")
        arguments["port"] = options.get("login_port")
        if options.get("tls"):
            arguments.update(_tls_arguments(options))
    if "protocol" in inspect.signature(redis.Redis.__init__).parameters:
        # The newer protocol begins with HELLO, which an ACL of Redis 6.2 can forbid before the login.
        arguments["protocol"] = 2
    return arguments


def describe(options: dict) -> str:
    """Where a connection goes, for people."""
    if options.get("login_unix_socket"):
        return str(options["login_unix_socket"])
    host = str(options.get("login_host"))
    return f"[{host}]:{options.get('login_port')}" if ":" in host else f"{host}:{options.get('login_port')}"


def version_tuple(version: str) -> tuple:
    """ "7.0.15" -> (7, 0, 15); an empty tuple, less than every version, for what is no version."""
    return tuple(int(part) for part in re.findall("[0-9]+", version)[:3])


def gist(error) -> str:
    """The heart of a driver's message, without the place, which the error's `where` gives."""
    text = " ".join(str(error).split()) or error.__class__.__name__
    text = re.sub(r"^Error (-?\d+|UNKNOWN) (while writing to socket|connecting to .*?[^.])\. ", "", text)
    return text.rstrip(".")


def _with_password(options: dict) -> dict:
    """The options with the password that stands in the file, where one is named."""
    path = options.get("login_password_file")
    if not path:
        return options
    if options.get("login_password"):
        raise CacheError("login_password and login_password_file are both given", remedy="leave one of them out")
    try:
        with open(path, encoding="utf-8") as file:
            password = file.readline().rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no UTF-8"
        kind = NoPasswordFile if isinstance(error, FileNotFoundError) else CacheError
        raise kind(
            f"the file with the password cannot be read: {reason}",
            str(path),
            "see that login_password_file names the right file, and that the account which runs the task may read it",
        ) from None
    if not password:
        raise CacheError("the first line of the file with the password is empty", str(path), "put the password there")
    return {**options, "login_password": password}


def _require_port(options: dict) -> None:
    port = options.get("login_port")
    if not options.get("login_unix_socket") and not 1 <= port <= HIGHEST_PORT:
        raise CacheError(
            f"login_port is {port}, which is no port", remedy=f"give 1 to {HIGHEST_PORT}, commonly 6379, or a socket"
        )


def _as_answered(answer, **_options):
    return answer


def _tls_arguments(options: dict) -> dict:
    validate = options.get("validate_certs", True)
    return {
        "ssl": True,
        "ssl_cert_reqs": "required" if validate else "none",
        "ssl_check_hostname": validate,
        "ssl_ca_certs": options.get("ca_certs"),
    }


def _grant(command: str) -> str:
    words = command.lower().split()
    return "+" + "|".join(words)


def _is_about_keys(message: str) -> bool:
    # Redis 6.2: "... to access one of the keys used as arguments"; from 7.0 on: "No permissions to access a key".
    return "access" in message and "key" in message


def _login_remedy(message: str) -> str:
    lowered = message.lower()
    if "required" in lowered:
        return "give login_password (and login_user, where the server has users)"
    if "without any password configured" in lowered or "no password is set" in lowered:
        return "leave login_password out: the server wants none"
    return "check login_user and login_password"


def _connect_remedy(message: str) -> str:
    lowered = message.lower()
    if "wrong_version_number" in lowered or "wrong version number" in lowered or "record layer" in lowered:
        return "set tls to false: this port does not speak TLS"
    if "certificate" in lowered:
        return "give ca_certs the certificate authority that signed the server's certificate"
    if "permission denied" in lowered:
        return "run the task as a user that may use the socket (become_user, or the group of the socket)"
    if "closed" in lowered or "reset" in lowered:
        return "look into the server's log; set tls to true if this port speaks TLS"
    if "max number of clients" in lowered:
        return "raise maxclients, or find out who holds the connections (CLIENT LIST)"
    return "check that the server runs and that login_host, login_port or login_unix_socket lead to it"


def _without_password(error: CacheError, password) -> CacheError:
    # No message is known to hold it; should a driver ever quote what it sent, it ends here.
    if password and password in error.what:
        return type(error)(error.what.replace(password, "********"), error.where, error.remedy)
    return error
