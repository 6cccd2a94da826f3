# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one error type that reaches people: what is wrong, where, what to do."""

from __future__ import annotations

from typing import Any


class OperatorError(Exception):
    """Something an operator has to mend.

    Utilities raise it (or a subclass), only a module's main() turns it into fail_json.

    what: the fault, as a sentence without a full stop.
    where: file:line, host:port, setting, or empty.
    remedy: what to do about it, as an instruction; empty only when `what` already says it.
    details: JSON-able facts that go into the module's result beside the message.
    items: where several things are wrong at once, a sentence for each.
    """

    def __init__(
        self,
        what: str,
        where: str = "",
        remedy: str = "",
        details: dict[str, Any] | None = None,
        items: list[str] | None = None,
    ) -> None:
        self.what = what
        self.where = where
        self.remedy = remedy
        self.details = details or {}
        self.items = items or []
        super().__init__(str(self))

    def __str__(self) -> str:
        text = self.what
        if self.where:
            text += f" ({self.where})"
        text += ":" if self.items else _end(text)
        text += "".join(f"\n  - {item}" for item in self.items)
        if self.remedy:
            text += ("\n" if self.items else " ") + f"To mend it: {self.remedy}{_end(self.remedy)}"
        return text


def _end(sentence: str) -> str:
    return "" if sentence.endswith("?") else "."
