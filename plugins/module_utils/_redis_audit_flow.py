# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The flow of module redis_cache_audit_info: look at some keys, or all, and compare them with the strategy."""

from __future__ import annotations

import time
from datetime import datetime, timezone

from ansible_collections.midi.capacity.plugins.module_utils._redis import (
    Cache,
    CacheError,
    KeyNotPermitted,
    NotPermitted,
)
from ansible_collections.midi.capacity.plugins.module_utils._redis_info.parse import role
from ansible_collections.midi.capacity.plugins.module_utils._redis_keys.audit import GONE, Extent, Observation, Tally
from ansible_collections.midi.capacity.plugins.module_utils._redis_keys.names import shown
from ansible_collections.midi.capacity.plugins.module_utils._redis_strategy import (
    keys_in_database,
    refuse_out_of_range,
    refuse_parts_of_a_whole,
    strategy_of,
    warnings,
)
from ansible_collections.midi.capacity.plugins.module_utils._report import human

RANGES = {
    "sample_size": (0, 100000000),
    "scan_count": (10, 10000),
    "time_limit_seconds": (1, 3600),
    "memory_samples": (1, 1000),
    "largest": (0, 100),
    "examples": (0, 100),
}
# As many keys as are asked about in one round trip.
CHUNK = 250

END, SAMPLE_SIZE, TIME_LIMIT = "end", "sample_size", "time_limit"


def audit(options: dict) -> dict:
    """What the options of module redis_cache_audit_info ask for; gives the module's result."""
    refuse_out_of_range(options, RANGES)
    strategy = strategy_of(options)
    cache = Cache.connect(options)
    try:
        info = cache.info()
        refuse_parts_of_a_whole(cache, info)
        began = datetime.now(timezone.utc)
        look = _Look(cache, options, Tally(strategy.patterns, options["largest"], options["examples"]))
        stopped_by = look.run()
        extent = Extent(look.looked_at, keys_in_database(info), stopped_by == END)
        largest = look.largest()
        found = {
            "taken_at": began.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "extent": {
                "whole": extent.whole,
                "stopped_by": stopped_by,
                "key_count": extent.total,
                "looked_at": extent.looked_at,
                "hits_caused": look.hits_caused,
                "how": _in_words(extent, stopped_by, options["memory_samples"], look.hits_caused),
            },
            "patterns": look.tally.patterns(extent),
            "unmatched": look.tally.unmatched(extent),
            "largest": largest,
            "missing": look.missing(),
            "server": {"version": cache.version, "role": role(info), "where": cache.where},
        }
        return {"changed": False, "audit": found, "warnings": warnings(info)}
    finally:
        cache.close()


class _Look:
    """Goes through the keys with SCAN until the end, the sample or the time is reached."""

    def __init__(self, cache: Cache, options: dict, tally: Tally) -> None:
        self._cache, self._options = cache, options
        self.tally = tally
        self.looked_at = 0
        self._ttl = _Reading(cache, "PTTL")
        self._size = _Reading(cache, "MEMORY USAGE", "SAMPLES", options["memory_samples"])
        self._type = _Reading(cache, "TYPE")

    def run(self) -> str:
        """What it was stopped by."""
        deadline = time.monotonic() + self._options["time_limit_seconds"]
        seen: set = set()
        cursor = "0"
        while True:
            cursor, keys = self._cache.scan(cursor, self._options["scan_count"])
            # One that comes twice counts once; hashes take less room than keys.
            new = list({hash(key): key for key in keys if hash(key) not in seen}.values())
            left = self._options["sample_size"] - self.looked_at if self._options["sample_size"] else len(new)
            for place in range(0, min(len(new), left), CHUNK):
                if time.monotonic() > deadline:
                    return TIME_LIMIT
                chunk = new[place : min(place + CHUNK, left)]
                seen.update(map(hash, chunk))
                self._observe(chunk)
            if cursor == "0":
                return END if len(new) <= left else SAMPLE_SIZE
            if self._options["sample_size"] and self.looked_at >= self._options["sample_size"]:
                return SAMPLE_SIZE
            if time.monotonic() > deadline:
                return TIME_LIMIT

    def largest(self) -> list:
        """The largest values, with their types."""
        found = self.tally.largest()
        types = self._type.of([key for _size, key, _pattern in found])
        return [
            {"key": shown(key), "pattern": pattern.name if pattern else None, "bytes": size, "type": kind}
            for (size, key, pattern), kind in _side_by_side(found, types)
        ]

    @property
    def hits_caused(self) -> int:
        """Redis counts PTTL and TYPE as lookups of a client."""
        return self._ttl.asked + self._type.asked

    def missing(self) -> list:
        named = {"ttl": self._ttl, "memory": self._size, "type": self._type}
        return [
            {"part": part, "key_count": reading.failures, "reason": reading.reason}
            for part, reading in named.items()
            if reading.reason
        ]

    def _observe(self, keys: list) -> None:
        for key, ttl_ms, size in _side_by_side(keys, self._ttl.of(keys), self._size.of(keys)):
            # It was there when SCAN saw it, and has expired or been removed since.
            if ttl_ms != GONE:
                self.tally.add(Observation(key, ttl_ms, size))
                self.looked_at += 1


class _Reading:
    """One command, asked about many keys; what cannot be read is None, and counted with the first reason."""

    def __init__(self, cache: Cache, command: str, *arguments) -> None:
        self._cache, self._command, self._arguments = cache, command, arguments
        self._given_up = False
        self.asked = 0
        self.failures = 0
        self.reason = ""

    def of(self, keys: list) -> list:
        if self._given_up or not keys:
            self.failures += len(keys)
            return [None] * len(keys)
        self.asked += len(keys)
        return [self._value(answer) for answer in self._cache.for_each(self._command, keys, *self._arguments)]

    def _value(self, answer):
        if not isinstance(answer, CacheError):
            return answer
        if not isinstance(answer, NotPermitted):
            raise answer
        # Where it is not about the key it will be no other for the next: the server logs every refusal.
        self._given_up = self._given_up or not isinstance(answer, KeyNotPermitted)
        self.failures += 1
        self.reason = self.reason or (f"{answer.what}: {answer.remedy}" if answer.remedy else answer.what)
        return None


def _side_by_side(*lists: list) -> list:
    # A server that answers less often than it is asked must not shift them; zip's strict is newer than some hosts.
    if len({len(part) for part in lists}) > 1:
        raise ValueError(f"lists of different lengths: {[len(part) for part in lists]}")
    return [tuple(part[place] for part in lists) for place in range(len(lists[0]))]


def _in_words(extent: Extent, stopped_by: str, memory_samples: int, hits_caused: int) -> str:
    looked_at = human.count(extent.looked_at)
    if extent.whole:
        how = f"All {looked_at} keys of database 0 were looked at."
    else:
        share = human.percent(extent.looked_at, max(extent.total, extent.looked_at))
        limits = {SAMPLE_SIZE: "the sample size", TIME_LIMIT: "the time limit"}
        how = (
            f"A sample: {looked_at} of {human.count(extent.total)} keys of database 0 ({share}), in the order of SCAN,"
            f" which depends on neither their names nor their age; {limits[stopped_by]} ended it. Estimates are the"
            " sample's figures scaled to all keys."
        )
    return (
        f"{how} Sizes are those of MEMORY USAGE, which estimates a collection from {memory_samples} of its elements."
        f" Looking counted as {human.count(hits_caused)} hits in the server's statistics."
    )
