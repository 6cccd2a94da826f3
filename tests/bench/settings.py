# SPDX-License-Identifier: GPL-3.0-or-later
"""Module pg_settings against the same settings as tasks of community.postgresql.postgresql_alter_system."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from demo.servers import EmbeddedPostgres

ROOT = Path(__file__).resolve().parents[2]
ROUNDS = 5
OURS, THEIRS = "pg_settings", "postgresql_alter_system"
# Twelve settings that take effect without a restart, so that both ways end with the same live server.
SETTINGS = {
    "work_mem": "64MB",
    "maintenance_work_mem": "256MB",
    "effective_cache_size": "2GB",
    "random_page_cost": "1.1",
    "effective_io_concurrency": "100",
    "max_parallel_workers": "4",
    "max_parallel_workers_per_gather": "3",
    "checkpoint_completion_target": "0.8",
    "max_wal_size": "2GB",
    "log_min_duration_statement": "500ms",
    "track_io_timing": "on",
    "default_statistics_target": "200",
}


def run() -> str:
    """12 settings: one task of pg_settings, and 12 tasks of postgresql_alter_system, in one run of ansible-playbook."""
    with tempfile.TemporaryDirectory() as directory:
        server = EmbeddedPostgres(Path(directory) / "pg")
        server.create()
        server.start()
        try:
            rounds = [_round(Path(directory), server) for _number in range(ROUNDS)]
        finally:
            server.stop()
    lines = [f"{'':<18}{OURS:>14}{THEIRS:>26}{'ratio':>8}"]
    for title in rounds[0]:
        ours, theirs = (statistics.median(taken[title][name] for taken in rounds) for name in (OURS, THEIRS))
        lines.append(f"{title:<18}{ours:>12.2f} s{theirs:>24.2f} s{theirs / ours:>7.1f}x")
    return "\n".join([*lines, f"PostgreSQL {server.version()}, wall time of the tasks, medians of {ROUNDS} runs"])


def _round(directory: Path, server: EmbeddedPostgres) -> dict[str, dict[str, float]]:
    """Seconds of each way, with everything to do and with nothing."""
    place = {"login_unix_socket": str(server.socket), "login_db": "postgres"}
    ours = [{"midi.capacity.pg_settings": {"settings": SETTINGS, **place}}]
    theirs = [
        {"community.postgresql.postgresql_alter_system": {"param": name, "value": value, **place}}
        for name, value in SETTINGS.items()
    ]
    back = [{"midi.capacity.pg_settings": {"settings": SETTINGS, "state": "absent", **place}}]
    plays = {f"reset before {OURS}": back, OURS: ours, f"{OURS} again": ours}
    plays |= {f"reset before {THEIRS}": back, THEIRS: theirs, f"{THEIRS} again": theirs}
    document = [{"name": name, "hosts": "localhost", "gather_facts": False, "tasks": plays[name]} for name in plays]
    (directory / "bench.yml").write_text(yaml.safe_dump(document, sort_keys=False))
    done = {play["play"]["name"]: play["tasks"] for play in _play(directory / "bench.yml")}
    for name in (OURS, THEIRS):
        # Both must have done all of it and then nothing, or the comparison is of different work.
        changes = [_changed(done[name]), _changed(done[f"{name} again"])]
        if changes != [len(plays[name]), 0]:
            raise RuntimeError(f"{name}: {changes[0]} tasks changed something, and then {changes[1]}")
    return {
        "all to do": {name: _seconds(done[name]) for name in (OURS, THEIRS)},
        "nothing to do": {name: _seconds(done[f"{name} again"]) for name in (OURS, THEIRS)},
    }


def _play(playbook: Path) -> list[dict[str, Any]]:
    command = [str(Path(sys.executable).parent / "ansible-playbook"), str(playbook), "-i", "localhost,", "-c", "local"]
    environment = {
        **os.environ,
        "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
        "ANSIBLE_PYTHON_INTERPRETER": sys.executable,
        "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json",
    }
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(done.stdout + done.stderr)
    plays: list[dict[str, Any]] = json.loads(done.stdout)["plays"]
    return plays


def _changed(tasks: list[dict[str, Any]]) -> int:
    return sum(bool(result["changed"]) for task in tasks for result in task["hosts"].values())


def _seconds(tasks: list[dict[str, Any]]) -> float:
    """From the start of the first task to the end of the last."""
    start, end = (
        datetime.fromisoformat(tasks[place]["task"]["duration"][key]) for place, key in ((0, "start"), (-1, "end"))
    )
    return (end - start).total_seconds()
