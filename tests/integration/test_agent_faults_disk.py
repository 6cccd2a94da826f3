# SPDX-License-Identifier: GPL-3.0-or-later
"""The disk of the agent's history is full: what was stored stays, people are told, and it mends itself."""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from demo.servers import EmbeddedPostgres
from tests.integration.agent_runs import Agent, with_statements
from tests.integration.host_clock import HostClock

SMALL = 4 << 20
PAGE = 4096


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    directory = tmp_path / "state"
    directory.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SMALL}", "tmpfs", directory], check=True)
    try:
        yield directory
    finally:
        subprocess.run(["umount", directory], check=True)


@pytest.fixture
def agent(tmp_path: Path, small_disk: Path, postgres: EmbeddedPostgres) -> Agent:
    with_statements(postgres)
    return Agent(tmp_path, postgres)


def fill(directory: Path, left: int) -> Path:
    """All but that many bytes."""
    filler = directory / "filler"
    free = os.statvfs(directory).f_bavail * PAGE
    filler.write_bytes(b"\0" * (free - left))
    assert os.statvfs(directory).f_bavail * PAGE == left
    return filler


def stored(agent: Agent) -> list[str]:
    """A row of text for each snapshot, of a history that is whole."""
    with contextlib.closing(sqlite3.connect(f"file:{agent.history}?mode=ro", uri=True)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return [str(row) for row in connection.execute("SELECT * FROM snapshot ORDER BY id")]


def failures(agent: Agent) -> tuple[str, float]:
    """What a monitoring system and a person see of them."""
    [found] = [entry for entry in agent.states() if entry["metric"] == "agent_failures"]
    return found["state"], found["value"]


@pytest.mark.root
@pytest.mark.parametrize("left", [0, 2 * PAGE, 8 * PAGE, 16 * PAGE])
def test_a_full_disk_costs_no_history_and_is_told_until_there_is_room(
    small_disk: Path, agent: Agent, left: int
) -> None:
    """left: so much that not even the run is written down, or that its snapshot is not."""
    assert agent("snapshot").returncode == 0 and agent("snapshot").returncode == 0
    before = stored(agent)
    filler = fill(small_disk, left)
    warned, alarmed = ("agent_failures", "change", "warning"), ("agent_failures", "change", "critical")
    for number in range(1, 4):
        # With some room SQLite's log takes a few more; they are as good as any.
        for _more in range(20):
            done = agent("snapshot")
            if done.returncode:
                break
            before = stored(agent)
        assert done.returncode == 3 and "disk is full" in done.stderr and "To mend it: free" in done.stderr
        assert agent("deadman").returncode in (0, 3) and agent("capture").returncode in (0, 3)
        assert stored(agent)[: len(before)] == before
        assert failures(agent) == ("critical" if number > 2 else "warning", number)
        assert agent("check").returncode == (2 if number > 2 else 1)
        assert agent.news() == ([warned, alarmed] if number > 2 else [warned])
    assert agent("doctor").returncode == 2 and "WRONG  disk" in agent("doctor").stdout
    assert json.loads(agent("history", "--json").stdout)
    filler.unlink()
    for _hour in range(3):
        assert agent("snapshot").returncode == 0
        assert agent("capture").returncode == 0 and agent("deadman").returncode == 0
    assert agent.news() == [warned, alarmed, ("agent_failures", "recovery", "ok")]
    assert stored(agent)[: len(before)] == before and len(stored(agent)) > len(before) + 6
    assert failures(agent) == ("ok", 0) and agent("check").returncode == 0
    assert list((agent.home / "run").iterdir()) == []


@pytest.mark.root
def test_the_dead_man_is_told_of_though_the_disk_is_full(small_disk: Path, agent: Agent) -> None:
    assert agent("snapshot").returncode == 0
    # The history can be opened, and nothing can be written to it.
    fill(small_disk, 8 * PAGE)
    clock = HostClock(agent.home)
    clock.given_to(agent)
    clock.passes(3 * 3600)
    done = agent("deadman")
    assert done.returncode == 3 and "is full" in done.stderr
    assert agent.news() == [("snapshot_age_intervals", "change", "critical"), ("agent_failures", "change", "warning")]
