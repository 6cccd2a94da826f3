# SPDX-License-Identifier: GPL-3.0-or-later
"""What the agent's commands say to whoever calls them: what became of messages, what is wrong, and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from demo.servers import EmbeddedPostgres
from tests.integration.agent_runs import NOT_OF_THE_HOST, Agent, with_statements
from tests.integration.conftest import query

BACKUP = {"metric": "backup_age_seconds", "enabled": True}


@pytest.fixture
def agent(tmp_path: Path, postgres: EmbeddedPostgres) -> Agent:
    with_statements(postgres)
    return Agent(tmp_path, postgres)


def line(text: str, begin: str) -> str:
    [found] = [line for line in text.splitlines() if line.startswith(begin)]
    return found


def test_where_the_last_message_went_is_said_by_channel(agent: Agent) -> None:
    good = {"type": "command", "argv": ["/bin/true"]}
    bad = {"type": "command", "name": "pager", "argv": ["/bin/false"], "attempts": 1}
    agent.configure(postgres={"login_host": str(agent.home)}, channels=[good, bad])
    assert agent("snapshot").returncode == 0
    told = line(agent("status").stdout, "Last message")
    assert "UTC, arrived by command; not by pager: " in told
    agent.configure(channels=[])
    agent.history.unlink()
    assert agent("snapshot").returncode == 0
    assert line(agent("status").stdout, "Last message").endswith("UTC, in the log only: no channel is set up")


def test_a_test_without_a_channel_names_what_the_role_does_not_write_over(agent: Agent) -> None:
    agent.configure(channels=[])
    done = agent("test-alert")
    assert done.returncode == 3 and "To mend it: set monitoring_cron_channels; " in done.stderr


def test_the_doctor_tries_each_probe(postgres: EmbeddedPostgres, agent: Agent) -> None:
    query(postgres, "CREATE TABLE kept (number int)")
    probes = [
        {"name": "good", "sql": "SELECT 1"},
        {"name": "typo", "sql": "SELECT none"},
        {"name": "writes", "sql": "INSERT INTO kept VALUES (1) RETURNING number"},
    ]
    assert agent("snapshot").returncode == 0
    agent.configure(probes=probes)
    done = agent("doctor")
    assert done.returncode == 2
    said = done.stdout.splitlines()
    assert line(done.stdout, "ok     probe good").endswith("  runs")
    for name, reason in (("typo", 'column "none" does not exist'), ("writes", "read-only transaction")):
        at = said.index(line(done.stdout, f"WRONG  probe {name}"))
        assert reason in said[at]
        assert said[at + 1].endswith(
            "to mend it: correct monitoring_cron_probes and run the role monitoring_cron again"
        )
    assert query(postgres, "SELECT count(*) FROM kept") == [(0,)]


def test_what_a_probe_has_no_time_for_is_told_of_it_alone(agent: Agent) -> None:
    assert agent("snapshot").returncode == 0
    agent.configure(deadline_seconds=10, probes=[{"name": "late", "sql": "SELECT pg_sleep(60)"}])
    done = agent("doctor")
    assert done.returncode == 2
    assert [row for row in done.stdout.splitlines() if row.startswith("WRONG")] == [line(done.stdout, "WRONG  probe")]
    assert "ok     PostgreSQL" in done.stdout


def test_backups_that_are_not_there_are_looked_for_elsewhere(agent: Agent) -> None:
    agent.configure(backup_files=f"{agent.home}/none/*.dump", thresholds=[*NOT_OF_THE_HOST, BACKUP])
    for _sample in range(3):
        assert agent("snapshot").returncode == 0
    remedy = "correct monitoring_cron_backup_files, or let the agent's account look"
    status = agent("status").stdout
    assert "UNKNOWN: Age of the last backup" in status and f"What to do: {remedy}\n" in status
    assert "log of the backup" not in status and f"to mend it: {remedy}\n" in agent("doctor").stdout
