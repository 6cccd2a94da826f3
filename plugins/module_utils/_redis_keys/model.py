# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The key strategy, read from data and checked as a whole."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import Any, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.midi.capacity.plugins.module_utils._redis_keys import template
from ansible_collections.midi.capacity.plugins.module_utils._redis_keys.overlap import common_key
from ansible_collections.midi.capacity.plugins.module_utils._redis_keys.template import Template

FIELDS = ("pattern", "meaning", "ttl_seconds", "max_value_bytes", "invalidated_by")

_EVENT = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*\Z")


@dataclass(frozen=True)
class KeyPattern:
    """One kind of key. max_value_bytes: None where values have no bound; invalidated_by: names of events."""

    template: Template
    meaning: str
    ttl_seconds: int
    max_value_bytes: Optional[int] = None
    invalidated_by: Tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What people call it: its template as they wrote it."""
        return self.template.text


@dataclass(frozen=True)
class Strategy:
    """All kinds of keys of a cache, no two of which can mean one key. events: every name that may be asked for."""

    patterns: Tuple[KeyPattern, ...]
    events: Tuple[str, ...]


def read(keys: Any, events: Any = ()) -> Tuple[Optional[Strategy], List[str]]:
    """The strategy, or None and everything that is wrong, a sentence each.

    keys: a list of mappings with the FIELDS; max_value_bytes and invalidated_by may be left out.
    events: the names of all events that there are; when it is empty, those in invalidated_by are.
    """
    if not isinstance(keys, (list, tuple)):
        return None, ["the keys are no list: give a list of mappings, each with " + ", ".join(FIELDS)]
    declared, faults = _names(events)
    problems = [f"the list of events {fault}" for fault in faults]
    patterns: List[KeyPattern] = []
    templates: List[Template] = []
    for position, entry in enumerate(keys, 1):
        known, found, faults = _entry(entry, declared)
        problems += [f"{_label(entry, position)}: {fault}" for fault in faults]
        templates += [known] if known else []
        patterns += [found] if found else []
    problems += _overlaps(templates)
    if problems:
        return None, problems
    named = [event for pattern in patterns for event in pattern.invalidated_by]
    return Strategy(tuple(patterns), tuple(dict.fromkeys([*declared, *named]))), []


def _label(entry: Any, position: int) -> str:
    name = entry.get("pattern") if isinstance(entry, Mapping) else None
    return f"pattern {name}" if name and isinstance(name, str) else f"entry {position}"


def _entry(entry: Any, events: Sequence[str]) -> Tuple[Optional[Template], Optional[KeyPattern], List[str]]:
    """The template alone, too, so that overlaps show even where something else is wrong."""
    if not isinstance(entry, Mapping):
        return None, None, ["it is no mapping: give it " + ", ".join(FIELDS)]
    problems = [_unknown_field(str(name)) for name in entry if name not in FIELDS]
    known, faults = _template(entry.get("pattern"))
    meaning, fault = _meaning(entry.get("meaning"))
    ttl, ttl_fault = _whole_number(entry.get("ttl_seconds"), "ttl_seconds", "the seconds that a key may live")
    bound: Optional[int] = None
    bound_fault: List[str] = []
    if entry.get("max_value_bytes") is not None:
        bound, bound_fault = _whole_number(
            entry["max_value_bytes"], "max_value_bytes", "the bytes that a value may have"
        )
    names, name_faults = _names(entry.get("invalidated_by"))
    problems += [*faults, *fault, *ttl_fault, *bound_fault]
    problems += [f"invalidated_by {text}" for text in name_faults]
    problems += [_unknown_event(name, events) for name in names if events and name not in events]
    if problems or known is None:
        return known, None, problems
    return known, KeyPattern(known, meaning, ttl, bound, tuple(names)), []


def _unknown_field(name: str) -> str:
    close = difflib.get_close_matches(name, FIELDS, n=1)
    return f"{name} means nothing: " + (f"did you mean {close[0]}?" if close else f"known are {', '.join(FIELDS)}")


def _template(text: Any) -> Tuple[Optional[Template], List[str]]:
    if not isinstance(text, str) or not text:
        return None, ["pattern is missing: write how the keys look, as in tag:{tag_id}"]
    return template.parse(text)


def _meaning(text: Any) -> Tuple[str, List[str]]:
    if not isinstance(text, str) or not text.strip():
        return "", ["meaning is missing: say what a key of it holds"]
    return " ".join(text.split()), []


def _whole_number(value: Any, name: str, what: str) -> Tuple[int, List[str]]:
    if isinstance(value, str) and re.match(r"[0-9]{1,18}\Z", value):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value < 10**18:
        had = "missing" if value is None else repr(value)
        return 0, [f"{name} is {had}: give {what}, a whole number from 1 on"]
    return value, []


def _names(value: Any) -> Tuple[List[str], List[str]]:
    """Names of events, or what is wrong with them, to be put behind the name of the list."""
    if value is None:
        return [], []
    if not isinstance(value, (list, tuple)):
        return [], ["is no list: write [import_completed], or [] for nothing"]
    problems = [
        f"has {name!r}, which cannot be an event: a name has letters, digits, dots, dashes and underscores"
        for name in value
        if not isinstance(name, str) or not _EVENT.match(name)
    ]
    problems += [
        f"has {name} twice" for name in dict.fromkeys(map(str, value)) if list(map(str, value)).count(name) > 1
    ]
    return ([], problems) if problems else (list(value), [])


def _unknown_event(name: str, events: Sequence[str]) -> str:
    close = difflib.get_close_matches(name, events, n=1)
    return f"invalidated_by has {name}, which is no event: " + (
        f"did you mean {close[0]}?" if close else f"known are {', '.join(events)}"
    )


def _overlaps(templates: Sequence[Template]) -> List[str]:
    problems = []
    for place, one in enumerate(templates):
        for other in templates[place + 1 :]:
            key = common_key(one, other)
            if key is not None and one.text == other.text:
                problems.append(f"pattern {one.text} is given twice")
            elif key is not None:
                problems.append(
                    f"patterns {one.text} and {other.text} overlap, both mean the key {key}: give one another beginning"
                )
    return problems
