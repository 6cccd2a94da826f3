# SPDX-License-Identifier: GPL-3.0-or-later
"""Module pg_monitor_service against a real PostgreSQL 18."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from demo.servers import EmbeddedPostgres
from tests.integration.conftest import RunModule, query

ROLE = "midi_monitor"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    """A PostgreSQL with a monitoring role, which listens on loopback as Debian's does."""
    found = EmbeddedPostgres(tmp_path / "pg", port=free_port())
    found.create()
    found.start()
    query_on(found, f"CREATE ROLE {ROLE} LOGIN CONNECTION LIMIT 5 IN ROLE pg_monitor")
    query_on(found, "CREATE TABLE files (id bigint)")
    yield found
    found.stop()


@pytest.fixture
def service(server: EmbeddedPostgres, tmp_path: Path, run_module: RunModule) -> RunModule:
    """Run the module for the fixture's role."""
    (tmp_path / "conf").mkdir()
    place = {"login_unix_socket": str(server.socket), "login_port": server.port}

    def run(**options: Any) -> dict:
        return run_module("pg_monitor_service", role=ROLE, directory=str(tmp_path / "conf"), **{**place, **options})

    return run


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def query_on(server: EmbeddedPostgres, statement: str) -> list[tuple]:
    return query(server, statement, port=str(server.port))


def let_in_by_password_only(server: EmbeddedPostgres) -> None:
    """As on Debian, where the socket is for accounts of the same name."""
    rules = f"local all {ROLE} reject\nlocal all all peer map=demo\nhost all all 127.0.0.1/32 scram-sha-256\n"
    (server.data / "pg_hba.conf").write_text(rules)
    query_on(server, "SELECT pg_reload_conf()")


def give_password(server: EmbeddedPostgres, service: RunModule, **options: Any) -> dict:
    prepared = service(prepare_password=True, **options)
    query_on(server, f"ALTER ROLE {ROLE} PASSWORD '{prepared['hash']}'")
    return prepared


def mode(path: str) -> str:
    return f"{Path(path).stat().st_mode & 0o7777:04o}"


def text(path: str) -> str:
    return Path(path).read_text()


def test_without_a_password_where_the_server_lets_it(tmp_path: Path, service: RunModule) -> None:
    checked = service(check=True)
    assert checked["changed"] and checked["logs_in"]
    assert list((tmp_path / "conf").iterdir()) == []
    first = service()
    assert first["diff"] == checked["diff"]
    assert "user = midi_monitor\n" in first["diff"]["after"]
    assert (first["password_file"], first["proof"]["refused_table"]) == (None, "public.files")
    assert [path.name for path in (tmp_path / "conf").iterdir()] == ["pg_service.conf"]
    assert mode(first["service_file"]) == "0600"
    assert not service()["changed"]


def test_with_a_password_that_is_made_up_and_stays(server: EmbeddedPostgres, service: RunModule) -> None:
    let_in_by_password_only(server)
    assert service(must_log_in=False)["logs_in"] is False
    checked = service(prepare_password=True, check=True)
    assert checked["changed"] and not Path(checked["password_file"]).exists()
    prepared = give_password(server, service)
    password = text(prepared["password_file"]).strip().rsplit(":", 1)[1]
    assert len(password) > 40 and password not in str(prepared)
    assert mode(prepared["password_file"]) == "0600"
    done = service()
    assert (done["logs_in"], done["host"], done["changed"]) == (True, "127.0.0.1", True)
    assert password not in str(done)
    again = service()
    assert (again["changed"], again["attempts"]) == (False, [])
    # A client that has nothing but the service's name and file gets in, as the agent will.
    environment = {**os.environ, "PGSERVICEFILE": done["service_file"]}
    code = "import psycopg2; c = psycopg2.connect(service='midi_capacity'); print(c.info.user)"
    said = subprocess.check_output([sys.executable, "-c", code], env=environment, text=True)
    assert said.strip() == ROLE
    # It stays the same, whoever asks.
    assert service(prepare_password=True)["changed"] is False
    assert password in text(prepared["password_file"])


def test_a_password_file_that_was_lost_or_is_wrong_is_found_out(server: EmbeddedPostgres, service: RunModule) -> None:
    let_in_by_password_only(server)
    prepared = give_password(server, service)
    service()
    first = text(prepared["password_file"])
    Path(prepared["password_file"]).unlink()
    assert service(must_log_in=False)["logs_in"] is False
    assert give_password(server, service)["changed"]
    assert text(prepared["password_file"]) != first
    service()
    # The role's password was changed by somebody: the stored one is given to it again.
    second = text(prepared["password_file"])
    query_on(server, f"ALTER ROLE {ROLE} PASSWORD 'another'")
    assert service(must_log_in=False)["logs_in"] is False
    assert not give_password(server, service)["changed"]
    assert text(prepared["password_file"]) == second
    assert not service()["changed"]


def test_a_given_password_is_used_and_another_one_replaces_it(server: EmbeddedPostgres, service: RunModule) -> None:
    let_in_by_password_only(server)
    prepared = give_password(server, service, password="corr:ct\\horse 1")
    assert service(password="corr:ct\\horse 1")["changed"]
    assert not service(password="corr:ct\\horse 1")["changed"]
    rotated = service(password="corr:ct\\horse 2", must_log_in=False)
    assert (rotated["logs_in"], rotated["changed"]) == (False, False)
    assert "another one" in give_password(server, service, password="corr:ct\\horse 2")["diff"]["after"]
    assert service(password="corr:ct\\horse 2")["logs_in"]
    assert "horse 2" in text(prepared["password_file"])
    refused = service(prepare_password=True, password="naïve", fails=True)
    assert "other characters than printable ones of ASCII" in refused["msg"]


def test_a_mode_that_lets_others_read_is_mended(service: RunModule) -> None:
    done = service()
    Path(done["service_file"]).chmod(0o644)
    mended = service()
    assert mended["changed"] and "mode of pg_service.conf = 0644" in mended["diff"]["before"]
    assert mode(done["service_file"]) == "0600"


def test_whoever_is_not_let_in_is_told_the_line(server: EmbeddedPostgres, service: RunModule) -> None:
    (server.data / "pg_hba.conf").write_text(f"local all {ROLE} reject\nlocal all all peer map=demo\n")
    query_on(server, "SELECT pg_reload_conf()")
    refused = service(login_db="postgres", fails=True)
    assert f"`host postgres {ROLE} 127.0.0.1/32 scram-sha-256`" in refused["msg"]
    assert len(refused["attempts"]) == 2
    assert "pg_hba.conf" in refused["attempts"][1]
    # The line, as the message says it.
    line = refused["msg"].split("`")[1]
    with (server.data / "pg_hba.conf").open("a") as file:
        file.write(f"{line}\n")
    query_on(server, "SELECT pg_reload_conf()")
    give_password(server, service)
    assert service()["logs_in"]


@pytest.mark.parametrize(
    ("statement", "complaint"),
    [
        (f"REVOKE pg_monitor FROM {ROLE}", f'GRANT pg_monitor TO "{ROLE}"'),
        (f"GRANT SELECT ON files TO {ROLE}", "has rights on public.files"),
        (f"GRANT INSERT (id) ON files TO {ROLE}", "has rights on public.files"),
        (f"ALTER TABLE files OWNER TO {ROLE}", "has rights on public.files"),
        (f"GRANT pg_read_all_data TO {ROLE}", "has rights on public.files"),
    ],
)
def test_a_role_that_may_less_or_more_is_refused(
    server: EmbeddedPostgres, service: RunModule, statement: str, complaint: str
) -> None:
    query_on(server, statement)
    assert complaint in service(fails=True)["msg"]


def test_tables_that_everybody_may_read_are_named(server: EmbeddedPostgres, service: RunModule) -> None:
    query_on(server, "GRANT SELECT ON files TO PUBLIC")
    assert service()["proof"] == {"refused_table": None, "public_tables": ["public.files"]}


def test_a_password_of_the_account_is_not_used(
    server: EmbeddedPostgres, service: RunModule, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It would seem to work, until the agent runs without it."""
    let_in_by_password_only(server)
    query_on(server, f"ALTER ROLE {ROLE} PASSWORD 'its-own'")
    pgpass = tmp_path / "pgpass"
    pgpass.write_text("*:*:*:*:its-own\n")
    pgpass.chmod(0o600)
    monkeypatch.setenv("PGPASSFILE", str(pgpass))
    assert service(must_log_in=False)["logs_in"] is False
    monkeypatch.setenv("PGPASSWORD", "its-own")
    assert service(must_log_in=False)["logs_in"] is False
    with psycopg2.connect(host="127.0.0.1", port=server.port, user=ROLE, dbname="postgres") as connection:
        assert connection.info.user == ROLE
