# SPDX-License-Identifier: GPL-3.0-or-later
"""Modules host_port_info and host_kernel_setting on this very host."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from tests.integration.conftest import RunModule

OVERCOMMIT = "/proc/sys/vm/overcommit_memory"
HUGE_PAGES = "/sys/kernel/mm/transparent_hugepage/enabled"


def test_who_listens_is_told_with_its_process(run_module: RunModule) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        found = run_module("host_port_info", port=port, addresses=["127.0.0.1"])
        assert found["changed"] is False
        (holder,) = found["holders"]
        assert (holder["address"], holder["port"], holder["pid"]) == ("127.0.0.1", port, os.getpid())
        assert holder["process"] == Path("/proc/self/comm").read_text().strip()
        assert len(run_module("host_port_info", port=port)["holders"]) == 1
        assert run_module("host_port_info", port=port, addresses=["127.0.0.2"])["holders"] == []
    assert run_module("host_port_info", port=port, addresses=["127.0.0.1"])["holders"] == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"port": 0}, "port is 0, which is no port"),
        ({"port": 6379, "addresses": ["localhost"]}, "'localhost' is no address"),
    ],
)
def test_what_is_no_port_or_address_is_refused(run_module: RunModule, options: dict, message: str) -> None:
    assert message in run_module("host_port_info", fails=True, **options)["msg"]


def test_a_setting_of_the_kernel_is_compared_with_what_is_there(run_module: RunModule) -> None:
    now = Path(OVERCOMMIT).read_text().strip()
    other = "1" if now != "1" else "0"
    checked = run_module("host_kernel_setting", check=True, path=OVERCOMMIT, value=other)
    assert (checked["changed"], checked["before"]) == (True, now)
    assert checked["diff"]["before"] == f"{OVERCOMMIT} = {now}\n"
    assert Path(OVERCOMMIT).read_text().strip() == now
    # It is never written here: the machine is somebody's.
    assert run_module("host_kernel_setting", path=OVERCOMMIT, value=now)["changed"] is False


def test_of_the_words_of_the_kernel_the_one_in_brackets_is_compared(run_module: RunModule) -> None:
    now = Path(HUGE_PAGES).read_text().partition("[")[2].partition("]")[0]
    assert run_module("host_kernel_setting", path=HUGE_PAGES, value=now)["changed"] is False


@pytest.mark.parametrize("path", ["/etc/passwd", "/proc/sys/../../etc/passwd", "/system"])
def test_other_files_are_refused(run_module: RunModule, path: str) -> None:
    failed = run_module("host_kernel_setting", fails=True, path=path, value="1")
    assert "this is no setting of the kernel" in failed["msg"]
