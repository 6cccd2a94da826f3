# SPDX-License-Identifier: GPL-3.0-or-later
"""Applying settings to a server that is scripted: what goes over the wire, and what is taken back when."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.midi.capacity.plugins.module_utils._redis import CacheError, NotPermitted, Unreachable
from ansible_collections.midi.capacity.plugins.module_utils._redis_settings.plan import SettingPlan
from ansible_collections.midi.capacity.plugins.module_utils._redis_settings_flow import secrets
from ansible_collections.midi.capacity.plugins.module_utils._redis_settings_server import apply, read_facts

PLANS = [SettingPlan("hz", "10", "20"), SettingPlan("save", "", "900 1"), SettingPlan("maxmemory", "0", "1024")]
BEFORE = {plan.name: plan.current for plan in PLANS}
AFTER = {plan.name: plan.desired for plan in PLANS}


class ScriptedCache:
    """Takes settings as Redis does; `faults` are raised by the calls that they are named for."""

    def __init__(self, atomic: bool, faults: dict[str, CacheError] | None = None, clamped: bool = False) -> None:
        self.where, self.version = "cache:6379", "7.0.15" if atomic else "6.2.14"
        self.sets_atomically = atomic
        self.config = {**BEFORE, "requirepass": "s3cr3t-42"}
        self.calls: list[Any] = []
        self._faults, self._clamped = faults or {}, clamped

    def info(self, section: str = "default") -> dict[str, str]:
        return {"aof_last_bgrewrite_status": "ok"}

    def config_get(self, patterns: list[str]) -> dict[str, str]:
        found = self.config if patterns == ["*"] else {name: self.config[name] for name in patterns}
        return {**found, "hz": "15"} if self._clamped else dict(found)

    def config_set(self, values: dict[str, str]) -> None:
        assert self.sets_atomically or len(values) == 1
        self.calls.append(values)
        for name, value in values.items():
            fault = self._faults.get(f"{name}={value}")
            if fault:
                raise fault
        self.config.update(values)

    def config_rewrite(self) -> None:
        self.calls.append("rewrite")
        if "rewrite" in self._faults:
            raise self._faults["rewrite"]

    def applied(self) -> dict[str, str]:
        return {name: self.config[name] for name in BEFORE}


def test_one_command_where_the_server_takes_all_or_none() -> None:
    cache = ScriptedCache(atomic=True)
    executed = apply(cache, PLANS, rewrite=True, aof_wait_seconds=1)
    assert cache.calls == [AFTER, "rewrite"]
    assert executed == ['CONFIG SET hz "20" save "900 1" maxmemory "1024"', "CONFIG REWRITE"]
    assert cache.applied() == AFTER


def test_one_by_one_where_it_does_not() -> None:
    cache = ScriptedCache(atomic=False)
    apply(cache, PLANS, rewrite=False, aof_wait_seconds=1)
    assert cache.calls == [{"hz": "20"}, {"save": "900 1"}, {"maxmemory": "1024"}]


REFUSED = CacheError("CONFIG SET failed: no", "cache:6379")


@pytest.mark.parametrize("atomic", [True, False])
@pytest.mark.parametrize(
    ("faults", "clamped"),
    [
        ({"maxmemory=1024": REFUSED}, False),
        ({"rewrite": CacheError("CONFIG REWRITE failed: read-only", "cache:6379")}, False),
        ({"rewrite": NotPermitted("may not", "cache:6379", "allow it")}, False),
        ({}, True),
    ],
)
def test_a_fault_at_any_step_takes_all_back(atomic: bool, faults: dict[str, CacheError], clamped: bool) -> None:
    cache = ScriptedCache(atomic, faults, clamped)
    with pytest.raises(CacheError, match="; nothing was changed") as caught:
        apply(cache, PLANS, rewrite=True, aof_wait_seconds=1)
    assert cache.applied() == BEFORE
    assert caught.value.where == "cache:6379"
    for fault in faults.values():
        assert isinstance(caught.value, type(fault))


def test_what_was_set_last_is_taken_back_first() -> None:
    cache = ScriptedCache(atomic=False, faults={"rewrite": REFUSED})
    with pytest.raises(CacheError):
        apply(cache, PLANS, rewrite=True, aof_wait_seconds=1)
    assert cache.calls[-3:] == [{"maxmemory": "0"}, {"save": ""}, {"hz": "10"}]


def test_what_cannot_be_taken_back_is_named() -> None:
    cache = ScriptedCache(atomic=False, faults={"maxmemory=1024": REFUSED, "save=": REFUSED})
    with pytest.raises(CacheError) as caught:
        apply(cache, PLANS, rewrite=True, aof_wait_seconds=1)
    assert "could not be taken back and counts until the server is restarted: save = 900 1" in str(caught.value)
    assert cache.applied() == {**BEFORE, "save": "900 1"}


def test_a_lost_connection_promises_nothing() -> None:
    cache = ScriptedCache(atomic=False, faults={"save=900 1": Unreachable("cannot talk to Redis", "cache:6379")})
    with pytest.raises(Unreachable) as caught:
        apply(cache, PLANS, rewrite=True, aof_wait_seconds=1)
    assert "nothing was changed" not in str(caught.value) and "hz, save, maxmemory" in str(caught.value)


def test_passwords_go_no_further_than_the_connection() -> None:
    found = read_facts(ScriptedCache(atomic=True), {"used_memory": "10", "total_system_memory": "x"})
    assert found.config["requirepass"] == "" and found.config["hz"] == "10"
    assert (found.version, found.used_bytes, found.total_bytes) == ((7, 0, 15), 10, None)


def test_secrets_to_mask() -> None:
    assert secrets({"RequirePass": "a", "masterauth": "", "timeout": 5, "tls-key-file-pass": 42}) == ["a", "42"]
