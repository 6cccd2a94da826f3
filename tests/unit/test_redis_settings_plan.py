# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans for Redis settings: what is refused, what changes, in which order, and what to warn of."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.midi.capacity.plugins.module_utils._redis_settings import aof, catalog, headroom
from ansible_collections.midi.capacity.plugins.module_utils._redis_settings.plan import (
    Facts,
    SettingPlan,
    in_steps,
    plan,
    unlike,
    warnings,
)
from hypothesis import given
from hypothesis import strategies as st

GIB = 1024**3
CONFIG = {
    "maxmemory": "0",
    "maxmemory-policy": "noeviction",
    "appendonly": "no",
    "timeout": "0",
    "hz": "10",
    "save": "3600 1",
    "requirepass": "",
    "databases": "16",
    "dir": "/data",
    "disable-thp": "yes",
    "replicaof": "",
    "replica-priority": "100",
    "slave-priority": "100",
    "notify-keyspace-events": "AKE",
    "enable-protected-configs": "no",
}


def facts(version: tuple[int, ...] = (7, 0, 15), total: int | None = 60 * GIB, **config: str) -> Facts:
    return Facts({**CONFIG, **config}, version, used_bytes=2 * GIB, total_bytes=total)


def one(name: str, wanted: Any, known: Facts | None = None, limit_percent: int = 75) -> SettingPlan:
    plans, problems = plan({name: wanted}, known or facts(), limit_percent)
    assert problems == []
    return plans[0]


def problem(name: str, wanted: Any, known: Facts | None = None, limit_percent: int = 75) -> str:
    plans, problems = plan({name: wanted}, known or facts(), limit_percent)
    assert plans == []
    return problems[0]


@pytest.mark.parametrize(
    ("name", "wanted", "changes"),
    [
        ("maxmemory", "10gb", True),
        ("MaxMemory-Policy", "noeviction", False),
        ("appendonly", False, False),
        ("save", "3600 1", False),
        ("save", "", True),
        ("notify-keyspace-events", "KEA", False),
    ],
)
def test_plan(name: str, wanted: Any, changes: bool) -> None:
    found = one(name, wanted)
    assert (found.name, found.changes) == (name.lower(), changes)


@pytest.mark.parametrize(
    ("name", "wanted", "message"),
    [
        ("maxmemory_policy", "x", "maxmemory_policy is not a setting of this server: did you mean maxmemory-policy?"),
        ("zzz", 1, "zzz is not a setting of this server"),
        ("requirepass", "x", "requirepass holds a secret"),
        ("databases", 16, "databases cannot change while the server runs"),
        ("replicaof", "a 1", "replicaof is changed by the command REPLICAOF"),
        ("dir", "/x", "dir is protected by enable-protected-configs = no"),
        ("timeout", "soon", "timeout takes a whole number"),
        (
            "maxmemory",
            "46gb",
            "maxmemory 46gb is 77 % of the host's 60 GiB RAM, where at most 75 % (45 GiB) is allowed",
        ),
        ("maxmemory", 0, "maxmemory is 0, which is no limit at all"),
    ],
)
def test_what_is_refused(name: str, wanted: Any, message: str) -> None:
    assert problem(name, wanted).startswith(message)


def test_all_faults_are_listed_at_once_and_good_ones_still_planned() -> None:
    wanted = {"hz": 20, "timeout": "soon", "zzz": 1, "HZ": 30, "slave-priority": 1, "replica-priority": 2, 5: 1}
    plans, problems = plan(wanted, facts(), 75)
    assert [found.name for found in plans] == ["hz", "slave-priority"]
    assert [text.split(" ")[0] for text in problems] == ["timeout", "zzz", "HZ", "replica-priority", "5"]
    assert problems[2] == "HZ is given twice, also as hz"
    assert problems[3] == "replica-priority is given twice, also as slave-priority"


def test_what_is_fixed_depends_on_the_server() -> None:
    assert one("disable-thp", False, facts((6, 2, 14))).changes
    assert "restart" in problem("disable-thp", False, facts((7, 0, 0)))
    unprotected = facts(**{"enable-protected-configs": "yes"})
    assert one("dir", "/x", unprotected).changes
    before_7 = Facts({"dir": "/data"}, (6, 2, 14))
    assert one("dir", "/x", before_7).changes
    assert catalog.why_fixed("timeout", (6, 2, 14), CONFIG) is None


def test_words_are_refused_by_us_only_for_versions_that_are_known() -> None:
    assert "takes one of" in problem("maxmemory-policy", "allkeys-lrm", facts((8, 0, 2)))
    assert one("maxmemory-policy", "allkeys-lrm", facts((8, 6, 0))).desired == "allkeys-lrm"


@pytest.mark.parametrize(
    ("now", "limit", "last"),
    [
        ("0", "1gb", ["maxmemory-policy", "maxmemory"]),
        (str(2 * GIB), "1gb", ["maxmemory-policy", "maxmemory"]),
        # The policy would evict down to a limit that is on its way up.
        (str(GIB), "2gb", ["maxmemory", "maxmemory-policy"]),
        (str(GIB), "1gb", ["maxmemory-policy"]),
    ],
)
def test_what_evicts_keys_comes_last_and_on_its_own(now: str, limit: str, last: list[str]) -> None:
    wanted = {"maxmemory": limit, "appendonly": True, "timeout": 0, "maxmemory-policy": "allkeys-lru", "hz": 20}
    plans, _problems = plan(wanted, facts(maxmemory=now), 75)
    assert [[found.name for found in step] for step in in_steps(plans)] == [["hz", "appendonly"], last]


def test_no_limit_at_all_is_the_highest() -> None:
    plans = [SettingPlan("maxmemory-policy", "noeviction", "allkeys-lru"), SettingPlan("maxmemory", "1024", "0")]
    assert [found.name for found in in_steps(plans)[1]] == ["maxmemory", "maxmemory-policy"]


@pytest.mark.parametrize(
    ("wanted", "known", "expected"),
    [
        ({"timeout": 1}, facts(total=None), []),
        ({"maxmemory": "10gb"}, facts(), []),
        ({"maxmemory": "10gb"}, facts(total=None), ["the server does not say how much RAM"]),
        (
            {"maxmemory": "1gb"},
            facts(),
            ["maxmemory 1gb is less than the 2 GiB in use: with maxmemory-policy noeviction"],
        ),
        (
            {"maxmemory": "1gb", "maxmemory-policy": "allkeys-lfu"},
            facts(),
            ["maxmemory 1gb is less than the 2 GiB in use: the server evicts keys by allkeys-lfu"],
        ),
        ({"maxmemory": "1gb"}, facts(maxmemory=str(GIB)), []),
        # Exactly what is in use.
        ({"maxmemory": "2gb"}, facts(), []),
    ],
)
def test_warnings(wanted: dict[str, Any], known: Facts, expected: list[str]) -> None:
    plans, problems = plan(wanted, known, 75)
    assert problems == []
    found = warnings(plans, known)
    assert len(found) == len(expected)
    for text, beginning in zip(found, expected, strict=True):
        assert text.startswith(beginning)


@pytest.mark.parametrize(
    ("maxmemory", "total", "percent", "refused"),
    [
        (45 * GIB, 60 * GIB, 75, False),
        (45 * GIB + 1, 60 * GIB, 75, True),
        (60 * GIB, 60 * GIB, 99, True),
        (600 * GIB, 60 * GIB, 100, False),
        (600 * GIB, None, 75, False),
        (0, 60 * GIB, 75, True),
        (0, None, 75, True),
        (0, 60 * GIB, 100, False),
    ],
)
def test_head_room(maxmemory: int, total: int | None, percent: int, refused: bool) -> None:
    assert (headroom.problem(maxmemory, total, percent) is not None) is refused


@given(st.integers(1, 2**44), st.integers(1, 2**44), st.integers(1, 99))
def test_head_room_is_a_share_of_the_ram(maxmemory: int, total: int, percent: int) -> None:
    assert (headroom.problem(maxmemory, total, percent) is None) == (maxmemory / total <= percent / 100)


def test_what_reads_back_as_another_is_named() -> None:
    plans = [SettingPlan("hz", "10", "1000"), SettingPlan("maxmemory", "0", "1024"), SettingPlan("save", "", "9 1")]
    assert unlike(plans, {"hz": "500", "maxmemory": "1024", "save": ""}) == [
        "hz was set to 1000 and reads back as 500",
        'save was set to 9 1 and reads back as ""',
    ]
    assert unlike([SettingPlan("notify-keyspace-events", "", "KEA")], {"notify-keyspace-events": "AKE"}) == []


def persistence(enabled: int, rewriting: int = 0, scheduled: int = 0, status: str = "ok") -> dict[str, str]:
    return {
        "aof_enabled": str(enabled),
        "aof_rewrite_in_progress": str(rewriting),
        "aof_rewrite_scheduled": str(scheduled),
        "aof_last_bgrewrite_status": status,
    }


@pytest.mark.parametrize(
    ("found", "before", "expected"),
    [
        (persistence(1), "ok", aof.ON),
        (persistence(1, rewriting=1), "ok", aof.WRITING),
        # Another child is saving; the rewrite comes after it.
        (persistence(1, scheduled=1), "ok", aof.WRITING),
        (persistence(0), "ok", aof.WRITING),
        (persistence(1, rewriting=1, status="err"), "ok", aof.FAILED),
        # The failure is an old one: the server may still succeed.
        (persistence(1, rewriting=1, status="err"), "err", aof.WRITING),
        (persistence(1, status="err"), "err", aof.WRITING),
        (persistence(1), "err", aof.ON),
        ({}, "", aof.WRITING),
    ],
)
def test_progress_of_the_append_only_file(found: dict[str, str], before: str, expected: str) -> None:
    assert aof.progress(found, before) == expected


@pytest.mark.parametrize(
    ("current", "desired", "found", "expected"),
    [
        ("no", "yes", persistence(0), True),
        ("yes", "yes", persistence(1), False),
        # Somebody else switched it on just now, or a run that was cut off.
        ("yes", "yes", persistence(1, rewriting=1), True),
        ("yes", "yes", persistence(1, scheduled=1), True),
        ("yes", "no", persistence(1, rewriting=1), False),
    ],
)
def test_when_to_wait_for_the_append_only_file(
    current: str, desired: str, found: dict[str, str], expected: bool
) -> None:
    plans = [SettingPlan("hz", "1", "2"), SettingPlan("appendonly", current, desired)]
    assert aof.has_to_be_awaited(plans, found) is expected
