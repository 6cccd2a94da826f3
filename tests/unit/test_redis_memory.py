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


def test_what_is_no_machine_is_refused() -> None:
    with pytest.raises(AnsibleFilterError, match="this is no machine"):
        redis_memory("1gb", {})
