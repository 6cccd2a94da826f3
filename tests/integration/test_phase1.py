# SPDX-License-Identifier: GPL-3.0-or-later
"""playbooks/phase1.yml against embedded servers: what an operator meets, from a first check to servers in trouble."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from demo.servers import EmbeddedPostgres, EmbeddedRedis
from tests.integration.cache_keys import KEYS
from tests.integration.conftest import query
from tests.integration.playbook_runs import Phase1

SECRET = "correct-horse-battery"


@pytest.fixture
def phase1(tmp_path: Path, postgres: EmbeddedPostgres) -> Phase1:
    """Phase 1 for a PostgreSQL without a cache."""
    return Phase1(tmp_path, postgres)


def live(server: EmbeddedPostgres, name: str) -> str:
    return query(server, f"SHOW {name}")[0][0]


def test_check_run_and_second_run(tmp_path: Path, redis_server: EmbeddedRedis) -> None:
    postgres = EmbeddedPostgres(tmp_path / "pg", {"shared_preload_libraries": "'auto_explain'"})
    postgres.create()
    postgres.start()
    try:
        phase1 = Phase1(tmp_path, postgres, redis_server)
        phase1.variables["postgres_tuning_restart"] = "when_pending"
        phase1.variables["redis_cache_keys"] = KEYS
        before, before_cache = phase1.facts(), redis_server.client().config_get("*")

        checked = phase1.succeeds("--check", "--diff")
        assert phase1.facts() == before
        assert redis_server.client().config_get("*") == before_cache
        assert "-max_connections = 100" in checked.output
        assert "+max_connections = 256" in checked.output
        assert "+shared_preload_libraries = auto_explain, pg_stat_statements" in checked.output
        assert "PostgreSQL would be restarted" in checked.text
        assert "Check mode: nothing was changed" in checked.output
        assert not phase1.state.exists()
        assert not phase1.reports.exists()
        # A report of a state that will not be is nothing to read.
        assert "Capacity baseline" not in checked.output

        first = phase1.succeeds()
        assert "PostgreSQL is restarted" in first.text
        assert live(postgres, "max_connections") == "256"
        assert live(postgres, "shared_preload_libraries") == "auto_explain, pg_stat_statements"
        assert query(postgres, "SELECT count(*) > 0 FROM pg_stat_statements") == [(True,)]
        assert redis_server.client().config_get("maxmemory")["maxmemory"] == str(64 * 2**20)
        assert "Nothing is left to do." in first.output

        baseline = json.loads((phase1.reports / "db" / "baseline-phase1.json").read_text())
        assert baseline["cache"]["memory"]["maxmemory_bytes"] == 64 * 2**20
        assert baseline["snapshot"]["missing"] == []
        report = (phase1.reports / "db" / "baseline-phase1.md").read_text()
        assert report.startswith("# Capacity baseline `phase1`")
        assert [entry["missing"] for entry in phase1.history()] == [[]]
        strategies = [phase1.state / "cache-strategy.md", phase1.reports / "cache" / "cache-strategy.md"]
        assert ["`tag:{tag_id}`" in path.read_text() for path in strategies] == [True, True]

        after = phase1.facts()
        second = phase1.succeeds()
        assert (second.changed("db"), second.changed("cache")) == (0, 0)
        assert "restarted" not in second.output
        assert phase1.facts() == after
    finally:
        postgres.stop()


def test_the_command_line_is_named_with_what_to_change(tmp_path: Path) -> None:
    postgres = EmbeddedPostgres(tmp_path / "pg")
    postgres.create()
    postgres.start("-c", "max_connections=100")
    try:
        phase1 = Phase1(tmp_path, postgres)
        before = phase1.facts()
        said = phase1.fails(postgres_tuning_restart="when_pending")
    finally:
        postgres.stop()
    assert "max_connections is 100 by the command line, wanted 256" in said
    assert 'take "-c max_connections=100"' in said
    assert "compose file" in said
    # Nothing of it was written, and the phase went no further.
    assert (postgres.data / "postgresql.auto.conf").read_bytes() in before.values()
    assert not phase1.state.exists()


def test_values_of_roles_and_databases_are_named(postgres: EmbeddedPostgres, phase1: Phase1) -> None:
    query(postgres, "ALTER ROLE postgres SET work_mem = '1MB'")
    query(postgres, "ALTER DATABASE postgres SET work_mem = '2MB'")
    said = phase1.fails(postgres_tuning_settings={"work_mem": "64MB"})
    assert 'work_mem is 1MB by role "postgres", wanted 64MB: run ALTER ROLE "postgres" RESET work_mem' in said
    assert 'work_mem is 2MB by database "postgres", wanted 64MB: run ALTER DATABASE "postgres" RESET work_mem' in said


def test_leftovers_of_a_bulk_loader_stop_the_phase_with_their_names(postgres: EmbeddedPostgres, phase1: Phase1) -> None:
    query(postgres, "ALTER SYSTEM SET fsync = off")
    query(postgres, "SELECT pg_reload_conf()")
    before = phase1.facts()
    said = phase1.fails()
    assert "1 dangerous setting would be in effect, now or from the next start on; nothing was changed" in said
    assert "a crash of the host can corrupt the whole cluster; ALTER SYSTEM RESET fsync" in said
    assert phase1.facts() == before
    # Wanting another value mends it, and whoever insists is told in the end.
    mended = phase1.succeeds("--tags", "postgres_tuning", "--check", postgres_tuning_settings={"fsync": True})
    assert "dangerous" not in mended.text
    run = phase1.succeeds("--tags", "postgres_tuning", postgres_tuning_on_danger="warn")
    assert "To do next:" in run.text
    assert "fsync = off in" in run.text.split("To do next:")[1]
    assert "postgresql.auto.conf line" in run.text.split("To do next:")[1]


def test_leftovers_of_a_bulk_loader_are_taken_back_if_that_is_wanted(
    postgres: EmbeddedPostgres, phase1: Phase1
) -> None:
    # As the loader of errata.md leaves it.
    left = {name: "off" for name in ("fsync", "full_page_writes", "autovacuum", "track_counts", "track_activities")}
    for name, value in {**left, "wal_level": "minimal"}.items():
        query(postgres, f"ALTER SYSTEM SET {name} = {value}")
    query(postgres, "SELECT pg_reload_conf()")
    before = phase1.facts()
    variables = {"postgres_tuning_restore_safety": True, "postgres_tuning_restart": "when_pending"}
    checked = phase1.succeeds("--tags", "postgres_tuning", "--check", "--diff", **variables)
    assert phase1.facts() == before
    assert "-fsync = off" in checked.output
    assert "would be taken back, because ALTER SYSTEM had left it dangerous: autovacuum, fsync," in checked.text
    first = phase1.succeeds("--tags", "postgres_tuning", **variables)
    assert "taken back, because ALTER SYSTEM had left it dangerous: autovacuum, fsync," in first.text
    # It could be restarted, which it could not with what was left behind.
    assert "Nothing is left to do." in first.output
    assert {name: live(postgres, name) for name in left} == dict.fromkeys(left, "on")
    assert live(postgres, "wal_level") == "replica"
    assert live(postgres, "max_connections") == "256"
    second = phase1.succeeds("--tags", "postgres_tuning", **variables)
    assert second.changed("db") == 0
    assert "taken back" not in second.output


def test_without_leave_to_restart_the_settings_wait_and_that_is_said(
    postgres: EmbeddedPostgres, phase1: Phase1
) -> None:
    started = query(postgres, "SELECT pg_postmaster_start_time()")
    run = phase1.succeeds()
    assert query(postgres, "SELECT pg_postmaster_start_time()") == started
    assert live(postgres, "max_connections") == "100"
    assert (
        "max_connections, shared_preload_libraries: PostgreSQL has to be restarted: in a maintenance window" in run.text
    )
    assert "-e postgres_tuning_restart=when_pending" in run.text
    assert "its view cannot be read yet" in run.text
    assert "the snapshot lacks statements" in run.text
    assert phase1.succeeds().changed("db") == 0
    phase1.succeeds("--tags", "postgres_tuning", postgres_tuning_restart="when_pending")
    assert live(postgres, "max_connections") == "256"
    assert query(postgres, "SELECT count(*) > 0 FROM pg_stat_statements") == [(True,)]
    # What history and baseline lacked before the restart can be read now, and the old ones are not lost.
    assert "Nothing is left to do." in phase1.succeeds().output
    assert [entry["statements"] is None for entry in phase1.history()] == [True, True, False]
    baseline = json.loads((phase1.state / "baselines" / "phase1.json").read_text())
    assert baseline["snapshot"]["statements"]
    (before,) = (phase1.state / "baselines").glob("phase1.json.*~")
    assert json.loads(before.read_text())["snapshot"]["statements"] is None
    assert phase1.succeeds().changed("db") == 0


def test_a_restart_that_would_be_the_last_is_refused(postgres: EmbeddedPostgres, phase1: Phase1) -> None:
    query(postgres, "ALTER SYSTEM SET wal_level = minimal")
    said = phase1.fails(postgres_tuning_restart="when_pending", postgres_tuning_on_danger="warn")
    assert "PostgreSQL is not restarted, because it would not start again: wal_level = minimal in" in said
    assert "ALTER SYSTEM RESET wal_level" in said
    assert live(postgres, "max_connections") == "100"


def test_a_restart_that_never_was_is_told_so(postgres: EmbeddedPostgres, phase1: Phase1) -> None:
    nowhere = str(phase1.directory / "no" / "pg_ctl")
    never = {"postgres_tuning_restart_pg_ctl": [nowhere], "postgres_tuning_trial_start": False}
    said = phase1.fails(postgres_tuning_restart="when_pending", **never)
    assert "PostgreSQL was not restarted (pg_ctl in" in said
    assert f"{nowhere} restart" in said
    assert "It runs as before, and max_connections, shared_preload_libraries wait for a restart" in said
    assert "correct postgres_tuning_restart_method or postgres_tuning_restart_pg_ctl" in said
    assert "did not come back" not in said
    assert ".. " not in said
    assert live(postgres, "max_connections") == "100"


@pytest.mark.parametrize(
    ("settings", "complaints"),
    [
        (
            {"max_conections": 256, "work_mem": "64 loaves", "max_parallel_workers": 5000},
            [
                "max_conections is not a setting of this server: did you mean max_connections?",
                "work_mem",
                "max_parallel_workers",
            ],
        ),
        (
            {"max_parallel_workers": 32, "max_worker_processes": 8},
            ["max_parallel_workers is 32, and with max_worker_processes = 8 there will never be that many"],
        ),
    ],
)
def test_settings_that_cannot_be_are_refused(phase1: Phase1, settings: dict, complaints: list[str]) -> None:
    before = phase1.facts()
    said = phase1.fails(postgres_tuning_settings=settings)
    for complaint in complaints:
        assert complaint in said
    assert phase1.facts() == before


@pytest.mark.parametrize(
    ("variables", "complaint"),
    [
        ({"postgres_tuning_settings": {}, "postgres_tuning_statement_statistics": False}, "Nothing is wanted"),
        ({"capacity_postgres_connection": {"service": "midi"}}, "postgres_tuning_connection has a service"),
        (
            {"postgres_tuning_restart": "when_pending", "postgres_tuning_restart_method": "docker"},
            "postgres_tuning_restart_method is docker, which needs postgres_tuning_restart_container",
        ),
        ({"postgres_tuning_restart": "always"}, "value of postgres_tuning_restart must be one of: never, when_pending"),
    ],
)
def test_variables_that_cannot_be_are_refused(phase1: Phase1, variables: dict, complaint: str) -> None:
    before = phase1.facts()
    assert complaint in phase1.fails(**variables)
    assert phase1.facts() == before


def test_an_unreachable_server_is_told_without_the_password(tmp_path: Path, phase1: Phase1) -> None:
    nowhere = {"login_unix_socket": str(tmp_path / "nowhere"), "login_password": SECRET}
    run = phase1.run("-vvv", capacity_postgres_connection=nowhere)
    assert run.returncode == 2
    assert "cannot connect to PostgreSQL" in run.text
    assert "check that the server runs" in run.text
    assert SECRET not in run.output.replace(json.dumps(nowhere), "")


def test_missing_privileges_are_told(postgres: EmbeddedPostgres, phase1: Phase1) -> None:
    query(postgres, "CREATE ROLE reader LOGIN")
    place = {"login_unix_socket": str(postgres.socket), "login_user": "reader"}
    said = phase1.fails(capacity_postgres_connection=place)
    assert 'role "reader" may not read the configuration files' in said
    assert "GRANT pg_read_all_settings" in said


def test_a_standby_without_the_extension_waits_for_its_primary(postgres: EmbeddedPostgres, phase1: Phase1) -> None:
    postgres.stop()
    (postgres.data / "standby.signal").touch()
    postgres.start()
    run = phase1.succeeds()
    # Standbys are raised first, so the settings are stored there.
    assert "max_connections = '256'" in (postgres.data / "postgresql.auto.conf").read_text()
    to_do = run.text.split("To do next:")[1]
    assert "this server is a standby and takes no writes, so it comes with the run on its primary" in to_do
    assert "lacks statements" not in to_do
    assert phase1.succeeds().changed("db") == 0
