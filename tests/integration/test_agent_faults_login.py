# SPDX-License-Identifier: GPL-3.0-or-later
"""The agent and logins: one that is refused, a role that may see little, a database that is gone, others who log in."""

from __future__ import annotations

import contextlib
import socket
import struct
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest

from demo.servers import EmbeddedPostgres
from tests.integration.agent_runs import Agent, with_statements
from tests.integration.conftest import query

_PROTOCOL = 3 << 16


@pytest.fixture
def agent(tmp_path: Path, postgres: EmbeddedPostgres) -> Agent:
    """Logs in by a password as a role that may see everything."""
    with_statements(postgres)
    query(postgres, "CREATE ROLE watcher LOGIN PASSWORD 'right' IN ROLE pg_monitor")
    query(postgres, "CREATE DATABASE watched")
    query(postgres, "CREATE EXTENSION pg_stat_statements", dbname="watched")
    rules = postgres.data / "pg_hba.conf"
    rules.write_text("local all watcher scram-sha-256\n" + rules.read_text())
    query(postgres, "SELECT pg_reload_conf()")
    return Agent(tmp_path, postgres, postgres=login(postgres))


def login(postgres: EmbeddedPostgres, password: str = "right") -> dict[str, str]:
    role = {"login_user": "watcher", "login_password": password, "login_db": "watched"}
    return {"login_host": str(postgres.socket), **role}


@contextlib.contextmanager
def logging_in(postgres: EmbeddedPostgres) -> Iterator[None]:
    """Somebody who was asked for a password and does not give it yet."""
    names = b"user\0watcher\0database\0watched\0\0"
    with socket.socket(socket.AF_UNIX) as opened:
        opened.connect(str(postgres.socket / f".s.PGSQL.{postgres.port}"))
        opened.sendall(struct.pack("!ii", 8 + len(names), _PROTOCOL) + names)
        assert opened.recv(1) == b"R"
        yield


def test_somebody_who_logs_in_is_a_connection_without_a_database(postgres: EmbeddedPostgres, agent: Agent) -> None:
    other = psycopg2.connect(host=str(postgres.socket), user="postgres", dbname="postgres")
    with contextlib.closing(other), logging_in(postgres):
        assert (None,) in query(postgres, "SELECT datname FROM pg_stat_activity WHERE backend_type = 'client backend'")
        done = agent("snapshot")
    assert done.returncode == 0, done.stderr
    with agent.store() as store:
        connections = store.document(store.heads("full")[-1]["id"])["connections"]
    assert connections["total"] == 2 and connections["by_database"] == {"postgres": 1}
