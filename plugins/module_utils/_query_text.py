# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts of statements: which are this collection's own, and what of them may be shown. Pure.

pg_stat_statements replaces constants in queries, not in all utility statements: ALTER ROLE ... PASSWORD 'x' stands
there as it was typed, and snapshots and reports would carry it on.
"""

from __future__ import annotations

import re

# Stands in the queries of snapshots, so that reports can tell them from the application's.
OWN = "/* midi.capacity */"
MASK = "********"

_MENTION = re.compile(r"passw|secret|api_?key|token", re.IGNORECASE)
# A string begins: 'x', or $tag$x$tag$; a parameter such as $1 is none.
_STRING = re.compile(r"[EeUuBbXx]?&?'|\$(?:[^\W\d]\w*)?\$")
_ASSIGNED = re.compile(r"((?:passw\w*|secret|api_?key|token)\s*=\s*)(?!\$\d)[^\s']+", re.IGNORECASE)
_COMMENT = re.compile(r"/\*.*?(?:\*/|\Z)|--[^\n]*", re.DOTALL)
# A string to its end, or to that of a text that was cut; "names" stay as they are.
_CONSTANT = re.compile(
    r"\b[Ee]'(?:[^'\\]|''|\\.)*(?:'|\Z)|(?:\b[BbXx])?'(?:[^']|'')*(?:'|\Z)"
    r"|\$(?P<tag>(?:[^\W\d]\w*)?)\$.*?(?:\$(?P=tag)\$|\Z)",
    re.DOTALL,
)
_NUMBER = re.compile(r"(?<![\w$.\"])\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w\"])")
_IN_ADDRESS = re.compile(r"(://[^\s:/@']*:)[^\s@']+(?=@)")


def without_literals(text: str) -> str:
    """The text with each constant as "?": strings, and numbers that are no part of a name or of a parameter.

    PostgreSQL leaves them in utility statements, and comments of clients are full of them: those go as a whole.
    """
    own = OWN in text
    text = _COMMENT.sub(" ", text)
    text = _NUMBER.sub("?", _CONSTANT.sub("?", text))
    text = " ".join(text.split())
    return f"{text} {OWN}" if own else text


def without_secrets(text: str) -> str:
    """The text, cut at the first string after a word such as "password"; masked in addresses and in key=value."""
    text = _IN_ADDRESS.sub(r"\g<1>" + MASK, text)
    text = _ASSIGNED.sub(r"\g<1>" + MASK, text)
    mention = _MENTION.search(text)
    string = _STRING.search(text, mention.end()) if mention else None
    return text[: string.start()] + MASK if string else text
