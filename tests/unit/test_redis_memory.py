# SPDX-License-Identifier: GPL-3.0-or-later
"""How much memory a Redis gets that is to be started."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.midi.capacity.plugins.filter.redis_memory import redis_memory

GIB, MIB = 1024**3, 1024**2


def host(usable_bytes: int | None) -> dict[str, Any]:
    return {"memory": {"usable_bytes": usable_bytes}}


@pytest.mark.parametrize(
    ("maxmemory", "usable_bytes", "percent", "expected"),
    [
        ("10gb", 64 * GIB, 75, "10gb"),
        ("auto", 64 * GIB, 75, "10gb"),
        ("auto", 8 * GIB, 75, "6gb"),
        ("auto", 8 * GIB, 50, "4gb"),
        ("auto", 1000 * MIB + 5, 75, "750mb"),
        (10 * GIB, None, 75, "10gb"),
    ],
)
def test_the_limit_is_ten_gigabytes_or_what_the_host_bears(
    maxmemory: Any, usable_bytes: int | None, percent: int, expected: str
) -> None:
    found = redis_memory(maxmemory, host(usable_bytes), percent)
    assert (found["maxmemory"], found["problem"]) == (expected, "")


@pytest.mark.parametrize(
    ("maxmemory", "container_bytes"),
    # Three quarters of the container at most, and 128 MiB of head-room at least.
    [("12gb", 16 * GIB), ("384mb", 512 * MIB), ("64mb", 192 * MIB), ("10gb", 13654 * MIB)],
)
def test_a_container_has_head_room_above_the_data(maxmemory: str, container_bytes: int) -> None:
    assert redis_memory(maxmemory, host(64 * GIB))["container_bytes"] == container_bytes


def test_a_limit_of_the_container_that_is_given_is_taken() -> None:
    assert redis_memory("1gb", host(8 * GIB), 75, "1152mb")["container_bytes"] == 1152 * MIB


@pytest.mark.parametrize(
    ("maxmemory", "usable_bytes", "container", "message"),
    [
        ("10gb", 8 * GIB, "", "maxmemory 10gb is 125 % of the host's 8 GiB RAM, where at most 75 % (6 GiB)"),
        ("0", 8 * GIB, "", "maxmemory is 0, which is no limit at all"),
        (
            "1gb",
            8 * GIB,
            "1100mb",
            "the container's limit of 1.07 GiB leaves no head-room above maxmemory 1gb: give it",
        ),
        ("10gb", 8 * GIB, "16gb", "maxmemory 10gb is 125 %"),
        ("auto", None, "", "the limit auto needs the host's memory, which could not be read"),
        ("much", 8 * GIB, "", "the limit takes whole bytes"),
        ("1gb", 8 * GIB, "much", "the limit takes whole bytes"),
    ],
)
def test_what_does_not_go_is_told(maxmemory: str, usable_bytes: int | None, container: str, message: str) -> None:
    assert redis_memory(maxmemory, host(usable_bytes), 75, container)["problem"].startswith(message)


def beside(maxmemory_bytes: int, used_bytes: int = 0) -> dict[str, int]:
    return {"maxmemory_bytes": maxmemory_bytes, "used_bytes": used_bytes}


@pytest.mark.parametrize(
    ("maxmemory", "other", "expected"),
    [
        # Of 8 GiB, 6 are for both.
        ("4gb", beside(2 * GIB), "4gb"),
        ("4gb", beside(0, 2 * GIB), "4gb"),
        # A limit is what it may come to use.
        ("4gb", beside(2 * GIB, 3 * GIB), "4gb"),
        ("auto", beside(2 * GIB), "4gb"),
        ("auto", beside(6 * GIB - 2 * MIB + 1), "1mb"),
    ],
)
def test_a_host_bears_two_servers_whose_sum_it_bears(maxmemory: str, other: dict[str, int], expected: str) -> None:
    found = redis_memory(maxmemory, host(8 * GIB), 75, "", other)
    assert (found["maxmemory"], found["problem"]) == (expected, "")


def test_auto_for_both_comes_to_the_same_at_every_run() -> None:
    queue_bytes = cache_bytes = 0
    seen = set()
    for _run in range(3):
        for _server in range(2):
            others = beside(cache_bytes) if cache_bytes else None
            found = redis_memory("auto", host(20 * GIB), 75, "", others)
            assert found["problem"] == ""
            queue_bytes, cache_bytes = cache_bytes, int(found["maxmemory"].replace("gb", "")) * GIB
        seen.add((queue_bytes, cache_bytes))
    assert seen == {(10 * GIB, 5 * GIB)}


@pytest.mark.parametrize(
    ("maxmemory", "other", "message"),
    [
        (
            "4gb",
            beside(2 * GIB + 1),
            "maxmemory 4gb and the 2 GiB of the other server on this host are 75 % of the host's 8 GiB RAM",
        ),
        ("4gb", beside(0, 3 * GIB), "maxmemory 4gb and the 3 GiB of the other server on this host are 88 % of"),
        ("auto", beside(0, GIB), "the limit auto needs to know what is left, and the other server has no limit"),
        ("auto", beside(6 * GIB), "the limit auto has nothing left of the host's 8 GiB RAM, of which at most 75 %"),
    ],
)
def test_two_servers_that_it_does_not_bear_are_refused(maxmemory: str, other: dict[str, int], message: str) -> None:
    assert redis_memory(maxmemory, host(8 * GIB), 75, "", other)["problem"].startswith(message)


def test_what_is_no_machine_is_refused() -> None:
    with pytest.raises(AnsibleFilterError, match="this is no machine"):
        redis_memory("1gb", {})
