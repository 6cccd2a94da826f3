# SPDX-License-Identifier: GPL-3.0-or-later
"""playbooks/stress_test.yml as an operator runs it: the built-in import, one's own, what is refused or cut off."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from demo.processes import until
from demo.servers import EmbeddedPostgres, postgres_bin
from tests.integration.conftest import RunModule, query
from tests.integration.playbook_runs import ROOT
from tests.integration.stress_runs import LIBRARY, PLAYBOOK, Operator, load_library, mark

SECRET = "correct-horse-battery"
MARKED = "filepath LIKE '/midi-capacity-stress/%'"


@pytest.fixture
def operator(tmp_path: Path, postgres: EmbeddedPostgres) -> Operator:
    """With a library and statement statistics."""
    query(postgres, "ALTER SYSTEM SET shared_preload_libraries = pg_stat_statements")
    postgres.restart()
    load_library(postgres)
    query(postgres, "CREATE EXTENSION pg_stat_statements", dbname=LIBRARY)
    return Operator(tmp_path, postgres, LIBRARY)


@pytest.fixture
def plain(tmp_path: Path, postgres: EmbeddedPostgres) -> Operator:
    """With a table that is called files, in a database that is marked."""
    query(postgres, "CREATE TABLE files (id int)")
    mark(postgres)
    return Operator(tmp_path, postgres, "postgres")


def count(server: EmbeddedPostgres, where: str = "true") -> int:
    return query(server, f"SELECT count(*) FROM files WHERE {where}", dbname=LIBRARY)[0][0]


def psql(server: EmbeddedPostgres, statement: str) -> list[str]:
    return [str(postgres_bin() / "psql"), "-qXAt", "-h", str(server.socket), "-U", "postgres", "-c", statement]


def test_the_built_in_import(postgres: EmbeddedPostgres, operator: Operator) -> None:
    before = count(postgres)
    checked = operator.succeeds("--check", "--diff", capacity_baseline_stress_files=1200)
    assert "Would run the built-in importer, 1,200 files by 8 connections against database midi_library" in checked.text
    assert checked.changed("db") == 0 and operator.files() == {} and not operator.state.exists()

    run = operator.succeeds(capacity_baseline_stress_files=6000, capacity_baseline_stress_workers=3)
    assert "(item=ended, " in run.text and "6,000 files by its log" in run.text
    assert "It ended with exit status 0 after" in run.text and "files/s. Report: " in run.text
    assert count(postgres) == before
    found = operator.document()
    assert found["verdict"]["passed"] and found["allowed_by"] == "its mark" and found["removed_files"] == 6000
    assert found["after"]["growth"]["rows"] - found["before"]["growth"]["rows"] == 6000
    assert found["rate"]["files"] == 6000
    assert found["rate"]["files_per_second"] == pytest.approx(6000 / found["outcome"]["elapsed_seconds"], rel=0.01)
    assert 0 < found["connections"]["most"]["total"] <= 3 and found["connections"]["usable_maximum"] == 97
    rows = found["window"]["found"]["statements"]["rows"]
    assert [row["calls"] for row in rows if row["query"].startswith("COPY files ")] == [60]
    report = operator.report()
    assert "COPY files (id, filepath" in report.split("## Slowest statements in this window")[1]
    assert "| Rows of public.files that came | " in report
    ours = [path for path in (operator.state / "stress").iterdir() if path.suffix]
    assert {(path.suffix, stat.S_IMODE(path.stat().st_mode)) for path in ours} == {(".json", 0o600), (".md", 0o600)}

    # What is kept is there until the next one, whose report is another one.
    operator.succeeds(capacity_baseline_stress_files=300, capacity_baseline_stress_keep=True)
    assert count(postgres, MARKED) == 300 and operator.document()["removed_files"] is None
    operator.succeeds(capacity_baseline_stress_files=200)
    assert count(postgres) == before
    assert operator.document()["before"]["growth"]["rows"] == before
    assert len(list((operator.reports / "db").glob("stress-*.json"))) == 3


def test_ones_own_import(postgres: EmbeddedPostgres, plain: Operator) -> None:
    command = psql(postgres, "INSERT INTO files SELECT generate_series(1, 500)")
    plain.variables["capacity_baseline_stress_command"] = command
    plain.succeeds("--check")
    assert query(postgres, "SELECT count(*) FROM files") == [(0,)]
    run = plain.succeeds()
    found = plain.document()
    assert found["rate"]["files"] == 500 and found["rate"]["method"].startswith("rows of public.files, counted")
    assert found["verdict"]["passed"] and found["removed_files"] is None
    assert "psql -qXAt" in found["command"] and "Would run" not in run.text
    # What an import of one's own brings is its own affair.
    assert query(postgres, "SELECT count(*) FROM files") == [(500,)]


def test_one_that_fails_is_reported_and_then_fails(plain: Operator, tmp_path: Path) -> None:
    script = "echo 'rate: 7,830 files a second'; echo ERROR: deadlock detected; echo odd; exit 3"
    patterns = [
        {"name": "speed", "regex": "rate: (?P<files_per_second>[0-9,]+)", "kind": "progress"},
        {"name": "locked", "regex": "deadlock", "kind": "error"},
    ]
    said = plain.fails(capacity_baseline_stress_command=script, capacity_baseline_stress_patterns=patterns)
    assert "The stress test failed. It ended with exit status 3 after" in said
    found = plain.document()
    assert f"look into its log on the host, {found['log']['path']}," in said
    assert Path(found["log"]["path"]).read_text().splitlines()[1] == "ERROR: deadlock detected"
    assert found["outcome"]["exit_status"] == 3 and found["rate"]["files_per_second"] == 7830
    assert (found["log"]["errors"], found["log"]["unmatched_examples"]) == (1, ["odd"])
    assert "`locked`" in plain.report() and "| Exit status " in plain.report()

    said = plain.fails(capacity_baseline_stress_command=["sleep", "600"], capacity_baseline_stress_limit_seconds=2)
    assert "it was ended at its time limit" in said.lower() and "(item=runs, " in said
    assert plain.document()["outcome"]["ended_by"] == "time limit"


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"capacity_postgres_connection": {"login_db": "postgres"}}, "is not marked as one for tests"),
        ({"capacity_baseline_stress_command": "./run --password=x"}, "it has a password in it"),
        ({"capacity_baseline_stress_command": ["/no/such/program"]}, "there is no such program"),
        ({"capacity_baseline_stress_command": ["true"], "capacity_baseline_stress_chdir": "/no"}, "is not there"),
        ({"capacity_baseline_stress_patterns": [{"name": "x"}]}, "pattern 1: it lacks regex"),
        ({"capacity_baseline_stress_files": 0}, "capacity_baseline_stress_files must be 1 or more, not 0"),
        ({"capacity_state_dir": "state"}, "capacity_baseline_state_dir must be an absolute path"),
    ],
)
def test_what_is_refused_is_refused_before_anything_is_touched(
    operator: Operator, variables: dict[str, Any], message: str
) -> None:
    if "capacity_postgres_connection" in variables:
        variables["capacity_postgres_connection"]["login_unix_socket"] = str(operator.server.socket)
    assert message in operator.fails(**variables)
    assert operator.files() == {} and not operator.state.exists()
    assert count(operator.server, MARKED) == 0


def test_a_database_without_a_mark_needs_leave(postgres: EmbeddedPostgres, tmp_path: Path) -> None:
    operator = Operator(tmp_path, postgres, "postgres")
    operator.variables |= {"capacity_baseline_stress_command": ["true"], "capacity_growth_table": ""}
    assert "set capacity_allow_stress: true" in operator.fails(capacity_allow_stress="false")
    operator.succeeds(capacity_allow_stress="true")
    found = operator.document()
    assert found["allowed_by"] == "capacity_allow_stress"
    assert found["rate"]["files"] is None and "no growth table" in found["rate"]["reason"]


def test_no_secret_is_seen(postgres: EmbeddedPostgres, plain: Operator, tmp_path: Path) -> None:
    """Not in the list of processes while it runs, not in what Ansible says, not in what is stored but for the log."""
    seen: list[str] = []
    over = threading.Event()

    def look() -> None:
        while not over.wait(0.05):
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    words = path.read_bytes()
                except OSError:
                    continue
                if SECRET.encode() in words:
                    seen.append(words.decode())

    # What Ansible itself is told comes from a file, not from its arguments.
    plain.variables |= {
        "capacity_baseline_stress_command": "echo error with $PGPASSWORD; echo error at $URL; exit 1",
        "capacity_baseline_stress_environment": {"PGPASSWORD": SECRET, "URL": f"postgresql://u:{SECRET}2@h/postgres"},
    }
    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        done = plain.run("-vvv", "--diff")
    finally:
        over.set()
        watcher.join()
    assert done.returncode == 2 and "The stress test failed" in done.text, done.text[-3000:]
    assert SECRET not in done.output and seen == []
    log = plain.document()["log"]["path"]
    assert SECRET in Path(log).read_text()
    shown = [path for path, content in plain.files().items() if SECRET.encode() in content]
    assert shown == [log]
    assert "error with ********" in plain.report()


def test_when_ansible_is_killed_it_does_not_go_on_for_ever(
    postgres: EmbeddedPostgres, operator: Operator, run_module: RunModule
) -> None:
    before = count(postgres)
    operator.variables["capacity_baseline_stress_files"] = 5_000_000
    inventory = operator.directory / "killed.yml"
    hosts = {"postgres": {"hosts": {"db": {}}}}
    inventory.write_text(json.dumps({"all": {"vars": operator.variables, "children": hosts}}))
    ansible = subprocess.Popen(
        [str(Path(sys.executable).parent / "ansible-playbook"), PLAYBOOK, "-i", str(inventory)],
        cwd=operator.directory,
        env={**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg")},
        stdout=subprocess.DEVNULL,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        for _attempt in until(60):
            if count(postgres, MARKED):
                break
    finally:
        os.killpg(ansible.pid, signal.SIGKILL)
        ansible.wait()
    assert "a stress test still runs on this host" in operator.fails(capacity_baseline_stress_files=200)
    # It would end by itself after a minute; the time limit of that is in test_stress_command.py.
    (directory,) = (path for path in (operator.state / "stress").iterdir() if path.is_dir())
    place = {"login_unix_socket": str(postgres.socket), "login_db": LIBRARY}
    assert run_module("pg_stress_watch", directory=str(directory), stop=True, seconds=60, **place)["done"]
    left = count(postgres, MARKED)
    assert left > 0
    # The next one removes what that has left before it counts.
    operator.succeeds(capacity_baseline_stress_files=200)
    assert operator.document()["before"]["growth"]["rows"] == before == count(postgres)


def test_a_server_that_the_test_brings_down_is_reported(postgres: EmbeddedPostgres, plain: Operator) -> None:
    stop = [*postgres.pg_ctl, "stop", "--silent", "--pgdata", str(postgres.data), "--mode=immediate"]
    said = plain.fails(capacity_baseline_stress_command=stop)
    assert "afterwards the server could not be read: cannot connect to PostgreSQL" in said
    found = plain.document()
    assert (found["outcome"]["exit_status"], found["verdict"]["ended_well"], found["after"]) == (0, False, None)
    assert "**It ended with exit status 0 after" in plain.report()
