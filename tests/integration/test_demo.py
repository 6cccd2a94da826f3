# SPDX-License-Identifier: GPL-3.0-or-later
"""The demo from nothing to a library, and back to nothing."""

from __future__ import annotations

import json
import socket
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest

from demo.library import expected_rows
from demo.servers import postgres_bin
from tests.integration.demo_runs import DemoRuns, demo_in
from tests.scale import scaled

FILES = scaled(20_000, 172_000)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoRuns]:
    """A demo that is up, with FILES files."""
    with demo_in(tmp_path_factory.mktemp("demo") / "home") as runs:
        runs.first_output = runs.succeeds("up", DEMO_FILES=str(FILES))
        yield runs


def test_every_table_is_reported_with_its_speed(demo: DemoRuns) -> None:
    lines = demo.first_output.splitlines()
    ends = {line.split()[0]: line for line in lines if line.endswith(" rows/s") and "%" not in line}
    assert len(ends) == 30
    assert f"{FILES:,} rows" in ends["files"]
    tenths = [int(line.split("%")[0]) // 10 for line in lines if line[:3].strip().isdigit() and line[3] == "%"]
    assert tenths == sorted(set(tenths))
    assert len(tenths) >= 4
    total = next(line for line in lines if line.startswith("total"))
    assert int(total.split()[1].replace(",", "")) == pytest.approx(expected_rows(FILES), rel=0.02)


def test_the_files_are_there_and_nothing_of_the_load_is(demo: DemoRuns) -> None:
    assert demo.value("SELECT count(*) FROM files") == FILES
    assert demo.databases() == {"postgres", "midi_library"}


def test_27_valid_foreign_keys_in_25_tables_point_at_files(demo: DemoRuns) -> None:
    statement = """SELECT count(*), count(DISTINCT conrelid), bool_and(convalidated) FROM pg_constraint
        WHERE contype = 'f' AND confrelid = 'files'::regclass"""
    assert demo.rows(statement) == [(27, 25, True)]
    assert demo.value("SELECT count(*) FROM pg_constraint WHERE NOT convalidated") == 0
    assert demo.value("SELECT count(*) FROM pg_index WHERE NOT indisvalid") == 0


def test_every_table_has_a_primary_key_and_statistics(demo: DemoRuns) -> None:
    statement = """SELECT relname FROM pg_class c WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND (
        NOT EXISTS (SELECT FROM pg_index WHERE indrelid = c.oid AND indisprimary)
        OR NOT EXISTS (SELECT FROM pg_stats WHERE tablename = relname AND schemaname = 'public'))"""
    assert demo.rows(statement) == []


@pytest.mark.parametrize(
    "index",
    ["files_filepath_key", "idx_files_content_hash", "file_tags_pkey", "idx_file_tags_tag_id_file_id"]
    + ["idx_musical_metadata_bpm", "idx_musical_metadata_key", "idx_files_search"],
)
def test_the_indexes_of_the_real_library_are_there(demo: DemoRuns, index: str) -> None:
    assert demo.value(f"SELECT indisvalid FROM pg_index WHERE indexrelid = '{index}'::regclass")


def test_derived_columns_are_what_the_triggers_would_write(demo: DemoRuns) -> None:
    # Reads nothing back that the load itself computed: the trigger writes each row's vector again.
    changed = """WITH before AS (SELECT id, search_vector FROM files WHERE id % 10 = 0),
        again AS (UPDATE files SET filename = filename WHERE id % 10 = 0 RETURNING id, search_vector)
        SELECT count(*), count(*) FILTER (WHERE before.search_vector = again.search_vector)
        FROM before JOIN again USING (id)"""
    assert demo.rows(changed) == [(FILES // 10, FILES // 10)]
    wrong = """SELECT count(*) FROM tags WHERE usage_count <>
        (SELECT count(*) FROM file_tags WHERE tag_id = tags.id)"""
    assert demo.value(wrong) == 0
    found = "SELECT count(*) FROM files WHERE search_vector @@ to_tsquery('simple', 'house & drums')"
    assert 0 < demo.value(found) < FILES / 5


def test_a_new_file_gets_its_id_its_vector_and_counts_in_its_tags(demo: DemoRuns) -> None:
    before = demo.value("SELECT usage_count FROM tags WHERE id = 1")
    statement = """WITH new AS (INSERT INTO files (filepath, filename, content_hash, file_size_bytes)
        VALUES ('/new.mid', 'brand_new.mid', 'x', 1) RETURNING id, search_vector)
        INSERT INTO file_tags (file_id, tag_id) SELECT id, 1 FROM new RETURNING file_id"""
    (new,) = demo.rows(statement)[0]
    assert new == FILES + 1
    assert demo.value("SELECT usage_count FROM tags WHERE id = 1") == before + 1
    assert demo.value(f"SELECT search_vector @@ 'brand' FROM files WHERE id = {new}")
    demo.rows(f"DELETE FROM files WHERE id = {new}")
    assert demo.value("SELECT usage_count FROM tags WHERE id = 1") == before


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE files SET filepath = (SELECT filepath FROM files WHERE id = 1) WHERE id = 2",
        "UPDATE files SET content_hash = (SELECT content_hash FROM files WHERE id = 1) WHERE id = 2",
        "INSERT INTO file_tags SELECT file_id, tag_id FROM file_tags LIMIT 1",
        "INSERT INTO file_tags VALUES (0, 1)",
        "INSERT INTO file_tags VALUES (1, 0)",
        "INSERT INTO file_duplicates (original_file_id, duplicate_file_id, similarity) VALUES (1, 0, 1)",
    ],
)
def test_keys_are_kept(demo: DemoRuns, statement: str) -> None:
    with pytest.raises(psycopg2.IntegrityError):
        demo.rows(statement)


@pytest.mark.parametrize("view", ["file_details", "tag_use", "growth_by_month"])
def test_the_views_answer(demo: DemoRuns, view: str) -> None:
    assert demo.rows(f"SELECT * FROM {view} LIMIT 5")


def test_the_growth_ends_now_and_is_uneven(demo: DemoRuns) -> None:
    months = demo.rows("SELECT month, files FROM growth_by_month ORDER BY month")
    assert len(months) >= 17
    assert demo.value("SELECT max(created_at) BETWEEN now() - interval '3 days' AND now() FROM files")
    counts = [files for _month, files in months]
    assert max(counts) > 3 * sorted(counts)[len(counts) // 2]


def test_the_server_is_a_plain_one_that_keeps_what_it_is_given(demo: DemoRuns) -> None:
    names = {"max_connections": "100", "shared_preload_libraries": "", "fsync": "on", "full_page_writes": "on"}
    names |= {"synchronous_commit": "on", "listen_addresses": "", "max_parallel_workers": "8", "work_mem": "4MB"}
    assert {name: demo.value(f"SHOW {name}") for name in names} == names
    assert demo.rows("SELECT name FROM pg_settings WHERE source = 'command line'") == []
    assert demo.rows("SELECT name FROM pg_file_settings WHERE sourcefile LIKE '%auto.conf'") == []


def test_servers_json_leads_to_both_servers(demo: DemoRuns) -> None:
    facts = json.loads(demo.home.servers.read_text())
    postgres = facts["postgres"]
    with psycopg2.connect(host=postgres["socket"], port=postgres["port"], user="postgres", dbname="postgres") as opened:
        assert opened.info.server_version >= 180000
    opened.close()
    status = subprocess.run(
        [*postgres["pg_ctl"], "status", "-D", postgres["data"]], cwd="/", check=False, capture_output=True
    )
    assert status.returncode == 0
    assert Path(postgres["log"]).exists()
    assert stat.S_ISSOCK(Path(facts["redis"]["socket"]).stat().st_mode)
    assert Path(facts["state_dir"]) == demo.directory / "state"


def test_a_second_up_keeps_what_is_there(demo: DemoRuns) -> None:
    before = demo.value("SELECT oid FROM pg_database WHERE datname = 'midi_library'")
    assert f"{FILES:,} files" in demo.succeeds("up")
    assert "already loaded" in demo.succeeds("up", DEMO_FILES=str(FILES))
    assert demo.value("SELECT oid FROM pg_database WHERE datname = 'midi_library'") == before


def test_another_number_of_files_is_refused_and_nothing_is_lost(demo: DemoRuns) -> None:
    message = demo.fails("up", DEMO_FILES="5000")
    assert f"{FILES:,}" in message
    assert "5,000" in message
    assert "make demo-clean" in message
    assert demo.value("SELECT count(*) FROM files") == FILES
    assert demo.run("status").returncode == 0


def test_a_user_can_look_around(demo: DemoRuns) -> None:
    # Settings for another server must not lead there, and no other psql is needed.
    elsewhere = {"PGHOST": "nowhere.invalid", "PGSERVICE": "none", "PGOPTIONS": "-c geqo=off", "PATH": "/nonexistent"}
    assert demo.succeeds("psql", "-Atc", "SELECT count(*) FROM files", **elsewhere) == f"{FILES}\n"
    assert demo.succeeds("redis-cli", "set", "a key", "1") == "OK\n"
    assert demo.succeeds("redis-cli", "get", "a key") == "1\n"
    assert demo.run("psql", "-c", "nonsense").returncode == 1


def test_status_says_what_runs(demo: DemoRuns) -> None:
    text = demo.succeeds("status")
    assert f"{FILES:,} files" in text
    assert text.count("runs, socket") == 2


def test_a_library_that_was_damaged_is_not_taken_for_a_good_one(demo: DemoRuns) -> None:
    demo.rows("ALTER TABLE lyrics RENAME TO gone")
    try:
        assert "lyrics" in demo.fails("up")
    finally:
        demo.rows("ALTER TABLE gone RENAME TO lyrics")
    assert "already loaded" in demo.succeeds("up")


def test_stop_leaves_no_process_and_the_library(demo: DemoRuns) -> None:
    demo.succeeds("redis-cli", "set", "kept", "1")
    assert demo.processes()
    demo.succeeds("stop")
    assert demo.processes() == []
    status = demo.run("status")
    assert status.returncode == 3
    assert status.stdout.count("stopped") == 2
    assert "make demo" in demo.fails("psql")
    assert "make demo" in demo.fails("redis-cli")
    demo.succeeds("stop")
    assert "already loaded" in demo.succeeds("up")
    assert demo.succeeds("redis-cli", "get", "kept") == "1\n"
    assert demo.value("SELECT count(*) FROM files") == FILES


def test_clean_leaves_nothing(tmp_path: Path) -> None:
    with demo_in(tmp_path / "home") as demo:
        assert "no demo" in demo.succeeds("clean")
        demo.succeeds("up", DEMO_FILES="1000")
        demo.home.state.mkdir()
        (demo.home.state / "history").touch()
        demo.succeeds("clean")
        assert list(tmp_path.iterdir()) == []
        assert demo.processes() == []
        assert demo.run("status").returncode == 3


@pytest.mark.parametrize("name", ["with space, comma, ü and 'quote'", "x" * 150], ids=["odd", "long"])
def test_odd_and_long_paths(tmp_path: Path, name: str) -> None:
    with demo_in(tmp_path / name / "demo") as demo:
        demo.succeeds("up", DEMO_FILES="1000")
        sockets = Path(demo.postgres.socket), demo.redis.socket.parent
        assert not any(directory.is_relative_to(tmp_path) for directory in sockets)
        assert demo.succeeds("psql", "-Atc", "SELECT count(*) FROM files") == "1000\n"
        assert demo.succeeds("redis-cli", "ping") == "PONG\n"
        demo.succeeds("clean")
        assert not any(directory.exists() for directory in sockets)


def test_a_port_is_opened_with_a_password_and_closed_again(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with demo_in(tmp_path / "demo") as demo:
        text = demo.succeeds("up", DEMO_FILES="1000", DEMO_PG_PORT=str(port))
        assert str(demo.home.pgpass) in text
        assert stat.S_IMODE(demo.home.pgpass.stat().st_mode) == 0o600
        password = demo.home.pgpass.read_text().strip().split(":")[4]
        assert password not in text
        command = [postgres_bin() / "psql", "-h", "127.0.0.1", "-p", str(port), "-U", "postgres", "-Atwc"]
        command += ["SELECT 1", "midi_library"]
        allowed = subprocess.run(
            command, env={"PGPASSFILE": str(demo.home.pgpass)}, check=False, capture_output=True, text=True
        )
        assert allowed.stdout == "1\n", allowed.stderr
        refused = subprocess.run(command, env={"PGPASSFILE": "/dev/null"}, check=False, capture_output=True, text=True)
        assert "no password supplied" in refused.stderr
        assert password not in demo.postgres.log.read_text()
        assert json.loads(demo.home.servers.read_text())["postgres"]["port"] == port
        assert demo.succeeds("psql", "-Atc", "SHOW port") == f"{port}\n"
        # The same again changes nothing; without a port it is closed.
        assert "started again" not in demo.succeeds("up", DEMO_PG_PORT=str(port))
        assert demo.home.pgpass.read_text().strip().split(":")[4] == password
        assert "started again" in demo.succeeds("up")
        assert demo.succeeds("psql", "-Atc", "SHOW listen_addresses") == "\n"
