# SPDX-License-Identifier: GPL-3.0-or-later
"""Applying settings to a server that is scripted: what goes over the wire, and what is taken back when."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.midi.capacity.plugins.module_utils._redis import CacheError, NotPermitted, Unreachable
from ansible_collections.midi.capacity.plugins.module_utils._redis_settings.plan import SettingPlan
from ansible_collections.midi.capacity.plugins.module_utils._redis_settings_apply import apply
from ansible_collections.midi.capacity.plugins.module_utils._redis_settings_server import read_facts

PLANS = [
    SettingPlan("maxmemory", "0", "1024"),
    SettingPlan("hz", "10", "20"),
    SettingPlan("save", "", "900 1"),
    SettingPlan("maxmemory-policy", "noeviction", "allkeys-lru"),
    SettingPlan("timeout", "0", "0"),
]
BEFORE = {plan.name: plan.current for plan in PLANS}
AFTER = {plan.name: plan.desired for plan in PLANS}
EVICTED = 1234


class ScriptedCache:
    """Takes settings as Redis does; `faults` are raised by the calls that they are named for.

    As soon as maxmemory is set it evicts EVICTED keys.
    """

    def __init__(self, atomic: bool, faults: dict[str, CacheError] | None = None, clamped: str = "") -> None:
        self.where, self.version = "cache:6379", "7.0.15" if atomic else "6.2.14"
        self.sets_atomically = atomic
        self.config = {**BEFORE, "requirepass": "s3cr3t-42"}
        self.file: dict[str, str] = {}
        self.calls: list[Any] = []
        self._faults, self._clamped = faults or {}, clamped
        self._evicted = 7

    def info(self, section: str = "default") -> dict[str, str]:
        return {"aof_last_bgrewrite_status": "ok", "evicted_keys": str(self._evicted)}

    def config_get(self, patterns: list[str]) -> dict[str, str]:
        found = self.config if patterns == ["*"] else {name: self.config[name] for name in patterns}
        return {**found, **({self._clamped: "15"} if self._clamped in found else {})}

    def config_set(self, values: dict[str, str]) -> None:
        assert self.sets_atomically or len(values) == 1
        self.calls.append(values)
        for name, value in values.items():
            fault = self._faults.get(f"{name}={value}")
            if fault:
                raise fault
        if values.get("maxmemory") == "1024":
            self._evicted += EVICTED
        self.config.update(values)

    def config_rewrite(self) -> None:
        self.calls.append("rewrite")
        fault = self._faults.get("rewrite", self._faults.get(f"rewrite {self.calls.count('rewrite')}"))
        if fault:
            raise fault
        self.file = self.applied()

    def applied(self) -> dict[str, str]:
        return {name: self.config[name] for name in BEFORE}


LIMIT = {"maxmemory-policy": "allkeys-lru", "maxmemory": "1024"}


def test_a_command_for_each_step_where_the_server_takes_all_or_none() -> None:
    cache = ScriptedCache(atomic=True)
    executed = apply(cache, PLANS, rewrite=True, aof_wait_seconds=1)
    assert cache.calls == [{"hz": "20", "save": "900 1"}, "rewrite", LIMIT, "rewrite"]
    assert executed == [
        'CONFIG SET hz "20" save "900 1"',
        "CONFIG REWRITE",
        'CONFIG SET maxmemory-policy "allkeys-lru" maxmemory "1024"',
        "CONFIG REWRITE",
    ]
    assert cache.applied() == cache.file == AFTER


def test_one_by_one_where_it_does_not() -> None:
    cache = ScriptedCache(atomic=False)
    apply(cache, PLANS, rewrite=False, aof_wait_seconds=1)
    assert cache.calls == [{"hz": "20"}, {"save": "900 1"}, {"maxmemory-policy": "allkeys-lru"}, {"maxmemory": "1024"}]


def test_a_limit_alone_waits_until_the_file_could_be_written() -> None:
    cache = ScriptedCache(atomic=True)
    apply(cache, PLANS[:1], rewrite=True, aof_wait_seconds=1)
    assert cache.calls == ["rewrite", {"maxmemory": "1024"}, "rewrite"]


def test_what_is_live_already_is_written_all_the_same() -> None:
    cache = ScriptedCache(atomic=True)
    assert apply(cache, PLANS[4:], rewrite=True, aof_wait_seconds=1) == ["CONFIG REWRITE"]
    assert apply(cache, PLANS[4:], rewrite=False, aof_wait_seconds=1) == []


def test_each_rewrite_has_its_context() -> None:
    seen = []

    @contextlib.contextmanager
    def around() -> Iterator[None]:
        before = len(cache.calls)
        yield
        seen.append(cache.calls[before:])

    cache = ScriptedCache(atomic=True)
    apply(cache, PLANS, True, 1, around)
    assert seen == [["rewrite"], ["rewrite"]]


REFUSED = CacheError("CONFIG SET failed: no", "cache:6379")


@pytest.mark.parametrize("atomic", [True, False])
@pytest.mark.parametrize(
    ("faults", "clamped"),
    [
        ({"save=900 1": REFUSED}, ""),
        ({"maxmemory-policy=allkeys-lru": REFUSED}, ""),
        ({"rewrite": CacheError("CONFIG REWRITE failed: read-only", "cache:6379")}, ""),
        ({"rewrite": NotPermitted("may not", "cache:6379", "allow it")}, ""),
        ({}, "hz"),
    ],
)
def test_a_fault_before_keys_are_evicted_takes_all_back(
    atomic: bool, faults: dict[str, CacheError], clamped: str
) -> None:
    cache = ScriptedCache(atomic, faults, clamped)
    with pytest.raises(CacheError, match="; nothing was changed") as caught:
        apply(cache, PLANS, rewrite=True, aof_wait_seconds=1)
    assert cache.applied() == BEFORE
    assert cache.file in ({}, BEFORE)
    # No key was evicted.
    assert cache.info()["evicted_keys"] == "7"
    assert caught.value.where == "cache:6379"
    for fault in faults.values():
        assert isinstance(caught.value, type(fault))


@pytest.mark.parametrize("atomic", [True, False])
@pytest.mark.parametrize(("faults", "clamped"), [({"rewrite 2": REFUSED}, ""), ({}, "maxmemory-policy")])
def test_a_fault_after_that_says_how_many_keys_are_lost(
    atomic: bool, faults: dict[str, CacheError], clamped: str
) -> None:
    cache = ScriptedCache(atomic, faults, clamped)
    with pytest.raises(CacheError) as caught:
        apply(cache, PLANS, rewrite=True, aof_wait_seconds=1)
    assert "all settings have their old values, but 1,234 keys were evicted meanwhile" in str(caught.value)
    assert "nothing was changed" not in str(caught.value)
    # In the file, too.
    assert cache.applied() == cache.file == BEFORE


def test_keys_that_nobody_can_count_are_not_hidden() -> None:
    cache = ScriptedCache(atomic=True, faults={"rewrite 2": REFUSED})
    cache.info = lambda section="": {}  # type: ignore[method-assign]
    with pytest.raises(CacheError, match="; keys may have been evicted meanwhile"):
        apply(cache, PLANS, rewrite=True, aof_wait_seconds=1)


def test_what_was_set_last_is_taken_back_first() -> None:
    cache = ScriptedCache(atomic=False, faults={"rewrite 2": REFUSED})
    with pytest.raises(CacheError):
        apply(cache, PLANS, rewrite=True, aof_wait_seconds=1)
    back = [{"maxmemory": "0"}, {"maxmemory-policy": "noeviction"}, {"save": ""}, {"hz": "10"}]
    assert cache.calls[-5:] == [*back, "rewrite"]


def test_what_cannot_be_taken_back_is_named() -> None:
    cache = ScriptedCache(atomic=False, faults={"maxmemory=1024": REFUSED, "save=": REFUSED})
    with pytest.raises(CacheError) as caught:
        apply(cache, PLANS, rewrite=True, aof_wait_seconds=1)
    assert "could not be taken back and counts until the server is restarted: save = 900 1" in str(caught.value)
    assert "nothing was changed" not in str(caught.value)
    assert cache.applied() == {**BEFORE, "save": "900 1"}


def test_a_file_that_cannot_be_written_back_is_named() -> None:
    cache = ScriptedCache(atomic=True, faults={"rewrite 2": REFUSED, "rewrite 3": REFUSED})
    with pytest.raises(CacheError, match="the configuration file keeps this for the next start: hz = 20, save = 900 1"):
        apply(cache, PLANS, rewrite=True, aof_wait_seconds=1)
    assert cache.applied() == BEFORE


@pytest.mark.parametrize(("at", "evicts"), [("save=900 1", False), ("rewrite 2", True)])
def test_a_lost_connection_promises_nothing(at: str, evicts: bool) -> None:
    cache = ScriptedCache(atomic=False, faults={at: Unreachable("cannot talk to Redis", "cache:6379")})
    with pytest.raises(Unreachable) as caught:
        apply(cache, PLANS, rewrite=True, aof_wait_seconds=1)
    assert "nothing was changed" not in str(caught.value)
    assert "hz, save, maxmemory-policy, maxmemory" in str(caught.value)
    assert ("keys may have been evicted" in str(caught.value)) == evicts


def test_a_connection_that_is_lost_when_nothing_was_to_be_changed() -> None:
    cache = ScriptedCache(atomic=True, faults={"rewrite": Unreachable("cannot talk to Redis", "cache:6379")})
    with pytest.raises(Unreachable, match="no setting was to be changed"):
        apply(cache, PLANS[4:], rewrite=True, aof_wait_seconds=1)


def test_passwords_go_no_further_than_the_connection() -> None:
    found = read_facts(ScriptedCache(atomic=True), {"used_memory": "10", "total_system_memory": "x"})
    assert found.config["requirepass"] == "" and found.config["hz"] == "10"
    assert (found.version, found.used_bytes, found.total_bytes) == ((7, 0, 15), 10, None)


def test_a_sentinel_is_refused_in_words() -> None:
    with pytest.raises(CacheError, match="this is a Sentinel, .*connect to the server that it watches"):
        read_facts(ScriptedCache(atomic=True), {"redis_mode": "sentinel"})
