# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Key templates such as `tag:{tag_id}`: read, and turned into what SCAN and Python match with.

{name} stands for one or more characters, none of them a colon, because colons separate the parts of a key. A backslash
takes its meaning from one of { } * ? [ ] and the backslash itself; a bare * ? [ or ] is refused as somebody's glob.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import List, Optional, Tuple

SEPARATOR = ":"

_TOKEN = re.compile(
    r"\\(?P<escaped>[{}*?\[\]\\])|(?P<backslash>\\)|\{(?P<name>[^{}\\]*)\}|(?P<brace>[{}])|(?P<glob>[*?\[\]])"
    r"|(?P<text>[^\\{}*?\[\]]+)"
)
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
# What Redis' matcher gives a meaning to outside of brackets.
_GLOB_SPECIAL = re.compile(r"([*?\[\\])")


@dataclass(frozen=True)
class Template:
    """parts: literal texts, and None for each placeholder; no two neighbours are of one kind."""

    text: str
    parts: Tuple[Optional[str], ...]

    def glob(self) -> str:
        """For SCAN MATCH. It matches every key that the template matches, and some more."""
        # At least one character: Redis' * also stands for none.
        return "".join("?*" if part is None else _GLOB_SPECIAL.sub(r"\\\1", part) for part in self.parts)

    def expression(self) -> str:
        """A regular expression that matches exactly the template's keys, where it is used with fullmatch."""
        return "".join(f"[^{SEPARATOR}]+" if part is None else re.escape(part) for part in self.parts)

    def matches(self, key: str) -> bool:
        return re.fullmatch(self.expression(), key) is not None


def parse(text: str) -> Tuple[Optional[Template], List[str]]:
    """A template, or None and everything that is wrong with it."""
    parts: List[Optional[str]] = []
    names: List[str] = []
    problems: List[str] = []
    for token in _TOKEN.finditer(text):
        kind, value = str(token.lastgroup), token[str(token.lastgroup)]
        if kind == "name":
            problems += _placeholder_problems(value, names, bool(parts) and parts[-1] is None)
            names.append(value)
            parts.append(None)
        elif kind in ("escaped", "text"):
            _append_literal(parts, value)
        else:
            problem = _stray(kind, value)
            problems += [] if problem in problems else [problem]
    if not problems and not any(part is not None and part.strip(SEPARATOR) for part in parts):
        problems.append(
            "has no fixed part, so it would take keys of everybody: begin it with a word, as in tag:{tag_id}"
        )
    return (None, problems) if problems else (Template(text, tuple(parts)), [])


def _placeholder_problems(name: str, before: List[str], follows_placeholder: bool) -> List[str]:
    problems = []
    if not _NAME.match(name):
        problems.append(f"has {{{name}}}: a placeholder's name has letters, digits and underscores, a digit not first")
    elif name in before:
        problems.append(f"has {{{name}}} twice: give each placeholder a name of its own")
    if follows_placeholder:
        problems.append(
            f"has {{{before[-1]}}} and {{{name}}} side by side, so nobody can tell them apart: put a colon between"
        )
    return problems


def _append_literal(parts: List[Optional[str]], value: str) -> None:
    if parts and parts[-1] is not None:
        parts[-1] += value
    else:
        parts.append(value)


def _stray(kind: str, value: str) -> str:
    if kind == "glob":
        return f"has a bare {value}: write {{name}} for the part that varies, or \\{value} for the character itself"
    if kind == "brace":
        return f"has a {value} without its partner: a placeholder is {{name}}, and the character itself is \\{value}"
    return "has a backslash that stands before none of { } * ? [ ] \\: write \\\\ for the character itself"
