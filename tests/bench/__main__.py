# SPDX-License-Identifier: GPL-3.0-or-later
"""python -m tests.bench [NAME...]: runs all benchmarks, or those that are named, and prints their figures."""

from __future__ import annotations

import signal
import sys

from tests.bench import agent_cost, estimator, history_year, phase1, settings

BENCHMARKS = {
    "settings": settings.run,
    "phase1": phase1.run,
    "agent_cost": agent_cost.run,
    "estimator": estimator.run,
    "history_year": history_year.run,
}


def main(names: list[str]) -> int:
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        print(f"bench: there is no {unknown[0]!r}: choose from {', '.join(BENCHMARKS)}", file=sys.stderr)
        return 2
    # So that what a benchmark started is removed however it ends.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    for name in names or BENCHMARKS:
        print(f"== {name}: {(BENCHMARKS[name].__doc__ or '').strip()}", flush=True)
        print(BENCHMARKS[name](), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
