# SPDX-License-Identifier: GPL-3.0-or-later
"""The role that the agent logs in as: role monitoring_cron against a real PostgreSQL 18."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg2
import psycopg2.errors
import pytest

from demo.servers import EmbeddedPostgres
from tests.integration.conftest import query
from tests.integration.playbook_runs import Phase1

ROLE = "midi_monitor"
TAGS = ("--tags", "monitoring_cron")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    """A PostgreSQL that listens on loopback, where it wants passwords, as Debian's does."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    found = EmbeddedPostgres(tmp_path / "pg", port=port)
    found.create()
    found.start()
    yield found
    found.stop()


@pytest.fixture
def phase1(tmp_path: Path, server: EmbeddedPostgres) -> Phase1:
    found = Phase1(tmp_path, server)
    found.variables["capacity_postgres_connection"]["login_port"] = server.port
    return found


def run_sql(server: EmbeddedPostgres, statement: str) -> list[tuple]:
    return query(server, statement, port=str(server.port))


def password_only(server: EmbeddedPostgres) -> None:
    """The socket is for others, as on Debian for accounts of another name."""
    rules = f"local all {ROLE} reject\nlocal all all peer map=demo\nhost all all 127.0.0.1/32 scram-sha-256\n"
    (server.data / "pg_hba.conf").write_text(rules)
    run_sql(server, "SELECT pg_reload_conf()")


def conf(phase1: Phase1) -> dict[str, str]:
    """The files of the login with their modes."""
    return {path.name: f"{path.stat().st_mode & 0o7777:04o}" for path in (phase1.state / "conf").iterdir()}


def logged_in(phase1: Phase1, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A connection as the agent makes it."""
    monkeypatch.setenv("PGSERVICEFILE", str(phase1.state / "conf" / "pg_service.conf"))
    return psycopg2.connect(service="midi_capacity")


def test_where_the_socket_lets_it_in_there_is_no_password(
    server: EmbeddedPostgres, phase1: Phase1, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_sql(server, "CREATE TABLE files (id bigint)")
    checked = phase1.succeeds(*TAGS, "--check", "--diff")
    assert "login would be as midi_monitor, a role that it would get" in checked.text
    assert run_sql(server, f"SELECT FROM pg_roles WHERE rolname = '{ROLE}'") == []
    assert not phase1.state.exists()

    first = phase1.succeeds(*TAGS, "--diff")
    assert f"login as {ROLE} without a password: {phase1.state}/conf/pg_service.conf" in first.text
    assert f"+user = {ROLE}" in first.output
    assert conf(phase1) == {"agent.json": "0600", "pg_service.conf": "0600"}
    assert (phase1.state / "conf").stat().st_mode & 0o777 == 0o700
    attributes = "rolcanlogin, rolconnlimit, rolsuper, rolcreatedb, rolcreaterole, rolreplication, rolbypassrls"
    found = run_sql(server, f"SELECT {attributes} FROM pg_roles WHERE rolname = '{ROLE}'")
    assert found == [(True, 5, False, False, False, False, False)]
    groups = f"SELECT roleid::regrole::text FROM pg_auth_members WHERE member = '{ROLE}'::regrole"
    assert run_sql(server, groups) == [("pg_monitor",)]
    with logged_in(phase1, monkeypatch) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_ls_waldir()")
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            cursor.execute("SELECT FROM files")
    connection.close()

    assert phase1.succeeds(*TAGS).changed("db") == 0


def test_a_password_is_made_up_once_and_again_when_it_is_lost(
    server: EmbeddedPostgres, phase1: Phase1, monkeypatch: pytest.MonkeyPatch
) -> None:
    password_only(server)
    first = phase1.succeeds(*TAGS, "--diff", "-vvv")
    assert f"login as {ROLE} with a password" in first.text
    assert conf(phase1) == {"agent.json": "0600", "pg_service.conf": "0600", "pgpass": "0600"}
    pgpass = phase1.state / "conf" / "pgpass"
    before = pgpass.read_text()
    assert before.strip().rsplit(":", 1)[1] not in first.output
    ((stored,),) = run_sql(server, f"SELECT rolpassword FROM pg_authid WHERE rolname = '{ROLE}'")
    assert stored.startswith("SCRAM-SHA-256$4096:")
    assert stored not in first.output
    logged_in(phase1, monkeypatch).close()

    assert phase1.succeeds(*TAGS).changed("db") == 0
    assert run_sql(server, f"SELECT rolpassword FROM pg_authid WHERE rolname = '{ROLE}'") == [(stored,)]

    pgpass.unlink()
    checked = phase1.succeeds(*TAGS, "--check")
    assert checked.changed("db") > 0
    assert not pgpass.exists()
    assert phase1.succeeds(*TAGS).changed("db") > 0
    assert pgpass.read_text() != before
    logged_in(phase1, monkeypatch).close()
    assert phase1.succeeds(*TAGS).changed("db") == 0


def test_a_role_that_can_do_more_is_named_and_left_alone(server: EmbeddedPostgres, phase1: Phase1) -> None:
    for statement in (f"CREATE ROLE {ROLE} LOGIN CREATEDB", "CREATE ROLE app", f"GRANT app TO {ROLE}"):
        run_sql(server, statement)
    said = phase1.fails(*TAGS)
    assert "that role can do more than monitor: CREATEDB, member of app" in said
    assert "It was left as it is" in said
    remedy = said.split("take that away (")[1].split(")")[0]
    # Ansible shows messages as YAML or JSON, so quotes may be escaped.
    for statement in remedy.replace("\\", "").split("; "):
        run_sql(server, statement)
    assert phase1.succeeds(*TAGS).changed("db") > 0
    assert phase1.succeeds(*TAGS).changed("db") == 0


def test_a_role_that_somebody_lives_on_is_left_alone(server: EmbeddedPostgres, phase1: Phase1) -> None:
    for statement in (f"CREATE ROLE {ROLE} LOGIN PASSWORD 'theirs'", f"CREATE TABLE t (); GRANT SELECT ON t TO {ROLE}"):
        run_sql(server, statement)
    before = run_sql(server, f"SELECT rolconnlimit, rolpassword FROM pg_authid WHERE rolname = '{ROLE}'")
    said = phase1.fails(*TAGS)
    assert "it owns something or was granted something, and is no member of pg_monitor. It was left as it is" in said
    assert run_sql(server, f"SELECT rolconnlimit, rolpassword FROM pg_authid WHERE rolname = '{ROLE}'") == before
    assert not phase1.state.exists()


def test_each_agent_has_a_role_of_its_own(server: EmbeddedPostgres, phase1: Phase1, tmp_path: Path) -> None:
    password_only(server)
    phase1.succeeds(*TAGS)
    stored = run_sql(server, f"SELECT rolpassword FROM pg_authid WHERE rolname = '{ROLE}'")
    first = phase1.state
    phase1.state = tmp_path / "second"
    phase1.variables["capacity_state_dir"] = str(phase1.state)
    said = phase1.fails(*TAGS)
    assert f"of another agent (Reads statistics for midi.capacity, agent in {first})" in said
    phase1.variables["monitoring_cron_role"] = "midi_monitor_second"
    (server.data / "pg_hba.conf").write_text("local all all peer map=demo\nhost all all 127.0.0.1/32 scram-sha-256\n")
    run_sql(server, "SELECT pg_reload_conf()")
    phase1.succeeds(*TAGS)
    assert run_sql(server, f"SELECT rolpassword FROM pg_authid WHERE rolname = '{ROLE}'") == stored
    phase1.succeeds(*TAGS, monitoring_cron_state="absent")
    assert run_sql(server, f"SELECT rolname FROM pg_roles WHERE rolname ~ '{ROLE}'") == [(ROLE,)]


def test_a_role_that_was_there_before_stays_when_the_agent_goes(server: EmbeddedPostgres, phase1: Phase1) -> None:
    run_sql(server, f"CREATE ROLE {ROLE} LOGIN CONNECTION LIMIT 5 IN ROLE pg_monitor")
    phase1.succeeds(*TAGS)
    phase1.succeeds(*TAGS, monitoring_cron_state="absent")
    assert run_sql(server, f"SELECT rolname FROM pg_roles WHERE rolname = '{ROLE}'") == [(ROLE,)]
    assert conf(phase1) == {}


def test_whoever_is_not_let_in_is_told_the_line_for_pg_hba(server: EmbeddedPostgres, phase1: Phase1) -> None:
    (server.data / "pg_hba.conf").write_text(f"local all {ROLE} reject\nlocal all all peer map=demo\n")
    run_sql(server, "SELECT pg_reload_conf()")
    said = phase1.fails(*TAGS)
    assert f"add the line `host postgres {ROLE} 127.0.0.1/32 scram-sha-256` to the server's pg_hba.conf" in said
    with (server.data / "pg_hba.conf").open("a") as file:
        file.write(f"host postgres {ROLE} 127.0.0.1/32 scram-sha-256\n")
    run_sql(server, "SELECT pg_reload_conf()")
    phase1.succeeds(*TAGS)


def test_whoever_wants_no_role_gets_none(server: EmbeddedPostgres, phase1: Phase1) -> None:
    run = phase1.succeeds(*TAGS, monitoring_cron_role="")
    assert "login as" not in run.text
    assert run_sql(server, f"SELECT FROM pg_roles WHERE rolname = '{ROLE}'") == []
    assert conf(phase1) == {"agent.json": "0600"}
    assert [entry["server"]["database"] for entry in phase1.history()] == ["postgres"]


def test_a_login_that_may_not_make_roles_is_told_who_may(server: EmbeddedPostgres, phase1: Phase1) -> None:
    run_sql(server, "CREATE ROLE reader LOGIN IN ROLE pg_monitor")
    phase1.variables["capacity_postgres_connection"]["login_user"] = "reader"
    said = phase1.fails(*TAGS)
    assert f"The role {ROLE} could not be made: " in said
    assert "let a superuser run CREATE ROLE" in said
    for statement in (f"CREATE ROLE {ROLE} LOGIN CONNECTION LIMIT 5", f"GRANT pg_monitor TO {ROLE}"):
        run_sql(server, statement)
    assert f"login as {ROLE} without a password" in phase1.succeeds(*TAGS).text


def test_on_a_standby_the_role_comes_over_and_only_files_are_made(server: EmbeddedPostgres, phase1: Phase1) -> None:
    def as_standby(yes: bool) -> None:
        server.stop()
        (server.data / "standby.signal").touch() if yes else (server.data / "standby.signal").unlink()
        server.start()

    as_standby(True)
    waits = phase1.succeeds(*TAGS)
    assert f"role {ROLE}: this server is a standby and takes no writes" in waits.text.split("To do next:")[1]
    assert not (phase1.state / "conf").exists()

    password_only(server)
    as_standby(False)
    run_sql(server, f"CREATE ROLE {ROLE} LOGIN CONNECTION LIMIT 5 IN ROLE pg_monitor PASSWORD 'that-of-the-primary'")
    as_standby(True)
    said = phase1.fails(*TAGS)
    assert "Its password is that of the primary" in said
    assert "give the same monitoring_cron_role_password on both" in said
    assert not (phase1.state / "conf" / "pgpass").exists()
    phase1.variables["monitoring_cron_role_password"] = "that-of-the-primary"
    run = phase1.succeeds(*TAGS, "-vvv")
    assert f"login as {ROLE} with a password" in run.text
    assert "that-of-the-primary" not in run.output
    assert conf(phase1) == {"agent.json": "0600", "pg_service.conf": "0600", "pgpass": "0600"}
    assert phase1.succeeds(*TAGS).changed("db") == 0
