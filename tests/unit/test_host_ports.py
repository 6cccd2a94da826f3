# SPDX-License-Identifier: GPL-3.0-or-later
"""Who listens, and settings of the kernel, from files as the kernel writes them."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.midi.capacity.plugins.module_utils._errors import OperatorError
from ansible_collections.midi.capacity.plugins.module_utils._host import Host
from ansible_collections.midi.capacity.plugins.module_utils._host_parse import kernel_setting
from ansible_collections.midi.capacity.plugins.module_utils._host_parse.sockets import (
    Listening,
    in_the_way,
    parse_listening,
)

HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
REST = "00000000:00000000 00:00000000 00000000     0        0 {} 1 0000000000000000 100 0 0 10 0\n"
TCP = (
    HEAD
    + "   0: 0100007F:18EB 00000000:0000 0A "
    + REST.format(11)
    + "   1: 00000000:0016 00000000:0000 0A "
    + REST.format(12)
    # A connection, which listens to nobody.
    + "   2: 0100007F:18EB 0100007F:9C40 01 "
    + REST.format(13)
)
TCP6 = (
    HEAD
    + "   0: 00000000000000000000000000000000:18EC 00000000000000000000000000000000:0000 0A "
    + REST.format(21)
    + "   1: 00000000000000000000000001000000:18EB 00000000000000000000000000000000:0000 0A "
    + REST.format(22)
)


def test_sockets_that_listen_are_read_from_the_kernels_words() -> None:
    assert parse_listening(TCP) == [Listening("127.0.0.1", 6379, 11), Listening("0.0.0.0", 22, 12)]
    assert parse_listening(TCP6) == [Listening("::", 6380, 21), Listening("::1", 6379, 22)]


@pytest.mark.parametrize(
    ("port", "addresses", "inodes"),
    [
        (6379, ["127.0.0.1"], [11]),
        (6379, ["::1"], [22]),
        (6379, ["10.0.0.5"], []),
        (6379, ["10.0.0.5", "127.0.0.1"], [11]),
        # Whoever wants all meets everybody, and whoever has all is met by everybody.
        (6379, ["0.0.0.0"], [11, 22]),
        (22, ["10.0.0.5"], [12]),
        (6380, ["127.0.0.1"], [21]),
        (6381, ["0.0.0.0"], []),
    ],
)
def test_only_who_has_the_same_port_and_address_is_in_the_way(
    port: int, addresses: list[str], inodes: list[int]
) -> None:
    found = parse_listening(TCP) + parse_listening(TCP6)
    assert [listening.inode for listening in in_the_way(found, port, addresses)] == inodes


def test_a_list_that_is_not_understood_is_told(tmp_path: Path) -> None:
    (tmp_path / "proc/net").mkdir(parents=True)
    (tmp_path / "proc/net/tcp").write_text(HEAD + "   0: 0100007F:18EB\n")
    with pytest.raises(OperatorError, match=r"who listens cannot be told: .* \(/proc/net/tcp\)"):
        Host(str(tmp_path)).holders(6379, ["127.0.0.1"])


def test_a_holder_that_may_not_be_seen_is_told_without_its_name(tmp_path: Path) -> None:
    (tmp_path / "proc/net").mkdir(parents=True)
    (tmp_path / "proc/net/tcp").write_text(TCP)
    assert Host(str(tmp_path)).holders(6379, ["127.0.0.1"]) == [
        {"address": "127.0.0.1", "port": 6379, "pid": None, "process": None}
    ]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0\n", "0"),
        ("always [madvise] never\n", "madvise"),
        ("[always] madvise never\n", "always"),
        ("4 4\t1\n", "4 4 1"),
    ],
)
def test_of_words_to_choose_from_the_one_in_brackets_is_the_value(text: str, value: str) -> None:
    assert kernel_setting.value_of(text) == value


def test_a_setting_of_the_kernel_is_written_in_its_place(tmp_path: Path) -> None:
    path = tmp_path / "proc/sys/vm/overcommit_memory"
    path.parent.mkdir(parents=True)
    path.write_text("100\n")
    inode = path.stat().st_ino
    host = Host(str(tmp_path))
    host.set_kernel_setting("/proc/sys/vm/overcommit_memory", "1")
    assert host.kernel_setting("/proc/sys/vm/overcommit_memory") == "1"
    assert path.stat().st_ino == inode


def test_a_setting_that_this_kernel_lacks_is_told(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="cannot be read: No such file"):
        Host(str(tmp_path)).kernel_setting("/proc/sys/vm/nothing")
    with pytest.raises(OperatorError, match="cannot be changed to 1: No such file"):
        Host(str(tmp_path)).set_kernel_setting("/proc/sys/vm/nothing", "1")
