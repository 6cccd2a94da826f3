# SPDX-License-Identifier: GPL-3.0-or-later
"""Module capacity_agent on this very host, in a directory of its own, as whoever runs the tests."""

from __future__ import annotations

import hashlib
import json
import os
import pwd
import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.midi.capacity.plugins.module_utils import _agent_place, _agent_program
from ansible_collections.midi.capacity.plugins.module_utils._agent_store import Store
from ansible_collections.midi.capacity.plugins.module_utils._errors import OperatorError

from tests.integration.conftest import ROOT, RunModule

PLACES = ("bin", "lib", "cron", "units", "logrotate", "tmpfiles", "textfile")
SECRETS = ("hunter2-in-a-url", "hunter2-in-a-header", "hunter2-in-an-option")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    directory = tmp_path / "home"
    for name in PLACES:
        (directory / name).mkdir(parents=True)
    return directory


@pytest.fixture
def wanted(home: Path) -> dict[str, Any]:
    config = {
        "host": "db1",
        "database": "midi_library",
        "state_dir": f"{home}/state",
        "runtime_dir": f"{home}/run/midi-capacity",
        "log_file": f"{home}/log/agent.log",
        "textfile": f"{home}/textfile/midi_capacity.prom",
        "postgres": {"login_password": SECRETS[2]},
        "channels": [{"type": "webhook", "url": f"https://x/{SECRETS[0]}", "headers": {"X-Key": SECRETS[1]}}],
    }
    return {
        "config": config,
        "prefix": f"{home}/lib/midi-capacity",
        "command": f"{home}/bin/capacity-agent",
        "cron_dir": f"{home}/cron",
        "units_dir": f"{home}/units",
        "logrotate_dir": f"{home}/logrotate",
        "tmpfiles_dir": f"{home}/tmpfiles",
    }


@pytest.fixture
def installed(run_module: RunModule, wanted: dict[str, Any]) -> dict:
    return run_module("capacity_agent", **wanted)


def everything(directory: Path) -> dict[str, tuple[int, int, bytes | None]]:
    found = {}
    for path in directory.rglob("*"):
        status = path.lstat()
        content = path.read_bytes() if path.is_file() else None
        found[str(path.relative_to(directory))] = (status.st_mode, status.st_ino, content)
    return found


def mode(path: Path | str) -> str:
    return f"{Path(path).stat().st_mode & 0o7777:04o}"


def say(command: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, **environment}
    return subprocess.run([command, *arguments], check=False, capture_output=True, text=True, cwd="/", env=env)


def test_it_is_installed_once(run_module: RunModule, home: Path, wanted: dict[str, Any]) -> None:
    before = everything(home)
    checked = run_module("capacity_agent", check=True, **wanted)
    assert checked["changed"] and everything(home) == before
    done = run_module("capacity_agent", **wanted)
    told = ("changed", "diff", "version", "files", "removed", "kept")
    assert {name: done[name] for name in told} == {name: checked[name] for name in told}
    assert "0 * * * *" not in done["diff"]["before"] and "capacity-agent snapshot" in done["diff"]["after"]
    stored = everything(home)
    again = run_module("capacity_agent", **wanted)
    assert (again["changed"], again["diff"]["before"], again["diff"]["after"]) == (False, "", "")
    assert everything(home) == stored


def test_what_is_installed(home: Path, installed: dict, wanted: dict[str, Any]) -> None:
    version = f"{home}/lib/midi-capacity/{installed['version']}"
    assert installed["files"] == sorted(
        [version, wanted["command"], f"{home}/state/conf/agent.json", f"{home}/cron/capacity-agent"]
        + [f"{home}/units/capacity-agent-deadman.{kind}" for kind in ("service", "timer")]
        + [f"{home}/logrotate/capacity-agent", f"{home}/tmpfiles/capacity-agent.conf"]
    )
    assert (installed["schedule"], installed["deadman"], installed["kept"]) == ("cron", "timer", [])
    modes = {"state": "0755", "state/agent": "0700", "state/conf": "0700", "log": "0750", "run/midi-capacity": "0750"}
    modes |= {"state/conf/agent.json": "0600", "bin/capacity-agent": "0755", "cron/capacity-agent": "0644"}
    assert {name: mode(home / name) for name in modes} == modes
    config = json.loads((home / "state/conf/agent.json").read_text())
    assert config == {
        **wanted["config"],
        "schema_version": 1,
        "interval_seconds": 3600,
        "capture_seconds": 300,
        "deadline_seconds": 120,
    }
    cron = (home / "cron/capacity-agent").read_text()
    assert f"nice -n 10 {wanted['command']} snapshot\n" in cron and "deadman" not in cron
    for path in Path(version).rglob("*"):
        assert mode(path) == ("0755" if path.is_dir() else "0644"), path
    assert not list(home.rglob(".*~"))


def test_no_umask_has_a_say(run_module: RunModule, home: Path, wanted: dict[str, Any]) -> None:
    old = os.umask(0o077)
    try:
        run_module("capacity_agent", **wanted)
    finally:
        os.umask(old)
    assert {mode(path) for path in (home / "lib").rglob("*") if path.is_dir()} == {"0755"}


def test_no_secret_is_seen(run_module: RunModule, wanted: dict[str, Any], installed: dict) -> None:
    wanted["config"]["channels"][0]["url"] += "-and-more"
    changed = run_module("capacity_agent", **wanted)
    assert "agent.json: channels = another value, hidden\n" in changed["diff"]["after"]
    assert "postgres" not in changed["diff"]["after"]
    for result in (installed, changed):
        assert not [secret for secret in SECRETS if secret in json.dumps(result)]


def test_a_change_of_the_configuration_is_one_of_its_file(
    run_module: RunModule, home: Path, wanted: dict[str, Any], installed: dict
) -> None:
    before = everything(home)
    wanted["config"]["keep_days"] = 30
    del wanted["config"]["postgres"]
    changed = run_module("capacity_agent", **wanted)
    diff = changed["diff"]
    path = f"{home}/state/conf/agent.json"
    assert f"{path}: keep_days = 30\n" in diff["after"] and f"{path}: postgres = hidden\n" in diff["before"]
    after = everything(home)
    assert {name for name in after if before.get(name) != after[name]} == {"state/conf/agent.json"}
    assert json.loads(Path(path).read_text())["keep_days"] == 30
    assert not run_module("capacity_agent", **wanted)["changed"]


def test_another_form_of_the_same_configuration_is_written_anew(
    run_module: RunModule, home: Path, wanted: dict[str, Any], installed: dict
) -> None:
    path = home / "state/conf/agent.json"
    good = path.read_text()
    for text in (json.dumps(json.loads(good)), "no JSON", "[]"):
        path.write_text(text)
        assert run_module("capacity_agent", **wanted)["changed"]
        assert path.read_text() == good


PACKAGE = "ansible_collections/midi/capacity/plugins/module_utils"


@pytest.mark.parametrize(
    "damage", ["changed", "gone", "too many", "compiled", "mode", "list", "both", "link", "launcher", "launcher's mode"]
)
def test_damage_is_found_and_mended(
    run_module: RunModule, home: Path, wanted: dict[str, Any], installed: dict, damage: str
) -> None:
    version = home / "lib/midi-capacity" / installed["version"]
    module, compiled = version / PACKAGE / "_agent_cli.py", next((version / PACKAGE).glob("__pycache__/_agent_cli.*"))
    launcher = home / "bin/capacity-agent"
    good = {name: content[2] for name, content in everything(home).items() if not name.endswith((".pyc", "files.json"))}
    if damage == "changed":
        module.write_text("raise SystemExit(9)\n")
    elif damage == "gone":
        module.unlink()
    elif damage == "too many":
        (version / PACKAGE / "more.py").write_text("")
    elif damage == "compiled":
        compiled.write_bytes(compiled.read_bytes()[:-9])
    elif damage == "mode":
        module.chmod(0o600)
    elif damage == "list":
        (version / "files.json").write_text("{}")
    elif damage == "both":
        module.write_text("raise SystemExit(9)\n")
        listed = json.loads((version / "files.json").read_text())
        listed[f"{PACKAGE}/_agent_cli.py"] = hashlib.sha256(module.read_bytes()).hexdigest()
        (version / "files.json").write_text(json.dumps(listed))
    elif damage == "link":
        module.rename(home / "elsewhere.py")
        module.symlink_to(home / "elsewhere.py")
    elif damage == "launcher":
        launcher.write_text("")
    else:
        launcher.chmod(0o644)
    found = run_module("capacity_agent", check=True, **wanted)
    assert found["changed"] and ("damaged" in found["diff"]["before"]) == ("launcher" not in damage)
    assert run_module("capacity_agent", **wanted)["changed"]
    (home / "elsewhere.py").unlink(missing_ok=True)
    after = {name: content[2] for name, content in everything(home).items() if name in good}
    assert after == good
    assert not list((home / "lib/midi-capacity").glob(".*"))
    assert say(wanted["command"], "version").returncode == 0
    assert not run_module("capacity_agent", **wanted)["changed"]


def test_the_version_before_stays_and_older_ones_go(
    run_module: RunModule, home: Path, wanted: dict[str, Any], installed: dict
) -> None:
    prefix = home / "lib/midi-capacity"
    version = installed["version"]
    older = ["0" * 16, "1" * 16, f".new-{version}", f".old-{version}"]
    for number, name in enumerate([*older, "not ours"]):
        (prefix / name).mkdir()
        os.utime(prefix / name, (number, number))
    # What the command starts is the version before, however old its directory.
    launcher = Path(wanted["command"])
    launcher.write_text(launcher.read_text().replace(version, "0" * 16))
    done = run_module("capacity_agent", **wanted)
    assert done["kept"] == [str(prefix / ("0" * 16))]
    assert done["removed"] == sorted(str(prefix / name) for name in older[1:])
    assert {path.name for path in prefix.iterdir()} == {version, "0" * 16, "not ours"}
    again = run_module("capacity_agent", **wanted)
    assert (again["changed"], again["kept"]) == (False, done["kept"])


def test_another_mechanism_takes_the_files_of_the_first_one_away(
    run_module: RunModule, home: Path, wanted: dict[str, Any], installed: dict
) -> None:
    done = run_module("capacity_agent", **wanted, schedule="timer", deadman="none", capture_minutes=0)
    assert done["removed"] == [f"{home}/cron/capacity-agent"] + [
        f"{home}/units/capacity-agent-deadman.{kind}" for kind in ("service", "timer")
    ]
    assert {path.name for path in (home / "units").iterdir()} == {
        f"capacity-agent-snapshot.{kind}" for kind in ("service", "timer")
    }
    assert list((home / "cron").iterdir()) == []
    back = run_module("capacity_agent", **wanted)
    assert back["files"] == installed["files"]
    assert list(home.glob("units/*snapshot*")) == []


def test_it_leaves_and_says_what_stays(
    run_module: RunModule, home: Path, wanted: dict[str, Any], installed: dict
) -> None:
    kept = {"state/agent/history.db": b"history", "state/conf/pg_service.conf": b"[x]", "log/agent.log": b"line"}
    for name, content in kept.items():
        (home / name).write_bytes(content)
    (home / "textfile/midi_capacity.prom").write_text("# HELP midi_capacity_last_snapshot_timestamp_seconds When\n")
    (home / "lib/midi-capacity" / ("0" * 16)).mkdir()
    before = everything(home)
    options = {**wanted, "state": "absent", "config": {"state_dir": f"{home}/state"}}
    checked = run_module("capacity_agent", check=True, **options)
    assert checked["changed"] and everything(home) == before
    done = run_module("capacity_agent", **options)
    assert done["diff"] == checked["diff"] and done["removed"] == checked["removed"]
    assert {name: content for name, (_mode, _inode, content) in everything(home).items() if content} == kept
    assert done["kept"] == [
        str(home / name) for name in ("state", "state/agent", "state/conf", "run/midi-capacity", "log")
    ]
    assert [path.name for path in (home / "lib").iterdir()] == []
    again = run_module("capacity_agent", **options)
    assert (again["changed"], again["removed"]) == (False, [])


@pytest.mark.parametrize(
    ("changes", "config", "messages"),
    [
        (
            {"cron_dir": "/nowhere/cron", "command": "/nowhere/agent", "tmpfiles_dir": "/nowhere/tmpfiles"},
            {"textfile": "/nowhere/a.prom"},
            [
                "cron_dir, which schedule or deadman needs, is not there: /nowhere/cron: install cron, or choose timer",
                "the directory of command is not there: /nowhere",
                "tmpfiles_dir is not there: /nowhere/tmpfiles: make it, or leave it out by an empty text",
                "the directory of config's textfile is not there: /nowhere",
            ],
        ),
        (
            {
                "account": "nobody-at-all",
                "interval_minutes": 7,
                "capture_minutes": 60,
                "mailto": "a\nb",
                "prefix": "/a b",
            },
            {"state_dir": "state", "deadline_seconds": 0, "log_file": "/a%b", "keep_dayz": 3, "probes": [{"name": 1}]},
            [
                "there is no account nobody-at-all on this host",
                "interval_minutes is 7: write one of 1, 2, 3",
                "capture_minutes is 60: write one of 0, 1",
                "mailto is 'a\\nb'",
                "prefix is '/a b': write an absolute path",
                "config: state_dir is 'state'",
                "config: deadline_seconds is 0: write a whole number from 5 to 3600",
                "config: log_file is '/a%b'",
                "config: there is no keep_dayz: did you mean keep_days",
                "config: probes: entry 1 has the name 1",
                "config: probes: entry 1 has no sql",
            ],
        ),
        ({"units_dir": "", "deadman": "timer"}, {}, ["units_dir, which schedule or deadman needs, is empty: give it"]),
        ({}, {"interval_seconds": 60}, ["config: interval_seconds is 60, and interval_minutes 60: leave"]),
        (
            {"interval_minutes": 2},
            {},
            [
                "config: capture_seconds is 300, longer than interval_seconds, 120",
                "config: deadline_seconds is 120, not below interval_seconds, 120",
            ],
        ),
        (
            {},
            {
                "host": None,
                "thresholds": [{"metric": "cpu_busy"}],
                "channels": [{"type": "webhook", "url": "ftp://x"}, {"type": "pigeon"}],
            },
            [
                "config: host is None: write a text",
                "config: thresholds: entry 1: there is no metric cpu_busy: did you mean cpu_busy_percent",
                "config: channels: channel 1 (webhook): url begins with neither https:// nor http://",
                # A type that is none may be a secret in the wrong place.
                "config: channels: channel 2: there is no type ********: there are syslog, mail",
            ],
        ),
    ],
)
def test_all_that_is_in_the_way_is_told_at_once_and_nothing_is_touched(
    run_module: RunModule,
    home: Path,
    wanted: dict[str, Any],
    changes: dict[str, Any],
    config: dict[str, Any],
    messages: list[str],
) -> None:
    before = everything(home)
    options = {**wanted, **changes, "config": {**wanted["config"], **config}}
    for check in (True, False):
        failed = run_module("capacity_agent", check=check, fails=True, **options)
        assert [message for message in messages if message not in failed["msg"]] == [], failed["msg"]
        assert failed["msg"].count("\n  - ") == len(messages)
    assert everything(home) == before


def test_a_connection_as_a_text_is_refused_without_saying_it_again(
    run_module: RunModule, home: Path, wanted: dict[str, Any]
) -> None:
    before = everything(home)
    wanted["config"]["postgres"] = f"host=db1 password={SECRETS[2]}"
    wanted["config"]["channels"] = [f"https://x/{SECRETS[0]}"]
    failed = run_module("capacity_agent", fails=True, **wanted)
    assert "config: postgres is no mapping" in failed["msg"]
    assert not [secret for secret in SECRETS if secret in json.dumps(failed)]
    assert everything(home) == before


def test_what_is_left_out_is_the_agent_s_own_default(run_module: RunModule, home: Path, wanted: dict[str, Any]) -> None:
    for name in ("state_dir", "runtime_dir", "log_file", "textfile"):
        del wanted["config"][name]
    done = run_module("capacity_agent", check=True, **wanted)
    assert done["config"] == "/var/lib/midi-capacity/conf/agent.json"
    assert '/agent.json: runtime_dir = "/run/midi-capacity"\n' in done["diff"]["after"]
    gone = run_module("capacity_agent", check=True, **{**wanted, "state": "absent", "config": None})
    assert set(gone["kept"]) <= {f"/var/lib/midi-capacity{name}" for name in ("", "/agent", "/conf")} | {
        "/run/midi-capacity"
    }


def test_timers_are_for_a_systemd_that_runs(run_module: RunModule, home: Path, wanted: dict[str, Any]) -> None:
    """On whatever host this is. What each of the two kinds is told, test_agent_install_checks.py tells of both."""
    options = {**wanted, "units_dir": "/etc/systemd/system"}
    runs = Path("/run/systemd/system").is_dir()
    before = everything(home)
    done = run_module("capacity_agent", check=True, fails=not runs, **options, schedule="timer")
    if runs:
        assert (done["schedule"], done["deadman"]) == ("timer", "cron")
    else:
        assert "systemd does not run here" in done["msg"]
    # Where it is left to us, cron runs both if systemd does not.
    done = run_module("capacity_agent", check=True, **options, schedule="cron")
    assert (done["schedule"], done["deadman"]) == ("cron", "timer" if runs else "cron")
    assert everything(home) == before


@pytest.mark.parametrize("name", ["bin/capacity-agent", "cron/capacity-agent", "state/conf/agent.json", "state/agent"])
def test_something_else_in_the_place_is_left_alone(
    run_module: RunModule, home: Path, wanted: dict[str, Any], name: str
) -> None:
    (home / name).parent.mkdir(parents=True, exist_ok=True)
    (home / name).symlink_to("/etc/hostname")
    before = everything(home)
    failed = run_module("capacity_agent", fails=True, **wanted)
    assert f"{home}/{name}: " in failed["msg"] and "there is something else" in failed["msg"]
    assert everything(home) == before


def imported(stderr: str) -> set[str]:
    """What Python says with -X importtime."""
    return {line.rpartition("|")[2].strip() for line in stderr.splitlines() if line.startswith("import time:")}


def test_the_program_has_nothing_of_ansible(home: Path, wanted: dict[str, Any], installed: dict) -> None:
    done = say(sys.executable, "-I", "-X", "importtime", wanted["command"], "version")
    assert done.returncode == 0, done.stderr
    version = installed["version"]
    assert done.stdout.startswith(f"{version} ({home}/lib/midi-capacity/{version}/{PACKAGE}/")
    names = imported(done.stderr)
    assert "ansible_collections.midi.capacity.plugins.module_utils._agent_cli" in names
    assert not [name for name in names if name == "ansible" or name.startswith("ansible.")]


@pytest.mark.parametrize("entry", ["_agent_cli", "_agent_store", "_snapshot", "_redis_facts", "_host"])
def test_what_an_agent_may_want_needs_nothing_of_ansible(tmp_path: Path, entry: str) -> None:
    """Of modules that are much to copy, and with a Python that has no other package."""
    module = f"ansible_collections.midi.capacity.plugins.module_utils.{entry}"
    files = _agent_program.closure(module)
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    script = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import {module}"
    done = say(sys.executable, "-I", "-S", "-B", "-X", "importtime", "-c", script)
    assert done.returncode == 0, done.stderr
    ours = {name for name in imported(done.stderr) if name.startswith("ansible")}
    assert module in ours and not [name for name in ours if not name.startswith("ansible_collections")]
    missing = {name.replace(".", "/") for name in ours} - {
        name.removesuffix(".py").removesuffix("/__init__") for name in files
    }
    assert not missing


@pytest.fixture
def other_collections(tmp_path: Path) -> Iterator[Path]:
    """A Python with a package of the same name, as Debian's and pip's ansible have one."""
    home = tmp_path / "venv"
    venv.create(home, with_pip=False, symlinks=True)
    (package,) = home.glob("lib/python*/site-packages")
    for name in ("ansible_collections", "ansible_collections/midi", "ansible_collections/midi/capacity"):
        (package / name).mkdir()
        (package / name / "__init__.py").write_text("raise RuntimeError('the other one')\n")
    yield home / "bin/python"


def test_a_package_of_the_same_name_has_no_say(
    other_collections: Path, wanted: dict[str, Any], installed: dict
) -> None:
    wrong = say(str(other_collections), "-I", "-c", "import ansible_collections")
    assert "the other one" in wrong.stderr
    done = say(str(other_collections), "-I", wanted["command"], "version")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"{installed['version']} (/") and done.stdout.endswith("/_agent_cli.py)\n")
    environment = {"PYTHONPATH": str(next(other_collections.parents[1].glob("lib/python*/site-packages")))}
    assert say(wanted["command"], "version", **environment).returncode == 0


def test_the_program_leaves_nothing_behind(home: Path, wanted: dict[str, Any], installed: dict) -> None:
    before = everything(home)
    assert say(wanted["command"], "version").returncode == 0
    assert everything(home) == before


def test_it_is_the_same_program_from_ansible_s_zip(tmp_path: Path, wanted: dict[str, Any], installed: dict) -> None:
    """Ansible hands a module over as a zip: what is installed from it has to be what is installed from files."""
    task = {"midi.capacity.capacity_agent": wanted, "register": "done"}
    store = {"ansible.builtin.copy": {"content": "{{ done | to_json }}", "dest": f"{tmp_path}/result.json"}}
    play = {"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": [task, store]}
    (tmp_path / "play.yml").write_text(json.dumps([play]))
    arguments = ["-i", "localhost,", "-e", f"ansible_python_interpreter={sys.executable}", f"{tmp_path}/play.yml"]
    environment = {
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".collections"),
        "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
        "ANSIBLE_REMOTE_TMP": str(tmp_path),
        "ANSIBLE_LOCAL_TEMP": str(tmp_path),
    }
    done = say(str(Path(sys.executable).parent / "ansible-playbook"), *arguments, **environment)
    assert done.returncode == 0, done.stdout + done.stderr
    result = json.loads((tmp_path / "result.json").read_text())
    assert (result["version"], result["changed"]) == (installed["version"], False)


def test_a_program_that_does_not_start_does_not_replace_the_one_that_does(
    home: Path, wanted: dict[str, Any], installed: dict
) -> None:
    launcher = Path(wanted["command"])
    good = everything(home)
    us = _agent_place.Owner(os.geteuid(), os.getegid())
    broken = _agent_place.File("#!/bin/sh\necho broken >&2\nexit 3\n", 0o755, us)
    proof = _agent_program.Program(wanted["prefix"]).try_launcher
    with pytest.raises(OperatorError, match="does not start on this host: broken"):
        _agent_place.write_file(str(launcher), broken, proof=proof)
    assert everything(home) == good


@pytest.fixture
def open_home() -> Iterator[Path]:
    """A directory that other accounts get to."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.mark.root
def test_the_account_s_files_are_the_account_s(
    run_module: RunModule, open_home: Path, home: Path, wanted: dict[str, Any]
) -> None:
    wanted = json.loads(json.dumps(wanted).replace(str(home), str(open_home)))
    home = open_home
    for name in PLACES:
        (home / name).mkdir()
    said = run_module("capacity_agent", fails=True, **wanted, account="nobody")["msg"]
    assert f"config's textfile, {home}/textfile, cannot be written to by account nobody: let it" in said
    (home / "textfile").chmod(0o777)
    run_module("capacity_agent", **wanted)
    Store.open(f"{home}/state/agent/history.db").close()
    (home / "log" / "agent.log").write_text("of the account before")
    (home / "log" / "agent.log").chmod(0o600)
    nobody = pwd.getpwnam("nobody")
    done = run_module("capacity_agent", **wanted, account="nobody")
    assert done["changed"] and " nobody nice " in (home / "cron/capacity-agent").read_text()
    own = ("state/agent", "state/agent/history.db", "state/conf", "state/conf/agent.json", "run/midi-capacity")
    assert {(home / name).stat().st_uid for name in (*own, "log/agent.log")} == {nobody.pw_uid}
    assert {mode(home / name) for name in own} == {"0700", "0600", "0750"}
    assert {(home / name).stat().st_uid for name in ("state", "bin/capacity-agent", "cron/capacity-agent")} == {0}
    assert not run_module("capacity_agent", **wanted, account="nobody")["changed"]


def test_a_history_that_cannot_be_used_is_named_and_left_alone(
    run_module: RunModule, home: Path, wanted: dict[str, Any]
) -> None:
    directory = home / "state" / "agent"
    directory.mkdir(parents=True)
    (directory / "history.db").write_text("this is no history of anything, and long enough to be looked at" * 20)
    before = everything(home)
    said = run_module("capacity_agent", fails=True, **wanted)["msg"]
    assert "the agent's history cannot be used, and nothing was touched: " in said
    assert f"{directory}/history.db" in said and "To mend it: " in said
    assert everything(home) == before


def test_another_database_does_not_take_the_place_of_the_first(
    run_module: RunModule, home: Path, wanted: dict[str, Any], installed: dict
) -> None:
    before = everything(home)
    other = {**wanted, "config": {**wanted["config"], "database": "other"}}
    said = run_module("capacity_agent", fails=True, **other)["msg"]
    assert "looks after database midi_library of db1, and this one would after other of db1" in said
    assert everything(home) == before
    run_module("capacity_agent", **{**wanted, "state": "absent"})
    assert run_module("capacity_agent", **other)["changed"]


def test_the_first_snapshot_is_taken_once_and_another_one_while_something_is_missing(
    run_module: RunModule, wanted: dict[str, Any]
) -> None:
    """There is no PostgreSQL here: that is what every one of them is missing."""
    wanted["config"]["postgres"] = {"login_host": "/nowhere"}
    wanted["snapshot"] = True
    checked = run_module("capacity_agent", check=True, **wanted)
    assert checked["changed"] and checked["history"]["snapshots"] == 0
    first = run_module("capacity_agent", **wanted)
    assert "snapshots in the history = one" in first["diff"]["after"]
    assert (first["history"]["snapshots"], first["history"]["last"]) == (1, first["history"]["first"])
    assert first["history"]["missing"]
    again = run_module("capacity_agent", **wanted)
    assert (again["changed"], again["history"]["snapshots"]) == (False, 2)


def test_a_snapshot_that_fails_is_told_with_what_the_agent_says(
    run_module: RunModule, home: Path, wanted: dict[str, Any]
) -> None:
    (home / "state" / "agent" / "lock").mkdir(parents=True)
    said = run_module("capacity_agent", fails=True, **{**wanted, "snapshot": True})["msg"]
    assert "the agent is installed, and its snapshot failed: " in said
    assert "the lock cannot be opened" in said and f"{wanted['command']} doctor" in said


def test_a_second_agent_has_a_command_and_files_of_its_own(
    run_module: RunModule, home: Path, wanted: dict[str, Any], installed: dict
) -> None:
    config = {**wanted["config"], "database": "other", "state_dir": f"{home}/other"}
    before = everything(home)
    said = run_module("capacity_agent", fails=True, **{**wanted, "config": config})["msg"]
    assert f"is the command of another agent, whose configuration is {installed['config']}: give this one" in said
    said = run_module("capacity_agent", fails=True, **{**wanted, "config": config, "state": "absent"})["msg"]
    assert "is the command of another agent" in said
    said = run_module("capacity_agent", fails=True, **{**wanted, "config": config, "command": f"{home}/bin/other.py"})
    assert "call it by letters, digits, _ and -" in said["msg"]
    assert everything(home) == before

    other = {**wanted, "config": config, "command": f"{home}/bin/capacity-other", "prefix": f"{home}/lib/other"}
    done = run_module("capacity_agent", **other)
    assert (
        f"{home}/cron/capacity-other" in done["files"] and f"{home}/units/capacity-other-deadman.timer" in done["files"]
    )
    assert run_module("capacity_agent", **wanted)["changed"] is False
    run_module("capacity_agent", **{**other, "state": "absent"})
    assert run_module("capacity_agent", **wanted)["changed"] is False
