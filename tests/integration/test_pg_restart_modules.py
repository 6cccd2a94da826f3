# SPDX-License-Identifier: GPL-3.0-or-later
"""Modules pg_restart_info, pg_answer_info, pg_drain and pg_interruption_info against a server."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest

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
    assert found["auto_conf_now"] == (postgres.data / "postgresql.auto.conf").read_text()
    assert {"auto_conf", "auto_conf_now"}.isdisjoint(run_module("pg_restart_info", **connection, check=True))


def test_a_server_that_lets_nobody_in_is_not_down(postgres: EmbeddedPostgres, run_module: RunModule) -> None:
    connection, data = {"login_unix_socket": str(postgres.socket)}, {"data_directory": str(postgres.data)}
    started = query(postgres, "SELECT pg_postmaster_start_time()::text")[0][0]
    found = run_module("pg_answer_info", **connection, must_answer=True)
    assert (found["state"], found["started_at"], found["words"]) == ("answers", started, "")
    # Waiting is no use where nobody waits for that.
    found = run_module("pg_answer_info", **connection, login_user="nobody", wait_seconds=60, wait_while=["starting"])
    assert (found["state"], found["started_at"]) == ("rejects", None)
    assert "nobody" in found["words"]
    # With a password the server asks for one first; what it says then is the same.
    (postgres.data / "pg_hba.conf").write_text("local all asked scram-sha-256\nlocal all all reject\n")
    query(postgres, "SELECT pg_reload_conf()")
    for user in ("asked", "postgres"):
        failed = run_module(
            "pg_answer_info", **connection, login_user=user, login_password="wr0ng", must_answer=True, fails=True
        )
        assert failed["state"] == "rejects"
        assert "cannot connect to PostgreSQL: " in failed["msg"]
        assert "To mend it: " in failed["msg"]
        assert "wr0ng" not in str(failed["msg"])
    elsewhere = {**connection, "login_port": 5999}
    assert run_module("pg_answer_info", **elsewhere)["state"] == "down"
    found = run_module("pg_answer_info", **elsewhere, **data)
    assert found["state"] == "silent"
    assert f"its process {found['pid']} runs, and it is not found where it was looked for" in found["words"]
    # Nothing was tried, so nothing is known.
    assert run_module("pg_answer_info", service="midi_no_such_service")["state"] == "silent"


def test_a_server_that_is_not_there_is_down(postgres: EmbeddedPostgres, run_module: RunModule) -> None:
    connection, data = {"login_unix_socket": str(postgres.socket)}, {"data_directory": str(postgres.data)}
    postgres.stop()
    assert run_module("pg_answer_info", **connection)["state"] == "down"
    assert run_module("pg_answer_info", **connection, **data, login_user="nobody")["state"] == "down"
    # A file that a killed server left names a process that is another one.
    (postgres.data / "postmaster.pid").write_text("1\n/data\n0\n5432\n/run\n\n0 0\nready   \n")
    found = run_module("pg_answer_info", **connection, **data)
    assert (found["state"], found["pid"]) == ("down", None)
    (postgres.data / "postmaster.pid").unlink()
    timer = threading.Timer(1, postgres.start)
    timer.start()
    found = run_module("pg_answer_info", **connection, **data, wait_seconds=60, must_answer=True)
    timer.join()
    assert found["state"] == "answers"
    assert found["waited_seconds"] > 0


def test_a_server_that_is_on_its_way_is_starting(postgres: EmbeddedPostgres, run_module: RunModule) -> None:
    connection, data = {"login_unix_socket": str(postgres.socket)}, {"data_directory": str(postgres.data)}
    postgres.stop()
    # A standby that nobody may read from says for ever that it cannot connect now.
    (postgres.data / "standby.signal").touch()
    with (postgres.data / "postgresql.conf").open("a") as file:
        file.write("hot_standby = off\nrestore_command = 'false'\n")
    start = ["start", "--no-wait", "--silent", f"--pgdata={postgres.data}", f"--log={postgres.log}"]
    subprocess.run([*postgres.pg_ctl, *start], check=True)
    found = run_module("pg_answer_info", **connection, **data, wait_seconds=20, wait_while=["down", "silent"])
    assert found["state"] == "starting"
    assert run_module("pg_answer_info", **connection)["state"] == "starting"


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
    # What it writes is written before it waits, so that nothing is begun unseen.
    failed_at = query(postgres, "SELECT checkpoint_lsn FROM pg_control_checkpoint()")
    assert failed_at != before
    timer = threading.Timer(1, worker.commit)
    timer.start()
    done = run_module("pg_drain", **connection, limit_seconds=60)
    timer.join()
    assert (done["drained"], done["at_work"]) == (True, [])
    assert 0 < done["waited_seconds"] < 30
    assert (done["checkpoint_done"], failed["msg"].count("importer")) == (True, 1)
    assert query(postgres, "SELECT checkpoint_lsn FROM pg_control_checkpoint()") != failed_at
    for opened in (idler, worker):
        opened.close()


@pytest.fixture
def checkpointer(postgres: EmbeddedPostgres) -> Iterator[int]:
    """The process that writes checkpoints, stopped, as if its disk took for ever."""
    ((pid,),) = query(postgres, "SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'")
    os.kill(pid, signal.SIGSTOP)
    yield pid
    os.kill(pid, signal.SIGCONT)


@pytest.mark.usefixtures("checkpointer")
def test_a_checkpoint_is_waited_for_only_so_long(postgres: EmbeddedPostgres, run_module: RunModule) -> None:
    connection = {"login_unix_socket": str(postgres.socket)}
    found = run_module("pg_drain", **connection, limit_seconds=30, checkpoint_limit_seconds=0.5)
    assert (found["drained"], found["checkpoint_done"], found["waited_seconds"]) == (True, False, 0.0)
    assert 0.5 <= found["checkpoint_seconds"] < 30
    unasked = run_module("pg_drain", **connection, limit_seconds=30, checkpoint=False)
    assert (unasked["drained"], unasked["checkpoint_done"]) == (True, False)


def test_what_begins_during_the_checkpoint_is_not_cut_off(
    postgres: EmbeddedPostgres, run_module: RunModule, checkpointer: int
) -> None:
    results: list[dict] = []
    options = {"login_unix_socket": str(postgres.socket), "limit_seconds": 0.3, "on_limit": "fail", "fails": True}
    thread = threading.Thread(target=lambda: results.append(run_module("pg_drain", **options)))
    thread.start()
    while not query(postgres, "SELECT 1 FROM pg_stat_activity WHERE query = 'CHECKPOINT' AND state = 'active'"):
        assert thread.is_alive()
    worker = psycopg2.connect(
        host=str(postgres.socket), user="postgres", dbname="postgres", application_name="importer"
    )
    with worker.cursor() as cursor:
        cursor.execute("SELECT 1")
    os.kill(checkpointer, signal.SIGCONT)
    thread.join()
    worker.close()
    (found,) = results
    assert "1 sessions are still at work after" in found["msg"]
    assert "importer, idle in transaction" in found["msg"]


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
