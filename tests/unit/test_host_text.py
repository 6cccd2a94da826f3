# SPDX-License-Identifier: GPL-3.0-or-later
"""The small parsers, and what holds for all of them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import pytest
from ansible_collections.midi.capacity.plugins.module_utils._host_parse import (
    cgroup,
    cpu,
    load,
    meminfo,
    mounts,
    number,
    process,
    space,
)
from hypothesis import example, given
from hypothesis import strategies as st


def test_a_process_may_have_any_name() -> None:
    text = "42 (a) (b) S 7 " + " ".join(str(number) for number in range(2, 19)) + " 250 0\n"
    assert process.parse_process(text, 1000, 100) == process.Process("a) (b", 7, 1002.5)
    assert process.parse_innermost_pid("Name:\tx\nNSpid:\t4711\t42\n") == 42
    assert process.parse_boot_seconds("cpu 1\nbtime 1700000000\n") == 1700000000


def test_meminfo() -> None:
    text = (
        "MemTotal:       24684092 kB\nActive(anon):     1548 kB\nHugePages_Total:       4\nHugepagesize:  2048 kB\nx\n"
    )
    assert meminfo.parse_meminfo(text) == {
        "MemTotal": 24684092 * 1024,
        "Active(anon)": 1548 * 1024,
        "HugePages_Total": 4,
        "Hugepagesize": 2 * 1024 * 1024,
    }


@pytest.mark.parametrize("text", ["", "MemTotal: many kB\n", "MemTotal: -1 kB\n", "MemTotal: 1 MB\n"])
def test_meminfo_without_a_figure(text: str) -> None:
    with pytest.raises(ValueError, match="holds no figure"):
        meminfo.parse_meminfo(text)


def test_load_average_and_uptime() -> None:
    assert load.parse_load_average("0.52 0.61 12.60 1/123 4567\n") == [0.52, 0.61, 12.6]
    assert load.parse_uptime_seconds("86400.17 150000.99\n") == 86400.17


@pytest.mark.parametrize("text", ["", "0.52 0.61", "0.52 nan 0.60", "0.52 inf 0.60", "-1 1 1", "1e3 1 1"])
def test_load_average_that_is_not_understood(text: str) -> None:
    with pytest.raises(ValueError, match="not understood"):
        load.parse_load_average(text)


@pytest.mark.parametrize(("text", "value"), [("0", 0), (" 42\n", 42), ("18446744073709551615", 2**64 - 1)])
def test_number(text: str, value: int) -> None:
    assert number.natural(text) == value


@pytest.mark.parametrize("text", ["", "-1", "+1", "1.5", "1_000", "٣", "9" * 21, "max", "1 2"])
def test_no_number(text: str) -> None:
    with pytest.raises(ValueError, match="not a number"):
        number.natural(text)


def test_space_counts_as_df_does() -> None:
    # 1000 blocks, 300 of them free, 250 for an ordinary user: 700 of 950 are used.
    assert space.space(4096, space.Counted(1000, 300, 250)) == {
        "size_bytes": 4096000,
        "used_bytes": 2867200,
        "free_bytes": 1024000,
        "used_percent": 73.68,
    }


@pytest.mark.parametrize(
    ("counted", "used_percent"),
    [((100, 0, 0), 100.0), ((100, 100, 100), 0.0), ((100, 5, 0), 100.0), ((0, 0, 0), None)],
)
def test_used_percent(counted: tuple[int, int, int], used_percent: float | None) -> None:
    assert space.Counted(*counted).used_percent == used_percent


def test_inodes() -> None:
    assert space.inodes(space.Counted(0, 0, 0)) is None
    assert space.inodes(space.Counted(10, 6, 4)) == {"total": 10, "used": 4, "free": 4, "used_percent": 50.0}


@given(st.integers(0, 2**40), st.data())
def test_used_percent_is_a_percentage(total: int, data: st.DataObject) -> None:
    free = data.draw(st.integers(0, total))
    available = data.draw(st.integers(0, free))
    used_percent = space.Counted(total, free, available).used_percent
    assert used_percent is None if total == free and not available else 0 <= used_percent <= 100  # type: ignore[operator]


PARSERS: list[Callable[[str], object]] = [
    cgroup.parse_hierarchical_limit_bytes,
    cgroup.parse_limit_bytes,
    cgroup.parse_membership,
    cgroup.parse_quota_v2,
    cgroup.parse_usage_seconds_v1,
    cgroup.parse_usage_seconds_v2,
    cpu.parse_allowed_cpus,
    cpu.parse_model,
    cpu.parse_stat,
    load.parse_load_average,
    load.parse_uptime_seconds,
    meminfo.parse_meminfo,
    mounts.parse_mountinfo,
    number.natural,
    process.parse_boot_seconds,
    process.parse_innermost_pid,
    lambda text: process.parse_process(text, 0, 100),
]


@pytest.mark.parametrize("parse", PARSERS)
@given(text=st.text(max_size=60) | st.text(st.sampled_from("cpu0123 :-,/\n\t.max_"), max_size=60))
@example(text="\ud800")
@example(text="cpu\ncpu")
@example(text="0::/\n1")
@example(text="100 0")
def test_any_text_is_either_understood_or_a_value_error(parse: Callable[[str], object], text: str) -> None:
    with contextlib.suppress(ValueError):
        parse(text)
