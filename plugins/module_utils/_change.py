# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Before and after, recorded once: `changed` and the diff both come from it, so they cannot disagree."""

from __future__ import annotations


class Change:
    """Collects what a module finds and what it wants, per name."""

    def __init__(self, header: str) -> None:
        self._header = header
        self._before: dict = {}
        self._after: dict = {}

    def add(self, name: str, before: str | None, after: str | None) -> None:
        """Record one name; None means that there is no such thing on that side."""
        self._before[name] = before
        self._after[name] = after

    @property
    def changed(self) -> bool:
        return self._before != self._after

    def differing(self) -> list:
        """The names that are not the same on both sides, sorted."""
        return sorted(name for name in self._before if self._before[name] != self._after[name])

    def diff(self) -> dict:
        """Ansible's diff: one `name = value` line per name that differs, sorted; empty texts when nothing does."""
        names = self.differing()
        return {
            "before_header": self._header,
            "after_header": self._header,
            "before": _lines(self._before, names),
            "after": _lines(self._after, names),
        }


def _lines(side: dict, names: list) -> str:
    return "".join(f"{name} = {side[name]}\n" for name in names if side[name] is not None)
