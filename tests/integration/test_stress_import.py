# SPDX-License-Identifier: GPL-3.0-or-later
"""Modules pg_stress_import and pg_stress_guard_info against a MIDI library."""

from __future__ import annotations

import os
import pwd
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from demo.servers import EmbeddedPostgres
from tests.integration.conftest import RunModule, query
from tests.integration.stress_runs import LIBRARY, Begun, load_library, mark, run_directory
from tests.unit.collection import load

PATTERNS = load("roles/capacity_baseline/defaults/main.yml")["capacity_baseline_stress_patterns"]
Import = Callable[..., dict[str, Any]]


@pytest.fixture
def place(postgres: EmbeddedPostgres) -> dict[str, Any]:
    """Where a library is."""
    load_library(postgres)
    return {"login_unix_socket": str(postgres.socket), "login_db": LIBRARY}


@pytest.fixture
def imports(tmp_path: Path, place: dict[str, Any], run_module: RunModule) -> Import:
    """One import, watched to its end: its result."""

    def run(name: str = "run", **options: Any) -> dict[str, Any]:
        directory = str(run_directory(tmp_path, name))
        begun = Begun(tmp_path, "pg_stress_import", directory=directory, patterns=PATTERNS, **place, **options)
        run_module("pg_stress_watch", directory=directory, seconds=60, **place)
        return begun.result()

    return run


def library(server: EmbeddedPostgres, statement: str) -> list[tuple]:
    return query(server, statement, dbname=LIBRARY)


def facts(server: EmbeddedPostgres) -> list[tuple]:
    """What has to be as before once all of it is removed."""
    tables = library(
        server, "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
    )
    counts = [library(server, f"SELECT '{name}', count(*) FROM {name}")[0] for (name,) in sorted(tables)]
    return [*counts, *library(server, "SELECT id, usage_count FROM tags ORDER BY id")]


def test_an_import_is_marked_whole_and_removed_without_a_trace(
    postgres: EmbeddedPostgres, imports: Import, place: dict[str, Any], run_module: RunModule
) -> None:
    before = facts(postgres)
    result = imports(files=1250, workers=3)
    assert result["command"] == "the built-in importer, 1,250 files by 3 connections"
    assert (result["changed"], result["exit_status"], result["ended_by"]) == (True, 0, "itself")
    assert (result["log"]["files"], result["log"]["errors"], result["log"]["unmatched"]) == (1250, 0, 0)
    # Every worker had its part, with tags, metadata and parents of its own.
    ours = "filepath LIKE '/midi-capacity-stress/run/%'"
    by_worker = library(
        postgres, f"SELECT split_part(filepath, '/', 4), count(*) FROM files WHERE {ours} GROUP BY 1 ORDER BY 1"
    )
    assert by_worker == [("0", 417), ("1", 417), ("2", 416)]
    ((tags, metadata, parents, strangers, old),) = library(
        postgres,
        f"""SELECT (SELECT count(*) FROM file_tags WHERE file_id = ANY (ids)),
                   (SELECT count(*) FROM musical_metadata WHERE file_id = ANY (ids)),
                   (SELECT count(*) FROM files WHERE id = ANY (ids) AND parent_file_id = ANY (ids)),
                   (SELECT count(*) FROM files WHERE id = ANY (ids) AND NOT parent_file_id = ANY (ids)),
                   (SELECT count(*) FROM files WHERE id = ANY (ids) AND created_at < now() - interval '1 hour')
            FROM (SELECT array_agg(id) AS ids FROM files WHERE {ours}) AS imported""",
    )
    assert tags > 4000 and metadata > 1000 and parents > 20 and (strangers, old) == (0, 0)
    used = "SELECT count(*) FROM tags t WHERE usage_count <> (SELECT count(*) FROM file_tags WHERE tag_id = t.id)"
    assert library(postgres, used) == [(0,)]

    checked = run_module("pg_stress_import", state="absent", check=True, **place)
    assert (checked["changed"], checked["removed_files"]) == (True, 1250)
    assert (checked["diff"]["before"], checked["diff"]["after"]) == ("files = 1250\n", "files = 0\n")
    removed = run_module("pg_stress_import", state="absent", **place)
    assert (removed["changed"], removed["removed_files"]) == (True, 1250)
    assert facts(postgres) == before
    again = run_module("pg_stress_import", state="absent", **place)
    assert (again["changed"], again["removed_files"]) == (False, 0)


def test_two_imports_do_not_get_in_each_others_way(postgres: EmbeddedPostgres, imports: Import) -> None:
    for name in ("one", "two"):
        assert imports(name, files=150, workers=2)["exit_status"] == 0
    assert library(postgres, "SELECT count(*) FROM files WHERE filepath LIKE '/midi-capacity-stress/%'") == [(300,)]


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_root_runs_it_as_another_account(tmp_path: Path, imports: Import) -> None:
    # Which cannot reach the server's socket below a directory of root's.
    result = imports(files=100, workers=1, account="nobody")
    assert result["exit_status"] == 1
    log = tmp_path / "stress" / "run" / "output.log"
    assert log.stat().st_uid == pwd.getpwnam("nobody").pw_uid
    assert "ERROR: worker 0: cannot connect to PostgreSQL: Permission denied" in log.read_text()


def test_a_worker_that_fails_is_told(postgres: EmbeddedPostgres, imports: Import) -> None:
    library(
        postgres,
        """CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
           $$ BEGIN RAISE EXCEPTION 'tags are full' USING DETAIL = 'for today'; END $$;
           CREATE TRIGGER refuse BEFORE INSERT ON file_tags FOR EACH STATEMENT EXECUTE FUNCTION refuse()""",
    )
    result = imports(files=200, workers=2)
    assert (result["exit_status"], result["ended_by"], result["log"]["errors"]) == (1, "itself", 2)
    examples = [text for entry in result["log"]["patterns"] for text in entry["examples"]]
    assert "ERROR: worker 1: tags are full: for today" in examples
    # A batch is there whole or not at all.
    assert library(postgres, "SELECT count(*) FROM files WHERE filepath LIKE '/midi-capacity-stress/%'") == [(0,)]


def test_a_deadlock_is_counted_and_the_batch_tried_again(postgres: EmbeddedPostgres, imports: Import) -> None:
    # A sequence goes on although its transaction does not.
    library(
        postgres,
        """CREATE SEQUENCE tried;
           CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
           $$ BEGIN
             IF nextval('tried') <= 2 THEN RAISE EXCEPTION 'deadlock detected' USING ERRCODE = '40P01'; END IF;
             RETURN NULL;
           END $$;
           CREATE TRIGGER refuse AFTER INSERT ON files FOR EACH STATEMENT EXECUTE FUNCTION refuse()""",
    )
    result = imports(files=200, workers=1)
    assert result["exit_status"] == 0
    assert {entry["name"]: entry["lines"] for entry in result["log"]["patterns"]}["deadlock"] == 2
    assert library(postgres, "SELECT count(*) FROM files WHERE filepath LIKE '/midi-capacity-stress/%'") == [(200,)]


def test_an_import_ends_with_whoever_began_it(
    tmp_path: Path, postgres: EmbeddedPostgres, place: dict[str, Any], run_module: RunModule
) -> None:
    directory = str(run_directory(tmp_path))
    begun = Begun(tmp_path, "pg_stress_import", directory=directory, files=5_000_000, workers=2, **place)
    while not run_module("pg_stress_watch", directory=directory, seconds=0.5, growth_table="files", **place)["rows"]:
        assert begun.process.poll() is None
    begun.process.kill()
    begun.process.communicate()
    # The lock is free when no process of it is left.
    assert run_module("pg_stress_watch", directory=directory, seconds=60, **place)["lost"]
    assert run_module("pg_stress_import", state="absent", **place)["changed"]


def test_what_is_no_number_of_files_and_check_mode(place: dict[str, Any], run_module: RunModule) -> None:
    for options in ({"files": 0}, {"workers": 0}, {"limit_seconds": 0}, {"patterns": [{}]}):
        (name,) = options
        assert name.rstrip("s") in run_module("pg_stress_import", check=True, fails=True, **options, **place)["msg"]
    assert run_module("pg_stress_import", check=True, files=7, **place)["changed"]
    assert "directory is needed" in run_module("pg_stress_import", fails=True, **place)["msg"]


# Whether a database may be stressed


def test_a_database_has_to_be_marked(postgres: EmbeddedPostgres, run_module: RunModule) -> None:
    place = {"login_unix_socket": str(postgres.socket)}
    # What a role or a session has set marks nothing.
    query(postgres, "ALTER ROLE postgres SET midi_capacity.test = on")
    query(postgres, "ALTER ROLE postgres IN DATABASE postgres SET midi_capacity.test = on")
    query(postgres, "ALTER DATABASE template1 SET midi_capacity.test = on")
    query(postgres, "ALTER DATABASE postgres SET midi_capacity.test = off")
    refused = run_module(
        "pg_stress_guard_info", fails=True, connect_params={"options": "-c midi_capacity.test=on"}, **place
    )
    assert 'database "postgres" is not marked as one for tests' in refused["msg"]
    assert "nothing was touched" in refused["msg"] and "capacity_allow_stress: true" in refused["msg"]
    allowed = run_module("pg_stress_guard_info", allow=True, **place)
    assert (allowed["changed"], allowed["marked"], allowed["allowed_by"]) == (False, False, "capacity_allow_stress")
    # The statement of the message is the way.
    statement = refused["msg"].split("is one, run ")[1].split(";")[0]
    assert statement == 'ALTER DATABASE "postgres" SET midi_capacity.test = on'
    query(postgres, statement)
    marked = run_module("pg_stress_guard_info", **place)
    assert (marked["marked"], marked["allowed_by"], marked["database"]) == (True, "its mark", "postgres")
    assert marked["rows_inserted"] is None


def test_a_command_that_goes_elsewhere_is_refused(postgres: EmbeddedPostgres, run_module: RunModule) -> None:
    query(postgres, "ALTER DATABASE postgres SET midi_capacity.test = on")
    place = {"login_unix_socket": str(postgres.socket), "command": ["import"]}
    there = {"DATABASE_URL": "postgresql://midi:geheim@/postgres"}
    assert run_module("pg_stress_guard_info", environment=there, **place)["marked"]
    elsewhere = {"DATABASE_URL": "postgresql://midi:geheim@/midi_library"}
    refused = run_module("pg_stress_guard_info", fails=True, environment=elsewhere, **place)
    assert 'would go to "midi_library", as DATABASE_URL of its environment says' in refused["msg"]
    assert "geheim" not in str(refused)


def test_the_counter_of_rows_is_where_a_watch_begins(
    place: dict[str, Any], postgres: EmbeddedPostgres, run_module: RunModule
) -> None:
    before = run_module("pg_stress_guard_info", growth_table="public.files", **place)["rows_inserted"]
    library(
        postgres, "INSERT INTO files (filepath, filename, content_hash, file_size_bytes) VALUES ('/x', 'x', '\\x00', 1)"
    )
    assert run_module("pg_stress_guard_info", growth_table="files", **place)["rows_inserted"] == before + 1


def test_a_standby_is_refused(postgres: EmbeddedPostgres, run_module: RunModule) -> None:
    mark(postgres)
    postgres.stop()
    (postgres.data / "standby.signal").touch()
    postgres.start()
    refused = run_module("pg_stress_guard_info", allow=True, fails=True, login_unix_socket=str(postgres.socket))
    assert "this server is a standby" in refused["msg"] and "run the stress test on its primary" in refused["msg"]


def test_the_importer_wants_a_library(postgres: EmbeddedPostgres, run_module: RunModule) -> None:
    place = {"login_unix_socket": str(postgres.socket), "allow": True, "importer": True}
    query(postgres, "CREATE TABLE files (id int PRIMARY KEY, filepath text)")
    refused = run_module("pg_stress_guard_info", fails=True, **place)["msg"]
    assert 'database "postgres" has others' in refused and "capacity_baseline_stress_command" in refused
    assert "there is no table tags" in refused and "files has no column filename" in refused


def test_a_library_whose_ids_come_from_no_sequence(
    postgres: EmbeddedPostgres, place: dict[str, Any], run_module: RunModule
) -> None:
    assert run_module("pg_stress_guard_info", importer=True, **place)["marked"]
    library(postgres, "ALTER SEQUENCE files_id_seq OWNED BY NONE")
    refused = run_module("pg_stress_guard_info", importer=True, fails=True, **place)
    assert "the ids of files come from no sequence" in refused["msg"]


def test_patterns_are_checked_with_it(postgres: EmbeddedPostgres, run_module: RunModule) -> None:
    bad = [{"name": "a", "regex": "(", "kind": "error"}]
    refused = run_module("pg_stress_guard_info", fails=True, patterns=bad, login_unix_socket=str(postgres.socket))
    assert "pattern 1: '(' is no regular expression" in refused["msg"]
