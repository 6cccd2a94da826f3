# SPDX-License-Identifier: GPL-3.0-or-later
"""The filters postgres_profile and postgres_budget, and the role's list of what they need to know."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.midi.capacity.plugins.filter.postgres_budget import FilterModule as BudgetFilters
from ansible_collections.midi.capacity.plugins.filter.postgres_profile import FilterModule as ProfileFilters
from ansible_collections.midi.capacity.plugins.module_utils._sizing.catalog import NEEDED
from ansible_collections.midi.capacity.plugins.module_utils._sizing.machine import DISKS, Machine
from ansible_collections.midi.capacity.plugins.module_utils._sizing.profile import PROFILES, profile

from tests.unit.collection import load

GIB = 1 << 30
HOST: dict[str, Any] = {
    "cpu": {"usable_cpus": 4},
    "memory": {"usable_bytes": 4 * GIB},
    "shm": {"size_bytes": 1 << 26},
    "disks": [],
}
postgres_profile = ProfileFilters().filters()["postgres_profile"]
postgres_budget = BudgetFilters().filters()["postgres_budget"]


def test_a_profile_is_for_the_servers_own_limits() -> None:
    found = postgres_profile(HOST, "web", 160004, given={"work_mem": "8MB"}, live={"max_connections": "50"})
    assert found == profile("web", Machine(4 * GIB, 4, 160004), {"work_mem": "8MB"}, {"max_connections": 50})
    assert (found["shared_buffers"], "work_mem" in found) == ("1GB", False)


def test_every_option_of_a_profile_counts() -> None:
    usual = postgres_profile(HOST, "web", 160004)
    for option in (
        {"disk": "hdd"}, {"memory": "8GB"}, {"cpus": 2}, {"live": {"max_connections": 300}}, {"given": {"jit": True}},
        {"live": {"max_worker_processes": 99}, "standby": True}, {"nodes_per_query": 20}, {"headroom_percent": 60},
        {"maintenance_sessions": 9},
    ):  # fmt: skip
        assert postgres_profile(HOST, "web", 160004, **option) != usual, option
    assert postgres_profile({}, "web", 160004, memory="4GB", cpus=4) == usual
    assert postgres_profile({}, "none", 160004) == {}


def test_a_budget_is_a_verdict_on_the_machine() -> None:
    found = postgres_budget({"work_mem": "64MB", "shared_preload_libraries": "x"}, HOST)
    assert not found["fits"] and "3.6 GB" in found["text"]
    assert postgres_budget({"work_mem": "64MB"}, HOST, memory="16GB")["fits"]
    assert postgres_budget({}, HOST)["warnings"][0].startswith("/dev/shm has 64 MB")
    assert postgres_budget({}, None)["warnings"][0].startswith("how much memory PostgreSQL may use is not known")
    for option in ({"nodes_per_query": 2}, {"maintenance_sessions": 2}, {"headroom_percent": 20},
                   {"pools": [{"name": "api", "size": 1000}]}):  # fmt: skip
        assert postgres_budget({}, HOST, **option) != postgres_budget({}, HOST), option
    apart = {"max_parallel_workers": 9}
    assert postgres_budget(apart, HOST, wanted=["work_mem"])["fits"]
    assert not postgres_budget(apart, HOST)["fits"]


@pytest.mark.parametrize(
    ("call", "complaint"),
    [
        (lambda: postgres_profile({}, "web", 160004), "memory and CPUs could not be measured and have to be given"),
        (lambda: postgres_profile(HOST, "web", 160004, given={"work_mem": "x"}), "postgres_profile: work_mem takes"),
        (lambda: postgres_profile("host", "web", 160004), "postgres_profile: this is no machine"),
        (lambda: postgres_budget({"work_mem": "x"}), "postgres_budget: work_mem takes"),
        (lambda: postgres_budget({}, pools=[{}]), "postgres_budget: pool 1 takes"),
        (lambda: postgres_budget([]), "postgres_budget: these are no settings"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_said(call: Any, complaint: str) -> None:
    with pytest.raises(AnsibleFilterError, match=complaint):
        call()


def test_the_role_reads_what_the_budget_needs() -> None:
    assert load("roles/postgres_tuning/vars/main.yml")["__postgres_tuning_budgeted"] == list(NEEDED)


def test_the_role_offers_the_profiles_and_disks_that_there_are() -> None:
    options = load("roles/postgres_tuning/meta/argument_specs.yml")["argument_specs"]["main"]["options"]
    assert options["postgres_tuning_profile"]["choices"] == list(PROFILES)
    assert options["postgres_tuning_disk"]["choices"] == list(DISKS)
