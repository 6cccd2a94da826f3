# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an audit makes of the keys that it looked at, one after the other, in bounded memory."""

from __future__ import annotations

import heapq
import re
from dataclasses import dataclass, field
from typing import Any, Dict, List, Optional, Sequence, Tuple

from ansible_collections.midi.capacity.plugins.module_utils._redis_keys.model import KeyPattern
from ansible_collections.midi.capacity.plugins.module_utils._redis_keys.names import shown

# What Redis says of a key without a time to live, and of one that is gone.
NO_TTL, GONE = -1, -2


@dataclass(frozen=True)
class Observation:
    """One key. ttl_ms: PTTL, NO_TTL or None where it could not be read; size_bytes: MEMORY USAGE or None likewise."""

    key: str
    ttl_ms: Optional[int]
    size_bytes: Optional[int]


@dataclass(frozen=True)
class Extent:
    """How far the audit got. total: the keys that there were when it began; whole: whether it saw them all."""

    looked_at: int
    total: int
    whole: bool

    def estimated(self, found: int) -> int:
        """What a figure of the sample comes to for all keys."""
        if self.whole or not self.looked_at:
            return found
        # Keys that came meanwhile do not make the whole smaller than what was seen.
        return round(found * max(self.total, self.looked_at) / self.looked_at)


@dataclass
class _Count:
    keys: int = 0
    ttl_known: int = 0
    without_ttl: int = 0
    above_ttl: int = 0
    size_known: int = 0
    size_bytes: int = 0
    largest_bytes: int = 0
    above_max: int = 0
    examples: Dict[str, List[str]] = field(default_factory=dict)

    def example(self, kind: str, key: str, most: int) -> None:
        known = self.examples.setdefault(kind, [])
        if len(known) < most:
            known.append(shown(key))


class Tally:
    """Adds observations up. largest, examples: how many of each to keep."""

    def __init__(self, patterns: Sequence[KeyPattern], largest: int, examples: int) -> None:
        self._patterns = list(patterns)
        self._counts = [_Count() for _pattern in patterns]
        self._others = _Count()
        # One expression for all: no two match one key, so the group that matched tells which it was.
        groups = [f"(?P<p{place}>{pattern.template.expression()})" for place, pattern in enumerate(patterns)]
        self._any = re.compile("|".join(groups)) if groups else None
        self._most_largest, self._most_examples = largest, examples
        self._largest: List[Tuple[int, str, Optional[int]]] = []

    def add(self, seen: Observation) -> None:
        place = self._place(seen.key)
        count = self._others if place is None else self._counts[place]
        count.keys += 1
        if place is None:
            count.example("keys", seen.key, self._most_examples)
        self._add_ttl(seen, count, place)
        self._add_size(seen, count, place)

    def largest(self) -> List[Tuple[int, str, Optional[KeyPattern]]]:
        """Size in bytes, key and pattern of the largest values, the largest first."""
        return [
            (size, key, None if place is None else self._patterns[place])
            for size, key, place in sorted(self._largest, key=lambda found: (-found[0], found[1]))
        ]

    def patterns(self, extent: Extent) -> List[Dict[str, Any]]:
        """As `audit.patterns` of module redis_cache_audit_info."""
        return [
            {
                "pattern": pattern.name,
                "meaning": pattern.meaning,
                "ttl_seconds": pattern.ttl_seconds,
                "max_value_bytes": pattern.max_value_bytes,
                **_figures(count, extent),
                "above_ttl": count.above_ttl if count.ttl_known or not count.keys else None,
                "above_max_value_bytes": (
                    None if pattern.max_value_bytes is None or _unknown(count) else count.above_max
                ),
                "examples": {
                    kind: count.examples.get(kind, []) for kind in ("without_ttl", "above_ttl", "above_max_value_bytes")
                },
            }
            for pattern, count in ((self._patterns[place], self._counts[place]) for place in range(len(self._counts)))
        ]

    def unmatched(self, extent: Extent) -> Dict[str, Any]:
        """As `audit.unmatched` of module redis_cache_audit_info."""
        return {**_figures(self._others, extent), "examples": self._others.examples.get("keys", [])}

    def _place(self, key: str) -> Optional[int]:
        found = self._any.fullmatch(key) if self._any else None
        return int(str(found.lastgroup)[1:]) if found else None

    def _add_ttl(self, seen: Observation, count: _Count, place: Optional[int]) -> None:
        if seen.ttl_ms is None:
            return
        count.ttl_known += 1
        if seen.ttl_ms == NO_TTL:
            count.without_ttl += 1
            count.example("without_ttl", seen.key, self._most_examples)
        elif place is not None and seen.ttl_ms > self._patterns[place].ttl_seconds * 1000:
            count.above_ttl += 1
            count.example("above_ttl", seen.key, self._most_examples)

    def _add_size(self, seen: Observation, count: _Count, place: Optional[int]) -> None:
        if seen.size_bytes is None:
            return
        count.size_known += 1
        count.size_bytes += seen.size_bytes
        count.largest_bytes = max(count.largest_bytes, seen.size_bytes)
        bound = None if place is None else self._patterns[place].max_value_bytes
        if bound is not None and seen.size_bytes > bound:
            count.above_max += 1
            count.example("above_max_value_bytes", seen.key, self._most_examples)
        heapq.heappush(self._largest, (seen.size_bytes, seen.key, place))
        if len(self._largest) > self._most_largest:
            heapq.heappop(self._largest)


def _unknown(count: _Count) -> bool:
    return count.keys > 0 and count.size_known == 0


def _figures(count: _Count, extent: Extent) -> Dict[str, Any]:
    unknown = _unknown(count)
    return {
        "key_count": count.keys,
        "key_count_estimated": extent.estimated(count.keys),
        "without_ttl": count.without_ttl if count.ttl_known or not count.keys else None,
        "memory_bytes": None if unknown else count.size_bytes,
        # Keys whose size nobody may read count as large as the others of their kind.
        "memory_bytes_estimated": (
            None if unknown else extent.estimated(round(count.size_bytes * count.keys / max(count.size_known, 1)))
        ),
        "largest_bytes": None if unknown else count.largest_bytes,
    }
