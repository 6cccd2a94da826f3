# SPDX-License-Identifier: GPL-3.0-or-later
"""What a module says when there is no connection worth having. The server is scripted where no real one can be had."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.midi.capacity.plugins.module_utils import _postgres
from ansible_collections.midi.capacity.plugins.module_utils._postgres import (
    POSTGRES_SPEC,
    PostgresError,
    Server,
    connection_arguments,
    describe,
)

DEFAULTS = {name: option.get("default") for name, option in POSTGRES_SPEC.options.items()}


class OldConnection:
    """A connection to a server of a version that nobody has any more."""

    def __init__(self, version_num: int) -> None:
        self.server_version = version_num
        self.autocommit = False
        self.info = SimpleNamespace(user="postgres", dbname="postgres")
        self.closed = False

    def close(self) -> None:
        self.closed = True


@pytest.mark.parametrize(("version_num", "version"), [(130022, "13.22"), (90624, "9.6.24")])
def test_a_version_that_is_too_old_is_refused_with_the_versions_that_are_not(
    monkeypatch: pytest.MonkeyPatch, version_num: int, version: str
) -> None:
    connection = OldConnection(version_num)
    monkeypatch.setattr(_postgres.psycopg2, "connect", lambda **_arguments: connection)
    with pytest.raises(PostgresError) as refused:
        Server.connect({**DEFAULTS, "login_host": "db1"})
    assert str(refused.value) == (
        f'PostgreSQL {version} is not supported (db1 port 5432, role "postgres", database "postgres"). To mend it:'
        " upgrade the server: this collection works with PostgreSQL 14 to 18."
    )
    assert connection.closed


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, {"port": 5432, "user": "postgres", "dbname": "postgres", "sslmode": "prefer"}),
        ({"login_host": "db1", "login_unix_socket": "/run"}, {"host": "db1"}),
        ({"login_unix_socket": "/run"}, {"host": "/run"}),
        # What stands in the service's section counts, unless an option is given.
        ({"service": "midi", "login_user": "reader"}, {"service": "midi", "user": "reader"}),
        ({"connect_params": {"port": 5433, "passfile": "/p"}}, {"port": 5433, "passfile": "/p"}),
    ],
)
def test_options_become_libpq_parameters(options: dict[str, Any], expected: dict[str, Any]) -> None:
    arguments = connection_arguments({**DEFAULTS, **options})
    assert {name: arguments.get(name) for name in expected} == expected
    assert arguments["application_name"] == "midi.capacity"
    if "service" in options:
        assert not {"port", "dbname", "sslmode"} & set(arguments)


def test_where_never_has_the_password() -> None:
    where = describe(connection_arguments({**DEFAULTS, "login_password": "hunter22"}))
    assert where == 'the default Unix socket port 5432, role "postgres", database "postgres"'
