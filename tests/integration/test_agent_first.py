# SPDX-License-Identifier: GPL-3.0-or-later
"""_agent_first: the history is read without a trace, and a snapshot that did not come is told."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from ansible_collections.midi.capacity.plugins.module_utils import _agent_first, _agent_lock
from ansible_collections.midi.capacity.plugins.module_utils._agent import config as configuration
from ansible_collections.midi.capacity.plugins.module_utils._agent_first import FirstSnapshot
from ansible_collections.midi.capacity.plugins.module_utils._agent_store import FULL, Store
from ansible_collections.midi.capacity.plugins.module_utils._errors import OperatorError

from tests.integration.conftest import ROOT

ADD = f"""
import os, signal, sys
from {Store.__module__} import FULL, Store
store = Store.open(sys.argv[1])
clock = {{"taken_at": sys.argv[2], "boot_id": "boot", "monotonic_seconds": 1.0}}
store.add(FULL, {{"missing": [{{"part": "postgres", "reason": "x", "remedy": ""}}]}}, clock, None, 9)
"""


class State:
    """A state directory, and a command that stands in for the agent."""

    def __init__(self, home: Path) -> None:
        self.directory = home / "agent"
        self.directory.mkdir()
        self.history = self.directory / "history.db"
        self.command = home / "command"
        self.runs = home / "runs"
        document = {"host": "db1", "database": "midi", "state_dir": str(home), "deadline_seconds": 20}
        self.config, problems = configuration.read(document)
        assert not problems

    def add(self, minute: int, then: str = "store.close()") -> subprocess.CompletedProcess[str]:
        at = f"2026-11-24T00:{minute:02d}:00.000Z"
        environment = {**os.environ, "PYTHONPATH": str(ROOT / ".collections")}
        command = [sys.executable, "-c", ADD + then, str(self.history), at]
        return subprocess.run(command, check=False, capture_output=True, text=True, env=environment)

    def stands_in(self, *lines: str) -> None:
        path = ":".join([str(ROOT / ".collections")])
        text = "\n".join([f"#!{sys.executable}", "import sys", f"sys.path.insert(0, {path!r})", *lines])
        self.command.write_text(f"{text}\nopen({str(self.runs)!r}, 'a').write('x')\n")
        self.command.chmod(0o755)

    def first(self) -> FirstSnapshot:
        return FirstSnapshot(str(self.command), None, self.config)

    def content(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in self.directory.iterdir()}


@pytest.fixture
def state(tmp_path: Path) -> State:
    return State(tmp_path)


def test_a_history_is_read_without_a_trace(state: State) -> None:
    for minute in (1, 2):
        assert state.add(minute).returncode == 0
    before = state.content()
    assert set(before) == {"history.db"}
    history = state.first().history
    assert (history["snapshots"], history["last"]) == (2, "2026-11-24T00:02:00.000Z")
    assert [entry["part"] for entry in history["missing"]] == ["postgres"]
    assert state.content() == before


def test_what_a_run_that_was_killed_has_written_counts_and_stays_where_it_is(state: State) -> None:
    assert state.add(1).returncode == 0
    assert state.add(2, "os.kill(os.getpid(), signal.SIGKILL)").returncode == -signal.SIGKILL
    before = state.content()
    assert before["history.db-wal"]
    assert state.first().history["snapshots"] == 2
    after = state.content()
    assert [after[name] for name in ("history.db", "history.db-wal")] == [
        before[name] for name in ("history.db", "history.db-wal")
    ]


@pytest.mark.parametrize("text", [b"", None])
def test_a_history_that_is_not_begun_has_no_snapshots_and_gets_no_tables(state: State, text: bytes | None) -> None:
    if text is None:
        sqlite3.connect(state.history).execute("PRAGMA auto_vacuum = INCREMENTAL").connection.execute("VACUUM")
    else:
        state.history.write_bytes(text)
    before = state.content()
    first = state.first()
    assert first.is_lacking and first.history["missing"] == []
    assert state.content() == before


def test_of_an_older_schema_the_heads_have_to_do(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    assert state.add(1).returncode == 0
    connection = sqlite3.connect(state.history)
    connection.execute("UPDATE snapshot SET document = zeroblob(0)")
    # As if a document were stored another way by now.
    connection.execute("ALTER TABLE snapshot RENAME COLUMN document TO old")
    connection.commit()
    connection.close()
    with pytest.raises(OperatorError, match="no such column"):
        state.first()
    monkeypatch.setattr(_agent_first, "VERSION", _agent_first.VERSION + 1)
    before = state.content()
    history = state.first().history
    assert (history["snapshots"], history["missing"]) == (1, [])
    assert state.content()["history.db"] == before["history.db"]


def test_a_newer_schema_is_refused(state: State) -> None:
    assert state.add(1).returncode == 0
    connection = sqlite3.connect(state.history)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(OperatorError, match="written by a newer version: its schema is 99"):
        state.first()


@pytest.mark.root
def test_a_history_of_an_account_that_is_no_more_is_read(tmp_path_factory: pytest.TempPathFactory) -> None:
    home = Path("/tmp") / f"midi-capacity-{os.getpid()}-first"
    home.mkdir(mode=0o755)
    try:
        state = State(home)
        assert state.add(1).returncode == 0
        for path in (state.directory, state.history):
            os.chown(path, 54321, 54321)
        state.directory.chmod(0o700)
        assert state.first().history["snapshots"] == 1
        assert (os.geteuid(), os.getegid()) == (0, 0)
    finally:
        for path in sorted(home.rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()
        home.rmdir()


def test_a_run_that_adds_nothing_is_told(state: State) -> None:
    assert state.add(1).returncode == 0
    state.stands_in()
    first = state.first()
    with pytest.raises(OperatorError, match="there is no new snapshot in the history"):
        first.take()
    assert state.runs.read_text() == "xx"


def test_a_lock_that_is_not_had_is_told(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    state.stands_in()
    first = state.first()
    monkeypatch.setattr(_agent_first, "GRACE_SECONDS", 1 - state.config.deadline_seconds)
    # The command has as long, so that it is not what ends first.
    monkeypatch.setattr(first, "_run", lambda: None)
    lock = str(state.directory / "lock")
    with _agent_lock.held(lock) as had, pytest.raises(OperatorError, match="another run has held .*lock for 1 s"):
        assert had
        first.take()


def test_another_snapshot_is_seen_though_the_oldest_went(state: State) -> None:
    assert state.add(1).returncode == 0
    state.stands_in(
        f"sys.argv[1:] = [{str(state.history)!r}, '2026-11-24T00:05:00.000Z']",
        ADD,
        "store._connection.execute('DELETE FROM snapshot WHERE id = 1')",
        "store.close()",
    )
    first = state.first()
    first.take()
    assert (first.history["snapshots"], first.history["first"]) == (1, "2026-11-24T00:05:00.000Z")
    assert state.runs.read_text() == "x"
    with Store.open(str(state.history)) as store:
        assert [head["id"] for head in store.heads(FULL)] == [2]
