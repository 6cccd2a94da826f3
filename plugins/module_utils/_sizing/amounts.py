# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Amounts of memory: bytes inside, PostgreSQL's units outside, where 1 GB is 1024 MB."""

from __future__ import annotations

from typing import Union

from ansible_collections.midi.capacity.plugins.module_utils._report import human

KB = 1024
MB = 1024 * KB
GB = 1024 * MB
# What pages in shared memory are counted in.
BLOCK = 8 * KB

_UNITS = ("B", "kB", "MB", "GB", "TB")
# A size is rounded down by less than this part of it.
_ROUNDING = 32


def shown(number_bytes: Union[int, float]) -> str:
    """For people, three digits at most: 64 GB, 1.41 MB."""
    return human.size(number_bytes, _UNITS)


def rounded_down(number_bytes: int) -> int:
    """A size that stays the same when the memory it is a share of changes a little: 16076 MB -> 15872 MB.

    The step is the greatest power of two that is at most a 32nd, and one block at least.
    """
    step = BLOCK
    while step * 2 * _ROUNDING <= number_bytes:
        step *= 2
    return number_bytes // step * step
