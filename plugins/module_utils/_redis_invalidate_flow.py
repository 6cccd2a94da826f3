# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The flow of module redis_cache_invalidate: look for the keys of some patterns, and unlink them batch by batch."""

from __future__ import annotations

import time

from ansible_collections.midi.capacity.plugins.module_utils._change import Change
from ansible_collections.midi.capacity.plugins.module_utils._errors import OperatorError
from ansible_collections.midi.capacity.plugins.module_utils._redis import (
    Cache,
    CacheError,
    ReadOnly,
    Unreachable,
)
from ansible_collections.midi.capacity.plugins.module_utils._redis_info.parse import role
from ansible_collections.midi.capacity.plugins.module_utils._redis_keys.distinct import DistinctCount
from ansible_collections.midi.capacity.plugins.module_utils._redis_keys.report import sentence
from ansible_collections.midi.capacity.plugins.module_utils._redis_keys.select import select
from ansible_collections.midi.capacity.plugins.module_utils._redis_latency import LatencyProbe
from ansible_collections.midi.capacity.plugins.module_utils._redis_strategy import (
    refusal,
    refuse_out_of_range,
    refuse_parts_of_a_whole,
    strategy_of,
    warnings,
)

RANGES = {"batch_size": (1, 10000), "scan_count": (10, 10000), "pause_ms": (0, 1000)}


def invalidate(options: dict, check_mode: bool) -> dict:
    """Do what the options of module redis_cache_invalidate say; gives the module's result."""
    refuse_out_of_range(options, RANGES)
    chosen = _chosen(options)
    cache = Cache.connect(options)
    try:
        info = cache.info()
        refuse_parts_of_a_whole(cache, info)
        _refuse_replica(cache, info)
        begun = time.monotonic()
        work = _Work(cache, options, check_mode)
        with LatencyProbe(options) as probe:
            for pattern in chosen:
                work.take(pattern)
        return {
            **_counted(cache, options, work, check_mode, probe.result()),
            "duration_seconds": round(time.monotonic() - begun, 3),
            "server": {"version": cache.version, "role": role(info), "where": cache.where},
            "warnings": warnings(info),
        }
    finally:
        cache.close()


class _Work:
    """Keys by pattern: those that were unlinked, or in check mode would be."""

    def __init__(self, cache: Cache, options: dict, check_mode: bool) -> None:
        self._cache, self._check_mode = cache, check_mode
        self._batch_size, self._scan_count = options["batch_size"], options["scan_count"]
        self._pause_seconds = options["pause_ms"] / 1000
        self.counts: dict = {}
        self.batches = 0

    def take(self, pattern) -> None:
        self.counts[pattern.name] = 0
        try:
            if self._check_mode:
                self._count(pattern)
            else:
                self._unlink(pattern)
        except CacheError as error:
            raise _interrupted(error, sum(self.counts.values()), self._check_mode) from None

    def _count(self, pattern) -> None:
        found = DistinctCount()
        for keys in self._found(pattern):
            for key in keys:
                found.add(key)
            self._pause()
        self.counts[pattern.name] = found.count()

    def _unlink(self, pattern) -> None:
        waiting: list = []
        for keys in self._found(pattern):
            waiting += keys
            while len(waiting) >= self._batch_size:
                self._unlink_batch(pattern, waiting[: self._batch_size])
                del waiting[: self._batch_size]
        if waiting:
            self._unlink_batch(pattern, waiting)

    def _unlink_batch(self, pattern, keys: list) -> None:
        # What is gone already, or came twice, the server does not count.
        self.counts[pattern.name] += self._cache.unlink(keys)
        self.batches += 1
        self._pause()

    def _found(self, pattern):
        """The pattern's keys, as many at a time as a step of SCAN gives."""
        glob, cursor = pattern.template.glob(), "0"
        matches = pattern.template.matches
        while True:
            cursor, keys = self._cache.scan(cursor, self._scan_count, glob)
            mine = [key for key in keys if matches(key)]
            if mine:
                yield mine
            if cursor == "0":
                return

    def _pause(self) -> None:
        # So that others get their turn; it waits for nothing.
        time.sleep(self._pause_seconds)


def _chosen(options: dict) -> list:
    strategy = strategy_of(options, tuple(options["events"]))
    if not strategy.patterns:
        raise OperatorError(
            "the keys declare no pattern, so there is nothing that could be invalidated",
            remedy="declare the cache's keys (for role redis_cache in redis_cache_keys)",
        )
    chosen, problems = select(strategy, options["event"], options["patterns"])
    if problems:
        raise refusal("what to invalidate", problems)
    return chosen


def _refuse_replica(cache: Cache, info: dict) -> None:
    if role(info) == "replica":
        master = f"{info.get('master_host', '?')}:{info.get('master_port', '?')}"
        raise ReadOnly(
            "this server is a replica: what is unlinked here comes back, or is refused",
            cache.where,
            f"connect to its master, which it says is {master}",
        )


def _interrupted(error: CacheError, number: int, check_mode: bool) -> CacheError:
    remedy = f"{error.remedy}; then run again, which takes up where this ended" if error.remedy else "run again"
    details = {**error.details, "unlinked_before": 0 if check_mode else number}
    if check_mode:
        outcome = "nothing was unlinked, for this is check mode"
    elif isinstance(error, Unreachable):
        outcome = f"{_keys(number)} unlinked before that, and perhaps those of the batch that was on its way"
    else:
        outcome = f"{_keys(number)} unlinked before that"
    return type(error)(f"{error.what}; {outcome}", error.where, remedy, details, error.items)


def _keys(number: int) -> str:
    return "1 key" if number == 1 else f"{number} keys"


def _counted(cache: Cache, options: dict, work: _Work, check_mode: bool, latency: dict) -> dict:
    change = Change(f"keys of {cache.where}")
    for name, number in work.counts.items():
        change.add(name, _keys(number), _keys(0))
    counts = list(work.counts.items())
    return {
        "changed": change.changed,
        "diff": change.diff(),
        "msg": sentence(counts, check_mode, latency),
        "event": options["event"] or None,
        "patterns": [{"pattern": name, "key_count": number} for name, number in counts],
        "key_count": sum(work.counts.values()),
        "batches": work.batches,
        "latency": latency,
    }
