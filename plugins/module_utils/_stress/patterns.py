# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the lines of a command's log mean, as data: checked whole, before anything is run."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Dict, List, Pattern, Sequence

ERROR, WARNING, PROGRESS, IGNORE = "error", "warning", "progress", "ignore"
KINDS = (ERROR, WARNING, PROGRESS, IGNORE)
# Groups of a regular expression whose text is a number: the files until now, and the command's own rate.
FILES, FILES_PER_SECOND = "files", "files_per_second"
_KEYS = ("name", "regex", "kind")


@dataclass(frozen=True)
class LogPattern:
    """kind: one of KINDS. A line belongs to the first pattern whose regex is found in it."""

    name: str
    regex: Pattern[str]
    kind: str


class BadPatterns(ValueError):
    """problems: a sentence for each fault."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = list(problems)


def parse(given: Sequence[Any]) -> List[LogPattern]:
    """The patterns in their order. Raises BadPatterns with all that is wrong."""
    problems: List[str] = []
    found: List[LogPattern] = []
    for place, entry in enumerate(given, start=1):
        faults = _faults(entry)
        problems += [f"pattern {place}: {fault}" for fault in faults]
        if not faults:
            found.append(LogPattern(str(entry["name"]), re.compile(str(entry["regex"])), entry["kind"]))
    names = [pattern.name for pattern in found]
    problems += [f"the name {name} is there {names.count(name)} times" for name in sorted(set(_repeated(names)))]
    if problems:
        raise BadPatterns(problems)
    return found


def _faults(entry: Any) -> List[str]:
    if not isinstance(entry, dict):
        return [f"it has to be a dictionary with {', '.join(_KEYS)}, not {entry!r}"]
    unknown = sorted(str(key) for key in entry if key not in _KEYS)
    faults = [f"there is no key {key}: known are {', '.join(_KEYS)}" for key in unknown]
    faults += [f"it lacks {key}" for key in _KEYS if not str(entry.get(key, "") or "")]
    return faults or [*_kind_faults(entry), *_regex_faults(entry)]


def _kind_faults(entry: Dict[str, Any]) -> List[str]:
    kind = entry["kind"]
    return [] if kind in KINDS else [f"kind is one of {', '.join(KINDS)}, not {kind!r}"]


def _regex_faults(entry: Dict[str, Any]) -> List[str]:
    try:
        re.compile(str(entry["regex"]))
    except re.error as error:
        return [f"{entry['regex']!r} is no regular expression: {error}"]
    return []


def _repeated(names: Sequence[str]) -> List[str]:
    return [name for name in names if names.count(name) > 1]
