# SPDX-License-Identifier: GPL-3.0-or-later
"""An entry of pg_stat_statements, counting as PostgreSQL does (pgss_store and pg_stat_statements_internal)."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any


class Counters:
    """since: when the entry began; None before PostgreSQL 17, which does not say it."""

    def __init__(self, since: str | None = "09:00") -> None:
        self.calls = 0
        self.total = self.mean = self.squares = self.min = self.max = 0.0
        self.since = self.minmax_since = since

    def count(self, times: Iterable[float]) -> Counters:
        for time in times:
            self._add(time)
        return self

    def _add(self, time: float) -> None:
        self.calls += 1
        self.total += time
        if self.calls == 1:
            self.min = self.max = self.mean = time
            return
        # Welford's method, as there.
        before = self.mean
        self.mean += (time - before) / self.calls
        self.squares += (time - before) * (time - self.mean)
        if self.min == 0 and self.max == 0:
            self.min = self.max = time
        self.min, self.max = min(self.min, time), max(self.max, time)

    def reset_minmax(self, at: str) -> None:
        """pg_stat_statements_reset(…, minmax_only => true)"""
        self.min = self.max = 0.0
        self.minmax_since = at

    def read(self) -> dict[str, Any]:
        return {
            "calls": self.calls,
            "total_exec_time": self.total,
            "mean_exec_time": self.mean,
            "stddev_exec_time": math.sqrt(self.squares / self.calls) if self.calls > 1 else 0.0,
            "min_exec_time": self.min,
            "max_exec_time": self.max,
            "stats_since": self.since,
            "minmax_stats_since": self.minmax_since,
        }
