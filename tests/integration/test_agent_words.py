# SPDX-License-Identifier: GPL-3.0-or-later
"""What the agent's commands say to whoever calls them: what became of messages, what is wrong, and what to do."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from demo.servers import EmbeddedPostgres
from tests.integration.agent_runs import NOT_OF_THE_HOST, PROGRAM, Agent, with_statements
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


def test_what_is_preloaded_is_not_to_be_preloaded(postgres: EmbeddedPostgres, agent: Agent) -> None:
    query(postgres, "DROP EXTENSION pg_stat_statements")
    assert agent("snapshot").returncode == 0
    remedy = 'run CREATE EXTENSION pg_stat_statements in database "postgres"'
    assert f"to mend it: {remedy}\n" in agent("doctor").stdout
    assert f'statements: the extension pg_stat_statements is not in database "postgres"; to mend it: {remedy}\n' in (
        agent("status").stdout
    )


@pytest.fixture
def alone(tmp_path: Path) -> Agent:
    """Without a server."""
    return Agent(tmp_path, SimpleNamespace(socket=tmp_path))


@pytest.fixture
def second(alone: Agent) -> Callable[..., str]:
    """What the agent says that is installed under a name of its own."""
    launcher = alone.home / "second-agent"
    program = PROGRAM.replace("sys.argv[2:], sys.argv[1]", f"sys.argv[1:], {str(alone.config)!r}")
    launcher.write_text(f"#!{sys.executable}\n{program}")
    launcher.chmod(0o700)

    def said(*words: str) -> str:
        done = subprocess.run(
            [str(launcher), *words], capture_output=True, text=True, env=alone.environment, check=False
        )
        return done.stdout + done.stderr

    return said


def test_an_agent_of_another_name_speaks_of_itself(alone: Agent, second: Callable[..., str]) -> None:
    alone.configure(channels=[{"type": "command", "argv": ["/bin/false"], "attempts": 1}])
    words = ["--help", "nonsense", "status", "history", "doctor", "check", "test-alert", "snapshot"]
    told = [second(*words) for words in (["status"], ["history"], ["check"], ["doctor"], ["test-alert"])]
    assert [word for word, text in zip(words[2:], told, strict=False) if "second-agent" not in text] == []
    assert second("--help").startswith("usage: second-agent ")
    assert "second-agent: error: " in second("nonsense")
    # One snapshot, and one that fails.
    told += [second("snapshot"), second("status"), second("doctor")]
    assert "second-agent test-alert" in told[-2]
    alone.configure(channels=[])
    told += [second("doctor")]
    assert "second-agent check" in told[-1]
    alone.config.write_text("{}")
    told += [second("status")]
    assert told[-1].startswith("second-agent: ")
    assert [text for text in told if "capacity-agent" in text] == []


def test_half_a_silence_is_refused(alone: Agent) -> None:
    assert alone("snapshot").returncode == 0
    for words, status, told in (
        ("--reason x", 3, "To mend it: give --for as well, or leave it out."),
        ("--lift --reason x", 3, "To mend it: give --for as well, or leave it out."),
        ("--metric cpu_busy_percent", 3, "To mend it: give --for or --lift as well."),
        ("--for 2h --lift", 2, "argument --lift: not allowed with argument --for"),
        (
            "--lift --metric cpu_bussy_percent",
            3,
            "there is no metric cpu_bussy_percent: did you mean cpu_busy_percent or ",
        ),
        ("--for 2h --reason x --metric cpu_bussy_percent", 3, "connections_used_percent?\n"),
        ("--for=", 3, "is no time"),
        ("--for 2h", 3, "a silence needs a reason"),
    ):
        done = alone("silence", *words.split())
        assert (done.returncode, done.stdout) == (status, ""), words
        assert told in done.stderr, words
    assert alone.status()["silences"] == []


def test_check_says_what_is_silenced(alone: Agent) -> None:
    assert alone("snapshot").returncode == 0
    before = alone("check")
    assert before.returncode == 2 and "silenced" not in before.stdout
    assert alone("silence", "--for", "2h", "--reason", "move", "--metric", "postgres_down").returncode == 0
    after = alone("check")
    assert after.returncode == 2
    assert re.search(r"^CRITICAL: PostgreSQL: down \(silenced until 20\S+ \S+ UTC\)$", after.stdout, re.MULTILINE)
    assert alone("silence", "--lift", "--metric", "postgres_down").stdout == "nothing is silenced\n"
    assert alone("check").stdout == before.stdout


def test_a_time_without_a_snapshot_is_named_with_the_last_one(alone: Agent) -> None:
    assert alone("snapshot").returncode == 0
    assert re.fullmatch(
        r"no snapshot since 2127-01-01 00:00:00 UTC; the last is of 20\S+ \S+ UTC\n",
        alone("history", "--since", "2127-01-01").stdout,
    )
    assert alone("history", "--since", "2127-01-01", "--json").stdout == "[]\n"


def test_a_checkout_has_no_version(alone: Agent) -> None:
    assert re.fullmatch(r"not installed \(/.*/_agent_cli\.py\)\n", alone("version").stdout)


def test_backups_that_are_not_there_are_looked_for_elsewhere(agent: Agent) -> None:
    agent.configure(backup_files=f"{agent.home}/none/*.dump", thresholds=[*NOT_OF_THE_HOST, BACKUP])
    for _sample in range(3):
        assert agent("snapshot").returncode == 0
    remedy = "correct monitoring_cron_backup_files, or let the agent's account look"
    status = agent("status").stdout
    assert "UNKNOWN: Age of the last backup" in status and f"What to do: {remedy}\n" in status
    assert "log of the backup" not in status and f"to mend it: {remedy}\n" in agent("doctor").stdout
