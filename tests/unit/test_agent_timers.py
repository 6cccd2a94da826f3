# SPDX-License-Identifier: GPL-3.0-or-later
"""What systemd is asked and told of the agent's timers, by a systemctl that only writes down what it is told."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.midi.capacity.plugins.module_utils import _agent_timers
from ansible_collections.midi.capacity.plugins.module_utils._agent.files import timers as timers_of
from ansible_collections.midi.capacity.plugins.module_utils._agent.files import units
from ansible_collections.midi.capacity.plugins.module_utils._errors import OperatorError

TIMERS, UNITS = timers_of("capacity-agent"), units("capacity-agent")
SNAPSHOT, CAPTURE, DEADMAN = TIMERS


class Systemd:
    """States by unit: LoadState, UnitFileState, ActiveState, NeedDaemonReload."""

    def __init__(self, directory: Path) -> None:
        self.states: dict[str, tuple[str, str, str, str]] = {}
        self.calls = directory / "calls"
        self._shown = directory / "shown"
        self._program = directory / "systemctl"
        self._program.write_text(
            f'#!/bin/sh\nif [ "$1" = show ]; then cat {self._shown}; exit; fi\necho "$@" >>{self.calls}\n'
        )
        self._program.chmod(0o755)

    def timers(self, directory: str = "/etc/systemd/system") -> _agent_timers.Timers:
        blocks = []
        for name in UNITS:
            load, enabled, active, stale = self.states.get(name, ("not-found", "", "inactive", "no"))
            blocks.append(
                f"Id={name}\nLoadState={load}\nActiveState={active}\nUnitFileState={enabled}\nNeedDaemonReload={stale}\n"
            )
        self._shown.write_text("\n".join(blocks))
        return _agent_timers.Timers(directory, "capacity-agent")

    def told(self) -> list[str]:
        return self.calls.read_text().splitlines() if self.calls.exists() else []

    def fail(self) -> None:
        self._program.write_text("#!/bin/sh\necho it is broken >&2\nexit 1\n")


@pytest.fixture
def systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Systemd:
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(_agent_timers, "RUNS", str(tmp_path))
    return Systemd(tmp_path)


def test_new_timers_are_begun(systemd: Systemd) -> None:
    timers = systemd.timers()
    assert (timers.state(SNAPSHOT), timers.wanted(), timers.stale) == (None, "enabled, active", False)
    timers.begin([SNAPSHOT, CAPTURE], [SNAPSHOT, CAPTURE])
    assert systemd.told() == ["daemon-reload", f"enable --now {SNAPSHOT} {CAPTURE}"]


def test_what_runs_is_left_alone(systemd: Systemd) -> None:
    systemd.states[SNAPSHOT] = ("loaded", "enabled", "active", "no")
    timers = systemd.timers()
    assert timers.state(SNAPSHOT) == timers.wanted()
    timers.begin([SNAPSHOT], [])
    timers.stop([CAPTURE])
    assert systemd.told() == []


@pytest.mark.parametrize("state", [("loaded", "disabled", "active", "no"), ("loaded", "enabled", "failed", "no")])
def test_half_of_it_is_not_enough(systemd: Systemd, state: tuple[str, str, str, str]) -> None:
    systemd.states[SNAPSHOT] = state
    timers = systemd.timers()
    assert timers.state(SNAPSHOT) == f"{state[1]}, {state[2]}"
    timers.begin([SNAPSHOT], [])
    assert systemd.told() == [f"enable --now {SNAPSHOT}"]


def test_a_timer_with_other_times_begins_anew(systemd: Systemd) -> None:
    systemd.states[SNAPSHOT] = systemd.states[CAPTURE] = ("loaded", "enabled", "active", "no")
    systemd.timers().begin([SNAPSHOT, CAPTURE], [CAPTURE])
    assert systemd.told() == ["daemon-reload", f"restart {CAPTURE}"]


def test_units_that_were_not_read_are_read(systemd: Systemd) -> None:
    """A run that was cut off between the files and systemd is made good by the next one."""
    systemd.states["capacity-agent-capture.service"] = ("loaded", "static", "inactive", "yes")
    timers = systemd.timers()
    assert timers.stale
    timers.begin([], [])
    assert systemd.told() == ["daemon-reload"]


def test_what_goes_is_stopped_with_its_file_or_without(systemd: Systemd, tmp_path: Path,
                                                       monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    monkeypatch.setattr(_agent_timers, "_READ_BY_SYSTEMD", (str(tmp_path),))
    (tmp_path / SNAPSHOT).touch()
    systemd.states[SNAPSHOT] = ("loaded", "enabled", "active", "no")
    systemd.states[CAPTURE] = ("not-found", "", "active", "no")
    timers = systemd.timers(str(tmp_path))
    assert timers.state(CAPTURE) == "no file, active"
    timers.stop(list(TIMERS))
    assert systemd.told() == [f"disable --now {SNAPSHOT}", f"stop {CAPTURE}"]


@pytest.mark.parametrize("directory", ["/somewhere/else", ""])
def test_of_a_directory_that_it_does_not_read_it_is_told_nothing(systemd: Systemd, directory: str) -> None:
    systemd.states[SNAPSHOT] = ("loaded", "enabled", "active", "yes")
    timers = systemd.timers(directory)
    assert (timers.state(SNAPSHOT), timers.wanted(), timers.stale, timers.usable()) == (None, None, False, True)
    timers.begin([SNAPSHOT], [SNAPSHOT])
    timers.stop([SNAPSHOT])
    assert systemd.told() == []


def test_where_it_does_not_run_it_is_asked_nothing(systemd: Systemd, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_agent_timers, "RUNS", "/nowhere")
    systemd.fail()
    timers = _agent_timers.Timers("/etc/systemd/system", "capacity-agent")
    assert (timers.usable(), timers.wanted()) == (False, None)


def test_what_it_refuses_is_told(systemd: Systemd) -> None:
    systemd.fail()
    with pytest.raises(OperatorError, match="systemctl failed: it is broken .systemctl show"):
        _agent_timers.Timers("/etc/systemd/system/", "capacity-agent")
