# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Text from elsewhere (names, reasons, statements) as any channel may carry it."""

from __future__ import annotations


def line(text: str, most: int) -> str:
    """One line without control characters, shortened to `most`."""
    found = " ".join(_printable(text).split())
    return found if len(found) <= most else found[: most - 1] + "…"


def lines(text: str, most: int) -> str:
    """The same with its line breaks."""
    found = "\n".join(_printable(one).rstrip() for one in text.split("\n"))
    return found if len(found) <= most else found[: most - 1] + "…"


def _printable(text: str) -> str:
    # A file name that is no UTF-8 has surrogates, which cannot be written.
    known = text.encode("utf-8", "replace").decode("utf-8")
    return "".join(character if character.isprintable() else " " for character in known)
