# SPDX-License-Identifier: GPL-3.0-or-later
"""Module pg_settings_info against a real PostgreSQL 18."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from ansible_collections.midi.capacity.plugins.module_utils import _postmaster
from ansible_collections.midi.capacity.plugins.module_utils._host import Host
from ansible_collections.midi.capacity.plugins.module_utils._postgres import Server

from demo.account import as_server_account
from demo.servers import EmbeddedPostgres, postgres_bin, until
from tests.integration.conftest import RunModule, query

NAMES = ["max_connections", "WORK_MEM", "shared_buffers", "no_such_setting", "primary_conninfo"]


@pytest.fixture
def info(postgres: EmbeddedPostgres, run_module: RunModule) -> RunModule:
    """Run the module against the fixture's server."""

    def run(**options: Any) -> dict:
        return run_module("pg_settings_info", login_unix_socket=str(postgres.socket), **options)

    return run


def test_live_and_next_values_differ_while_a_restart_is_due(postgres: EmbeddedPostgres, info: RunModule) -> None:
    query(postgres, "ALTER SYSTEM SET max_connections = 222")
    query(postgres, "ALTER SYSTEM SET primary_conninfo = 'password=s3cr3t-42'")
    query(postgres, "SELECT pg_reload_conf()")
    before = (postgres.data / "postgresql.auto.conf").read_bytes()
    result = info(names=NAMES, settings={"work_mem": "64MB", "jit": False})
    assert (postgres.data / "postgresql.auto.conf").read_bytes() == before
    assert result["changed"] is False
    assert result["unknown"] == ["no_such_setting"]
    assert result["next_start"] == {
        "max_connections": "222",
        "work_mem": "64MB",
        "shared_buffers": "128MB",
        "primary_conninfo": "(hidden)",
    }
    connections = result["settings"]["max_connections"]
    assert (connections["live"], connections["next_start"], connections["pending_restart"]) == ("100", "222", True)
    assert result["settings"]["work_mem"]["live"] == "4MB"
    assert result["fixed"] == {}
    assert "s3cr3t-42" not in str(result)
    assert result["server"]["version_num"] // 10000 == int(result["server"]["version"].split(".")[0])
    assert info(names=["work_mem"], check=True)["next_start"] == {"work_mem": "4MB"}


def test_a_value_from_the_command_line_stays(tmp_path: Path, run_module: RunModule) -> None:
    server = EmbeddedPostgres(tmp_path / "pg")
    server.create()
    server.start("-c", "max_connections=100")
    try:
        result = run_module(
            "pg_settings_info", login_unix_socket=str(server.socket), names=NAMES, settings={"max_connections": 256}
        )
    finally:
        server.stop()
    assert result["next_start"]["max_connections"] == "100"
    assert result["fixed"] == {"max_connections": "100"}


def test_what_pg_settings_would_refuse_is_refused(info: RunModule) -> None:
    result = info(names=["work_mem"], settings={"max_conections": 5, "work_mem": "64 loaves"}, fails=True)
    assert "did you mean max_connections?" in result["msg"] and "loaves" in result["msg"]
    assert "nothing was changed" in result["msg"]


def test_the_main_process_is_found_and_no_other(postgres: EmbeddedPostgres, info: RunModule, tmp_path: Path) -> None:
    pid = int((postgres.data / "postmaster.pid").read_text().split("\n")[0])
    assert info(names=["work_mem"])["server"]["postmaster_pid"] == pid

    opened = Server(psycopg2.connect(host=str(postgres.socket), user="postgres", dbname="postgres"), "here")
    try:
        assert _postmaster.find_pid(opened, "", Host()) == pid
        # A container's numbers mean other processes here, or none.
        (backend,) = query(
            postgres,
            "SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'",
        )
        stat = Path(f"/proc/{backend[0]}/stat").read_text()
        boot = Path("/proc/stat").read_text()

        def another(**changed: str) -> int | None:
            for name, text in {"stat": boot, f"{backend[0]}/stat": stat, f"{pid}/stat": stat, **changed}.items():
                path = tmp_path / "proc" / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
            return _postmaster.find_pid(opened, "", Host(str(tmp_path)))

        assert another() == pid
        own = f"{backend[0]}/stat"
        assert another(**{own: stat.replace("(postgres)", "(nginx)")}) is None
        fields = stat.split()
        fields[21] = str(int(fields[21]) - 100000)
        assert another(**{own: " ".join(fields)}) is None
        assert another(**{f"{pid}/stat": stat.replace("(postgres)", "(systemd)")}) is None
        assert another() == pid
        (tmp_path / "proc" / own).unlink()
        assert _postmaster.find_pid(opened, "", Host(str(tmp_path))) is None
    finally:
        opened.close()


@pytest.fixture
def contained(tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    """A PostgreSQL whose processes have numbers of their own, as in a container: its main one is 1 there."""
    server = EmbeddedPostgres(tmp_path / "pg")
    server.create()
    server.start()
    server.stop()
    program = postgres_bin() / "postgres"
    command = [*as_server_account(program, tmp_path), str(program), "-D", str(server.data)]
    process = subprocess.Popen(
        ["unshare", "--pid", "--fork", *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        for _attempt in until(30):
            try:
                query(server, "SELECT 1")
                break
            except psycopg2.OperationalError:
                assert process.poll() is None
        yield server
    finally:
        # unshare waits for the server, and would not take it along.
        for child in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split():
            os.kill(int(child), signal.SIGINT)
        process.wait(30)


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("unshare"), reason="needs root and unshare")
def test_the_main_process_of_a_container_is_found(contained: EmbeddedPostgres, run_module: RunModule) -> None:
    assert (contained.data / "postmaster.pid").read_text().split("\n")[0] == "1"
    place = {"login_unix_socket": str(contained.socket)}
    pid = run_module("pg_settings_info", names=["work_mem"], **place)["server"]["postmaster_pid"]
    assert pid != 1
    assert Path(f"/proc/{pid}/cwd").resolve() == contained.data.resolve()
    host = run_module("host_capacity_info", paths=[f"/proc/{pid}/cwd"], sample_seconds=0.1, pid=pid)["host"]
    assert host["disks"][0]["size_bytes"] > 0
    assert host["shm"]["size_bytes"] > 0
