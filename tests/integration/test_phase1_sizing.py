# SPDX-License-Identifier: GPL-3.0-or-later
"""playbooks/phase1.yml with computed settings and a budget: what an operator meets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.midi.capacity.plugins.module_utils._host import Host
from ansible_collections.midi.capacity.plugins.module_utils._sizing.amounts import rounded_down

from demo.servers import EmbeddedPostgres
from tests.integration.conftest import query
from tests.integration.playbook_runs import Phase1

TUNING = ("--tags", "postgres_tuning")
GIVEN = {"max_connections": 120, "work_mem": "6MB"}
POOLS = [{"name": "api", "size": 50, "instances": 4}, {"name": "importer", "size": 60}]


@pytest.fixture
def phase1(tmp_path: Path, postgres: EmbeddedPostgres) -> Phase1:
    """Phase 1 for a PostgreSQL without a cache, on a machine of a fixed size."""
    found = Phase1(tmp_path, postgres)
    found.variables |= {"postgres_tuning_memory": "4GB", "postgres_tuning_cpus": 4}
    return found


def live(server: EmbeddedPostgres, *names: str) -> dict[str, str]:
    return dict(query(server, "SELECT name, current_setting(name) FROM pg_settings WHERE name = ANY (%s)", [[*names]]))


def test_a_profile_is_computed_proven_and_stays(postgres: EmbeddedPostgres, phase1: Phase1) -> None:
    phase1.variables |= {
        "postgres_tuning_profile": "web",
        "postgres_tuning_settings": GIVEN,
        "postgres_tuning_restart": "when_pending",
    }
    before = phase1.facts()
    checked = phase1.succeeds("--check", "--diff", *TUNING)
    assert phase1.facts() == before
    assert "+shared_buffers = 1GB" in checked.output

    first = phase1.succeeds(*TUNING)
    expected = {
        **{name: str(value) for name, value in GIVEN.items()},
        "shared_buffers": "1GB",
        "effective_cache_size": "3GB",
        "maintenance_work_mem": "256MB",
        "wal_buffers": "16MB",
        "max_worker_processes": "12",
        "max_parallel_workers": "4",
        "random_page_cost": "1.1",
        "jit": "off",
        "io_method": "worker",
    }
    assert live(postgres, *expected) == expected
    assert "shared_buffers 1GB (profile) 1GB" in first.text
    assert "work_mem 6MB 6MB" in first.text
    assert "of 3.6 GB (4 GB without 10 % head-room for the system)" in first.text

    after = phase1.facts()
    second = phase1.succeeds(*TUNING)
    assert second.changed("db") == 0
    assert phase1.facts() == after


def test_the_machine_is_measured_through_the_servers_own_process(postgres: EmbeddedPostgres, phase1: Phase1) -> None:
    for name in ("postgres_tuning_memory", "postgres_tuning_cpus"):
        del phase1.variables[name]
    phase1.succeeds(*TUNING, postgres_tuning_profile="mixed", postgres_tuning_restart="when_pending")
    pid = int((postgres.data / "postmaster.pid").read_text().split("\n")[0])
    usable_bytes = Host().capacity([], 0.1, pid)["memory"]["usable_bytes"]
    blocks = query(postgres, "SELECT setting::bigint FROM pg_settings WHERE name = 'shared_buffers'")
    assert blocks == [(rounded_down(usable_bytes // 4) // 8192,)]


def test_over_budget_is_refused_with_the_sum_before_anything_is_touched(phase1: Phase1) -> None:
    # The checklist's wish, on the host that it was meant for.
    wish = {"max_connections": 256, "work_mem": "256MB", "shared_buffers": "15GB"}
    host = {"postgres_tuning_settings": wish, "postgres_tuning_memory": "60GB"}
    before = phase1.facts()
    for arguments in ((), ("--check",)):
        said = phase1.fails(*arguments, **host)
        assert "the settings can want 81.8 GB of memory, and PostgreSQL may use 54 GB" in said
        assert "queries 64 GB 256 connections x 256MB of work_mem" in said
        assert "work_mem at most 148MB, or max_connections at most 145" in said
        assert "postgres_tuning_on_over_budget=warn" in said
        assert phase1.facts() == before
    assert not phase1.state.exists()
    run = phase1.succeeds(*TUNING, **host, postgres_tuning_on_over_budget="warn")
    assert "the settings can want 81.8 GB" in run.text.split("To do next:")[1]
    # What is stored and waits for a restart counts, too.
    said = phase1.fails(*TUNING, postgres_tuning_settings={}, postgres_tuning_memory="60GB")
    assert "queries 64 GB 256 connections x 256MB of work_mem" in said


def test_what_the_server_was_started_with_counts(tmp_path: Path) -> None:
    postgres = EmbeddedPostgres(tmp_path / "pg")
    postgres.create()
    postgres.start("-c", "work_mem=512MB")
    try:
        said = Phase1(tmp_path, postgres).fails(*TUNING, postgres_tuning_memory="60GB")
    finally:
        postgres.stop()
    assert "256 connections x 512MB of work_mem" in said


def test_pools_that_want_more_than_there_is_are_refused(phase1: Phase1) -> None:
    before = phase1.facts()
    said = phase1.fails(capacity_connection_pools=POOLS)
    assert "the applications' pools want 260 connections (api 4 x 50 = 200, importer 60), and 253 are usable" in said
    assert "max_connections at least 263, or smaller pools" in said
    assert phase1.facts() == before
    fits = {"max_connections": 263}
    phase1.succeeds("--check", *TUNING, capacity_connection_pools=POOLS, postgres_tuning_settings=fits)


@pytest.mark.parametrize(
    ("variables", "complaint"),
    [
        ({"postgres_tuning_profile": "warehouse"}, "value of postgres_tuning_profile must be one of: web, oltp, mixed"),
        ({"capacity_connection_pools": [{"name": "api"}]}, "missing required arguments: size"),
        ({"postgres_tuning_memory": "4gb", "postgres_tuning_profile": "web"}, "memory does not know the unit 'gb'"),
    ],
)
def test_variables_that_cannot_be_are_refused(phase1: Phase1, variables: dict[str, Any], complaint: str) -> None:
    before = phase1.facts()
    assert complaint in phase1.fails(*TUNING, **variables)
    assert phase1.facts() == before


def test_a_server_that_is_not_to_be_seen_needs_its_size_told(tmp_path: Path, phase1: Phase1) -> None:
    """As where /proc hides what is not one's own: Python cannot open what it says of single processes."""
    hidden = {"postgres_tuning_profile": "web", "postgres_tuning_memory": "", "postgres_tuning_cpus": 0}
    (tmp_path / "sitecustomize.py").write_text(
        "import builtins, re\n"
        "_open = builtins.open\n"
        "def _hide(path, *arguments, **options):\n"
        "    if re.fullmatch(r'/proc/[0-9]+/stat', str(path)):\n"
        "        raise FileNotFoundError(2, 'hidden', path)\n"
        "    return _open(path, *arguments, **options)\n"
        "builtins.open = _hide\n"
    )
    environment = {"PYTHONPATH": str(tmp_path)}
    run = phase1.run(*TUNING, environment=environment, **hidden)
    assert run.returncode == 2
    assert "postgres_tuning_profile is web, and what PostgreSQL may use of its machine cannot be measured" in run.text
    assert "give postgres_tuning_memory, for example 4GB, and postgres_tuning_cpus" in run.text
    told = phase1.run(*TUNING, environment=environment, postgres_tuning_profile="web")
    assert told.returncode == 0, told.output
    without = phase1.run(*TUNING, environment=environment, postgres_tuning_memory="")
    assert without.returncode == 0, without.output
    assert "how much memory PostgreSQL may use is not known" in without.text
