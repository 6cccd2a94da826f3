# SPDX-License-Identifier: GPL-3.0-or-later
"""Module pg_snapshot_info against a real PostgreSQL 18, its host and a real Redis."""

from __future__ import annotations

import contextlib
import itertools
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg2
import psycopg2.extensions
import pytest
from ansible_collections.midi.capacity.plugins.module_utils._postgres import Server, Unreachable
from ansible_collections.midi.capacity.plugins.module_utils._query_text import OWN
from ansible_collections.midi.capacity.plugins.module_utils._snapshot import LOCK_SECONDS, Snapshot, take
from psycopg2.extras import wait_select

from demo.account import as_server_account
from demo.servers import START_SECONDS, EmbeddedPostgres, EmbeddedRedis, postgres_bin, until
from tests.integration.conftest import RunModule, query

FILES = """
CREATE TABLE files (id bigserial PRIMARY KEY, filepath text UNIQUE, note text);
INSERT INTO files (filepath) SELECT 'f' || g FROM generate_series(1, 20000) g;
ANALYZE files
"""
_NAMES = (f"t{number}" for number in itertools.count())


@pytest.fixture(scope="module")
def preloaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """One PostgreSQL with pg_stat_statements loaded, for all tests that only need a database of their own."""
    home = tmp_path_factory.mktemp("preloaded") / "pg"
    server = EmbeddedPostgres(home, {"shared_preload_libraries": "'pg_stat_statements'"})
    server.create()
    server.start()
    yield server
    server.stop()


class Database:
    """A database, or a role in it, that snapshots are taken of."""

    def __init__(self, server: EmbeddedPostgres, run_module: RunModule, name: str, user: str = "postgres") -> None:
        self.server, self.name, self.user = server, name, user
        self._run_module = run_module

    def sql(self, statement: str, arguments: Any = None) -> list[tuple]:
        return query(self.server, statement, arguments, dbname=self.name)

    def run(self, **options: Any) -> dict:
        connection = {"login_unix_socket": str(self.server.socket), "login_db": self.name, "login_user": self.user}
        return self._run_module("pg_snapshot_info", **{**connection, "host": False, **options})

    def snapshot(self, **options: Any) -> dict:
        result = self.run(**options)
        assert result["changed"] is False
        return result["snapshot"]

    def role(self, name: str) -> Database:
        """The same database, seen by a role without any privilege."""
        self.sql(f"CREATE ROLE {name} LOGIN")
        return Database(self.server, self._run_module, self.name, name)

    @contextlib.contextmanager
    def session(self) -> Iterator[psycopg2.extensions.connection]:
        """A client's connection; what it executes first opens a transaction."""
        opened = psycopg2.connect(host=str(self.server.socket), user="postgres", dbname=self.name)
        try:
            yield opened
        finally:
            opened.close()


@pytest.fixture
def database(preloaded: EmbeddedPostgres, run_module: RunModule) -> Database:
    name = next(_NAMES)
    query(preloaded, f"CREATE DATABASE {name}")
    made = Database(preloaded, run_module, name)
    made.sql("CREATE EXTENSION pg_stat_statements")
    return made


def reasons(snapshot: dict) -> dict[str, str]:
    return {entry["part"]: entry["reason"] for entry in snapshot["missing"]}


def named(entries: list[dict], name: str) -> dict:
    return next(entry for entry in entries if entry["name"] == name)


def test_everything_is_read(database: Database) -> None:
    database.sql(FILES)
    database.sql("CREATE MATERIALIZED VIEW latest AS SELECT * FROM files WHERE id > 19000")
    database.sql("SELECT count(*) FROM files WHERE id = 17")
    snapshot = database.snapshot(growth_table="files")

    assert snapshot["missing"] == []
    assert snapshot["schema_version"] == 1
    [(identifier, start, now)] = database.sql(
        "SELECT system_identifier::text, to_char(pg_postmaster_start_time() AT TIME ZONE 'UTC', %s),"
        " to_char(now() AT TIME ZONE 'UTC', %s) FROM pg_control_system()",
        ['YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'] * 2,
    )
    server = snapshot["server"]
    assert (server["system_identifier"], server["postmaster_start"]) == (identifier, start)
    assert (server["database"], server["version_num"] // 10000, server["in_recovery"]) == (database.name, 18, False)
    assert start < snapshot["taken_at"] < now

    assert snapshot["settings"]["max_connections"] == {
        "setting": "100",
        "unit": None,
        "source": "configuration file",
        "pending_restart": False,
    }
    assert snapshot["settings"]["shared_buffers"]["unit"] == "8kB"
    assert snapshot["database"]["datname"] == database.name
    assert snapshot["database"]["tup_inserted"] >= 20000

    sizes = snapshot["sizes"]
    assert sizes["counts"] == {"tables": 1, "indexes": 2, "partitions": 0}
    assert [table["name"] for table in sizes["tables"]] == ["files", "latest"]
    files = named(sizes["tables"], "files")
    assert files["total_bytes"] == database.sql("SELECT pg_total_relation_size('files')")[0][0]
    assert files["indexes_bytes"] == database.sql("SELECT pg_indexes_size('files')")[0][0]
    assert files["total_bytes"] == files["table_bytes"] + files["indexes_bytes"] + files["toast_bytes"]
    assert files["estimated_rows"] == 20000
    assert files["toast_bytes"] > 0
    key = named(sizes["indexes"], "files_pkey")
    assert (key["table"], key["valid"]) == ("files", True)
    assert sum(index["bytes"] for index in sizes["indexes"]) == files["indexes_bytes"]
    assert sizes["database_bytes"] > files["total_bytes"]

    assert snapshot["growth"]["rows"] == 20000
    assert (snapshot["growth"]["method"], snapshot["growth"]["note"]) == ("exact", None)
    assert snapshot["health"] == {
        "oldest_transaction_seconds": 0.0,
        "oldest_xid_age": snapshot["health"]["oldest_xid_age"],
        "replication": {"standbys": [], "receiver": None},
        "inactive_slots": [],
        "invalid_indexes": [],
    }
    assert snapshot["health"]["oldest_xid_age"] > 0
    assert snapshot["host"] is None and snapshot["redis"] is None


def test_check_mode_reads_the_same(database: Database) -> None:
    assert database.snapshot(check=True).keys() == database.snapshot().keys()


def test_statements_are_raw_counters_with_their_identity(database: Database) -> None:
    database.sql("SELECT pg_stat_statements_reset()")
    database.sql("CREATE TABLE tags (id int)")
    for number in range(3):
        database.sql(f"INSERT INTO tags SELECT {number} FROM generate_series(1, 10)")
    [raw] = database.sql(
        "SELECT userid::bigint, dbid::bigint, queryid::text, toplevel, calls, rows, total_exec_time, wal_bytes::bigint"
        " FROM pg_stat_statements WHERE query LIKE 'INSERT INTO tags%%'"
    )
    statements = database.snapshot()["statements"]
    [row] = [row for row in statements["rows"] if row["query"].startswith("INSERT INTO tags")]
    names = ("userid", "dbid", "queryid", "toplevel", "calls", "rows", "total_exec_time", "wal_bytes")
    assert tuple(row[name] for name in names) == raw
    assert raw[4:6] == (3, 30)
    assert (row["user"], row["database"]) == ("postgres", database.name)
    assert statements["stats_reset"] <= row["stats_since"]
    totals = [row["total_exec_time"] for row in statements["rows"]]
    assert totals == sorted(totals, reverse=True)


def test_what_is_beyond_the_limit_is_summed_up(database: Database) -> None:
    database.sql("SELECT pg_stat_statements_reset()")
    for columns in range(1, 9):
        database.sql("SELECT " + ", ".join(["1"] * columns))
    few = database.snapshot(statements_limit=2)["statements"]
    assert len(few["rows"]) == 2
    # Both snapshots' own queries are counted too, so the second knows more than the first.
    many = database.snapshot(statements_limit=1000)["statements"]
    assert many["rest"] == dict.fromkeys(many["rest"], 0)
    assert 7 <= few["rest"]["statements"] <= len(many["rows"]) - 2
    assert few["rest"]["calls"] >= 7
    none = database.snapshot(statements_limit=0)["statements"]
    assert none["rows"] == [] and none["rest"]["statements"] >= len(many["rows"])


def test_passwords_do_not_leave_the_server(database: Database) -> None:
    database.sql("SELECT pg_stat_statements_reset()")
    database.sql("CREATE ROLE singer LOGIN PASSWORD 'tremolo'")
    database.sql("ALTER ROLE singer PASSWORD 'vibrato'")
    # The server does keep them, which is why this test can fail.
    assert "vibrato" in str(database.sql("SELECT query FROM pg_stat_statements WHERE query LIKE 'ALTER ROLE%%'"))
    told = json.dumps(database.run())
    assert "ALTER ROLE singer PASSWORD ********" in told
    assert "tremolo" not in told and "vibrato" not in told


def test_statements_need_extension_and_preload(postgres: EmbeddedPostgres, run_module: RunModule) -> None:
    """Each of the three states on the way to statistics; the other parts are read in all of them."""
    database = Database(postgres, run_module, "postgres")
    absent = database.snapshot()
    assert reasons(absent) == {"statements": 'the extension pg_stat_statements is not in database "postgres"'}

    create = 'run CREATE EXTENSION pg_stat_statements in database "postgres"'
    preload = "add pg_stat_statements to shared_preload_libraries, restart the server, and "
    assert absent["missing"][0]["remedy"] == preload + create
    # A setting of a library that is not loaded is no sign of it.
    database.sql("ALTER DATABASE postgres SET pg_stat_statements.max = 100")
    assert database.snapshot()["missing"][0]["remedy"] == preload + create
    database.sql("ALTER DATABASE postgres RESET ALL")

    database.sql("CREATE EXTENSION pg_stat_statements")
    not_loaded = database.snapshot()
    assert reasons(not_loaded) == {
        "statements": 'pg_stat_statements must be loaded via "shared_preload_libraries"',
    }
    assert "restart" in not_loaded["missing"][0]["remedy"]
    assert not_loaded["statements"] is None and not_loaded["sizes"]["database_bytes"] > 0

    database.sql("ALTER SYSTEM SET shared_preload_libraries = pg_stat_statements")
    postgres.restart()
    loaded = database.snapshot()
    assert loaded["missing"] == [] and loaded["statements"]["rows"]


@pytest.mark.parametrize("version", ["1.9", "1.10", "1.11", "1.12"])
def test_versions_of_the_extension(database: Database, version: str) -> None:
    """After an upgrade of the server the extension stays what it was; 1.9 is PostgreSQL 14's."""
    newest = database.snapshot()["statements"]["rows"][0]
    database.sql(f"DROP EXTENSION pg_stat_statements; CREATE SCHEMA \"My Stats\"; CREATE EXTENSION pg_stat_statements"
                 f" SCHEMA \"My Stats\" VERSION '{version}'")  # fmt: skip
    snapshot = database.snapshot()
    assert snapshot["missing"] == []
    row = snapshot["statements"]["rows"][0]
    assert row.keys() == newest.keys()
    assert (row["stats_since"] is None) == (version in ("1.9", "1.10"))


def test_an_extension_that_is_too_old_is_named(database: Database) -> None:
    database.sql("DROP EXTENSION pg_stat_statements; CREATE EXTENSION pg_stat_statements VERSION '1.8'")
    snapshot = database.snapshot()
    assert snapshot["missing"] == [
        {
            "part": "statements",
            "reason": "the extension pg_stat_statements is at version 1.8",
            "remedy": "run ALTER EXTENSION pg_stat_statements UPDATE",
        }
    ]


def test_connections_are_counted_by_state_without_ours(database: Database) -> None:
    before = database.snapshot()["connections"]
    assert before["total"] == 0
    with database.session() as waiting, database.session() as idle:
        waiting.cursor().execute("SELECT 1")
        idle.autocommit = True
        idle.cursor().execute("SELECT 1")
        snapshot = database.snapshot()
    connections = snapshot["connections"]
    assert connections["by_state"] == {
        "active": 0,
        "idle": 1,
        "idle in transaction": 1,
        "idle in transaction (aborted)": 0,
    }
    assert connections["by_database"] == {database.name: 2}
    assert connections["total"] == 2
    assert connections["usable_maximum"] == 100 - 3
    assert snapshot["health"]["oldest_transaction_seconds"] > 0


def test_reserved_connections_are_not_usable(postgres: EmbeddedPostgres, run_module: RunModule) -> None:
    query(postgres, "ALTER SYSTEM SET reserved_connections = 7")
    postgres.restart()
    assert Database(postgres, run_module, "postgres").snapshot()["connections"]["usable_maximum"] == 100 - 3 - 7


def test_prepared_transactions_count_as_open(postgres: EmbeddedPostgres, run_module: RunModule) -> None:
    query(postgres, "ALTER SYSTEM SET max_prepared_transactions = 2")
    postgres.restart()
    query(postgres, "BEGIN; CREATE TABLE forgotten (id int); PREPARE TRANSACTION 'forgotten'")
    snapshot = Database(postgres, run_module, "postgres").snapshot()
    assert snapshot["connections"]["total"] == 0
    assert snapshot["health"]["oldest_transaction_seconds"] > 0
    assert snapshot["settings"]["max_prepared_transactions"]["setting"] == "2"


def test_a_role_without_privileges_is_told_what_it_lacks(database: Database) -> None:
    database.sql(FILES)
    monitor = database.role("monitor")
    with database.session() as other:
        other.cursor().execute("SELECT 1")
        blind = monitor.snapshot(growth_table="files", host=True)
        assert set(reasons(blind)) == {
            "settings",
            "connections",
            "statements",
            "health.oldest_transaction_seconds",
            "host.disks",
        }
        assert {entry["remedy"] for entry in blind["missing"]} == {
            'as a superuser run GRANT pg_monitor TO "monitor"',
        }
        assert blind["connections"]["total"] is None and blind["connections"]["usable_maximum"] == 97
        assert "shared_preload_libraries" not in blind["settings"] and "work_mem" in blind["settings"]
        assert blind["statements"]["rest"]["calls"] > 0
        assert blind["host"]["disks"] == []
        assert {row["user"] for row in blind["statements"]["rows"]} <= {"monitor"}

        database.sql("GRANT pg_monitor TO monitor")
        seeing = monitor.snapshot(growth_table="files")
    assert seeing["missing"] == []
    assert seeing["connections"]["by_state"]["idle in transaction"] == 1
    for snapshot in (blind, seeing):
        assert (snapshot["growth"]["rows"], snapshot["growth"]["method"]) == (20000, "estimate")
        assert snapshot["growth"]["note"] == "no exact count: permission denied for table files"


def test_rows_that_a_policy_hides_are_not_counted_as_absent(database: Database) -> None:
    database.sql(FILES)
    database.sql("ALTER TABLE files ENABLE ROW LEVEL SECURITY; CREATE ROLE filtered LOGIN IN ROLE pg_monitor")
    database.sql("GRANT SELECT ON files TO filtered; CREATE POLICY few ON files USING (id < 10)")
    filtered = Database(database.server, database._run_module, database.name, "filtered")
    growth = filtered.snapshot(growth_table="files")["growth"]
    assert (growth["rows"], growth["method"]) == (20000, "estimate")
    assert "row-level security" in growth["note"]


def test_counting_gives_way_to_the_estimate_when_it_takes_too_long(database: Database) -> None:
    database.sql(FILES)
    server = Server.connect(
        {"login_host": str(database.server.socket), "login_db": database.name, "login_user": "postgres"}
    )
    options = {"growth_table": "files", "growth_count": "exact", "growth_timeout_seconds": 0.001, "statements_limit": 1}
    database.sql("INSERT INTO files (filepath) SELECT 'g' || g FROM generate_series(1, 500000) g; ANALYZE files")
    snapshot = take(server, options)
    server.close()
    assert snapshot["missing"] == []
    assert snapshot["growth"]["method"] == "estimate"
    assert snapshot["growth"]["note"] == "no exact count: it took longer than 0.001 s"
    assert snapshot["growth"]["rows"] == pytest.approx(520000, rel=0.02)


def test_a_limit_of_no_seconds_is_refused(database: Database) -> None:
    """To PostgreSQL it would be no limit at all."""
    result = database.run(growth_timeout_seconds=0, fails=True)
    assert result["msg"] == "growth_timeout_seconds must be 1 or more."


def test_a_table_that_is_locked_does_not_hold_up_the_rest(database: Database) -> None:
    database.sql(FILES)
    database.sql("CREATE TABLE tags (id int PRIMARY KEY)")
    with database.session() as migration:
        migration.cursor().execute("ALTER TABLE files ADD COLUMN bpm int")
        snapshot = database.snapshot(growth_table="files")
    missing = reasons(snapshot)
    assert missing["sizes.tables"] == "another session holds these exclusively, or has dropped them: public.files"
    assert f"for longer than {LOCK_SECONDS} s" in missing["growth"]
    assert set(missing) == {"sizes.tables", "growth"}
    assert [table["name"] for table in snapshot["sizes"]["tables"]] == ["tags"]
    assert snapshot["sizes"]["counts"]["tables"] == 2


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        ("absent", "there is no table absent in database"),
        ("listing", "listing is not a table"),
        ("a.b.c.d", "improper relation name"),
        ("other.public.files", "cross-database references are not implemented"),
    ],
)
def test_a_growth_table_that_cannot_be_counted_is_named(database: Database, table: str, reason: str) -> None:
    database.sql(FILES)
    database.sql("CREATE VIEW listing AS SELECT * FROM files")
    snapshot = database.snapshot(growth_table=table)
    assert snapshot["growth"] is None
    assert list(reasons(snapshot)) == ["growth"]
    assert reason in reasons(snapshot)["growth"]


def test_names_that_need_quotes(database: Database) -> None:
    database.sql('CREATE SCHEMA "My Library"; CREATE TABLE "My Library"."Files; --" AS SELECT 1 AS id')
    growth = database.snapshot(growth_table='"My Library"."Files; --"')["growth"]
    assert (growth["table"], growth["rows"], growth["method"]) == ("My Library.Files; --", 1, "exact")


def test_estimates(database: Database) -> None:
    """The density at the last ANALYZE times the size now; without one there is no estimate."""
    database.sql("CREATE TABLE songs (id int) WITH (autovacuum_enabled = false)")
    assert database.snapshot(growth_table="songs", growth_count="estimate")["growth"]["rows"] == 0

    database.sql("INSERT INTO songs SELECT generate_series(1, 10000)")
    never = database.snapshot(growth_table="songs", growth_count="estimate")
    assert reasons(never) == {"growth": "public.songs was never analyzed, so there is no estimate"}

    database.sql("ANALYZE songs; INSERT INTO songs SELECT generate_series(1, 10000)")
    growth = database.snapshot(growth_table="songs", growth_count="estimate")["growth"]
    assert growth["rows"] == pytest.approx(20000, rel=0.05)
    assert (growth["method"], growth["note"]) == ("estimate", None)


def test_partitions(database: Database) -> None:
    database.sql("CREATE TABLE songs (id int PRIMARY KEY) PARTITION BY HASH (id)")
    for remainder in range(2):
        database.sql(
            f"CREATE TABLE songs_{remainder} PARTITION OF songs FOR VALUES WITH (MODULUS 2, REMAINDER {remainder})"
        )
    database.sql("INSERT INTO songs SELECT generate_series(1, 5000)")
    database.sql("ANALYZE songs")
    exact = database.snapshot(growth_table="songs")
    estimate = database.snapshot(growth_table="songs", growth_count="estimate")
    assert exact["growth"]["rows"] == estimate["growth"]["rows"] == 5000
    assert exact["sizes"]["counts"] == {"tables": 1, "indexes": 2, "partitions": 2}
    assert {(table["name"], table["partition_of"]) for table in exact["sizes"]["tables"]} == {
        ("songs_0", "public.songs"),
        ("songs_1", "public.songs"),
    }


def test_an_invalid_index_is_reported(database: Database) -> None:
    database.sql("CREATE TABLE twice (id int); INSERT INTO twice VALUES (1), (1)")
    with pytest.raises(psycopg2.errors.UniqueViolation):
        database.sql("CREATE UNIQUE INDEX CONCURRENTLY twice_once ON twice (id)")
    snapshot = database.snapshot()
    assert snapshot["health"]["invalid_indexes"] == [
        {"schema": "public", "table": "twice", "name": "twice_once", "building": False}
    ]
    assert named(snapshot["sizes"]["indexes"], "twice_once")["valid"] is False


def test_an_index_that_is_being_built_is_told_from_a_broken_one(database: Database) -> None:
    database.sql("CREATE TABLE songs (id int)")
    builder = psycopg2.connect(host=str(database.server.socket), user="postgres", dbname=database.name, async_=1)
    wait_select(builder)
    with database.session() as reader, builder.cursor() as cursor:
        # The build waits until the reader's transaction is over.
        reader.cursor().execute("LOCK songs IN ROW EXCLUSIVE MODE")
        cursor.execute("CREATE INDEX CONCURRENTLY songs_id ON songs (id)")
        for _attempt in until(START_SECONDS):
            found = database.snapshot()["health"]["invalid_indexes"]
            if found:
                break
        reader.rollback()
        wait_select(builder)
    builder.close()
    assert found == [{"schema": "public", "table": "songs", "name": "songs_id", "building": True}]
    assert database.snapshot()["health"]["invalid_indexes"] == []


def test_sizes_are_those_of_all_forks(database: Database) -> None:
    for kind in ("", "UNLOGGED"):
        name = f"forks{kind}".lower()
        database.sql(
            f"CREATE {kind} TABLE {name} AS SELECT id, repeat(id::text, 9) AS text FROM generate_series(1, 9999) id"
        )
        database.sql(f"CREATE INDEX {name}_id ON {name} (id)")
        database.sql(f"DELETE FROM {name} WHERE id % 7 = 0 OR id < 3000")
        database.sql(f"VACUUM {name}")
    tables = database.snapshot()["sizes"]["tables"]
    for name in ("forks", "forksunlogged"):
        measured = "SELECT pg_total_relation_size(oid), pg_table_size(oid), pg_indexes_size(oid) FROM pg_class"
        (sizes,) = database.sql(f"{measured} WHERE relname = '{name}'")
        table = named(tables, name)
        assert (table["total_bytes"], table["table_bytes"] + table["toast_bytes"], table["indexes_bytes"]) == sizes


def test_every_part_is_read_in_a_read_only_transaction_with_limits(database: Database) -> None:
    database.sql("SELECT pg_stat_statements_reset()")
    before = database.sql("SELECT stats_reset FROM pg_stat_statements_info")
    database.snapshot(growth_table="pg_stat_statements", growth_count="estimate")
    texts = [text for (text,) in database.sql("SELECT query FROM pg_stat_statements")]
    assert [text for text in texts if text.upper().startswith("BEGIN")] == [f"BEGIN {OWN} READ ONLY"]
    for name in ("statement_timeout", "lock_timeout", "row_security"):
        assert any(text.startswith(f"SET LOCAL {OWN} {name}") for text in texts)
    assert not [text for text in texts if "_reset(" in text and not text.startswith("SELECT pg_stat_statements_reset")]
    assert database.sql("SELECT stats_reset FROM pg_stat_statements_info") == before


def test_a_server_that_is_down_is_a_failure(postgres: EmbeddedPostgres, run_module: RunModule) -> None:
    postgres.stop()
    result = Database(postgres, run_module, "postgres").run(fails=True)
    assert result["msg"].startswith("cannot connect to PostgreSQL:")
    assert str(postgres.socket) in result["msg"]


def test_a_server_that_goes_down_meanwhile_is_a_failure(postgres: EmbeddedPostgres, run_module: RunModule) -> None:
    """The connection is lost between two parts: that is no part that is missing."""
    server = Server.connect({"login_host": str(postgres.socket), "login_user": "postgres", "login_db": "postgres"})
    snapshot = Snapshot(server)
    postgres.stop()
    with pytest.raises(Unreachable, match="connection was lost"):
        snapshot.part("sizes.database_bytes", lambda server: server.value("SELECT 1"))
    assert snapshot.missing == []


def test_the_host_comes_with_the_disk_of_the_data_directory(database: Database) -> None:
    snapshot = database.snapshot(host=True, host_sample_seconds=0.2)
    host = snapshot["host"]
    assert [disk["path"] for disk in host["disks"]] == [str(database.server.data)]
    assert host["disks"][0]["size_bytes"] > 0
    assert host["memory"]["total_bytes"] > 0
    assert "missing" not in host


def test_the_cache_stands_beside_the_database(database: Database, redis_server: EmbeddedRedis) -> None:
    with redis_server.client() as client:
        client.set("tag:1", "files")
    snapshot = database.snapshot(redis={"login_unix_socket": str(redis_server.socket)})
    assert snapshot["missing"] == []
    assert snapshot["redis"]["version"] == "6.2.14"
    assert snapshot["redis"]["keyspace"]["db0"]["keys"] == 1
    assert "missing" not in snapshot["redis"]
    assert database.snapshot()["redis"] is None


def test_a_cache_that_cannot_be_read_does_not_hold_up_the_rest(database: Database, tmp_path: Path) -> None:
    where = str(tmp_path / "none.sock")
    result = database.run(redis={"login_unix_socket": where, "login_password": "s3cr3t-42"})
    snapshot = result["snapshot"]
    assert snapshot["redis"] is None
    assert list(reasons(snapshot)) == ["redis"]
    assert "cannot talk to Redis" in reasons(snapshot)["redis"]
    assert "check that the server runs" in snapshot["missing"][0]["remedy"]
    assert snapshot["sizes"]["database_bytes"] > 0 and snapshot["statements"]["rows"]
    assert "s3cr3t-42" not in str(result)


def test_settings_of_the_cache_that_may_not_be_read_are_missing(
    database: Database, redis_server: EmbeddedRedis
) -> None:
    with redis_server.client() as client:
        client.execute_command("ACL SETUSER", "app", "on", ">s3cr3t-42", "+info")
    login = {"login_unix_socket": str(redis_server.socket), "login_user": "app", "login_password": "s3cr3t-42"}
    result = database.run(redis=login)
    assert list(reasons(result["snapshot"])) == ["redis.config"]
    assert result["snapshot"]["redis"]["memory"]["used_bytes"] > 0
    assert "s3cr3t-42" not in str(result)


def test_an_option_of_the_cache_that_does_not_exist_is_refused(database: Database) -> None:
    assert "login_prt" in database.run(redis={"login_prt": 6379}, fails=True)["msg"]


def test_standby_and_slots(postgres: EmbeddedPostgres, run_module: RunModule, tmp_path: Path) -> None:
    home = tmp_path / "standby"
    standby = EmbeddedPostgres(home)
    standby._make_directories()
    command = [
        str(postgres_bin() / "pg_basebackup"),
        "-h",
        str(postgres.socket),
        "-U",
        "postgres",
        "-D",
        str(standby.data),
    ]
    command += ["--write-recovery-conf", "--create-slot", "--slot=standby", "--checkpoint=fast", "--no-sync"]
    prefix = as_server_account(postgres_bin() / "postgres", home.parent)
    subprocess.run([*prefix, *command], check=True, cwd="/", capture_output=True)
    with (standby.data / "postgresql.conf").open("a") as configuration:
        configuration.write(f"unix_socket_directories = '{standby.socket}'\n")
    primary = Database(postgres, run_module, "postgres")

    [slot] = primary.snapshot()["health"]["inactive_slots"]
    assert (slot["name"], slot["type"]) == ("standby", "physical")
    assert slot["retained_bytes"] >= 0

    standby.start()
    try:
        for _attempt in until(START_SECONDS):
            standbys = primary.snapshot()["health"]["replication"]["standbys"]
            if standbys:
                break
        behind = Database(standby, run_module, "postgres").snapshot()
    finally:
        standby.stop()
    assert standbys[0]["application_name"] == "walreceiver" and standbys[0]["lag_bytes"] >= 0
    assert behind["server"]["in_recovery"] is True
    assert behind["health"]["replication"]["receiver"]["state"] == "streaming"
    assert behind["health"]["replication"]["receiver"]["lag_bytes"] >= 0
    assert set(reasons(behind)) == {"statements"}
