# SPDX-License-Identifier: GPL-3.0-or-later
"""Module pg_server_info: which server and database it is, for whoever may log in."""

from __future__ import annotations

from demo.servers import EmbeddedPostgres
from tests.integration.conftest import RunModule, query


def test_any_role_learns_which_server_it_is(postgres: EmbeddedPostgres, run_module: RunModule) -> None:
    query(postgres, "CREATE ROLE nobody LOGIN")
    connection = {"login_unix_socket": str(postgres.socket), "login_user": "nobody", "login_db": "template1"}
    found = run_module("pg_server_info", **connection)
    ((identifier, version),) = query(
        postgres,
        "SELECT system_identifier::text, current_setting('server_version_num')::int FROM pg_control_system()",
    )
    assert found["changed"] is False
    assert found["server"]["system_identifier"] == identifier
    assert found["server"]["database"] == "template1"
    assert found["server"]["version_num"] == version
    assert found["server"]["in_recovery"] is False


def test_a_server_that_is_away_is_told(postgres: EmbeddedPostgres, run_module: RunModule) -> None:
    failed = run_module("pg_server_info", fails=True, login_unix_socket="/nowhere")
    assert "/nowhere" in failed["msg"] and "To mend it" in failed["msg"]
