# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lines of a log, counted by what they mean, with a few of each as examples."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Dict, List, Optional, Sequence

from ansible_collections.midi.capacity.plugins.module_utils._query_text import MASK, without_secrets
from ansible_collections.midi.capacity.plugins.module_utils._report.markdown import shortened
from ansible_collections.midi.capacity.plugins.module_utils._stress.patterns import (
    ERROR,
    FILES,
    FILES_PER_SECOND,
    PROGRESS,
    WARNING,
    LogPattern,
)

EXAMPLES = 3
LONGEST_EXAMPLE = 240
# What colours a terminal, and what no report should have.
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|[\x00-\x08\x0b-\x1f\x7f]")


@dataclass
class _Found:
    pattern: LogPattern
    lines: int = 0
    examples: List[str] = field(default_factory=list)


class LogTally:
    """Adds lines up. secrets: texts that no example may show, beside those that look like one."""

    def __init__(self, patterns: Sequence[LogPattern], secrets: Sequence[str] = ()) -> None:
        # The longest first: one may be part of another.
        self._secrets = sorted(filter(None, secrets), key=len, reverse=True)
        self._lines = 0
        self._found = [_Found(pattern) for pattern in patterns]
        self._unmatched = 0
        self._unmatched_examples: List[str] = []
        self.files: Optional[int] = None
        self.files_per_second: Optional[float] = None

    def add(self, line: str) -> None:
        self._lines += 1
        for found in self._found:
            match = found.pattern.regex.search(line)
            if match:
                found.lines += 1
                self._keep(found.examples, line)
                if found.pattern.kind == PROGRESS:
                    self._read_numbers(match.groupdict())
                return
        self._unmatched += 1
        self._keep(self._unmatched_examples, line)

    @property
    def errors(self) -> int:
        return self._of_kind(ERROR)

    def result(self) -> Dict[str, Any]:
        """{lines, errors, warnings, unmatched, unmatched_examples, files, files_per_second, patterns}.

        patterns: {name, kind, lines, examples} of each, in order, those that matched nothing among them.
        """
        return {
            "lines": self._lines,
            "errors": self.errors,
            "warnings": self._of_kind(WARNING),
            "unmatched": self._unmatched,
            "unmatched_examples": self._unmatched_examples,
            "files": self.files,
            "files_per_second": self.files_per_second,
            "patterns": [
                {
                    "name": found.pattern.name,
                    "kind": found.pattern.kind,
                    "lines": found.lines,
                    "examples": found.examples,
                }
                for found in self._found
            ],
        }

    def _of_kind(self, kind: str) -> int:
        return sum(found.lines for found in self._found if found.pattern.kind == kind)

    def _keep(self, examples: List[str], line: str) -> None:
        if len(examples) < EXAMPLES:
            examples.append(shortened(masked(line, self._secrets), LONGEST_EXAMPLE))

    def _read_numbers(self, groups: Dict[str, Optional[str]]) -> None:
        files, rate = number(groups.get(FILES)), number(groups.get(FILES_PER_SECOND))
        if files is not None:
            # Several processes may write one log, and their lines overtake each other.
            self.files = max(self.files or 0, int(files))
        if rate is not None:
            self.files_per_second = rate


def masked(line: str, secrets: Sequence[str] = ()) -> str:
    """A line without colours, and without what is a secret or looks like one. secrets: the longest first."""
    text = _ESCAPES.sub("", line)
    for secret in secrets:
        text = text.replace(secret, MASK)
    return without_secrets(text)


def number(text: Optional[str]) -> Optional[float]:
    """1,234.5 and 1_234 as people and programs write them; None for what is none."""
    try:
        return float((text or "").replace(",", "").replace("_", "").strip())
    except ValueError:
        return None
