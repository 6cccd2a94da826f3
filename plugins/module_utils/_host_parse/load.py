# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Load average and uptime."""

from __future__ import annotations

import re

_DECIMAL = re.compile(r"[0-9]{1,18}(\.[0-9]{1,18})?", re.ASCII)


def parse_load_average(text: str) -> list[float]:
    """/proc/loadavg: over 1, 5 and 15 minutes."""
    return _decimals(text, 3)


def parse_uptime_seconds(text: str) -> float:
    """/proc/uptime."""
    return _decimals(text, 1)[0]


def _decimals(text: str, count: int) -> list[float]:
    words = text.split()[:count]
    if len(words) < count or not all(_DECIMAL.fullmatch(word) for word in words):
        raise ValueError(f"not understood: {text[:40]!r}")
    return [float(word) for word in words]
