# SPDX-License-Identifier: GPL-3.0-or-later
"""Role monitoring_cron: the agent that it has, what it refuses, and what is left when it goes."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
import yaml

from demo.servers import EmbeddedPostgres
from tests.integration.conftest import query
from tests.integration.playbook_runs import Phase1

TAGS = ("--tags", "monitoring_cron")
ROLES = "SELECT rolname FROM pg_roles WHERE rolname = 'midi_monitor'"


@pytest.fixture
def phase1(tmp_path: Path, postgres: EmbeddedPostgres) -> Phase1:
    return Phase1(tmp_path, postgres)


def agent(phase1: Phase1, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(phase1.state / "bin" / "capacity-agent"), *arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True, cwd="/", env={})


def test_the_agent_is_there_and_goes_but_for_its_history(postgres: EmbeddedPostgres, phase1: Phase1) -> None:
    assert "history begins with the first snapshot" in phase1.succeeds(*TAGS, "--check").text
    assert not phase1.state.exists()
    first = phase1.succeeds(*TAGS)
    assert "history 1 snapshot, the last of " in first.text
    (snapshot,) = phase1.history()
    assert snapshot["server"]["database"] == "postgres"
    assert agent(phase1, "snapshot").returncode == 0
    assert len(json.loads(agent(phase1, "history", "--json").stdout)) == 2

    before = phase1.facts()
    checked = phase1.succeeds(*TAGS, "--check", monitoring_cron_state="absent")
    assert checked.changed("db") == 3
    assert (phase1.facts(), query(postgres, ROLES)) == (before, [("midi_monitor",)])
    postgres.stop()
    said = phase1.fails(*TAGS, monitoring_cron_state="absent")
    assert "PostgreSQL cannot be asked for the role midi_monitor of the agent, so nothing was removed" in said
    postgres.start()
    assert set(before) <= set(phase1.facts())
    gone = phase1.succeeds(*TAGS, monitoring_cron_state="absent")
    assert gone.changed("db") == 3
    assert f"agent removed; what it wrote stays: {phase1.state}" in gone.text
    assert query(postgres, ROLES) == []
    left = {path.relative_to(phase1.state).parts[0] for path in phase1.state.rglob("*") if path.is_file()}
    assert left == {"agent", "log"}
    assert len(phase1.history()) == 2
    assert phase1.succeeds(*TAGS, monitoring_cron_state="absent").changed("db") == 0

    # It comes back to the history that it had.
    phase1.succeeds(*TAGS)
    assert len(phase1.history()) == 3


def test_all_that_is_wrong_with_its_configuration_is_told_before_anything_is_touched(
    postgres: EmbeddedPostgres, phase1: Phase1
) -> None:
    said = phase1.fails(
        *TAGS,
        capacity_thresholds=[{"metric": "disk_used", "warn": 60}],
        monitoring_cron_channels=[{"type": "pigeon"}],
        monitoring_cron_probes=[{"name": "first", "sql": ""}],
        monitoring_cron_keep_days=0,
        monitoring_cron_interval_minutes=7,
    )
    assert "The agent cannot be configured so, and nothing was touched" in said
    for complaint in (
        "there is no metric disk_used",
        "pigeon",
        "has no sql: write the query",
        "keep_days is 0",
        "interval_minutes is 7",
    ):
        assert complaint in said
    assert not phase1.state.exists()
    assert query(postgres, ROLES) == []


def test_what_only_the_host_can_tell_is_told_before_a_role_is_made(postgres: EmbeddedPostgres, phase1: Phase1) -> None:
    said = phase1.fails(*TAGS, monitoring_cron_command="/nowhere/capacity-agent")
    assert "the directory of command is not there: /nowhere" in said
    assert not phase1.state.exists()
    assert query(postgres, ROLES) == []


def test_texts_that_are_null_are_none(postgres: EmbeddedPostgres, phase1: Phase1) -> None:
    phase1.variables |= dict.fromkeys(
        ("monitoring_cron_role", "monitoring_cron_textfile", "monitoring_cron_backup_files", "monitoring_cron_mailto")
    )
    phase1.succeeds(*TAGS)
    assert query(postgres, "SELECT rolname FROM pg_roles WHERE rolname ~ 'None|monitor' AND rolname !~ '^pg_'") == []


def test_an_account_that_is_not_root_has_no_schedule(phase1: Phase1) -> None:
    said = phase1.fails(*TAGS, monitoring_cron_schedule="cron")
    assert "the files of cron and systemd are root's. To mend it: become root, or set monitoring_cron_schedule" in said
    assert not phase1.state.exists()


def test_prometheus_and_grafana_get_the_same_thresholds(phase1: Phase1, tmp_path: Path) -> None:
    (tmp_path / "collector").mkdir()
    phase1.variables["monitoring_cron_textfile"] = str(tmp_path / "collector" / "midi_capacity.prom")
    phase1.variables["capacity_thresholds"] = [{"metric": "disk_used_percent", "warn": 61}]
    phase1.succeeds(*TAGS)
    assert "midi_capacity_disk_used" in (tmp_path / "collector" / "midi_capacity.prom").read_text()
    directory = phase1.reports / "prometheus"
    (group,) = yaml.safe_load((directory / "midi-capacity.rules.yml").read_text())["groups"]
    assert any("0.61" in rule["expr"] for rule in group["rules"])
    assert json.loads((directory / "midi-capacity.dashboard.json").read_text())["panels"]
    assert phase1.succeeds(*TAGS).changed("db") == 0


def test_the_agent_of_another_database_is_not_removed(postgres: EmbeddedPostgres, phase1: Phase1) -> None:
    phase1.succeeds(*TAGS)
    before = phase1.facts()
    query(postgres, "CREATE DATABASE other")
    phase1.variables["capacity_postgres_connection"] = {
        **phase1.variables["capacity_postgres_connection"],
        "login_db": "other",
    }
    said = phase1.fails(*TAGS, monitoring_cron_state="absent")
    assert "the agent here looks after database postgres of db" in said
    assert (phase1.facts(), query(postgres, ROLES)) == (before, [("midi_monitor",)])
