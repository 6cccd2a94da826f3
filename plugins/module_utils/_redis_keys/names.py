# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of keys for people: a key is any bytes, and a report is text."""

from __future__ import annotations

LONGEST = 120


def shown(key: str) -> str:
    """The key, what cannot be printed as \\x.., and at most LONGEST characters of it.

    key: text in UTF-8 whose bytes that are none are surrogates, as surrogateescape makes them.
    """
    text = "".join(character if character.isprintable() else _escaped(character) for character in key[: LONGEST + 1])
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _escaped(character: str) -> str:
    return "".join(f"\\x{byte:02x}" for byte in character.encode("utf-8", "surrogateescape"))
