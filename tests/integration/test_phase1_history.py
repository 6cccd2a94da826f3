# SPDX-License-Identifier: GPL-3.0-or-later
"""What phase 1 remembers on the host is of one server: runs that failed, and directories that are shared by mistake."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from demo.servers import EmbeddedPostgres
from tests.integration.conftest import query
from tests.integration.playbook_runs import Phase1

TUNING = ("--tags", "postgres_tuning")


@pytest.fixture
def phase1(tmp_path: Path, postgres: EmbeddedPostgres) -> Phase1:
    return Phase1(tmp_path, postgres)


def stored(server: EmbeddedPostgres) -> str:
    """In an order of its own, for what was taken back stands at the end."""
    return "\n".join(sorted((server.data / "postgresql.auto.conf").read_text().splitlines()))


def entries(phase1: Phase1) -> list[Path]:
    return sorted((phase1.state / "settings").glob("*.json"))


def test_a_run_that_the_server_refused_is_in_no_history(postgres: EmbeddedPostgres, phase1: Phase1) -> None:
    phase1.succeeds(*TUNING, postgres_tuning_settings={"work_mem": "8MB"})
    before = entries(phase1), stored(postgres)
    # Only the server knows its time zones, and refuses the second after it took the first.
    said = phase1.fails(*TUNING, postgres_tuning_settings={"work_mem": "9MB", "log_timezone": "Mars/Base"})
    assert "the server refused log_timezone" in said
    assert "nothing was changed" in said
    assert (entries(phase1), stored(postgres)) == before
    phase1.succeeds(*TUNING, postgres_tuning_rollback=True)
    assert "work_mem" not in stored(postgres)


def test_the_way_back_is_that_of_this_server(postgres: EmbeddedPostgres, phase1: Phase1) -> None:
    phase1.succeeds(*TUNING, postgres_tuning_settings={"work_mem": "8MB"})
    (path,) = entries(phase1)
    entry = json.loads(path.read_text())
    other = {**entry, "id": "99990101T000000.000000Z", "server": {**entry["server"], "system_identifier": "1"}}
    other["stored"] = {"work_mem": {"before": "1GB", "after": None}}
    (phase1.state / "settings" / f"{other['id']}.json").write_text(json.dumps(other))
    phase1.succeeds(*TUNING, postgres_tuning_rollback=True)
    assert "work_mem" not in stored(postgres)


@pytest.mark.parametrize(
    ("role", "complaint"),
    [
        ("monitoring_cron", "is of database postgres, and this one would be of other"),
        ("capacity_baseline", "and this is database other"),
    ],
)
def test_what_is_kept_of_another_database_is_not_taken_for_this_ones(
    postgres: EmbeddedPostgres, phase1: Phase1, role: str, complaint: str
) -> None:
    query(postgres, "CREATE DATABASE other")
    phase1.succeeds("--tags", role)
    before = phase1.facts()
    phase1.variables["capacity_postgres_connection"] = {
        **phase1.variables["capacity_postgres_connection"],
        "login_db": "other",
    }
    said = phase1.fails("--tags", role)
    assert complaint in said
    assert f"{role}_state_dir" in said.split("To mend it:")[1]
    assert phase1.facts() == before
