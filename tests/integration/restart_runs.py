# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of a restart by role postgres_tuning have in common."""

from __future__ import annotations

import json
import os
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from demo.servers import EmbeddedPostgres
from tests.integration.conftest import query
from tests.integration.playbook_runs import Phase1

TUNING = ("--tags", "postgres_tuning")
# More than any machine has.
TOO_MUCH = {"postgres_tuning_settings": {"shared_buffers": "4000GB"}, "postgres_tuning_on_over_budget": "warn"}
ALWAYS = "daily 00:00-24:00"
# Long enough for a restart, and days away.
NEVER = "; ".join(f"{datetime.now(UTC) + timedelta(days=days):%a} 00:00-01:00 UTC" for days in (3, 5))


def restarting(directory: Path, postgres: EmbeddedPostgres) -> Phase1:
    """Phase 1 for a PostgreSQL without a cache, which may be restarted."""
    found = Phase1(directory, postgres)
    found.variables["postgres_tuning_restart"] = "when_pending"
    return found


def live(server: EmbeddedPostgres, name: str) -> str:
    return query(server, f"SHOW {name}")[0][0]


def begun_file(phase1: Phase1) -> Path:
    return phase1.state / "settings" / "restart-begun.json"


def history(phase1: Phase1) -> list[dict]:
    return [json.loads(path.read_text()) for path in sorted((phase1.state / "settings").glob("[0-9]*.json"))]


def started_at(server: EmbeddedPostgres) -> str:
    return query(server, "SELECT pg_postmaster_start_time()::text")[0][0]


def killed_at(phase1: Phase1, task: str, **extra: Any) -> None:
    """A run that is killed when it comes to a task."""
    process = phase1.begin(*TUNING, **extra)
    try:
        for line in process.stdout:
            if task in line:
                break
        else:
            pytest.fail(f"the run never came to: {task}")
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()
