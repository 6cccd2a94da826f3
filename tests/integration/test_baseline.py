# SPDX-License-Identifier: GPL-3.0-or-later
"""Role capacity_baseline against embedded servers: what it measures, keeps and writes."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from demo.servers import EmbeddedPostgres, EmbeddedRedis
from tests.integration.conftest import query
from tests.integration.playbook_runs import Phase1, Run

ROLE = ("--tags", "capacity_baseline")


class Traffic:
    """A client that works until it is told to stop: one query and one lookup after the other."""

    def __init__(self, postgres: EmbeddedPostgres, redis: EmbeddedRedis) -> None:
        self._postgres, self._redis = postgres, redis
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work)

    def _work(self) -> None:
        cache = self._redis.client()
        cache.set("there", "1")
        while not self._stop.is_set():
            query(self._postgres, "SELECT count(*) AS traffic FROM generate_series(1, 1000)")
            cache.get("there")
            cache.get("not there")

    def __enter__(self) -> Traffic:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._stop.set()
        self._thread.join()


@pytest.fixture
def measured(tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    """A PostgreSQL with statement statistics."""
    server = EmbeddedPostgres(tmp_path / "pg", {"shared_preload_libraries": "'pg_stat_statements'"})
    server.create()
    server.start()
    query(server, "CREATE EXTENSION pg_stat_statements")
    yield server
    server.stop()


@pytest.fixture
def role(tmp_path: Path, measured: EmbeddedPostgres, redis_server: EmbeddedRedis) -> Phase1:
    return Phase1(tmp_path, measured, redis_server)


def stored(role: Phase1, label: str = "phase1") -> dict[str, Any]:
    found = json.loads((role.state / "baselines" / f"{label}.json").read_text())
    assert found == json.loads((role.reports / "db" / f"baseline-{label}.json").read_text())
    return found


def waited(run: Run) -> bool:
    """Whether the run let a window pass; Ansible says what was left out."""
    return "Let the window pass" in run.output and "skipping" not in run.output.split("Let the window pass")[1][:160]


def test_check_run_and_second_run(role: Phase1, measured: EmbeddedPostgres, redis_server: EmbeddedRedis) -> None:
    before = role.facts()
    assert role.succeeds(*ROLE, "--check").returncode == 0
    assert role.facts() == before
    with Traffic(measured, redis_server):
        first = role.succeeds(*ROLE)
    assert waited(first)
    baseline = stored(role)
    ends = [baseline["begin"]["snapshot"], baseline["snapshot"]]
    # Raw counters, as the server has them.
    calls = [
        [row["calls"] for row in end["statements"]["rows"] if "AS traffic" in row["query"]] for end in ends
    ]  # fmt: skip
    assert calls[1][0] > (calls[0] or [0])[0]
    assert baseline["cache"]["counters"]["hits"] > baseline["begin"]["cache"]["counters"]["hits"] > 0
    assert ends[1]["database"]["xact_commit"] > ends[0]["database"]["xact_commit"]

    report = (role.reports / "db" / "baseline-phase1.md").read_text()
    window = report.split("### In the window of")[1].split("### Since the counters")[0]
    assert "AS traffic" in window and "midi.capacity" not in window
    assert "| Hit ratio in the window" in report
    assert "50 %" in report.split("Hit ratio in the window")[1].splitlines()[0]
    assert "Transactions committed, in the window" in report

    page = (role.reports / "db" / "baseline-phase1.html").read_text()
    assert page == (role.state / "baselines" / "phase1.html").read_text()
    assert "AS traffic" in page and "<title>Capacity baseline phase1</title>" in page

    after = role.facts()
    second = role.succeeds(*ROLE)
    assert second.changed("db") == 0
    assert not waited(second)
    assert role.facts() == after


def test_without_a_window_there_are_sums_only(role: Phase1) -> None:
    run = role.succeeds(*ROLE, "-e", "capacity_baseline_window_seconds=0")
    assert not waited(run)
    assert stored(role)["begin"] is None
    assert "in the window" not in (role.reports / "db" / "baseline-phase1.md").read_text().lower().replace(
        "not a window", ""
    )
    assert role.succeeds(*ROLE, "-e", "capacity_baseline_window_seconds=0").changed("db") == 0
    # When one is wanted it is what the baseline lacks.
    assert waited(role.succeeds(*ROLE))
    assert stored(role)["begin"]
    assert role.succeeds(*ROLE).changed("db") == 0


def test_what_would_not_be_kept_is_not_waited_for(role: Phase1) -> None:
    role.variables["capacity_growth_table"] = "nowhere"
    role.succeeds(*ROLE)
    assert [entry["part"] for entry in stored(role)["snapshot"]["missing"]] == ["growth"]
    again = role.succeeds(*ROLE)
    assert not waited(again)
    assert again.changed("db") == 0


@pytest.mark.parametrize("seconds", ["-1", "ten"])
def test_a_window_that_is_none_is_refused(role: Phase1, seconds: str) -> None:
    before = role.facts()
    assert "capacity_baseline_window_seconds" in role.fails(*ROLE, "-e", f"capacity_baseline_window_seconds={seconds}")
    assert role.facts() == before
