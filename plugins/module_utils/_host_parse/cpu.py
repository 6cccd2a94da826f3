# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CPU: the counters of /proc/stat, the use of CPU between two readings of them, and what else names CPUs."""

from __future__ import annotations

from typing import NamedTuple

from .number import natural

# The columns of /proc/stat. Two more, guest and guest_nice, are left out: user and nice already include them.
STATES = ("user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal")
IDLE_STATES = ("idle", "iowait")
# The kernel estimates these per CPU, so they are known to step back a little; the others only grow.
WAVERING_STATES = ("idle", "iowait", "steal")
# What /proc/cpuinfo calls the model: x86, MIPS, POWER, RISC-V, old ARM. 64-bit ARM names none.
MODEL_KEYS = ("model name", "cpu model", "cpu", "uarch", "Processor")


class CpuTimes(NamedTuple):
    """ticks: per state, summed over CPUs since boot. online: the numbers of the CPUs that are online."""

    ticks: dict[str, int]
    online: frozenset[int]


class CpuUse(NamedTuple):
    """Percent of all online CPUs over a window; busy is everything but idle and iowait."""

    busy_percent: float
    states_percent: dict[str, float]


def parse_stat(text: str) -> CpuTimes:
    """The `cpu` lines of /proc/stat. Columns that an old kernel lacks count as 0."""
    rows = [line.split() for line in text.splitlines() if line.startswith("cpu")]
    totals = [row[1:] for row in rows if row[0] == "cpu"]
    online = frozenset(natural(row[0][3:]) for row in rows if row[0] != "cpu")
    if not totals or len(totals[0]) < 4 or not online:
        raise ValueError("/proc/stat has no usable lines of CPU times")
    words = totals[0] + ["0"] * len(STATES)
    return CpuTimes({state: natural(words[column]) for column, state in enumerate(STATES)}, online)


def cpu_use(before: CpuTimes, after: CpuTimes) -> CpuUse:
    """What happened between two readings. ValueError when they do not belong together."""
    if before.online != after.online:
        raise ValueError("CPUs went online or offline while they were measured")
    moved = {state: after.ticks[state] - before.ticks[state] for state in STATES}
    backwards = [state for state in STATES if moved[state] < 0 and state not in WAVERING_STATES]
    if backwards:
        raise ValueError(f"the CPU counters went backwards: {', '.join(backwards)}")
    moved = {state: max(ticks, 0) for state, ticks in moved.items()}
    total = sum(moved.values())
    if total == 0:
        raise ValueError("the CPU counters did not move while they were measured")
    busy = total - sum(moved[state] for state in IDLE_STATES)
    return CpuUse(_percent(busy, total), {state: _percent(ticks, total) for state, ticks in moved.items()})


def parse_cpu_list(text: str) -> frozenset[int]:
    """CPU numbers from the kernel's notation, for example `0-3,8`."""
    cpus: set[int] = set()
    for part in text.strip().split(","):
        first, dash, last = part.partition("-")
        cpus.update(range(natural(first), natural(last if dash else first) + 1))
    return frozenset(cpus)


def parse_allowed_cpus(text: str) -> frozenset[int]:
    """The CPUs that a process may run on, from its /proc/PID/status; some of them may be offline."""
    for line in text.splitlines():
        name, _colon, value = line.partition(":")
        if name == "Cpus_allowed_list":
            return parse_cpu_list(value)
    raise ValueError("the status of the process does not tell its CPUs")


def parse_model(text: str) -> str:
    """The model's name from /proc/cpuinfo, of the first CPU."""
    named: dict[str, str] = {}
    for line in text.splitlines():
        name, _colon, value = line.partition(":")
        if value.strip():
            named.setdefault(name.strip(), value.strip())
    for key in MODEL_KEYS:
        if key in named:
            return named[key]
    raise ValueError("/proc/cpuinfo names no model")


def _percent(part: int, whole: int) -> float:
    return round(100.0 * part / whole, 2)
