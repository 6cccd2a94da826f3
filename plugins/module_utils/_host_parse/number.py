# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one reading of a number in the kernel's files."""

from __future__ import annotations


def natural(text: str) -> int:
    """A number of up to 20 digits, white space around it. int() alone would take -1, 1_0 and other scripts' digits."""
    word = text.strip()
    if not (word.isascii() and word.isdigit() and len(word) <= 20):
        raise ValueError(f"not a number: {word[:40]!r}")
    return int(word)
