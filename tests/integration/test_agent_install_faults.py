# SPDX-License-Identifier: GPL-3.0-or-later
"""Module capacity_agent where what is there is not as it was left: files of others, links, changed places, faults."""

from __future__ import annotations

import json
import os
import pwd
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.midi.capacity.plugins.module_utils import _agent_place, _agent_program
from ansible_collections.midi.capacity.plugins.module_utils._agent_install import converge
from ansible_collections.midi.capacity.plugins.module_utils._errors import OperatorError
from ansible_collections.midi.capacity.plugins.modules.capacity_agent import SPEC

from tests.integration.conftest import RunModule

OURS = "# HELP midi_capacity_last_snapshot_timestamp_seconds When the last snapshot was taken\n"
OTHERS_PLACES = (
    "bin/capacity-agent",
    "cron/capacity-agent",
    "units/capacity-agent-deadman.timer",
    "units/capacity-agent-snapshot.service",
    "logrotate/capacity-agent",
    "tmpfiles/capacity-agent.conf",
)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    directory = tmp_path / "home"
    for name in ("bin", "lib", "cron", "units", "logrotate", "tmpfiles", "textfile"):
        (directory / name).mkdir(parents=True)
    return directory


@pytest.fixture
def wanted(home: Path) -> dict[str, Any]:
    config = {"host": "db1", "database": "midi", "state_dir": f"{home}/state", "runtime_dir": f"{home}/run"}
    config |= {"log_file": f"{home}/log/agent.log", "textfile": f"{home}/textfile/midi.prom"}
    options = {"config": config, "prefix": f"{home}/lib/agent", "command": f"{home}/bin/capacity-agent"}
    return options | {f"{name}_dir": f"{home}/{name}" for name in ("cron", "units", "logrotate", "tmpfiles")}


@pytest.fixture
def installed(run_module: RunModule, wanted: dict[str, Any]) -> dict:
    return run_module("capacity_agent", **wanted)


@pytest.fixture
def absent(wanted: dict[str, Any]) -> dict[str, Any]:
    """Options that take it away, and say no more than where it keeps its state."""
    return {**wanted, "state": "absent", "config": {"state_dir": wanted["config"]["state_dir"]}}


def everything(directory: Path) -> dict[str, tuple[int, int, int, bytes | None]]:
    found = {}
    for path in directory.rglob("*"):
        status = path.lstat()
        content = path.read_bytes() if path.is_file() else None
        found[str(path.relative_to(directory))] = (status.st_mode, status.st_ino, status.st_uid, content)
    return found


def stored(home: Path, **changes: Any) -> None:
    """The configuration, as the account that it belongs to may have changed it."""
    path = home / "state/conf/agent.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


@pytest.mark.parametrize("kind", ["another file", "directory", "link", "pipe", "of nobody"])
def test_a_textfile_that_is_none_is_left_alone(
    run_module: RunModule, home: Path, absent: dict[str, Any], installed: dict, kind: str
) -> None:
    victim = home / "textfile/victim"
    if kind == "directory":
        victim.mkdir()
    elif kind == "pipe":
        os.mkfifo(victim)
    elif kind == "link":
        (home / "textfile/real").write_text(OURS)
        victim.symlink_to(home / "textfile/real")
    elif kind == "of nobody":
        if os.geteuid() != 0:
            pytest.skip("only root can make a file of another account")
        victim.write_text(OURS)
        os.chown(victim, pwd.getpwnam("nobody").pw_uid, -1)
    else:
        victim.write_text("root:x:0:0\n")
    stored(home, textfile=str(victim))
    before = victim.lstat()
    done = run_module("capacity_agent", **absent)
    assert victim.lstat() == before or victim.lstat().st_ino == before.st_ino
    assert str(victim) in done["kept"] and str(victim) not in done["removed"]
    assert not list((home / "cron").iterdir()) and not list((home / "bin").iterdir())


@pytest.mark.parametrize("value", [5, None, ["/x"], "no/path", "/a\0b"])
def test_a_stored_configuration_of_other_types_is_no_reason_to_fail_half_way(
    run_module: RunModule, home: Path, absent: dict[str, Any], installed: dict, value: Any
) -> None:
    stored(home, runtime_dir=value, log_file=value, textfile=value)
    done = run_module("capacity_agent", **absent)
    assert set(done["kept"]) >= {f"{home}/state", f"{home}/state/agent"}
    assert not list((home / "cron").iterdir())


@pytest.mark.parametrize("name", ["state_dir", "runtime_dir", "log_file"])
def test_places_that_are_none_are_refused_when_it_is_to_go(
    run_module: RunModule, home: Path, absent: dict[str, Any], installed: dict, name: str
) -> None:
    before = everything(home)
    absent["config"][name] = 5
    assert f"config: {name} is 5: write an absolute path" in run_module("capacity_agent", fails=True, **absent)["msg"]
    assert everything(home) == before


@pytest.mark.parametrize("name", OTHERS_PLACES)
def test_files_of_others_are_neither_written_over_nor_removed(
    run_module: RunModule, home: Path, wanted: dict[str, Any], absent: dict[str, Any], name: str
) -> None:
    (home / name).write_text("# by hand\n0 * * * * root /usr/bin/true\n# Written by midi.capacity, module x\n")
    before = everything(home)
    for options in (wanted, absent):
        said = run_module("capacity_agent", fails=True, **options)["msg"]
        assert f"{home}/{name}: this module did not write it: move it out of the way" in said
        assert everything(home) == before


def test_another_textfile_takes_the_one_of_before_away(
    run_module: RunModule, home: Path, wanted: dict[str, Any], installed: dict
) -> None:
    first, second = (f"{home}/textfile/{name}.prom" for name in ("midi", "other"))
    Path(first).write_text(OURS)
    wanted["config"]["textfile"] = second
    checked = run_module("capacity_agent", check=True, **wanted)
    assert checked["removed"] == [first] and Path(first).exists()
    assert run_module("capacity_agent", **wanted)["removed"] == [first]
    assert not Path(first).exists()
    Path(second).write_text("another's\n")
    del wanted["config"]["textfile"]
    assert run_module("capacity_agent", **wanted)["removed"] == [] and Path(second).exists()


@pytest.mark.parametrize("schedule", ["cron", "timer"])
@pytest.mark.parametrize("other", ["bin/capacity-other", "more/capacity-agent"])
def test_another_command_waits_until_the_one_of_before_is_gone(
    run_module: RunModule, home: Path, wanted: dict[str, Any], absent: dict[str, Any], schedule: str, other: str
) -> None:
    wanted |= {"schedule": schedule, "deadman": schedule}
    run_module("capacity_agent", **wanted)
    (home / "more").mkdir()
    before = everything(home)
    for options in (wanted, absent):
        said = run_module("capacity_agent", fails=True, **{**options, "command": f"{home}/{other}"})["msg"]
        assert f"another command, {wanted['command']}: remove that first (state absent, command {home}/bin" in said
        assert everything(home) == before
    run_module("capacity_agent", **absent)
    run_module("capacity_agent", **{**wanted, "command": f"{home}/{other}"})
    assert not Path(wanted["command"]).exists() and (home / other).exists()


def test_the_files_of_another_agent_whose_command_has_the_same_name_are_left_alone(
    run_module: RunModule, home: Path, wanted: dict[str, Any], absent: dict[str, Any], installed: dict
) -> None:
    (home / "more").mkdir()
    before = everything(home)
    for options in (wanted, absent):
        config = {**options["config"], "state_dir": f"{home}/other"}
        other = {**options, "config": config, "command": f"{home}/more/capacity-agent", "prefix": f"{home}/lib/other"}
        said = run_module("capacity_agent", fails=True, **other)["msg"]
        assert f"is of another agent, {wanted['command']}: give this one a command of another name" in said
        assert everything(home) == before


def here(wanted: dict[str, Any]) -> Callable[[], dict]:
    """The module's work in this process, where a fault can be had."""
    options = {name: option.get("default") for name, option in SPEC.options.items()}
    return lambda: converge({**options, **wanted}, False)


@pytest.mark.parametrize("fresh", [True, False])
def test_a_program_that_does_not_start_has_no_configuration_written(
    home: Path, wanted: dict[str, Any], monkeypatch: pytest.MonkeyPatch, fresh: bool
) -> None:
    install = here(wanted)
    if not fresh:
        install()
    broken = "#!/bin/sh\n# Written by midi.capacity, module capacity_agent\necho broken\nexit 3\n"
    monkeypatch.setattr(_agent_program.Program, "launcher", lambda *_args: broken)
    wanted["config"]["keep_days"] = 30
    path, launcher = home / "state/conf/agent.json", Path(wanted["command"])
    before = [file.read_bytes() if file.exists() else None for file in (path, launcher)]
    with pytest.raises(OperatorError, match="does not start on this host: broken"):
        here(wanted)()
    assert [file.read_bytes() if file.exists() else None for file in (path, launcher)] == before


@pytest.mark.parametrize("fresh", [True, False])
def test_a_command_that_cannot_be_put_in_its_place_has_the_configuration_of_before(
    home: Path, wanted: dict[str, Any], monkeypatch: pytest.MonkeyPatch, fresh: bool
) -> None:
    path, launcher = home / "state/conf/agent.json", Path(wanted["command"])
    if not fresh:
        here(wanted)()
        launcher.chmod(0o700)
    before = path.read_bytes() if path.exists() else None
    rename, seen = os.rename, []

    def failing(source: str, target: str) -> None:
        if target == str(launcher):
            seen.append(json.loads(path.read_text())["keep_days"])
            raise OSError(16, "Device or resource busy", target)
        rename(source, target)

    monkeypatch.setattr(_agent_place.os, "rename", failing)
    wanted["config"]["keep_days"] = 30
    with pytest.raises(OperatorError, match="cannot be installed: Device or resource busy"):
        here(wanted)()
    assert seen == [30]
    assert (path.read_bytes() if path.exists() else None) == before


@pytest.mark.root
@pytest.mark.parametrize("kind", ["hard link", "link for its directory", "pipe for the configuration"])
def test_an_account_has_no_other_file_given_to_it(
    run_module: RunModule, home: Path, wanted: dict[str, Any], installed: dict, kind: str
) -> None:
    victims = home / "victims"
    victims.mkdir()
    (victims / "history.db").write_text("root's")
    agent = home / "state/agent"
    if kind == "hard link":
        os.link(victims / "history.db", agent / "alerts.db")
    elif kind == "pipe for the configuration":
        (home / "state/conf/agent.json").unlink()
        os.mkfifo(home / "state/conf/agent.json")
    else:
        agent.rmdir()
        agent.symlink_to(victims)
    # That directory is root's, which is refused by itself.
    del wanted["config"]["textfile"]
    before = everything(home)
    said = run_module("capacity_agent", fails=True, account="nobody", **wanted)["msg"]
    assert "move that out of the way" in said and said.count("\n  - ") == 1
    assert everything(home) == before
