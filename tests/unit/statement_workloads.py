# SPDX-License-Identifier: GPL-3.0-or-later
"""Workloads whose every call is known: what a few statements do in each twelfth of a window."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator

# Statement and milliseconds.
Call = tuple[str, float]
# Its random numbers, and which twelfth of the window it is.
Workload = Callable[[random.Random, int], Iterator[Call]]
WINDOWS = 12


def lognormal(chance: random.Random, median: float, width: float) -> float:
    return median * math.exp(chance.gauss(0, width))


def one(calls: int, time: Callable[[random.Random, int], float]) -> Workload:
    """One statement only."""
    return lambda chance, part: (("a", time(chance, part)) for _call in range(calls))


def cold_cache(chance: random.Random, part: int) -> float:
    missed = chance.random() < (0.6 if part == 0 else 0.03)
    return lognormal(chance, 40, 0.5) if missed else lognormal(chance, 3, 0.3)


def zipf(chance: random.Random, _part: int) -> Iterator[Call]:
    """100 statements, the most frequent of which is an eighth of all; each has a time of its own."""
    for statement in chance.choices(range(100), [1 / (place + 1) for place in range(100)], k=700):
        yield f"s{statement}", lognormal(chance, 10 ** ((statement * 37 % 100) / 40), 0.3 + (statement % 7) / 10)


def rare(chance: random.Random, _part: int) -> Iterator[Call]:
    for statement in range(40):
        for _call in range(chance.choice([0, 1, 1, 2, 5])):
            yield f"s{statement}", lognormal(chance, 3 + 2 * statement, 0.7)


def locks(chance: random.Random, _part: int) -> Iterator[Call]:
    """pgbench's transaction: updates of one row wait for each other."""
    for _transaction in range(120):
        yield "select", lognormal(chance, 0.5, 0.3)
        yield "accounts", lognormal(chance, 1, 0.3)
        yield "tellers", lognormal(chance, 1, 0.3) + (chance.expovariate(1 / 20) if chance.random() < 0.4 else 0)
        yield "branches", lognormal(chance, 1, 0.3) + (chance.expovariate(1 / 60) if chance.random() < 0.6 else 0)
        yield "history", lognormal(chance, 0.6, 0.3)


def pauses(chance: random.Random, _part: int) -> Iterator[Call]:
    for statement, median in (("a", 0.2), ("b", 2), ("c", 9)):
        for _call in range(150):
            paused = chance.uniform(20, 60) if chance.random() < 0.01 else 0
            yield statement, lognormal(chance, median, 0.25) + paused


def reports(chance: random.Random, _part: int) -> Iterator[Call]:
    for statement in range(10):
        for _call in range(40):
            yield f"s{statement}", lognormal(chance, 0.5 * (statement + 1), 0.5)
    for _call in range(30):
        yield "report", lognormal(chance, 800, 0.4)


WORKLOADS: dict[str, Workload] = {
    "lognormal": one(300, lambda chance, _part: lognormal(chance, 20, 0.5)),
    "lognormal, wide": one(300, lambda chance, _part: lognormal(chance, 3, 1.2)),
    "bimodal": one(300, lambda chance, _part: lognormal(chance, *((5, 0.15) if chance.random() < 0.88 else (90, 0.2)))),
    "trimodal": one(300, lambda chance, _part: lognormal(chance, chance.choice([5, 5, 25, 150]), 0.1)),
    "one in ten waits": one(300, lambda chance, _part: lognormal(chance, 300 if chance.random() < 0.1 else 2, 0.5)),
    "three in a hundred wait": one(
        300, lambda chance, _part: lognormal(chance, 300 if chance.random() < 0.03 else 6, 0.5)
    ),
    "two in a thousand hang": one(
        300, lambda chance, _part: chance.uniform(200, 2000) if chance.random() < 0.002 else lognormal(chance, 10, 0.3)
    ),
    "time limit": one(300, lambda chance, _part: min(5000.0, lognormal(chance, 30, 1.4))),
    "uniform": one(300, lambda chance, _part: chance.uniform(1, 100)),
    "exponential": one(300, lambda chance, _part: chance.expovariate(1 / 25)),
    "two exponentials": one(300, lambda chance, _part: chance.expovariate(1 / (5 if chance.random() < 0.9 else 90))),
    "offset": one(300, lambda chance, _part: 20 + chance.expovariate(1 / 8)),
    "normal": one(300, lambda chance, _part: max(1.0, chance.gauss(30, 6))),
    "Pareto 1.5": one(300, lambda chance, _part: 3 * chance.paretovariate(1.5)),
    "cold cache": one(300, cold_cache),
    "load that shifts": one(300, lambda chance, part: lognormal(chance, 5 if part < 6 else 25, 0.5)),
    "plan that flips": one(300, lambda chance, part: lognormal(chance, 80 if part in (4, 5) else 2, 0.4)),
    "Zipf mixture": zipf,
    "pauses of the server": pauses,
    "rare statements": rare,
    "row locks": locks,
    "reports": reports,
}
