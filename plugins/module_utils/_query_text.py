# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts of statements: which are this collection's own, and what of them may be shown. Pure.

pg_stat_statements replaces constants in queries, not in all utility statements: ALTER ROLE ... PASSWORD 'x' stands
there as it was typed, and snapshots and reports would carry it on.
"""

from __future__ import annotations

import re
from typing import List

# Stands in the queries of snapshots, so that reports can tell them from the application's.
OWN = "/* midi.capacity */"
MASK = "********"

_MENTION = re.compile(r"passw|secret|api_?key|token", re.IGNORECASE)
# A string begins: 'x', or $tag$x$tag$; a parameter such as $1 is none.
_STRING = re.compile(r"[EeUuBbXx]?&?'|\$(?:[^\W\d]\w*)?\$")
_ASSIGNED = re.compile(r"((?:passw\w*|secret|api_?key|token)\s*=\s*)(?!\$\d)[^\s']+", re.IGNORECASE)
# PostgreSQL's own lexical rules, in their order; what is not closed goes to the end, because texts are cut.
_TOKEN = re.compile(
    r"""(?P<gap>\s+|--[^\n]*)
    |(?P<comment>/\*)
    |(?P<constant>
        [Ee]'(?:[^'\\]|''|\\.)*(?:'|\\?\Z)
        |(?:[BbXxNn]|[Uu]&)?'(?:[^']|'')*(?:'|\Z)
        |\$(?P<tag>(?:[^\W\d]\w*)?)\$.*?(?:\$(?P=tag)\$|\Z)
        |0[xX][\da-fA-F_]+|0[oO][0-7_]+|0[bB][01_]+
        |(?:\d[\d_]*(?:\.[\d_]*)?|\.\d[\d_]*)(?:[eE][+-]?\d+)?)
    |(?P<kept>(?:[Uu]&)?"[^"]*(?:"|\Z)|\$\d+|[^\W\d][\w$]*|.)""",
    re.DOTALL | re.VERBOSE,
)
_COMMENT_END = re.compile(r"/\*|\*/")
_IN_ADDRESS = re.compile(r"(://[^\s:/@']*:)[^\s@']+(?=@)")


def without_literals(text: str) -> str:
    """The text with each constant as "?": strings, and numbers that are no part of a name or of a parameter.

    PostgreSQL leaves them in utility statements, and comments of clients are full of them: those go as a whole.
    """
    found: List[str] = []
    match = _TOKEN.match(text)
    while match:
        found.append(match["kept"] or ("?" if match["constant"] else " "))
        match = _TOKEN.match(text, _after_comment(text, match.end()) if match["comment"] else match.end())
    shape = " ".join("".join(found).split())
    return f"{shape} {OWN}" if OWN in text else shape


def _after_comment(text: str, at: int) -> int:
    """Where the comment ends whose beginning ends there; comments of PostgreSQL have comments in them."""
    depth = 1
    for match in _COMMENT_END.finditer(text, at):
        depth += 1 if match[0] == "/*" else -1
        if not depth:
            return match.end()
    return len(text)


def without_secrets(text: str) -> str:
    """The text, cut at the first string after a word such as "password"; masked in addresses and in key=value."""
    text = _IN_ADDRESS.sub(r"\g<1>" + MASK, text)
    text = _ASSIGNED.sub(r"\g<1>" + MASK, text)
    mention = _MENTION.search(text)
    string = _STRING.search(text, mention.end()) if mention else None
    return text[: string.start()] + MASK if string else text
