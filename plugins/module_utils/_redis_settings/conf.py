# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The text of a redis.conf: what its lines say, and the same text with some of them as wanted."""

from __future__ import annotations

import re
import shlex
from typing import Any, Dict, List, Mapping, Optional, Sequence

from ansible_collections.midi.capacity.plugins.module_utils._redis_settings import catalog, values

_PLAIN = re.compile(r"[^\s\"'\\#]+\Z")
EMPTY = '""'
# A setting that has a line for each pair.
_SAVE = "save"


def words(line: str) -> List[str]:
    """The words of a line; none for a comment, or where quotes do not close."""
    if line.lstrip().startswith("#"):
        return []
    try:
        return shlex.split(line)
    except ValueError:
        return []


def value_of(text: str, name: str) -> Optional[str]:
    """What the lines of one setting say, or None where there are none; of most settings the last line counts."""
    found = [words(line)[1:] for line in text.splitlines() if _names(line, name)]
    if not found:
        return None
    return " ".join(word for part in (found if name == _SAVE else found[-1:]) for word in part)


def has_users(text: str) -> bool:
    """Whether users are declared in it; the server does not start with those and an ACL file."""
    return any(_names(line, "user") for line in text.splitlines())


def with_settings(text: str, wanted: Mapping[str, str]) -> str:
    """The text with a line for each setting, where its first line was, or at the end; all else stays as it is.

    wanted: values as CONFIG GET shows them. What says the same in other words is left alone.
    """
    lines = text.splitlines()
    for name, value in wanted.items():
        places = [at for at, line in enumerate(lines) if _names(line, name)]
        if places and _says(text, name, value) and (name == _SAVE or len(places) == 1):
            continue
        kept = [line for at, line in enumerate(lines) if at not in places]
        start = places[0] if places else len(kept)
        lines = [*kept[:start], *rows(name, value), *kept[start:]]
    return "".join(f"{line}\n" for line in lines)


def rows(name: str, value: str) -> List[str]:
    """The lines that give a setting a value, as CONFIG GET shows it."""
    if name == _SAVE and value:
        parts = value.split()
        return [f"{name} {parts[at]} {parts[at + 1]}" for at in range(0, len(parts), 2)]
    if name in catalog.ROWS and value:
        return [f"{name} {value}"]
    text = values.rendered(name, value)
    return [f"{name} {text if text == EMPTY else _quoted(text)}"]


def canonical(wanted: Mapping[str, Any], known: Mapping[str, str]) -> Dict[str, str]:
    """The values as CONFIG GET shows them. known: what it shows now, as far as that is known. Raises InvalidValue."""
    return {name: _one(name, value, known.get(name, "")) for name, value in wanted.items()}


def _one(name: str, wanted: Any, current: str) -> str:
    value = values.canonical(name, wanted, current, closed=False)
    if re.search(r"[\x00-\x1f]", value):
        raise values.InvalidValue("has a line break or another control character in its value")
    return value


def _says(text: str, name: str, value: str) -> bool:
    found = value_of(text, name)
    try:
        return found is not None and values.same(name, values.canonical(name, found, value, closed=False), value)
    except values.InvalidValue:
        return False


def _names(line: str, name: str) -> bool:
    found: Sequence[str] = words(line)
    return bool(found) and found[0].lower() == name


def _quoted(text: str) -> str:
    if _PLAIN.match(text):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
