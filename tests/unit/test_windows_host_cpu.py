# SPDX-License-Identifier: GPL-3.0-or-later
"""_windows.host_cpu: how busy the CPUs were over a whole window, and when nobody knows."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.midi.capacity.plugins.module_utils._windows.host_cpu import busy_percent
from hypothesis import given
from hypothesis import strategies as st

STATES = ("user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal")
GROUP = "/sys/fs/cgroup/postgresql.service/cpu.max"


def host(
    online: int = 4, usable: float = 4, quota: Any = None, used: Any = 0.0, source: Any = None, **states: Any
) -> Any:
    seconds = None if states.get("user", 0) is None else {**dict.fromkeys(STATES, 0.0), **states}
    group = {"quota_cpus": quota, "source": source or (quota and GROUP), "used_cpus": None, "used_seconds": used}
    return {"cpu": {"online_cpus": online, "usable_cpus": usable, "states_seconds": seconds, "cgroup": group}}


def limited(used: Any, **more: Any) -> Any:
    return host(**{"usable": 1.5, "quota": 1.5, "used": used, **more})


BEFORE = host(user=10, system=5, idle=100, iowait=1)


@pytest.mark.parametrize(
    ("earlier", "later", "seconds", "busy"),
    [
        (BEFORE, host(user=70, system=25, idle=115, iowait=6), 25, 80.0),
        # Waiting for a disk is idle; what the hypervisor took is not.
        (host(), host(iowait=50, steal=50), 25, 50.0),
        (host(), host(idle=100), 25, 0.0),
        (host(), host(user=100), 25, 100.0),
        # The kernel estimates these, so they step back a little.
        (BEFORE, host(user=20, system=5, idle=110, iowait=0.5), 5, 50.0),
        (host(steal=2, user=1), host(steal=1, user=2, idle=1), 1, 50.0),
        # The others only grow: this is another machine's or a container's count that began anew.
        (BEFORE, host(user=9, system=5, idle=200), 25, None),
        (BEFORE, BEFORE, 25, None),
        # Of its quota, as long as it has one.
        (limited(10), limited(40), 40, 50.0),
        (limited(10), limited(10), 40, 0.0),
        (host(used=10), limited(40), 40, None),
        (limited(10, source="/another"), limited(40), 40, None),
        # The group was made anew.
        (limited(40), limited(10), 40, None),
        (limited(None), limited(10), 40, None),
        (limited(10), limited(None), 40, None),
        # What is bursting, or read a moment later than the clock, is no more than all.
        (limited(10), limited(80), 40, 100.0),
        # The quota is gone: all CPUs count, and they do at both ends.
        (limited(10, user=10), host(user=20, idle=10), 5, 50.0),
        (host(online=4), host(online=3, user=9), 25, None),
        (host(user=None), host(user=9), 25, None),
        (host(), host(user=None), 25, None),
        (host(), host(user=9, idle=1, irq=None), 25, None),
        (None, BEFORE, 25, None),
        (BEFORE, None, 25, None),
        (BEFORE, host(user=70, idle=200), 0, None),
        (BEFORE, host(user=70, idle=200), -1, None),
    ],
)
def test_how_busy(earlier: Any, later: Any, seconds: float, busy: float | None) -> None:
    assert busy_percent(earlier, later, seconds) == busy


COUNTS = st.fixed_dictionaries({state: st.none() | st.floats(0, 1e9) for state in STATES})
HOSTS = st.none() | st.builds(
    lambda states, **more: host(**more, **states), COUNTS, online=st.sampled_from([2, 4]),
    quota=st.sampled_from([None, 0.01, 1.5]), used=st.none() | st.floats(0, 1e9),
)  # fmt: skip


@given(HOSTS, HOSTS, st.floats(-10, 1e6))
def test_it_is_a_share_whatever_the_two_say(earlier: Any, later: Any, seconds: float) -> None:
    busy = busy_percent(earlier, later, seconds)
    assert busy is None or 0 <= busy <= 100
