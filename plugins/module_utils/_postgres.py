# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PostgreSQL: the connection, queries and typed errors. The only place that imports psycopg2."""

from __future__ import annotations

import errno
import os
import select
import socket
import time
import traceback

from ansible_collections.midi.capacity.plugins.module_utils._argspec import ArgumentSpec
from ansible_collections.midi.capacity.plugins.module_utils._errors import OperatorError
from ansible_collections.midi.capacity.plugins.module_utils._query_text import OWN
from ansible_collections.midi.capacity.plugins.module_utils._restart.answer import Knock, first_sqlstate

try:
    import psycopg2
    import psycopg2.extensions
    import psycopg2.extras
    import psycopg2.sql
except ImportError:
    psycopg2 = None
    PSYCOPG2_IMPORT_ERROR = traceback.format_exc()
else:
    PSYCOPG2_IMPORT_ERROR = None

# What composes statements, for the modules that write them.
sql = psycopg2.sql if psycopg2 else None
OLDEST_VERSION_NUM = 140000
# The first libpq that knows of encryption by GSSAPI.
_GSS_LIBPQ_VERSION = 120000
_FIRST_MESSAGE_BYTES = 8192
CONNECT_TIMEOUT_SECONDS = 10
QUERY_CANCELED = "57014"
# Where the server's message says nothing better.
REACH_REMEDY = "check that the server runs and that login_host, login_port and login_unix_socket lead to it"
# What may stand in connect_params and must not be seen.
SECRET_PARAMETERS = ("password", "sslpassword")

POSTGRES_SPEC = ArgumentSpec(
    {
        "login_host": {"type": "str", "default": ""},
        "login_port": {"type": "int", "default": 5432},
        "login_user": {"type": "str", "default": "postgres"},
        "login_password": {"type": "str", "no_log": True},
        "login_db": {"type": "str", "default": "postgres"},
        "login_unix_socket": {"type": "path"},
        "ssl_mode": {
            "type": "str",
            "default": "prefer",
            "choices": ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"],
        },
        "ca_cert": {"type": "path"},
        "service": {"type": "str"},
        "connect_params": {"type": "dict", "default": {}},
    },
    secrets=lambda options: [(options["connect_params"] or {}).get(name) for name in SECRET_PARAMETERS],
)


class PostgresError(OperatorError):
    """A fault in talking to PostgreSQL; `sqlstate` is the server's code where it gave one."""

    def __init__(self, what, where="", remedy="", details=None, sqlstate=None):
        super().__init__(what, where, remedy, details)
        self.sqlstate = sqlstate


class Unreachable(PostgresError):
    """No connection could be made."""


class LoginRefused(Unreachable):
    """The server runs, and does not let this role in."""


class NotPermitted(PostgresError):
    """The role that connected lacks a privilege."""


def connection_arguments(options: dict) -> dict:
    """libpq's parameters from a module's options.

    With a service, an option left at its default gives way to the service's section.
    """
    service = options.get("service")
    arguments = {
        "host": options.get("login_host") or options.get("login_unix_socket"),
        "port": options.get("login_port"),
        "user": options.get("login_user"),
        "password": options.get("login_password"),
        "dbname": options.get("login_db"),
        "sslmode": options.get("ssl_mode"),
        "sslrootcert": options.get("ca_cert"),
    }
    if service:
        defaults = {"port": 5432, "user": "postgres", "dbname": "postgres", "sslmode": "prefer"}
        arguments = {key: value for key, value in arguments.items() if value != defaults.get(key)}
        arguments["service"] = service
    arguments["connect_timeout"] = CONNECT_TIMEOUT_SECONDS
    arguments["application_name"] = "midi.capacity"
    # A database in SQL_ASCII would otherwise hand over bytes that nobody can read.
    arguments["client_encoding"] = "UTF8"
    arguments.update(options.get("connect_params") or {})
    return {key: value for key, value in arguments.items() if value not in (None, "")}


def knock(options: dict) -> Knock:
    """Begins to log in as a module's options say, and hears how the server takes it; tells it no password.

    Unencrypted, because libpq does not tell the SQLSTATE of a login that fails, and its messages are in many languages.
    """
    arguments = {**connection_arguments(options), "sslmode": "disable"}
    if psycopg2.extensions.libpq_version() >= _GSS_LIBPQ_VERSION:
        arguments["gssencmode"] = "disable"
    deadline = time.monotonic() + CONNECT_TIMEOUT_SECONDS
    try:
        connection = psycopg2.connect(async_=1, **arguments)
        try:
            return _heard(connection, deadline)
        finally:
            connection.close()
    except psycopg2.Error as error:
        # As libpq puts them, in the language of this process.
        nobody = [os.strerror(number) for number in (errno.ECONNREFUSED, errno.ENOENT)]
        return Knock(None, any(reason in str(error) for reason in nobody))


def _heard(connection, deadline: float) -> Knock:
    """libpq goes through the addresses of a server until one of them says something."""
    while True:
        state = connection.poll()
        if state == psycopg2.extensions.POLL_OK:
            return Knock("", False)
        place, reads = connection.fileno(), state == psycopg2.extensions.POLL_READ
        left = max(0.0, deadline - time.monotonic())
        if not any(select.select([place] if reads else [], [] if reads else [place], [], left)):
            return Knock(None, False)
        message = _peek(place) if reads else b""
        if message:
            return Knock(first_sqlstate(message), False)


def _peek(descriptor: int) -> bytes:
    """What libpq would read next."""
    with socket.socket(fileno=os.dup(descriptor)) as seen:
        try:
            return seen.recv(_FIRST_MESSAGE_BYTES, socket.MSG_PEEK)
        except OSError:
            return b""


def give_up_at(deadline: float) -> None:
    """From now on no connection of this process waits longer than until then, by time.monotonic(); nor to connect.

    libpq itself knows a limit for connecting only, so it is psycopg2 that waits, with this.
    """
    began: dict = {}

    def wait(connection) -> None:
        until = deadline
        if connection.status == psycopg2.extensions.STATUS_SETUP:
            until = min(deadline, began.setdefault(id(connection), time.monotonic()) + CONNECT_TIMEOUT_SECONDS)
        while True:
            state = connection.poll()
            if state == psycopg2.extensions.POLL_OK:
                began.pop(id(connection), None)
                return
            place, reads = connection.fileno(), state == psycopg2.extensions.POLL_READ
            left = until - time.monotonic()
            if left <= 0 or not any(select.select([place] if reads else [], [] if reads else [place], [], left)):
                raise psycopg2.OperationalError("no answer within the time that there was")

    psycopg2.extensions.set_wait_callback(wait)


class Server:
    """One autocommit connection to one PostgreSQL server."""

    def __init__(self, connection, where: str) -> None:
        self._connection = connection
        self.where = where
        self.version_num = connection.server_version

    @classmethod
    def connect(cls, options: dict) -> Server:
        """Connect as a module's options say. Raises Unreachable, or PostgresError for a version that is too old."""
        arguments = connection_arguments(options)
        where = describe(arguments)
        try:
            connection = psycopg2.connect(**arguments)
        except psycopg2.Error as error:
            raise _unreachable(error, arguments, where) from None
        connection.autocommit = True
        server = cls(connection, where)
        if server.version_num < OLDEST_VERSION_NUM:
            version = server.version
            server.close()
            raise PostgresError(
                f"PostgreSQL {version} is not supported",
                where,
                "upgrade the server: this collection works with PostgreSQL 14 to 18",
            )
        return server

    @property
    def version(self) -> str:
        """As people write it, for example 16.4; before 10 it had three parts."""
        major, rest = divmod(self.version_num, 10000)
        return f"{major}.{rest}" if major >= 10 else f"{major}.{rest // 100}.{rest % 100}"

    @property
    def user(self) -> str:
        return self._connection.info.user

    @property
    def database(self) -> str:
        return self._connection.info.dbname

    @property
    def host(self) -> str:
        """As the connection's options or its service name it: a name, an address, or the directory of a socket."""
        return self._connection.info.host

    def rows(self, statement, arguments=None) -> list:
        """The rows of a query, each a dict."""
        with self._connection.cursor(cursor_factory=psycopg2.extras.RealDictCursor) as cursor:
            self._run(cursor, statement, arguments)
            return [dict(row) for row in cursor.fetchall()]

    def value(self, statement, arguments=None):
        """The first column of the only row of a query."""
        with self._connection.cursor() as cursor:
            self._run(cursor, statement, arguments)
            return cursor.fetchone()[0]

    def execute(self, statement, arguments=None) -> str:
        """Run a statement that returns nothing; gives its text as sent."""
        with self._connection.cursor() as cursor:
            self._run(cursor, statement, arguments)
            return cursor.query.decode()

    def copy(self, statement, file) -> None:
        """Run a COPY ... FROM STDIN with what the file has."""
        with self._connection.cursor() as cursor:
            try:
                cursor.copy_expert(statement, file)
            except psycopg2.Error as error:
                raise self._translated(error) from None

    def text(self, statement) -> str:
        """A composed statement as it would be sent."""
        return statement.as_string(self._connection)

    def in_recovery(self) -> bool:
        return self.value(f"SELECT {OWN} pg_is_in_recovery()")

    def system_identifier(self) -> str:
        """What tells this cluster from all others; a standby has that of its primary."""
        return self.value("SELECT system_identifier::text FROM pg_control_system()")

    def close(self) -> None:
        self._connection.close()

    def _run(self, cursor, statement, arguments) -> None:
        try:
            cursor.execute(statement, arguments)
        except psycopg2.Error as error:
            raise self._translated(error) from None

    def _translated(self, error) -> PostgresError:
        message = first_line(error)
        detail = (error.diag.message_detail or "").strip().rstrip(".")
        if detail:
            message += f": {detail}"
        if error.pgcode == "42501":
            return NotPermitted(
                message,
                self.where,
                f'connect as a role that may do this; "{self.user}" may not',
                sqlstate=error.pgcode,
            )
        if self._connection.closed:
            return Unreachable(
                f"the connection was lost: {message}", self.where, "look into the server's log", sqlstate=error.pgcode
            )
        return PostgresError(message, self.where, _server_remedy(error), sqlstate=error.pgcode)


def describe(arguments: dict) -> str:
    """Where a connection goes, for people; never the password."""
    place = arguments.get("host") or (
        f"service {arguments['service']}" if "service" in arguments else "the default Unix socket"
    )
    if "port" in arguments:
        place += f" port {arguments['port']}"
    return f'{place}, role "{arguments.get("user", "(default)")}", database "{arguments.get("dbname", "(default)")}"'


def first_line(error) -> str:
    """The gist of a driver's message: its first line, without the severity."""
    diag = getattr(error, "diag", None)
    message = (getattr(diag, "message_primary", None) or str(error)).strip().splitlines()
    text = message[0] if message else error.__class__.__name__
    return text.replace("FATAL:  ", "").replace("ERROR:  ", "").rstrip(".")


def _server_remedy(error) -> str:
    """The server's own hint, or what is known to help."""
    hint = (getattr(error.diag, "message_hint", None) or "").strip().rstrip(".")
    if hint:
        return hint[0].lower() + hint[1:]
    return "raise or reset statement_timeout for this role" if error.pgcode == QUERY_CANCELED else ""


def _unreachable(error, arguments: dict, where: str) -> Unreachable:
    message = first_line(error)
    # libpq prefixes 'connection to server … failed: '; `where` already says which server.
    if "failed: " in message:
        message = message.split("failed: ", 1)[1]
    password = arguments.get("password")
    if password:
        message = message.replace(str(password), "********")
    kind = LoginRefused if _is_refused(message.lower()) else Unreachable
    return kind(f"cannot connect to PostgreSQL: {message}", where, _connect_remedy(message))


def _is_refused(lowered: str) -> bool:
    return (
        "authentication failed" in lowered
        or "no password" in lowered
        or "not permitted to log in" in lowered
        or _has_no_role(lowered)
    )


def _has_no_role(lowered: str) -> bool:
    return lowered.startswith("role ") and lowered.endswith(" does not exist")


def _connect_remedy(message: str) -> str:
    lowered = message.lower()
    if "peer authentication" in lowered:
        return "run the task as the operating system user of that role (become_user), or log in with a password"
    if "authentication failed" in lowered or "no password" in lowered:
        return "check login_user and its password, or the pgpass file"
    if _has_no_role(lowered):
        return "check login_user, or have that role made"
    if "not permitted to log in" in lowered:
        return "check login_user, or have that role made one that may LOGIN"
    if "no pg_hba.conf entry" in lowered:
        return "allow this client in the server's pg_hba.conf, or connect over the Unix socket"
    if "does not exist" in lowered and "database" in lowered:
        return "check login_db"
    if "starting up" in lowered or "shutting down" in lowered:
        return "wait until the server is up, then run again"
    return REACH_REMEDY
