# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One process."""

from __future__ import annotations

from typing import NamedTuple

from .number import natural

# Fields of /proc/PID/stat after the name, counted from 0.
_PARENT, _STARTED = 1, 19


class Process(NamedTuple):
    """name: the kernel's, at most 15 characters. started_at: seconds since 1970."""

    name: str
    parent_pid: int
    started_at: float


def parse_process(text: str, boot_seconds: int, ticks_per_second: int) -> Process:
    """/proc/PID/stat: `pid (name) state parent …`. The name may hold anything, closing brackets too."""
    before, _bracket, after = text.rpartition(")")
    name, fields = before.partition("(")[2], after.split()
    if len(fields) <= _STARTED:
        raise ValueError("the process' stat file is not understood")
    return Process(name, natural(fields[_PARENT]), boot_seconds + natural(fields[_STARTED]) / ticks_per_second)


def parse_innermost_pid(text: str) -> int:
    """/proc/PID/status: the process' number as it knows it, which in a container is not that of the host."""
    for line in text.splitlines():
        name, _colon, numbers = line.partition(":")
        if name == "NSpid" and numbers.split():
            return natural(numbers.split()[-1])
    raise ValueError("the process' status file does not say its numbers")


def parse_boot_seconds(text: str) -> int:
    """When the host was started, in seconds since 1970, from /proc/stat."""
    for line in text.splitlines():
        name, _space, value = line.partition(" ")
        if name == "btime":
            return natural(value)
    raise ValueError("/proc/stat does not say when the host was started")
