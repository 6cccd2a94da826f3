# SPDX-License-Identifier: GPL-3.0-or-later
"""A restart by role postgres_tuning that an earlier run began: brought to its end, or left to people."""

from __future__ import annotations

from pathlib import Path

import psycopg2
import pytest

from demo.servers import EmbeddedPostgres
from tests.integration.conftest import query
from tests.integration.playbook_runs import Phase1
from tests.integration.restart_runs import (
    NEVER,
    TOO_MUCH,
    TUNING,
    begun_file,
    history,
    killed_at,
    live,
    restarting,
    started_at,
)


@pytest.fixture
def phase1(tmp_path: Path, postgres: EmbeddedPostgres) -> Phase1:
    return restarting(tmp_path, postgres)


@pytest.fixture
def stopping_pg_ctl(tmp_path: Path, postgres: EmbeddedPostgres) -> list[str]:
    """A pg_ctl that stops the server and starts nothing. It keeps what postgresql.auto.conf was when it came first."""
    script = tmp_path / "stopping_pg_ctl"
    command = " ".join(f"'{word}'" for word in postgres.pg_ctl)
    script.write_text(
        f"#!/bin/sh\ncp --no-clobber '{postgres.data}/postgresql.auto.conf' '{tmp_path}/begun.auto.conf'\n"
        f"{command} stop --wait --silent --mode=fast --pgdata={postgres.data}\necho no >&2\nexit 1\n"
    )
    script.chmod(0o755)
    return [str(script)]


def test_a_server_that_stays_down_is_told_and_started_by_the_next_run(
    postgres: EmbeddedPostgres, phase1: Phase1, stopping_pg_ctl: list[str]
) -> None:
    down = {"postgres_tuning_restart_pg_ctl": stopping_pg_ctl, "postgres_tuning_trial_start": False}
    said = phase1.fails(*TUNING, **down, postgres_tuning_restart_timeout_seconds=3)
    assert "PostgreSQL did not come back after its restart (pg_ctl in" in said
    assert "and it does not start with them either: pg_ctl: PID file" in said
    assert not postgres.running()
    assert begun_file(phase1).stat().st_mode & 0o777 == 0o600
    for arguments, leave in ((("--check",), "when_pending"), ((), "never")):
        said = phase1.fails(*TUNING, *arguments, postgres_tuning_restart=leave)
        assert "PostgreSQL does not answer (pg_ctl in" in said
        assert "a restart of it because of max_connections, shared_preload_libraries, begun at 20" in said
        assert "run this again with postgres_tuning_restart=when_pending" in said
        assert not postgres.running()
    said = phase1.fails(*TUNING, capacity_maintenance_window=NEVER)
    assert "while the maintenance window is open" in said
    run = phase1.succeeds(*TUNING)
    assert "max_connections 256 256" in run.text
    assert not begun_file(phase1).exists()
    assert phase1.succeeds(*TUNING).changed("db") == 0


def test_a_begun_restart_whose_values_do_not_start_is_taken_back_by_the_next_run(
    tmp_path: Path, postgres: EmbeddedPostgres, phase1: Phase1, stopping_pg_ctl: list[str]
) -> None:
    wanted = {**TOO_MUCH, "postgres_tuning_trial_start": False, "postgres_tuning_restart_timeout_seconds": 3}
    phase1.fails(*TUNING, **wanted, postgres_tuning_restart_pg_ctl=stopping_pg_ctl)
    # As if the run had been killed before it put anything back.
    stored = postgres.data / "postgresql.auto.conf"
    begun = (tmp_path / "begun.auto.conf").read_text()
    assert "shared_buffers = '4000GB'" in begun
    assert "shared_buffers" not in stored.read_text()
    # What somebody else has written since stays, whatever comes of it.
    stored.write_text(f"{begun}work_mem = '9MB'\n")
    said = phase1.fails(*TUNING, postgres_tuning_settings={"max_connections": 120})
    assert "PostgreSQL did not come back after its restart (pg_ctl in" in said
    assert "postgresql.auto.conf in" in said
    assert "was changed by somebody after 20" in said
    assert stored.read_text() == f"{begun}work_mem = '9MB'\n"
    assert begun_file(phase1).exists()
    stored.write_text(begun)
    said = phase1.fails(*TUNING, postgres_tuning_settings={"max_connections": 120})
    assert "PostgreSQL did not start with shared_buffers = 4000GB" in said
    assert "it runs with them again" in said
    assert live(postgres, "shared_buffers") == "128MB"
    phase1.succeeds(*TUNING, postgres_tuning_settings={"max_connections": 120})
    assert live(postgres, "max_connections") == "120"


def test_a_run_that_is_killed_between_setting_and_restart_is_finished_by_the_next(
    postgres: EmbeddedPostgres, phase1: Phase1
) -> None:
    opened = psycopg2.connect(host=str(postgres.socket), user="postgres", dbname="postgres")
    with opened.cursor() as cursor:
        cursor.execute("SELECT 1")
    before = started_at(postgres)
    killed_at(phase1, "Give running transactions time to end", postgres_tuning_drain_seconds=120)
    opened.close()
    assert started_at(postgres) == before
    assert live(postgres, "max_connections") == "100"
    assert begun_file(phase1).exists()
    assert "max_connections" in history(phase1)[-1]["stored"]
    phase1.succeeds(*TUNING)
    assert live(postgres, "max_connections") == "256"
    assert phase1.succeeds(*TUNING).changed("db") == 0


def test_a_server_that_lets_nobody_in_is_not_restarted_for_a_restart_that_was_begun(
    postgres: EmbeddedPostgres, phase1: Phase1
) -> None:
    query(postgres, "ALTER SYSTEM SET work_mem = '7MB'")
    killed_at(phase1, "Give running transactions time to end")
    # The server ran on, and its settings with it.
    query(postgres, "ALTER SYSTEM SET max_connections = 300")
    before, stored = started_at(postgres), (postgres.data / "postgresql.auto.conf").read_text()
    place = {"login_unix_socket": str(postgres.socket)}
    for connection, words in (
        (
            {**place, "login_user": "tuner_mistyped"},
            "runs, and does not let this run in: cannot connect to PostgreSQL: ",
        ),
        ({**place, "login_port": 5999}, "gives no answer, and is not known to be down: its process"),
    ):
        said = phase1.fails(*TUNING, capacity_postgres_connection=connection)
        assert words in said
        assert "A restart of it because of max_connections, shared_preload_libraries, begun at 20" in said
        assert "Unknown error" not in said
        assert started_at(postgres) == before
        assert (postgres.data / "postgresql.auto.conf").read_text() == stored
        assert begun_file(phase1).exists()
    phase1.succeeds(*TUNING)
    assert live(postgres, "max_connections") == "256"
    assert live(postgres, "work_mem") == "7MB"
    assert not begun_file(phase1).exists()
