# SPDX-License-Identifier: GPL-3.0-or-later
"""Module pg_settings against a real PostgreSQL 18."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.midi.capacity.plugins.module_utils._settings import values
from ansible_collections.midi.capacity.plugins.module_utils._settings.model import Definition

from demo.servers import EmbeddedPostgres
from tests.integration.conftest import RunModule, query

WANTED = {
    "max_connections": 256,
    "max_parallel_workers": 32,
    "work_mem": "64MB",
    "random_page_cost": 1.1,
    "shared_preload_libraries": "pg_stat_statements",
}


def auto_conf(server: EmbeddedPostgres) -> str:
    return (server.data / "postgresql.auto.conf").read_text()


def live(server: EmbeddedPostgres, name: str) -> str:
    return query(server, "SELECT current_setting(%s)", [name])[0][0]


@pytest.fixture
def settings(postgres: EmbeddedPostgres, run_module: RunModule) -> RunModule:
    """Run the module against the fixture's server."""

    def run(wanted: dict, **options: Any) -> dict:
        return run_module("pg_settings", login_unix_socket=str(postgres.socket), settings=wanted, **options)

    return run


def test_check_run_and_second_run(postgres: EmbeddedPostgres, settings: RunModule) -> None:
    untouched = auto_conf(postgres)
    checked = settings(WANTED, check=True)
    assert auto_conf(postgres) == untouched
    assert checked["changed"] and checked["restart_required"] and checked["executed_queries"] == []

    first = settings(WANTED)
    assert first["changed"] and first["restart_required"]
    assert first["diff"] == checked["diff"]
    assert {name: found["state"] for name, found in first["settings"].items()} == {
        name: found["state"] for name, found in checked["settings"].items()
    }
    assert first["diff"]["before"].splitlines()[0] == "max_connections = 100"
    assert first["diff"]["after"].splitlines()[0] == "max_connections = 256"
    assert live(postgres, "work_mem") == "64MB"
    assert first["settings"]["work_mem"] | {"sourceline": 0} == {
        "wanted": "64MB",
        "before": "4MB",
        "live": "64MB",
        "source": "configuration file",
        "sourcefile": str(postgres.data / "postgresql.auto.conf"),
        "sourceline": 0,
        "context": "user",
        "state": "applied",
        "action": "set",
    }
    assert first["settings"]["max_connections"]["state"] == "pending_restart"

    second = settings(WANTED)
    assert not second["changed"] and second["restart_required"] and second["executed_queries"] == []
    postgres.restart()
    third = settings(WANTED)
    assert not third["changed"] and not third["restart_required"]
    assert {found["state"] for found in third["settings"].values()} == {"applied"}
    assert live(postgres, "max_connections") == "256"


def test_only_what_differs_is_written(postgres: EmbeddedPostgres, settings: RunModule) -> None:
    result = settings({"max_connections": 100, "work_mem": "4096kB", "random_page_cost": 4, "fsync": True})
    assert not result["changed"]
    assert "work_mem" not in auto_conf(postgres)
    one = settings({"max_connections": 100, "work_mem": "8MB"})
    assert one["executed_queries"] == ["ALTER SYSTEM SET \"work_mem\" = '8MB'"]


@pytest.mark.parametrize("check", [True, False])
def test_bad_input_is_refused_whole_and_listed_at_once(
    postgres: EmbeddedPostgres, settings: RunModule, check: bool
) -> None:
    untouched = auto_conf(postgres)
    wanted = {"work_mem": "64MB", "max_conections": 5, "wal_level": "most", "max_connections": -1, "fsync": "maybe"}
    result = settings(wanted, check=check, fails=True)
    assert auto_conf(postgres) == untouched
    assert len(result["problems"]) == 4
    for part in ("did you mean max_connections?", "minimal, replica, logical", "takes 1 to 262143", "on or off"):
        assert part in result["msg"]


def test_what_only_the_server_can_refuse_leaves_nothing_half_done(
    postgres: EmbeddedPostgres, settings: RunModule
) -> None:
    settings({"work_mem": "8MB"})
    before = auto_conf(postgres)
    result = settings({"work_mem": "64MB", "random_page_cost": 2, "TimeZone": "Middle/Earth"}, fails=True)
    assert "the server refused TimeZone" in result["msg"] and "nothing was changed" in result["msg"]
    assert auto_conf(postgres) == before
    assert live(postgres, "work_mem") == "8MB"


def test_command_line_is_named_and_nothing_is_touched(postgres: EmbeddedPostgres, settings: RunModule) -> None:
    postgres.stop()
    postgres.start("-c max_connections=100")
    untouched = auto_conf(postgres)
    result = settings({"max_connections": 256, "work_mem": "64MB"}, fails=True)
    assert "max_connections is 100 by the command line, wanted 256" in result["msg"]
    assert 'take "-c max_connections=100"' in result["msg"]
    assert result["overridden"][0]["by"] == "the command line"
    assert auto_conf(postgres) == untouched

    warned = settings({"max_connections": 256, "work_mem": "64MB"}, on_override="warn")
    assert warned["settings"]["max_connections"]["state"] == "overridden"
    assert warned["settings"]["work_mem"]["state"] == "applied"
    assert any("command line" in str(warning) for warning in warned["warnings"])
    assert not settings({"max_connections": 256, "work_mem": "64MB"}, on_override="warn")["changed"]
    postgres.stop()
    postgres.start()
    assert live(postgres, "max_connections") == "256"


def test_a_command_line_that_says_the_wanted_value_is_no_override(
    postgres: EmbeddedPostgres, settings: RunModule
) -> None:
    postgres.stop()
    postgres.start("-c max_connections=256")
    result = settings({"max_connections": 256})
    assert not result["changed"]
    assert result["settings"]["max_connections"]["source"] == "command line"


def test_role_and_database_values_are_named(postgres: EmbeddedPostgres, settings: RunModule) -> None:
    for statement in (
        "CREATE ROLE importer",
        "CREATE DATABASE midi_library",
        "ALTER ROLE importer SET work_mem = '1GB'",
        "ALTER DATABASE midi_library SET work_mem = '2GB'",
        "ALTER ROLE importer IN DATABASE midi_library SET work_mem = '3GB'",
        "ALTER ROLE ALL SET random_page_cost = 3",
    ):
        query(postgres, statement)
    result = settings({"work_mem": "64MB", "random_page_cost": 1.1}, fails=True)
    for part in (
        'ALTER ROLE "importer" RESET work_mem',
        'ALTER DATABASE "midi_library" RESET work_mem',
        'ALTER ROLE "importer" IN DATABASE "midi_library" RESET work_mem',
        "ALTER ROLE ALL RESET random_page_cost",
    ):
        assert part in result["msg"]
    for override in result["overridden"]:
        query(postgres, override["remedy"].replace("run ", ""))
    assert settings({"work_mem": "64MB", "random_page_cost": 1.1})["changed"]


def test_leftovers_of_alter_system_are_named_as_dangers(postgres: EmbeddedPostgres, settings: RunModule) -> None:
    for name in ("fsync", "full_page_writes", "autovacuum", "track_counts", "track_activities"):
        query(postgres, f"ALTER SYSTEM SET {name} = off")
    query(postgres, "ALTER SYSTEM SET wal_level = minimal")
    query(postgres, "SELECT pg_reload_conf()")
    result = settings({"work_mem": "64MB"}, check=True)
    dangers = {danger["name"]: danger for danger in result["dangers"]}
    assert set(dangers) == {"fsync", "full_page_writes", "autovacuum", "track_counts", "track_activities", "wal_level"}
    assert "postgresql.auto.conf line" in dangers["fsync"]["where"]
    assert dangers["wal_level"]["remedy"] == "ALTER SYSTEM RESET wal_level"
    stored = auto_conf(postgres)
    refused = settings({"work_mem": "64MB"}, on_danger="fail", fails=True)
    assert {danger["name"] for danger in refused["dangers"]} == set(dangers)
    assert "6 dangerous settings would be in effect" in refused["msg"]
    assert "restore_safety=true does it for ALTER SYSTEM" in refused["msg"]
    assert auto_conf(postgres) == stored
    cleaned = settings(dict.fromkeys(dangers), state="absent", on_danger="fail")
    assert cleaned["changed"]
    assert settings({"work_mem": "64MB"}, check=True)["dangers"] == []


LEFT = {
    "fsync": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "track_counts": "off",
    "track_activities": "off",
    "wal_level": "minimal",
}


def test_leftovers_of_a_bulk_loader_are_taken_back_with_what_is_wanted(
    postgres: EmbeddedPostgres, settings: RunModule
) -> None:
    for name, value in LEFT.items():
        query(postgres, f"ALTER SYSTEM SET {name} = {value}")
    query(postgres, "SELECT pg_reload_conf()")
    left = auto_conf(postgres)
    options = {"restore_safety": True, "on_danger": "fail"}
    checked = settings({"work_mem": "64MB"}, check=True, **options)
    assert auto_conf(postgres) == left
    assert checked["restored"] == sorted(LEFT)
    assert checked["dangers"] == []

    first = settings({"work_mem": "64MB"}, **options)
    assert (first["diff"], first["restored"]) == (checked["diff"], checked["restored"])
    assert "fsync = off\n" in first["diff"]["before"]
    assert "fsync = on\n" in first["diff"]["after"]
    assert [name for name in LEFT if name in auto_conf(postgres)] == []
    assert {name: live(postgres, name) for name in LEFT} == {**dict.fromkeys(LEFT, "on"), "wal_level": "replica"}
    assert live(postgres, "work_mem") == "64MB"
    assert {found["state"] for found in first["settings"].values()} == {"applied"}

    second = settings({"work_mem": "64MB"}, **options)
    assert (second["changed"], second["restored"], second["executed_queries"]) == (False, [], [])
    assert list(second["settings"]) == ["work_mem"]


def test_a_line_below_does_not_come_back_when_alter_systems_own_goes(
    postgres: EmbeddedPostgres, settings: RunModule
) -> None:
    with (postgres.data / "postgresql.conf").open("a") as file:
        file.write("fsync = off\nautovacuum = off\n")
    query(postgres, "ALTER SYSTEM SET fsync = off")
    query(postgres, "SELECT pg_reload_conf()")
    left = auto_conf(postgres)
    # What is nobody's but the file's is refused, and then nothing at all is changed.
    refused = settings({}, restore_safety=True, on_danger="fail", fails=True)
    assert "1 dangerous setting would be in effect" in refused["msg"]
    assert re.search(r"change autovacuum in \S+/postgresql.conf line \d+", refused["msg"])
    assert "restore_safety" not in refused["msg"]
    assert auto_conf(postgres) == left
    done = settings({}, restore_safety=True, on_danger="warn")
    assert done["executed_queries"] == ["ALTER SYSTEM SET \"fsync\" = 'on'"]
    assert live(postgres, "fsync") == "on"
    assert [danger["name"] for danger in done["dangers"]] == ["autovacuum"]
    assert not settings({}, restore_safety=True)["changed"]


def test_dangers_of_the_command_line_and_of_roles_are_named_and_left(
    postgres: EmbeddedPostgres, settings: RunModule
) -> None:
    postgres.stop()
    postgres.start("-c fsync=off")
    query(postgres, "ALTER ROLE postgres SET track_counts = off")
    query(postgres, "ALTER DATABASE postgres SET track_activities = off")
    query(postgres, "ALTER SYSTEM SET full_page_writes = off")
    left = auto_conf(postgres)
    refused = settings({"work_mem": "64MB"}, restore_safety=True, on_danger="fail", fails=True)
    assert [danger["name"] for danger in refused["dangers"]] == ["fsync", "track_counts", "track_activities"]
    assert 'take "-c fsync=off"' in refused["msg"]
    assert 'track_counts = off in role "postgres"' in refused["msg"]
    assert auto_conf(postgres) == left
    for danger in refused["dangers"][1:]:
        query(postgres, danger["remedy"])
    postgres.stop()
    postgres.start()
    assert settings({"work_mem": "64MB"}, restore_safety=True, on_danger="fail")["restored"] == ["full_page_writes"]
    assert live(postgres, "full_page_writes") == "on"


def test_a_server_that_runs_with_minimal_wal_waits_for_its_restart(
    postgres: EmbeddedPostgres, settings: RunModule
) -> None:
    query(postgres, "ALTER SYSTEM SET wal_level = minimal")
    query(postgres, "ALTER SYSTEM SET max_wal_senders = 0")
    postgres.restart()
    assert settings({}, restore_safety=True)["restored"] == []
    query(postgres, "ALTER SYSTEM RESET max_wal_senders")
    done = settings({}, restore_safety=True, on_danger="fail")
    assert (done["restored"], done["restart_required"]) == (["wal_level"], True)
    again = settings({}, restore_safety=True, on_danger="fail")
    assert (again["changed"], again["restart_required"]) == (False, True)
    assert again["settings"]["wal_level"]["state"] == "pending_restart"
    postgres.restart()
    assert live(postgres, "wal_level") == "replica"
    after = settings({}, restore_safety=True, on_danger="fail")
    assert (after["settings"], after["restart_required"]) == ({}, False)


def test_a_start_that_would_fail_is_mended(postgres: EmbeddedPostgres, settings: RunModule) -> None:
    query(postgres, "ALTER SYSTEM SET superuser_reserved_connections = 200")
    query(postgres, "ALTER SYSTEM SET shared_preload_libraries = 'auto_explain,pg_stat_statements'")
    done = settings({}, restore_safety=True, on_danger="fail")
    assert done["restored"] == ["shared_preload_libraries", "superuser_reserved_connections"]
    postgres.restart()
    assert live(postgres, "shared_preload_libraries") == "auto_explain, pg_stat_statements"


@pytest.mark.parametrize("stored", ["''", "'auto_explain,pg_stat_statements'"])
def test_a_list_stored_wrongly_is_healed(postgres: EmbeddedPostgres, settings: RunModule, stored: str) -> None:
    query(postgres, f"ALTER SYSTEM SET shared_preload_libraries = {stored}")
    result = settings({"shared_preload_libraries": "pg_stat_statements"})
    assert result["changed"]
    postgres.restart()
    assert "pg_stat_statements" in live(postgres, "shared_preload_libraries")


def test_libraries_are_added_to_those_that_are_loaded(tmp_path: Path, run_module: RunModule) -> None:
    server = EmbeddedPostgres(tmp_path / "pg", {"shared_preload_libraries": "'auto_explain'"})
    server.create()
    server.start()
    try:
        wanted = {"shared_preload_libraries": ["pg_stat_statements"]}
        options = {"login_unix_socket": str(server.socket), "settings": wanted}
        assert run_module("pg_settings", **options)["restart_required"]
        server.restart()
        again = run_module("pg_settings", **options)
        assert not again["changed"] and not again["restart_required"]
        assert live(server, "shared_preload_libraries") == "auto_explain, pg_stat_statements"
        query(server, "CREATE EXTENSION pg_stat_statements")
        assert query(server, "SELECT count(*) >= 0 FROM pg_stat_statements") == [(True,)]
        assert live(server, "auto_explain.log_min_duration") == "-1"
    finally:
        server.stop()


def test_absent_resets_and_only_once(postgres: EmbeddedPostgres, settings: RunModule) -> None:
    settings({"work_mem": "64MB", "max_connections": 256})
    result = settings({"work_mem": None, "max_connections": None, "random_page_cost": None}, state="absent")
    assert sorted(result["executed_queries"]) == [
        'ALTER SYSTEM RESET "max_connections"',
        'ALTER SYSTEM RESET "work_mem"',
    ]
    assert "after" in result["diff"] and "work_mem = 4MB" in result["diff"]["after"]
    assert live(postgres, "work_mem") == "4MB"
    assert not result["restart_required"]
    assert not settings({"work_mem": None, "max_connections": None}, state="absent")["changed"]


def test_a_value_that_only_new_sessions_show_is_read_back_by_one(
    postgres: EmbeddedPostgres, settings: RunModule
) -> None:
    result = settings({"log_disconnections": True})
    assert result["settings"]["log_disconnections"]["live"] == "on"
    assert result["settings"]["log_disconnections"]["state"] == "applied"


def test_a_value_stored_and_never_read_is_loaded(postgres: EmbeddedPostgres, settings: RunModule) -> None:
    query(postgres, "ALTER SYSTEM SET work_mem = '64MB'")
    assert settings({"work_mem": "64MB"}, check=True)["changed"]
    assert live(postgres, "work_mem") == "4MB"
    result = settings({"work_mem": "64MB"})
    assert result["changed"] and result["executed_queries"] == []
    assert live(postgres, "work_mem") == "64MB"
    assert not settings({"work_mem": "64MB"})["changed"]


def test_a_broken_configuration_file_is_refused_with_its_line(postgres: EmbeddedPostgres, settings: RunModule) -> None:
    with (postgres.data / "postgresql.conf").open("a") as file:
        file.write("work_mem = plenty\n")
    untouched = auto_conf(postgres)
    result = settings({"max_connections": 256}, fails=True)
    lines = len((postgres.data / "postgresql.conf").read_text().splitlines())
    assert f"postgresql.conf line {lines}: work_mem" in result["msg"]
    assert auto_conf(postgres) == untouched


def test_alter_system_switched_off_is_named(postgres: EmbeddedPostgres, settings: RunModule) -> None:
    with (postgres.data / "postgresql.conf").open("a") as file:
        file.write("allow_alter_system = off\n")
    query(postgres, "SELECT pg_reload_conf()")
    result = settings({"work_mem": "64MB"}, fails=True)
    assert "allow_alter_system = on" in result["msg"] and "nothing was changed" in result["msg"]


def test_missing_privileges_are_named(postgres: EmbeddedPostgres, settings: RunModule) -> None:
    query(postgres, "CREATE ROLE app LOGIN")
    result = settings({"work_mem": "64MB"}, login_user="app", fails=True)
    assert 'role "app" may not read the configuration files' in result["msg"]
    for grant in (
        "GRANT pg_read_all_settings TO app",
        "GRANT SELECT ON pg_file_settings TO app",
        "GRANT EXECUTE ON FUNCTION pg_show_all_file_settings() TO app",
    ):
        query(postgres, grant)
    before = auto_conf(postgres)
    wanted = {"work_mem": "64MB", "random_page_cost": 2}
    # Check mode says so as well: it would be no use to say that all is well.
    assert "lacks privileges" in settings(wanted, login_user="app", check=True, fails=True)["msg"]
    result = settings(wanted, login_user="app", fails=True)
    assert auto_conf(postgres) == before
    grants = re.search(r"let a superuser run: (.*)\.", result["msg"])[1].split("; ")
    assert len(grants) == 3
    for grant in grants[:-1]:
        query(postgres, grant)
    # The right to write without the right to reload would leave it half done.
    assert "GRANT EXECUTE ON FUNCTION pg_reload_conf()" in settings(wanted, login_user="app", fails=True)["msg"]
    assert auto_conf(postgres) == before
    query(postgres, grants[-1])
    assert settings(wanted, login_user="app")["changed"]
    assert live(postgres, "work_mem") == "64MB"


def test_an_unreachable_server_is_named_without_the_password(tmp_path: Path, run_module: RunModule) -> None:
    result = run_module(
        "pg_settings",
        fails=True,
        settings={"work_mem": "64MB"},
        login_unix_socket=str(tmp_path),
        login_password="s3cr3t-42",
    )
    assert str(tmp_path) in result["msg"] and "check that the server runs" in result["msg"]
    assert "s3cr3t-42" not in str(result)


def test_a_wrong_password_is_named_without_it(tmp_path: Path, run_module: RunModule) -> None:
    server = EmbeddedPostgres(tmp_path / "pg")
    server.create()
    (server.data / "pg_hba.conf").write_text("local all postgres peer map=demo\nlocal all all scram-sha-256\n")
    server.start()
    try:
        query(server, "CREATE ROLE app LOGIN PASSWORD 'right-one'")
        result = run_module(
            "pg_settings", fails=True, settings={"work_mem": "64MB"}, login_unix_socket=str(server.socket),
            login_user="app", login_password="wrong-one",
        )  # fmt: skip
        assert "password authentication failed" in result["msg"] and "check login_user" in result["msg"]
        assert "wrong-one" not in str(result)
    finally:
        server.stop()


def test_a_standby_takes_settings_too(postgres: EmbeddedPostgres, settings: RunModule) -> None:
    # ALTER SYSTEM writes a file, not the database: a standby has settings of its own.
    (postgres.data / "standby.signal").touch()
    postgres.restart()
    result = settings({"work_mem": "64MB"})
    assert result["server"]["in_recovery"]
    assert live(postgres, "work_mem") == "64MB"


COMPARED = [
    ("work_mem", ["64MB", "0.1GB", "1.5GB", "100000", "1e5", "0x10000", "65kB", "131072B"]),
    ("statement_timeout", ["5min", "1.5s", "90", "0.5h", "1d", "0"]),
    ("vacuum_cost_delay", ["2ms", "500us", "0.01s", "1.25"]),
    ("random_page_cost", ["1.1", "4", "1e1"]),
    ("enable_seqscan", ["t", "of", "TRUE", "no", "1", "0"]),
    ("synchronous_commit", ["on", "off", "yes", "remote_apply", "LOCAL"]),
    ("wal_compression", ["on", "pglz", "off", "true"]),
    ("temp_buffers", ["1MB", "8MB", "1GB", "1000", "1.5MB"]),
]


def test_values_mean_what_the_server_makes_of_them(postgres: EmbeddedPostgres) -> None:
    columns = "name, setting, unit, vartype, context, source, min_val, max_val, enumvals, boot_val"
    for name, texts in COMPARED:
        (row,) = query(postgres, f"SELECT {columns} FROM pg_settings WHERE name = %s", [name])
        definition = Definition(**dict(zip(columns.split(", "), [*row[:8], tuple(row[8] or ()), row[9]], strict=True)))
        for text in texts:
            (answer,) = query(
                postgres,
                "SELECT s.setting, x FROM set_config(%s, %s, false) AS x, LATERAL"
                " (SELECT setting FROM pg_settings WHERE name = %s AND x IS NOT NULL) AS s",
                [name, text, name],
            )
            ours = values.canonical(definition, text)
            assert values.same(definition, ours, answer[0]), (name, text)
            assert values.rendered(definition, ours) == answer[1], (name, text)


def test_a_restart_setting_that_was_taken_away_can_be_set_again(
    postgres: EmbeddedPostgres, settings: RunModule
) -> None:
    settings({"max_worker_processes": 12})
    postgres.restart()
    taken = settings({"max_worker_processes": ""}, state="absent")
    assert taken["settings"]["max_worker_processes"]["state"] == "pending_restart"
    assert not settings({"max_worker_processes": ""}, state="absent")["changed"]
    # Whatever else is wanted now is not kept from it.
    assert settings({"work_mem": "64MB"})["changed"]
    assert settings({"max_worker_processes": 12})["settings"]["max_worker_processes"]["state"] == "applied"
    assert not settings({"max_worker_processes": 12})["changed"]


@pytest.mark.parametrize(
    ("wanted", "value"),
    [
        ({"log_file_mode": "0640"}, "0640"),
        ({"log_file_mode": 0o640}, "0640"),
        ({"log_statement_sample_rate": 0.3333333}, "0.333333"),
        ({"vacuum_cost_delay": "1.0005ms"}, "1ms"),
        ({"vacuum_cost_delay": "1.2345ms"}, "1234us"),
        ({"vacuum_cost_delay": 1.2345}, "1234.5us"),
        ({"log_rotation_age": "30.26h"}, "1816min"),
        ({"geqo_seed": 0.123456789}, "0.123457"),
        ({"search_path": '"$user", app, public'}, '"$user", app, public'),
    ],
)
def test_what_the_server_shows_otherwise_is_no_difference(
    postgres: EmbeddedPostgres, settings: RunModule, wanted: dict, value: str
) -> None:
    (name,) = wanted
    first = settings(wanted)
    assert (first["changed"], first["settings"][name]["state"], first["overridden"]) == (True, "applied", [])
    assert live(postgres, name) == value
    assert not settings(wanted)["changed"]
    assert settings(wanted, state="absent")["changed"]
    assert not settings(wanted, state="absent")["changed"]


def test_digits_that_are_not_octal_are_refused(settings: RunModule) -> None:
    assert "takes digits from 0 to 7 after a leading 0" in settings({"log_file_mode": "0690"}, fails=True)["msg"]


def test_no_secret_is_shown(postgres: EmbeddedPostgres, settings: RunModule) -> None:
    def conninfo(password: str) -> dict:
        return {
            "primary_conninfo": f"host=p user=r password={password}",
            "archive_command": f"PGPASSWORD={password} true",
            "work_mem": "8MB",
        }

    first = settings(conninfo("geheim-1"))
    second = settings(conninfo("geheim-2"))
    # It is a change, and the diff says so without telling what.
    assert second["changed"]
    assert "primary_conninfo" in second["diff"]["after"]
    assert second["stored"]["archive_command"] == {"before": "(hidden)", "after": "(hidden)"}
    assert "geheim" not in str(first) + str(second)
    assert "geheim-2" in auto_conf(postgres)
    query(postgres, "ALTER ROLE postgres SET work_mem = '1MB'")
    assert "geheim" not in str(settings(conninfo("geheim-3"), connect_params={"password": "geheim-4"}, fails=True))


def test_the_diff_has_what_changes_and_nothing_else(postgres: EmbeddedPostgres, settings: RunModule) -> None:
    postgres.stop()
    postgres.start("-c max_connections=120")
    result = settings({"max_connections": 120, "work_mem": "8MB"})
    assert (result["diff"]["before"], result["diff"]["after"]) == ("work_mem = 4MB\n", "work_mem = 8MB\n")
    with (postgres.data / "postgresql.auto.conf").open("a") as file:
        file.write("work_mem = '9MB'\n")
    unread = settings({"work_mem": "9MB"})
    assert (unread["diff"]["before"], unread["diff"]["after"]) == ("work_mem = 8MB\n", "work_mem = 9MB\n")
    with (postgres.data / "postgresql.conf").open("a") as file:
        file.write("work_mem = '9MB'\n")
    elsewhere = settings({"work_mem": ""}, state="absent")
    assert elsewhere["changed"]
    assert elsewhere["diff"]["before"] != elsewhere["diff"]["after"]


def test_what_is_taken_away_and_still_overridden_says_by_what(postgres: EmbeddedPostgres, settings: RunModule) -> None:
    settings({"work_mem": "64MB"})
    query(postgres, "ALTER ROLE postgres SET work_mem = '12MB'")
    result = settings({"work_mem": ""}, state="absent")
    assert (result["changed"], result["settings"]["work_mem"]["state"]) == (True, "overridden")
    assert result["overridden"][0]["remedy"] == 'run ALTER ROLE "postgres" RESET work_mem'


@pytest.mark.parametrize("name", ["no_such_library", "$libdir/plugins/none"])
def test_a_library_that_is_not_installed_is_refused(postgres: EmbeddedPostgres, settings: RunModule, name: str) -> None:
    before = auto_conf(postgres)
    wanted = {"shared_preload_libraries": ["pg_stat_statements", name]}
    result = settings(wanted, check=True, fails=True)
    assert f"shared_preload_libraries names {name}, which is not installed: there is no /" in result["msg"]
    assert "pg_stat_statements," not in result["msg"]
    settings(wanted, fails=True)
    assert auto_conf(postgres) == before


@pytest.mark.parametrize(
    ("wanted", "text"),
    [
        ({"wal_level": "minimal", "max_wal_senders": 0, "archive_mode": True}, "with archive_mode = on the server"),
        ({"wal_level": "minimal"}, "with max_wal_senders = 10 the server"),
        ({"max_connections": 10, "superuser_reserved_connections": 10}, "with 10 connections reserved the server"),
    ],
)
def test_what_would_keep_the_server_from_starting_is_known(settings: RunModule, wanted: dict, text: str) -> None:
    refused = settings(wanted, on_danger="fail", fails=True)
    assert text in refused["msg"]
    assert [danger["prevents_start"] for danger in refused["dangers"]] == [True]


def test_a_danger_on_the_command_line_says_how_to_take_it_out(postgres: EmbeddedPostgres, settings: RunModule) -> None:
    postgres.stop()
    postgres.start("-c fsync=off")
    (danger,) = settings({"work_mem": "8MB"}, check=True)["dangers"]
    assert danger["where"] == "the command line"
    assert danger["remedy"].startswith('take "-c fsync=off"')


def test_an_application_s_own_setting_is_told_from_a_library_s(postgres: EmbeddedPostgres, settings: RunModule) -> None:
    with (postgres.data / "postgresql.conf").open("a") as file:
        file.write("my.app = 'x'\n")
    assert "it is an application's own" in settings({"my.app": "y"}, fails=True)["msg"]


def test_names_in_any_encoding_are_read(postgres: EmbeddedPostgres, settings: RunModule) -> None:
    query(postgres, "CREATE DATABASE old ENCODING SQL_ASCII TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'")
    query(postgres, 'CREATE ROLE "müller"')
    query(postgres, "ALTER ROLE \"müller\" SET work_mem = '1GB'")
    result = settings({"work_mem": "8MB"}, login_db="old", fails=True)
    assert 'role "müller"' in result["msg"]
