# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A baseline as the sections of its report look at it."""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Optional, Sequence

from ansible_collections.midi.capacity.plugins.module_utils._report import human
from ansible_collections.midi.capacity.plugins.module_utils._windows import caches, snapshots
from ansible_collections.midi.capacity.plugins.module_utils._windows.errors import NotAWindow

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
        begin = baseline.get("begin") or {"snapshot": None, "cache": None}
        # As packages _windows makes them, or None.
        self.window = _window(snapshots.window, begin["snapshot"], self.snapshot)
        self.cache_window = _window(caches.window, begin["cache"], baseline["cache"])

    def reason(self, part: str) -> Optional[str]:
        """Why a part, or something in it, could not be read; None when all of it could."""
        return next((entry["reason"] for entry in self.missing if within(entry["part"], part)), None)

    def how(self, part: str, got: str) -> str:
        """How a figure was got, or why it is missing; `got` says so when it was read in full."""
        reason = self.reason(part)
        return f"{MISSING}: {reason}" if reason else got


def over(window: Json) -> str:
    """How a figure of a window was got."""
    return f"measured over {human.seconds(window['seconds'])}"


def reasons(window: Json, part: str) -> List[str]:
    """What is to be said about a part of a window."""
    return [entry["reason"] for entry in window["reasons"] if entry["part"] == part]


def _window(difference: Callable[[Json, Json], Json], begin: Optional[Json], end: Optional[Json]) -> Optional[Json]:
    if begin is None or end is None:
        return None
    try:
        return difference(begin, end)
    except NotAWindow:
        # Check mode does not wait, and a cache tells whole seconds only.
        return None


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
