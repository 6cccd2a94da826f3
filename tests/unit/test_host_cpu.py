# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from ansible_collections.midi.capacity.plugins.module_utils._host_parse import cpu
from hypothesis import given
from hypothesis import strategies as st

STAT = """\
cpu  100 10 30 800 20 4 6 8 90 9
cpu0 50 5 15 400 10 2 3 4 45 4
cpu2 50 5 15 400 10 2 3 4 45 5
intr 99 0 0
ctxt 12345
btime 1700000000
"""


def times(*ticks: int, online: frozenset[int] = frozenset({0})) -> cpu.CpuTimes:
    """Ticks in the order user, nice, system, idle, iowait, irq, softirq, steal; those not given are 0."""
    return cpu.CpuTimes(dict(zip(cpu.STATES, [*ticks, *[0] * (8 - len(ticks))], strict=True)), online)


def test_stat_leaves_out_guests_and_names_online_cpus() -> None:
    parsed = cpu.parse_stat(STAT)
    assert parsed.ticks == {
        "user": 100, "nice": 10, "system": 30, "idle": 800, "iowait": 20, "irq": 4, "softirq": 6, "steal": 8,
    }  # fmt: skip
    assert parsed.online == {0, 2}


def test_stat_of_an_old_kernel_lacks_columns() -> None:
    assert cpu.parse_stat("cpu 1 2 3 4\ncpu0 1 2 3 4\n").ticks["steal"] == 0


@pytest.mark.parametrize(
    "text", ["", "cpu 1 2 3\ncpu0 1 2 3\n", "cpu 1 2 3 4\n", "cpu 1 -2 3 4\ncpu0 1 2 3 4\n", "cpu0 1 2 3 4\n"]
)
def test_stat_that_is_not_understood(text: str) -> None:
    with pytest.raises(ValueError, match=r"/proc/stat|not a number"):
        cpu.parse_stat(text)


USES = [
    # before, after, busy, some states
    ((0, 0, 0, 0), (25, 0, 25, 50), 50.0, {"user": 25.0, "system": 25.0, "idle": 50.0}),
    ((100, 0, 0, 1000), (100, 0, 0, 1100), 0.0, {"idle": 100.0}),
    ((7, 7, 7, 7), (107, 7, 7, 7), 100.0, {"user": 100.0}),
    ((0,), (0, 0, 0, 50, 50), 0.0, {"iowait": 50.0, "idle": 50.0}),
    ((0,), (10, 10, 10, 20, 20, 10, 10, 10), 60.0, {"nice": 10.0, "irq": 10.0, "softirq": 10.0, "steal": 10.0}),
    ((0,), (1, 0, 0, 2), 33.33, {"user": 33.33, "idle": 66.67}),
    # What the kernel only estimates may step back: it counts as not having moved.
    ((0, 0, 0, 100, 9), (50, 0, 0, 150, 7), 50.0, {"iowait": 0.0}),
    ((0, 0, 0, 100, 0), (10, 0, 0, 99, 10), 50.0, {"idle": 0.0}),
    ((0, 0, 0, 0, 0, 0, 0, 5), (30, 0, 0, 70, 0, 0, 0, 4), 30.0, {"steal": 0.0}),
]


@pytest.mark.parametrize(("before", "after", "busy", "states"), USES)
def test_use(before: tuple, after: tuple, busy: float, states: dict) -> None:
    use = cpu.cpu_use(times(*before), times(*after))
    assert use.busy_percent == busy
    assert use.states_percent | states == use.states_percent


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        (times(10, 0, 5), times(9, 0, 4, 100), "went backwards: user, system"),
        (times(1, 2, 3, 4), times(1, 2, 3, 4), "did not move"),
        (times(0, 0, 0, 0, 9), times(0, 0, 0, 0, 8), "did not move"),
        (times(1), times(2, online=frozenset({0, 1})), "online or offline"),
    ],
)
def test_readings_that_do_not_belong_together(before: cpu.CpuTimes, after: cpu.CpuTimes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        cpu.cpu_use(before, after)


counters = st.lists(st.integers(0, 10**12), min_size=8, max_size=8)


@given(counters, counters.filter(any))
def test_states_add_up_and_busy_is_their_part(before: list[int], steps: list[int]) -> None:
    after = [start + step for start, step in zip(before, steps, strict=True)]
    use = cpu.cpu_use(times(*before), times(*after))
    states = use.states_percent
    assert sum(states.values()) == pytest.approx(100, abs=0.05)
    assert use.busy_percent == pytest.approx(100 - states["idle"] - states["iowait"], abs=0.05)
    assert 0 <= use.busy_percent <= 100


@pytest.mark.parametrize(
    ("text", "cpus"),
    [("0", {0}), ("0-3", {0, 1, 2, 3}), ("0-1,4,6-7\n", {0, 1, 4, 6, 7}), (" 2 ", {2})],
)
def test_cpu_list(text: str, cpus: set[int]) -> None:
    assert cpu.parse_cpu_list(text) == cpus
    assert cpu.parse_allowed_cpus(f"Name:\tx\nCpus_allowed:\tf\nCpus_allowed_list:\t{text}\n") == cpus


@pytest.mark.parametrize("text", ["", "0,", "a", "0-", "-1", "1_0"])
def test_cpu_list_that_is_not_understood(text: str) -> None:
    with pytest.raises(ValueError, match="not a number"):
        cpu.parse_cpu_list(text)


def test_a_status_without_cpus() -> None:
    with pytest.raises(ValueError, match="does not tell its CPUs"):
        cpu.parse_allowed_cpus("Name:\tinit\n")


@pytest.mark.parametrize(
    ("text", "model"),
    [
        (
            "processor\t: 0\ncpu family\t: 6\nmodel\t\t: 85\nmodel name\t: Xeon: Gold\n\nmodel name\t: other\n",
            "Xeon: Gold",
        ),
        ("processor\t: 0\ncpu\t\t: POWER9, altivec supported\n", "POWER9, altivec supported"),
        ("processor\t: 0\nhart\t: 1\nuarch\t\t: sifive,u74-mc\n", "sifive,u74-mc"),
        ("model name\t:\ncpu model\t\t: MIPS 24Kc V5.0\n", "MIPS 24Kc V5.0"),
    ],
)
def test_model(text: str, model: str) -> None:
    assert cpu.parse_model(text) == model


def test_no_model() -> None:
    with pytest.raises(ValueError, match="names no model"):
        cpu.parse_model("processor\t: 0\nCPU implementer\t: 0x41\n")
