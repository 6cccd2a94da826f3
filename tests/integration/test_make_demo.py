# SPDX-License-Identifier: GPL-3.0-or-later
"""`make demo` as a newcomer types it, and as one who loses patience."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.integration.demo_runs import DemoRuns, demo_in, wait_for_line

ROOT = Path(__file__).resolve().parents[2]
LONGEST_SECONDS = 300
FILES = "1000"


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[DemoRuns]:
    """A place for a demo."""
    with demo_in(tmp_path / "home") as runs:
        yield runs


@contextmanager
def started(demo: DemoRuns, target: str) -> Iterator[subprocess.Popen[str]]:
    """make, in a process group of its own, as a shell starts it."""
    environment = {**os.environ, "DEMO_HOME": str(demo.directory), "DEMO_FILES": FILES, "ANSIBLE_NOCOLOR": "1"}
    # This environment may have been made otherwise than by `make setup`, and is not to be made again.
    command = ["make", "--old-file=setup", "--assume-old=.venv/run.done", f"VENV={sys.prefix}", target]
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, process_group=0
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def lose_patience(process: subprocess.Popen[str]) -> None:
    """Ctrl-C, once more, and then harder: interrupted at a bad moment, ansible-playbook may wait for itself."""
    for number in (signal.SIGINT, signal.SIGINT, signal.SIGKILL):
        os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.communicate(timeout=15)
            return
    raise AssertionError("make outlived kill -9")


def make(demo: DemoRuns, target: str) -> str:
    """What it prints when it ends well."""
    with started(demo, target) as process:
        out, err = process.communicate(timeout=LONGEST_SECONDS)
        assert process.returncode == 0, out + err
    assert "Traceback" not in err
    return out


def test_demo_twice_stop_and_clean(demo: DemoRuns) -> None:
    first = make(demo, "demo")
    assert "extension pg_stat_statements" in first
    assert first.count("Nothing is left to do.") == 2
    report = demo.directory / "reports" / "demo-postgres" / "baseline-phase1.md"
    assert str(report) in first
    assert str(demo.directory / "reports" / "demo-redis" / "cache-strategy.md") in first
    # As they are to be typed for a demo that is not in its usual place.
    assert f"DEMO_HOME={demo.directory} .venv/bin/python -m demo psql" in first
    assert f"DEMO_HOME={demo.directory} make demo-clean removes all of it" in first
    assert "Not asked for" not in report.read_text()
    second = make(demo, "demo")
    recap = second.split("PLAY RECAP")[1]
    # Two servers, and localhost, which looks whether there are any.
    assert recap.count("changed=0") == 3
    assert recap.count("failed=0") == 3
    make(demo, "demo-stop")
    assert demo.processes() == []
    make(demo, "demo-clean")
    assert not demo.directory.exists()


def test_interrupted_while_the_server_restarts_a_second_demo_ends_well(demo: DemoRuns) -> None:
    with started(demo, "demo") as process:
        wait_for_line(process, "TASK [midi.capacity.postgres_tuning : Restart the cluster with pg_ctl]")
        lose_patience(process)
        assert process.returncode != 0
    assert make(demo, "demo").count("Nothing is left to do.") == 2
