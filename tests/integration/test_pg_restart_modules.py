# SPDX-License-Identifier: GPL-3.0-or-later
"""Modules pg_restart_info, pg_drain and pg_interruption_info against a server."""

from __future__ import annotations

import threading
from pathlib import Path

import psycopg2

from demo.servers import EmbeddedPostgres
from tests.integration.conftest import RunModule, query


def test_what_a_restart_would_change(postgres: EmbeddedPostgres, run_module: RunModule) -> None:
    connection = {"login_unix_socket": str(postgres.socket)}
    assert run_module("pg_restart_info", **connection)["pending"] == {}
    query(postgres, "ALTER SYSTEM SET max_connections = 150")
    query(postgres, "ALTER SYSTEM SET work_mem = '8MB'")
    query(postgres, "SELECT pg_reload_conf()")
    found = run_module("pg_restart_info", **connection, auto_conf=True)
    assert found["pending"] == {"max_connections": {"live": "100", "next_start": "150"}}
    assert found["required"]["max_connections"] == {"live": "100", "next_start": "150"}
    assert found["required"]["max_wal_senders"] == {"live": "10", "next_start": "10"}
    assert found["standbys"] == 0
    assert "max_connections = '150'" in found["trial_conf"].splitlines()
    # The default is 100, so no line says it.
    lines = found["auto_conf"].splitlines()
    assert "work_mem = '8MB'" in lines
    assert not any(line.startswith("max_connections") for line in lines)
    assert "auto_conf" not in run_module("pg_restart_info", **connection, check=True)


def test_a_drain_waits_for_transactions_and_not_for_idlers(postgres: EmbeddedPostgres, run_module: RunModule) -> None:
    connection = {"login_unix_socket": str(postgres.socket)}
    idler = psycopg2.connect(host=str(postgres.socket), user="postgres", dbname="postgres")
    idler.autocommit = True
    worker = psycopg2.connect(
        host=str(postgres.socket), user="postgres", dbname="postgres", application_name="importer"
    )
    with worker.cursor() as cursor:
        cursor.execute("CREATE TABLE made (number integer)")
    looked = run_module("pg_drain", **connection, limit_seconds=30, check=True)
    assert (looked["drained"], looked["sessions"]) == (False, 2)
    assert [session["application"] for session in looked["at_work"]] == ["importer"]
    before = query(postgres, "SELECT checkpoint_lsn FROM pg_control_checkpoint()")
    failed = run_module("pg_drain", **connection, limit_seconds=0.3, on_limit="fail", fails=True)
    assert "1 sessions are still at work after" in failed["msg"]
    assert "importer, idle in transaction" in failed["msg"]
    assert query(postgres, "SELECT checkpoint_lsn FROM pg_control_checkpoint()") == before
    timer = threading.Timer(1, worker.commit)
    timer.start()
    done = run_module("pg_drain", **connection, limit_seconds=60)
    timer.join()
    assert (done["drained"], done["at_work"]) == (True, [])
    assert 0 < done["waited_seconds"] < 30
    assert query(postgres, "SELECT checkpoint_lsn FROM pg_control_checkpoint()") != before
    for opened in (idler, worker):
        opened.close()


def test_an_interruption_is_measured(postgres: EmbeddedPostgres, run_module: RunModule, tmp_path: Path) -> None:
    watched = tmp_path / "watched"
    watched.touch()
    results = []
    thread = threading.Thread(
        target=lambda: results.append(
            run_module(
                "pg_interruption_info",
                login_unix_socket=str(postgres.socket),
                while_file=str(watched),
                limit_seconds=60,
            )
        )
    )
    thread.start()
    while watched.read_text() != "ready\n":
        assert thread.is_alive()
    postgres.stop()
    postgres.start()
    thread.join()
    (found,) = results
    assert found["restarted"]
    assert 0.05 < found["interruption_seconds"] <= found["watched_seconds"]
    assert found["answers"] >= 2


def test_a_watch_ends_with_its_file_or_its_time(
    postgres: EmbeddedPostgres, run_module: RunModule, tmp_path: Path
) -> None:
    watched = tmp_path / "watched"
    watched.touch()
    connection = {"login_unix_socket": str(postgres.socket), "while_file": str(watched)}
    found = run_module("pg_interruption_info", **connection, limit_seconds=0.2)
    assert not found["restarted"]
    assert found["answers"] > 1
    nowhere = {**connection, "while_file": str(tmp_path / "no" / "file")}
    failed = run_module("pg_interruption_info", **nowhere, limit_seconds=0.2, fails=True)
    assert "cannot be written: No such file or directory" in failed["msg"]
