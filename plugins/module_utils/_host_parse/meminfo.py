# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Memory of the host: /proc/meminfo."""

from __future__ import annotations

import re

_LINE = re.compile(r"([A-Za-z0-9_()]+):[ \t]+([0-9]{1,20})( kB)?[ \t]*\Z", re.ASCII)


def parse_meminfo(text: str) -> dict[str, int]:
    """The kernel's names to bytes, or to a count for those without a unit (HugePages_Total and its like)."""
    matches = [_LINE.match(line) for line in text.splitlines()]
    found = {match[1]: int(match[2]) * (1024 if match[3] else 1) for match in matches if match}
    if not found:
        raise ValueError("/proc/meminfo holds no figure")
    return found
