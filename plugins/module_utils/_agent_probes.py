# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Queries that are measured: what a percentile of statements is only estimated to be, a probe knows of itself."""

from __future__ import annotations

import time

from ansible_collections.midi.capacity.plugins.module_utils._errors import OperatorError
from ansible_collections.midi.capacity.plugins.module_utils._latency.rank import rank
from ansible_collections.midi.capacity.plugins.module_utils._postgres import Server, Unreachable
from ansible_collections.midi.capacity.plugins.module_utils._query_text import OWN
from ansible_collections.midi.capacity.plugins.module_utils._snapshot import transaction

# A probe is there to be fast.
PROBE_SECONDS = 10


def measured(server: Server, probes) -> list:
    """[{name, runs, p50_ms, p95_ms, max_ms, reason}]: times of execution and transfer; reason: why there are none."""
    return [_measured(server, probe) for probe in probes]


def _measured(server: Server, probe) -> dict:
    found = {"name": probe.name, "runs": 0, "p50_ms": None, "p95_ms": None, "max_ms": None, "reason": None}
    times = []
    try:
        for _run in range(probe.runs):
            with transaction(server, PROBE_SECONDS):
                started = time.perf_counter()
                server.rows(f"{OWN} {probe.sql}")
                times.append((time.perf_counter() - started) * 1000)
    except Unreachable:
        raise
    except OperatorError as error:
        found["reason"] = error.what
    times.sort()
    if times:
        found.update(runs=len(times), max_ms=round(times[-1], 3))
        for percentile in (50, 95):
            found[f"p{percentile}_ms"] = round(times[rank(percentile, len(times)) - 1], 3)
    return found
