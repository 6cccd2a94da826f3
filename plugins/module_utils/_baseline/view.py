# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A baseline as the sections of its report look at it."""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Sequence

Json = Dict[str, Any]

MISSING = "missing"
# What the reason for a part begins with that nobody asked for, which is nothing to mend.
NOT_ASKED = "not asked for"


class View:
    """Looks up parts of a baseline's snapshot, and why one is missing."""

    def __init__(self, baseline: Json) -> None:
        self.baseline = baseline
        self.snapshot: Json = baseline["snapshot"]
        self.missing: List[Json] = self.snapshot["missing"]

    def reason(self, part: str) -> Optional[str]:
        """Why a part, or something in it, could not be read; None when all of it could."""
        return next((entry["reason"] for entry in self.missing if within(entry["part"], part)), None)

    def how(self, part: str, got: str) -> str:
        """How a figure was got, or why it is missing; `got` says so when it was read in full."""
        reason = self.reason(part)
        return f"{MISSING}: {reason}" if reason else got


def within(part: str, whole: str) -> bool:
    """Whether `part` is `whole` or below it: health.replication is within health."""
    return part == whole or part.startswith(whole + ".")


def sentence(text: str) -> str:
    """The text with a full stop, first letter large."""
    return ended(text[:1].upper() + text[1:])


def ended(text: str) -> str:
    """The text with one full stop, whether it came with one or not."""
    return text.rstrip(". ") + "."


def listed(names: Sequence[str], longest: int = 5) -> str:
    """a, b, c; a long list is cut, and says how many there are besides."""
    shown = ", ".join(names[:longest])
    return f"{shown} and {len(names) - longest} more" if len(names) > longest else shown
