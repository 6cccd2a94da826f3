# SPDX-License-Identifier: GPL-3.0-or-later
"""Modules stress_command and pg_stress_watch: what runs, what ends it, and what is seen meanwhile."""

from __future__ import annotations

import contextlib
import grp
import json
import os
import pwd
import signal
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from demo.database import connected, run
from demo.processes import until
from demo.servers import EmbeddedPostgres, postgres_bin
from tests.integration.conftest import RunModule, query
from tests.integration.stress_runs import Begun, run_directory

NOWHERE = "/no/such/place"
SECRET = "correct-horse-battery"
Begin = Callable[..., Begun]
PATTERNS = [
    {"name": "done", "regex": r"^done (?P<files>\d+)", "kind": "progress"},
    {"name": "fault", "regex": "fault", "kind": "error"},
]


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return run_directory(tmp_path)


@pytest.fixture
def begin(tmp_path: Path, directory: Path) -> Iterator[Begin]:
    """Begin to run a command; whatever is left of it at the end of a test is ended."""
    begun: list[Begun] = []

    def start(command: Any, **options: Any) -> Begun:
        options = {"directory": str(directory), "patterns": PATTERNS, **options}
        begun.append(Begun(tmp_path, "stress_command", command=command, **options))
        return begun[-1]

    yield start
    for one in begun:
        one.process.kill()
        one.process.communicate()


@pytest.fixture
def watch(directory: Path, run_module: RunModule) -> RunModule:
    """Watch it, until it has ended if nothing else is said. Without login_unix_socket there is no server."""

    def run(**options: Any) -> dict:
        place = {"login_unix_socket": NOWHERE, "directory": str(directory), "seconds": 60}
        return run_module("pg_stress_watch", **{**place, **options})

    return run


def numbers_in(path: Path) -> list[int]:
    return [int(word) for word in path.read_text().split()] if path.exists() else []


def wait_for(path: Path) -> list[int]:
    """The process numbers that a command writes there."""
    for _attempt in until(30):
        if numbers_in(path):
            return numbers_in(path)
    raise AssertionError(path)


def runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def test_a_command_that_ends_well(directory: Path, begin: Begin, watch: RunModule) -> None:
    script = (
        "A=postgresql://u; echo done 5; echo fault with $PGPASSWORD; echo; echo $A:$PGPASSWORD@h; pwd; printf 'done x'"
    )
    begun = begin(script, chdir="/tmp", environment={"PGPASSWORD": SECRET})
    seen = watch()
    result = begun.result()
    assert (result["changed"], result["exit_status"], result["signal"], result["ended_by"]) == (True, 0, None, "itself")
    assert not result["left_running"] and 0 < result["elapsed_seconds"] < 30
    log = result["log"]
    assert (log["lines"], log["errors"], log["unmatched"], log["files"]) == (5, 1, 3, 5)
    assert log["unmatched_examples"] == ["postgresql://u:********@h", "/tmp", "done x"]
    assert SECRET not in json.dumps(result) and result["invocation"]["module_args"]["environment"]
    # The log itself is what the command wrote, for its account alone.
    path = directory / "output.log"
    assert log["path"] == str(path) and log["bytes"] == path.stat().st_size
    assert SECRET in path.read_text() and stat.S_IMODE(path.stat().st_mode) == 0o600
    assert seen["done"] and not seen["lost"] and seen["samples"]["samples"] == 0
    assert seen["msg"].startswith("ended, ") and "5 files by its log" in seen["msg"] and "1 error in" in seen["msg"]


@pytest.mark.parametrize(("script", "exit_status", "name"), [("exit 7", 7, None), ("kill -SEGV $$", None, "SIGSEGV")])
def test_how_it_ended_is_kept(
    begin: Begin, watch: RunModule, script: str, exit_status: int | None, name: str | None
) -> None:
    begun = begin(script)
    watch()
    result = begun.result()
    assert not result.get("failed")
    assert (result["exit_status"], result["signal"], result["ended_by"]) == (exit_status, name, "itself")


def test_at_the_time_limit_all_of_it_is_ended(tmp_path: Path, begin: Begin, watch: RunModule) -> None:
    """Those that do not listen to SIGTERM, too."""
    pids = tmp_path / "pids"
    begun = begin(f"trap '' TERM; sleep 600 & echo $$ $! >{pids}; sleep 600", limit_seconds=1)
    watch()
    result = begun.result()
    assert (result["ended_by"], result["signal"], result["left_running"]) == ("time limit", "SIGKILL", False)
    assert 1 <= result["elapsed_seconds"] < 30
    assert [pid for pid in numbers_in(pids) if runs(pid)] == [] and len(numbers_in(pids)) == 2


def test_without_anybody_who_watches_nothing_is_run(tmp_path: Path, begin: Begin) -> None:
    result = begin(["touch", str(tmp_path / "ran")], patience_seconds=1).result()
    assert result["failed"] and "nobody watches the stress test, and nothing was run" in result["msg"]
    assert not (tmp_path / "ran").exists()


def test_when_nobody_watches_any_more_it_ends(tmp_path: Path, begin: Begin, watch: RunModule) -> None:
    pids = tmp_path / "pids"
    begun = begin(f"echo $$ >{pids}; exec sleep 600", patience_seconds=2)
    seen = watch(seconds=1)
    assert not seen["done"] and seen["msg"].startswith("runs, ")
    result = begun.result()
    assert (result["ended_by"], result["signal"]) == ("nobody watched", "SIGTERM")
    assert [pid for pid in wait_for(pids) if runs(pid)] == []


def test_it_ends_on_request(begin: Begin, watch: RunModule) -> None:
    begun = begin(["sleep", "600"])
    assert not watch(seconds=1)["done"]
    assert not watch(seconds=1, stop=True, check=True)["done"]
    assert watch(stop=True)["done"]
    assert begun.result()["ended_by"] == "request"


def test_what_it_leaves_running_is_told(tmp_path: Path, begin: Begin, watch: RunModule) -> None:
    begun = begin(f"sleep 600 & echo $! >{tmp_path / 'pids'}")
    watch()
    result = begun.result()
    (pid,) = numbers_in(tmp_path / "pids")
    os.kill(pid, signal.SIGKILL)
    assert (result["ended_by"], result["left_running"]) == ("itself", True)


def test_only_one_runs_at_a_time(
    tmp_path: Path, postgres: EmbeddedPostgres, begin: Begin, watch: RunModule, run_module: RunModule
) -> None:
    begin(["sleep", "600"])
    assert watch(seconds=1)["msg"].startswith("runs, ")
    other = run_directory(tmp_path, "other")
    result = begin(["true"], directory=str(other)).result()
    assert result["failed"] and "a stress test still runs on this host" in result["msg"]
    place = {"login_unix_socket": str(postgres.socket), "allow": True}
    refused = run_module("pg_stress_guard_info", directory=str(other.parent), fails=True, **place)
    assert "a stress test still runs on this host" in refused["msg"]
    watch(stop=True)
    assert run_module("pg_stress_guard_info", directory=str(other.parent), **place)["allowed_by"]


def test_a_killed_process_is_told_from_one_that_runs(tmp_path: Path, begin: Begin, watch: RunModule) -> None:
    begun = begin(f"echo $$ >{tmp_path / 'pids'}; exec sleep 600")
    assert not watch(seconds=1)["lost"]
    begun.process.kill()
    seen = watch()
    (group,) = wait_for(tmp_path / "pids")
    os.kill(group, signal.SIGKILL)
    assert seen["lost"] and not seen["done"]
    assert f"its process group {group} may still be there" in seen["msg"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"command": ["no-such-program-here"]}, "there is no such program, or this account may not run it"),
        ({"command": ["./true"], "chdir": "/"}, "there is no such program"),
        ({"command": ["true"], "environment": {"PATH": "/nowhere"}}, "there is no such program"),
        ({"command": ["true"], "chdir": "/no/such/place"}, "the directory to run the command in is not there"),
        ({"command": []}, "the command cannot be taken: it is empty"),
        ({"command": "x --password=y"}, "it has a password in it"),
        ({"command": ["true"], "environment": {"A=B": "1"}}, "'A=B' is no name of a variable"),
        ({"command": ["true"], "limit_seconds": 0}, "limit_seconds must be 1 or more"),
        ({"command": ["true"], "patience_seconds": 0}, "patience_seconds must be 1 or more"),
        ({"command": ["true"], "patterns": [{"name": "a"}]}, "pattern 1: it lacks regex"),
    ],
)
def test_what_cannot_be_run_is_refused_before(run_module: RunModule, options: dict[str, Any], message: str) -> None:
    for check in (True, False):
        assert message in run_module("stress_command", check=check, fails=True, **options)["msg"]


def test_check_mode_runs_nothing(tmp_path: Path, run_module: RunModule) -> None:
    result = run_module("stress_command", check=True, command=["touch", str(tmp_path / "ran")])
    assert result["changed"] and result["command"] == f"touch {tmp_path / 'ran'}"
    assert not (tmp_path / "ran").exists()
    assert "directory is needed" in run_module("stress_command", command=["true"], fails=True)["msg"]


# What is seen


def test_connections_are_seen_by_what_they_do(postgres: EmbeddedPostgres, begin: Begin, watch: RunModule) -> None:
    query(postgres, "CREATE TABLE t (id int)")
    query(postgres, "CREATE DATABASE other")
    query(postgres, "INSERT INTO t VALUES (0)")
    ((before,),) = query(postgres, "SELECT pg_stat_get_tuples_inserted('t'::regclass)")
    socket = str(postgres.socket)
    options = {"login_unix_socket": socket, "growth_table": "t", "rows_inserted_before": before}
    insert = "INSERT INTO t SELECT generate_series(1, 50)"
    place = ["-h", socket, "-U", "postgres"]
    with contextlib.ExitStack() as clients:
        holder, *_idle = [
            clients.enter_context(connected(postgres, name)) for name in ("postgres", "postgres", "other")
        ]
        run(holder, "BEGIN")
        run(holder, "LOCK t")
        begun = begin([str(postgres_bin() / "psql"), "-qX", *place, "-c", insert])
        for _attempt in until(30):
            seen = watch(seconds=0.5, **options)
            if seen["samples"]["most"]["waiting"]:
                break
        most = seen["samples"]["most"]
        assert most == {
            "total": 4, "in_database": 3, "active": 1, "idle": 2, "idle_in_transaction": 1, "waiting": 1,
        }  # fmt: skip
        assert seen["rows"] == 0 and seen["msg"].endswith("0 rows came in; 4 connections, 1 waiting for a lock")
        run(holder, "ROLLBACK")
        watch(**options)
        assert begun.result()["exit_status"] == 0
    assert query(postgres, "SELECT count(*) FROM t") == [(51,)]


def test_rows_that_come_in_are_told(postgres: EmbeddedPostgres, begin: Begin, watch: RunModule) -> None:
    query(postgres, "CREATE TABLE t (id int) PARTITION BY RANGE (id)")
    query(postgres, "CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (100)")
    query(postgres, "CREATE TABLE t2 PARTITION OF t FOR VALUES FROM (100) TO (200)")
    begun = begin(["sleep", "600"])
    query(postgres, "INSERT INTO t SELECT generate_series(60, 139)")
    options = {"login_unix_socket": str(postgres.socket), "growth_table": "t"}
    seen = watch(seconds=1, rows_inserted_before=30, **options)
    assert seen["rows"] == 50 and "50 rows came in" in seen["msg"] and seen["reason"] is None
    assert watch(seconds=1, rows_inserted_before=1000, **options)["rows"] == 0
    watch(stop=True)
    assert begun.result()["ended_by"] == "request"
    # Afterwards there is nothing to sample, and the rows are still to be told.
    after = watch(rows_inserted_before=30, **options)
    assert (after["done"], after["samples"]["samples"], after["rows"]) == (True, 0, 50)


def test_a_server_that_is_away_is_a_reason_and_no_failure(begin: Begin, watch: RunModule) -> None:
    begun = begin(["sleep", "1"])
    seen = watch()
    assert begun.result()["exit_status"] == 0
    assert seen["done"] and seen["samples"]["samples"] == 0 and seen["rows"] is None
    assert "cannot connect to PostgreSQL" in seen["reason"] and "could not be looked at" in seen["msg"]


def test_a_run_that_never_began_is_lost(directory: Path, watch: RunModule) -> None:
    assert watch(seconds=0.1)["msg"] == "it has not begun yet"
    long_ago = directory.stat().st_mtime - 3600
    with contextlib.suppress(FileNotFoundError):
        os.utime(directory, (long_ago, long_ago))
    seen = watch()
    assert seen["lost"] and seen["msg"] == "it never began"


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_root_runs_it_as_another_account(directory: Path, begin: Begin, watch: RunModule) -> None:
    begun = begin("id -un; id -Gn; echo $HOME $USER $LOGNAME; pwd", account="nobody")
    watch()
    nobody = pwd.getpwnam("nobody")
    group = grp.getgrgid(nobody.pw_gid).gr_name
    assert begun.result()["exit_status"] == 0
    home = f"{nobody.pw_dir} nobody nobody"
    at = nobody.pw_dir if Path(nobody.pw_dir).is_dir() else "/"
    assert (directory / "output.log").read_text().splitlines() == ["nobody", group, home, at]
    assert (directory / "output.log").stat().st_uid == nobody.pw_uid


def test_an_account_that_is_not_there(run_module: RunModule) -> None:
    result = run_module("stress_command", command=["true"], account="no-such-account", check=True, fails=True)
    assert "there is no account no-such-account on this host" in result["msg"]
