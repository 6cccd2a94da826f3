# SPDX-License-Identifier: GPL-3.0-or-later
"""A host after phase 1, asked itself."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

STATE = "/var/lib/midi-capacity"


def sql(host: Any, statement: str) -> str:
    with host.sudo("postgres"):
        return host.check_output(
            f'psql --no-psqlrc --tuples-only --no-align --dbname midi_library --command "{statement}"'
        )


def redis(host: Any, command: str) -> list[str]:
    return host.check_output(f"redis-cli {command}").splitlines()


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("max_connections", "256"),
        ("max_worker_processes", "40"),
        ("max_parallel_workers", "32"),
        ("max_parallel_workers_per_gather", "16"),
        ("shared_preload_libraries", "pg_stat_statements"),
    ],
)
def test_postgresql_runs_with_what_is_wanted(host: Any, setting: str, value: str) -> None:
    assert sql(host, f"SHOW {setting}") == value


def test_statements_are_counted(host: Any) -> None:
    assert int(sql(host, "SELECT count(*) FROM pg_stat_statements")) > 0


def test_the_unit_is_as_debian_wants_it(host: Any) -> None:
    version = sql(host, "SHOW server_version_num")[:2]
    unit = host.service(f"postgresql@{version}-main")
    assert unit.is_running
    assert host.service("redis-server").is_running


def test_the_cache_is_limited_and_keeps_its_data(host: Any) -> None:
    assert redis(host, "CONFIG GET maxmemory")[1] == str(64 * 2**20)
    assert redis(host, "CONFIG GET maxmemory-policy")[1] == "allkeys-lfu"
    assert redis(host, "CONFIG GET appendonly")[1] == "yes"
    assert redis(host, "CONFIG GET save")[1] == "900 1 300 10 60 10000"


def test_the_cache_is_the_same_after_a_restart(host: Any) -> None:
    assert redis(host, "SET midi:kept yes") == ["OK"]
    host.check_output("systemctl restart redis-server")
    # The unit is of type notify: systemctl returns when Redis has loaded its data.
    assert redis(host, "GET midi:kept") == ["yes"]
    assert redis(host, "CONFIG GET maxmemory")[1] == str(64 * 2**20)
    assert redis(host, "CONFIG GET appendonly")[1] == "yes"


def test_the_history_has_a_whole_snapshot_that_only_root_reads(host: Any) -> None:
    directory, file = host.file(f"{STATE}/agent"), host.file(f"{STATE}/agent/history.db")
    assert (directory.user, directory.mode) == ("root", 0o700)
    assert (file.user, file.mode) == ("root", 0o600)
    status = json.loads(host.check_output("capacity-agent status --json"))
    assert status["history"]["snapshots"] >= 1
    assert status["missing"] == []
    readings = json.loads(host.check_output("capacity-agent history --json"))[0]["readings"]
    assert readings["redis_down"]["value"] == 0
    assert readings["growth_rows"]["value"] == 1000


def test_the_agent_can_log_in_and_read_no_table(host: Any) -> None:
    for name in ("pg_service.conf", "pgpass"):
        file = host.file(f"{STATE}/conf/{name}")
        assert (file.user, file.mode) == ("root", 0o600)
    # Debian lets root in by no other role's name, so it takes a password, on loopback.
    agent = f"PGSERVICEFILE={STATE}/conf/pg_service.conf psql --no-psqlrc -At service=midi_capacity --command"
    assert int(host.check_output(f"{agent} 'SELECT count(*) FROM pg_ls_waldir()'")) > 0
    assert "permission denied for table files" in host.run(f"{agent} 'SELECT FROM files'").stderr
    assert sql(host, "SELECT rolpassword ~ '^SCRAM-SHA-256' FROM pg_authid WHERE rolname = 'midi_monitor'") == "t"


def test_the_baseline_is_the_same_on_the_host_and_on_the_controller(host: Any) -> None:
    reports = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"]) / "reports" / host.backend.hostname
    for ending in ("json", "md"):
        stored = host.file(f"{STATE}/baselines/baseline-phase1.{ending}".replace("baseline-", ""))
        assert (reports / f"baseline-phase1.{ending}").read_text() == stored.content_string
    report = (reports / "baseline-phase1.md").read_text()
    assert "Rows of public.files" in report
    assert "1,000" in report
