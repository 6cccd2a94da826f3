# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of the kernel that are files, as it shows them."""

from __future__ import annotations

import re


def value_of(text: str) -> str:
    """What a file in /proc/sys or /sys says. Where it lists the words that it takes, the one in brackets counts."""
    chosen = re.search(r"(?:^|\s)\[(\S+)\](?:\s|$)", text)
    return chosen.group(1) if chosen else " ".join(text.split())
