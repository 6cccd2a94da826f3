# SPDX-License-Identifier: GPL-3.0-or-later
"""A restart by role postgres_tuning: tried first, drained, watched, taken back if it has to be."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg2
import pytest

from demo.servers import EmbeddedPostgres, postgres_bin
from tests.integration.conftest import query
from tests.integration.playbook_runs import Phase1, run_playbook
from tests.integration.restart_runs import (
    ALWAYS,
    NEVER,
    TOO_MUCH,
    TUNING,
    begun_file,
    history,
    live,
    restarting,
    started_at,
)


@pytest.fixture
def phase1(tmp_path: Path, postgres: EmbeddedPostgres) -> Phase1:
    return restarting(tmp_path, postgres)


def test_values_that_do_not_start_are_found_by_a_trial(postgres: EmbeddedPostgres, phase1: Phase1) -> None:
    before = started_at(postgres)
    said = phase1.fails(*TUNING, **TOO_MUCH)
    assert (
        "PostgreSQL is not restarted, because it does not start with shared_buffers, shared_preload_libraries" in said
    )
    assert "Tried on an empty data directory it says:" in said
    assert "FATAL: could not map anonymous shared memory" in said
    assert started_at(postgres) == before
    assert not begun_file(phase1).exists()
    assert list(Path(os.environ.get("TMPDIR", "/tmp")).glob("midi-capacity-trial.*")) == []
    # As the message says.
    phase1.succeeds(*TUNING, postgres_tuning_rollback=True)
    assert "shared_buffers" not in (postgres.data / "postgresql.auto.conf").read_text()


def test_a_trial_that_cannot_be_made_is_told(postgres: EmbeddedPostgres, phase1: Phase1) -> None:
    before = started_at(postgres)
    # Something that is no prefix for a command.
    said = phase1.fails(*TUNING, postgres_tuning_restart_pg_ctl=["false", *postgres.pg_ctl])
    assert "could not be tried whether it starts with" in said or "it does not start with" in said
    assert "postgres_tuning_trial_start=false" in said or "postgres_tuning_rollback=true" in said
    assert started_at(postgres) == before


def test_values_that_do_not_start_are_taken_back(postgres: EmbeddedPostgres, phase1: Phase1) -> None:
    query(postgres, "CREATE TABLE kept AS SELECT 7 AS number")
    query(postgres, "ALTER SYSTEM SET work_mem = '7MB'")
    said = phase1.fails(*TUNING, **TOO_MUCH, postgres_tuning_trial_start=False)
    assert (
        "PostgreSQL did not start with shared_buffers = 4000GB, shared_preload_libraries = pg_stat_statements" in said
    )
    assert "The values of before were put back, and it runs with them again" in said
    assert re.search(r"clients got no answer for \d+\.\d+ s\. To mend it", said), said
    assert str(postgres.log) in said
    assert live(postgres, "shared_buffers") == "128MB"
    assert query(postgres, "SELECT number FROM kept") == [(7,)]
    stored = (postgres.data / "postgresql.auto.conf").read_text()
    assert "work_mem = '7MB'" in stored
    assert "shared_buffers" not in stored
    assert not begun_file(phase1).exists()
    # Corrected, the next run ends well.
    run = phase1.succeeds(*TUNING, postgres_tuning_settings={"shared_buffers": "64MB"})
    assert re.search(r"restarted for it; clients got no answer for \d+\.\d s", run.text), run.text
    assert live(postgres, "shared_buffers") == "64MB"


def test_transactions_are_given_time_and_then_cut_off(postgres: EmbeddedPostgres, phase1: Phase1) -> None:
    opened = psycopg2.connect(
        host=str(postgres.socket), user="postgres", dbname="postgres", application_name="importer"
    )
    with opened.cursor() as cursor:
        cursor.execute("SELECT 1")
    before = started_at(postgres)
    said = phase1.fails(*TUNING, postgres_tuning_drain_seconds=1, postgres_tuning_drain_on_limit="fail")
    assert "PostgreSQL was not restarted, and max_connections, shared_preload_libraries wait for a restart" in said
    assert re.search(r"process \d+: postgres in postgres, importer, idle in transaction, in a transaction for", said), (
        said
    )
    assert started_at(postgres) == before
    run = phase1.succeeds(*TUNING, postgres_tuning_drain_seconds=1)
    assert "and 1 were cut off at work" in run.text
    assert live(postgres, "max_connections") == "256"
    opened.close()


def test_nothing_is_restarted_outside_the_maintenance_window(postgres: EmbeddedPostgres, phase1: Phase1) -> None:
    phase1.variables["capacity_maintenance_window"] = NEVER
    before = started_at(postgres)
    for arguments in (("--check",), ()):
        run = phase1.succeeds(*TUNING, *arguments)
        assert (
            f"wait for a restart of PostgreSQL, and the maintenance window {NEVER} is closed; it opens at" in run.text
        )
    assert started_at(postgres) == before
    assert "UTC: run this again then" in run.text.split("To do next:")[1]
    phase1.succeeds(*TUNING, capacity_maintenance_window=ALWAYS)
    assert live(postgres, "max_connections") == "256"


def test_a_window_that_closes_during_the_trial_is_kept_to(
    tmp_path: Path, postgres: EmbeddedPostgres, phase1: Phase1
) -> None:
    closed, prefix = tmp_path / "closed", tmp_path / "closes_the_window"
    prefix.write_text(f'#!/bin/sh\n: >"{closed}"\nexec "$@"\n')
    prefix.chmod(0o755)
    tmp_path.chmod(0o777)
    phase1.variables["postgres_tuning_restart_pg_ctl"] = [*postgres.pg_ctl[:-1], str(prefix), postgres.pg_ctl[-1]]
    phase1.variables["capacity_maintenance_window"] = f"{{{{ '{NEVER}' if '{closed}' is exists else '{ALWAYS}' }}}}"
    before = started_at(postgres)
    run = phase1.succeeds(*TUNING)
    assert "Check that it starts" in run.text
    assert f"wait for a restart of PostgreSQL, and the maintenance window {NEVER} is closed; it opens at" in run.text
    assert "UTC: run this again then" in run.text.split("To do next:")[1]
    assert started_at(postgres) == before
    assert not begun_file(phase1).exists()
    closed.unlink()
    phase1.succeeds(*TUNING, capacity_maintenance_window=ALWAYS)
    assert live(postgres, "max_connections") == "256"


@pytest.fixture
def standby(tmp_path: Path, postgres: EmbeddedPostgres) -> Iterator[EmbeddedPostgres]:
    """A standby of the server, which runs."""
    found = EmbeddedPostgres(tmp_path / "standby")
    found.home.mkdir()
    shutil.chown(found.home, postgres.data.owner(), postgres.data.group())
    command = [
        *postgres.pg_ctl[:-1],
        str(postgres_bin() / "pg_basebackup"),
        "--write-recovery-conf",
        "--checkpoint=fast",
    ]
    subprocess.run(
        [*command, f"--host={postgres.socket}", "--username=postgres", f"--pgdata={found.data}"], check=True, cwd="/"
    )
    found.start()
    yield found
    found.stop()


def test_a_host_of_the_second_turn_stays_behind_where_the_window_holds_only_one(
    tmp_path: Path, postgres: EmbeddedPostgres, standby: EmbeddedPostgres
) -> None:
    # Each may take more than an hour, and the window is open for two more.
    now = datetime.now(UTC)
    window = f"daily {now - timedelta(minutes=5):%H:%M}-{now + timedelta(hours=2):%H:%M}"
    common = {**Phase1(tmp_path, postgres).variables, "postgres_tuning_restart": "when_pending"}
    common |= {"postgres_tuning_become": False, "postgres_tuning_statement_statistics": False}
    common |= {"postgres_tuning_trial_start": False, "postgres_tuning_drain_seconds": 4000}
    hosts = {
        name: {
            "postgres_tuning_connection": {"login_unix_socket": str(server.socket)},
            "postgres_tuning_restart_pg_ctl": server.pg_ctl,
            "postgres_tuning_restart_log": str(server.log),
            "postgres_tuning_state_dir": str(server.home / "state"),
        }
        for name, server in (("first", standby), ("second", postgres))
    }
    playbook = tmp_path / "both.yml"
    playbook.write_text(
        json.dumps([{"hosts": "all", "gather_facts": False, "roles": ["midi.capacity.postgres_tuning"]}])
    )
    inventory = {"all": {"hosts": hosts, "vars": common}}
    before = started_at(postgres)
    run = run_playbook(str(playbook), tmp_path, inventory, postgres_tuning_maintenance_window=window)
    assert run.returncode == 0, run.output
    assert re.search(
        r"max_connections wait for a restart .* closes in 1\d\d min, and a restart may need 8\d\d\d s", run.text
    )
    assert started_at(postgres) == before
    assert live(standby, "max_connections") == "256"
    run = run_playbook(str(playbook), tmp_path, inventory)
    assert run.returncode == 0, run.output
    assert live(postgres, "max_connections") == "256"


def test_a_window_that_cannot_be_read_stops_the_phase(phase1: Phase1) -> None:
    said = phase1.fails(capacity_maintenance_window="at night")
    assert '"at night" is no maintenance window: write, for example, "Sat,Sun 02:00-05:00 Europe/Berlin"' in said
    assert not phase1.state.exists()


def test_the_last_run_is_taken_back(postgres: EmbeddedPostgres, phase1: Phase1) -> None:
    query(postgres, "ALTER SYSTEM SET work_mem = '7MB'")
    query(postgres, "SELECT pg_reload_conf()")
    phase1.succeeds(*TUNING, postgres_tuning_settings={"max_connections": 150, "work_mem": "8MB"})
    phase1.succeeds(*TUNING, postgres_tuning_settings={"max_connections": 200, "work_mem": "8MB", "jit": False})
    first, second = history(phase1)
    assert first["stored"]["work_mem"] == {"before": "7MB", "after": "8MB"}
    assert second["stored"] == {
        "jit": {"before": None, "after": "off"},
        "max_connections": {"before": "150", "after": "200"},
    }
    assert (second["reason"], second["undoes"]) == ("settings as wanted", None)
    back = {"postgres_tuning_rollback": True}

    before = phase1.facts()
    checked = phase1.succeeds(*TUNING, "--check", "--diff", **back)
    assert "-max_connections = 200" in checked.output
    assert "+max_connections = 150" in checked.output
    assert phase1.facts() == before

    phase1.succeeds(*TUNING, **back)
    assert [live(postgres, name) for name in ("max_connections", "work_mem", "jit")] == ["150", "8MB", "on"]
    assert history(phase1)[-1]["undoes"] == second["id"]
    after = phase1.facts()
    assert phase1.succeeds(*TUNING, **back).changed("db") == 0
    assert phase1.facts() == after

    phase1.succeeds(*TUNING, **back, postgres_tuning_rollback_to=first["id"])
    assert [live(postgres, name) for name in ("max_connections", "work_mem")] == ["100", "7MB"]
    assert live(postgres, "shared_preload_libraries") == ""
    assert (phase1.state / "settings").stat().st_mode & 0o777 == 0o700
    said = phase1.fails(*TUNING, **back, postgres_tuning_rollback_to="yesterday")
    assert "there is no entry yesterday in the history; it has" in said


def test_without_a_history_there_is_no_way_back(phase1: Phase1) -> None:
    said = phase1.fails(*TUNING, postgres_tuning_rollback=True)
    assert "There is nothing to go back to" in said
    assert not phase1.state.exists()
