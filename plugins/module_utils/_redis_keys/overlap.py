# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether two templates can mean the same key: that key would then be dropped, or judged, by the wrong one."""

from __future__ import annotations

from collections import deque
from typing import Deque, List, Optional, Set, Tuple

from ansible_collections.midi.capacity.plugins.module_utils._redis_keys.template import SEPARATOR, Template

# One character of a literal; one character that is no separator; any number of these, even none.
_ANY, _MANY = "any", "many"
_Token = Tuple[str, str]
_SOME_CHARACTER = "x"


def common_key(one: Template, other: Template) -> Optional[str]:
    """A shortest key that both match, or None when there is no such key.

    Walks through both at once: a place is a position in each, and every step takes one character that both allow, or
    leaves a repetition. The first way to both ends is a shortest one.
    """
    left, right = _tokens(one), _tokens(other)
    todo: Deque[Tuple[int, int, str]] = deque([(0, 0, "")])
    seen: Set[Tuple[int, int]] = set()
    while todo:
        at, by, key = todo.popleft()
        if (at, by) in seen:
            continue
        seen.add((at, by))
        if at == len(left) and by == len(right):
            return key
        if at < len(left) and left[at][0] == _MANY:
            todo.appendleft((at + 1, by, key))
        if by < len(right) and right[by][0] == _MANY:
            todo.appendleft((at, by + 1, key))
        if at < len(left) and by < len(right):
            character = _common_character(left[at], right[by])
            if character is not None:
                todo.append((_after(left, at), _after(right, by), key + character))
    return None


def _tokens(template: Template) -> List[_Token]:
    tokens: List[_Token] = []
    for part in template.parts:
        tokens += [(_ANY, ""), (_MANY, "")] if part is None else [("", character) for character in part]
    return tokens


def _common_character(one: _Token, other: _Token) -> Optional[str]:
    (kind, character), (other_kind, other_character) = one, other
    if kind and other_kind:
        return _SOME_CHARACTER
    if not kind and not other_kind:
        return character if character == other_character else None
    literal = character or other_character
    return None if literal == SEPARATOR else literal


def _after(tokens: List[_Token], at: int) -> int:
    return at if tokens[at][0] == _MANY else at + 1
