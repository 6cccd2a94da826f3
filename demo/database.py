# SPDX-License-Identifier: GPL-3.0-or-later
"""Connections to the demo's PostgreSQL, such that Ctrl-C works at any moment."""

from __future__ import annotations

import contextlib
import select
import time
from collections.abc import Iterator
from typing import Any

import psycopg2
from psycopg2 import extensions

from demo.servers import START_SECONDS, EmbeddedPostgres

NAME = "midi.capacity demo"


@contextlib.contextmanager
def connected(server: EmbeddedPostgres, database: str = "postgres") -> Iterator[Any]:
    """An autocommit connection as the superuser, over the socket; a server that is about to be ready is waited for."""
    connection = _connect(server, database)
    connection.autocommit = True
    try:
        yield connection
    finally:
        connection.close()


def _connect(server: EmbeddedPostgres, database: str) -> Any:
    place: dict[str, Any] = {"host": str(server.socket), "port": server.port, "dbname": database}
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            return psycopg2.connect(**place, user="postgres", application_name=NAME)
        except psycopg2.OperationalError as error:
            # "… is starting up", "… is in recovery mode": libpq gives no code for it.
            if "the database system is" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def run(connection: Any, statement: Any, arguments: Any = None) -> list[tuple[Any, ...]]:
    """Run one statement and give its rows; a KeyboardInterrupt comes through at once, not when the server is done."""
    extensions.set_wait_callback(_wait)
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement, arguments)
            return cursor.fetchall() if cursor.description else []
    finally:
        extensions.set_wait_callback(None)


def _wait(connection: Any) -> None:
    while True:
        state = connection.poll()
        if state == extensions.POLL_OK:
            return
        if state == extensions.POLL_READ:
            select.select([connection.fileno()], [], [])
        else:
            select.select([], [connection.fileno()], [])
