# SPDX-License-Identifier: GPL-3.0-or-later
"""Which host's figures a snapshot takes, and which process' limits."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.midi.capacity.plugins.module_utils import _snapshot_host
from ansible_collections.midi.capacity.plugins.module_utils._snapshot_host import Elsewhere, read, runs_here


def place(**given: Any) -> dict[str, Any]:
    known = {"data_directory": None, "server_address": None, "client_address": None, "backend_pid": os.getpid()}
    return {**known, **given}


PLACES = [
    ("a Unix socket", None, None, "", True),
    ("its directory as the host", None, None, "/run/postgresql", True),
    ("loopback", "127.0.0.1", "127.0.0.1", "", True),
    ("another loopback", "127.0.1.1", "127.0.0.1", "db1", True),
    ("this host's own address", "10.0.0.5", "10.0.0.5", "db1", True),
    ("a container's published port", "172.17.0.2", "172.17.0.1", "127.0.0.1", True),
    ("another host", "10.0.0.5", "10.0.0.9", "db1", False),
    ("another host by a service file", "10.0.0.5", "10.0.0.9", "", False),
]


@pytest.mark.parametrize(("_name", "server", "client", "login_host", "here"), PLACES)
def test_runs_here(_name: str, server: str | None, client: str | None, login_host: str, here: bool) -> None:
    assert runs_here(place(server_address=server, client_address=client), login_host) is here


def test_another_host_is_not_measured_by_ours() -> None:
    with pytest.raises(Elsewhere, match=r"PostgreSQL runs at 10\.0\.0\.5") as raised:
        read(place(server_address="10.0.0.5", client_address="10.0.0.9"), "db1", 0.1)
    assert "on the database's host" in raised.value.remedy


def test_a_data_directory_that_is_not_here_leaves_the_rest(tmp_path: Path) -> None:
    """As with PostgreSQL in a container: its process and its directory are not to be found under these names."""
    found = read(place(data_directory=str(tmp_path / "absent")), "", 0.1)
    assert found["disks"] == []
    assert found["memory"]["total_bytes"] > 0
    assert {"cgroup", "disks"} <= {entry["part"] for entry in found["missing"]}


def test_a_server_that_was_not_reached_may_run_and_have_limits_that_nobody_knows(tmp_path: Path) -> None:
    found = read(place(data_directory=str(tmp_path), backend_pid=None), "", 0.1)
    reasons = {entry["part"]: entry["reason"] for entry in found["missing"]}
    assert reasons["cgroup"] == "PostgreSQL was not reached, so its process is not known, nor the limits that it has"
    assert found["memory"]["cgroup"]["limit_bytes"] is None


def test_a_process_that_is_not_postgres_is_not_asked_for_its_limits(tmp_path: Path) -> None:
    found = read(place(data_directory=str(tmp_path), backend_pid=None), "", 0.1)
    assert [disk["path"] for disk in found["disks"]] == [str(tmp_path)]
    assert "cgroup" in {entry["part"] for entry in found["missing"]}
    assert not _snapshot_host._is_postgres(os.getpid())
    assert not _snapshot_host._is_postgres(2**30)
