# SPDX-License-Identifier: GPL-3.0-or-later
"""Percentiles as the agent estimates them, against every single call.

Of each workload there are two truths. The server's: the duration of every execution as auto_explain logs it, by the
timer that pg_stat_statements sums up. This is what the estimate and its bounds are about, so it has to be within them.
The client's: the latency of every transaction in pgbench's own log, without its lag behind the schedule. A transaction
is one statement, so the difference of the two is planning, commit, network and the client's own queue: `outside` in the
table, the mean of it. Where it is a large part, as of statements that take no time, the estimate is off by it.

What stands for the captures of an hour, every 5 minutes, is scaled down to a few seconds each.
"""

from __future__ import annotations

import contextlib
import math
import re
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import psycopg2
from ansible_collections.midi.capacity.plugins.module_utils._agent.latency import latency
from ansible_collections.midi.capacity.plugins.module_utils._agent_store import STATEMENTS, Store
from ansible_collections.midi.capacity.plugins.module_utils._latency.estimate import NO, UNDECIDABLE, YES, below

from demo.embedded import after, size
from demo.servers import EmbeddedPostgres, postgres_bin
from tests.bench.agent import Agent, login

DATABASE = "postgres"
CLIENTS = 8
# As many captures as an hour has.
WINDOWS, WINDOW_SECONDS = 12, 2.5
# So that the counters have a past, as they have on a server that has run for long.
BEFORE_SECONDS = 6
LIMIT_MS = 200.0
PERCENTILES = ("p50", "p95", "p99")
SETTINGS = {
    "shared_preload_libraries": "'pg_stat_statements,auto_explain'",
    "auto_explain.log_min_duration": "0",
    "auto_explain.log_analyze": "off",
    # Who it was: of the agent's own statements nothing is wanted.
    "log_line_prefix": "'%u '",
    "max_connections": "50",
}
DURATION = re.compile(r"^bench LOG:  duration: ([0-9.]+) ms  plan:", re.MULTILINE)


@dataclass(frozen=True)
class Workload:
    """scripts: of pgbench, one statement each, with their weights. rate: transactions a second; 0 is as many as go."""

    scripts: tuple[tuple[str, int], ...]
    rate: int = 0
    clients: int = CLIENTS


def _twelve() -> Iterator[tuple[str, int]]:
    """Twelve statements, of which a few are most of the calls and others take most of the time."""
    for number in range(1, 13):
        # The number is a part of the statement, as the name of a column, so that they are told apart.
        table = f"(SELECT 1 AS c{number}) AS s{number}"
        usual = 0.4 * 1.7**number
        yield f"{_SPREAD} SELECT c{number}, pg_sleep({usual} / 1000 * exp(:g / 2000.0)) FROM {table}", 24 // number


# A normal deviate, in thousandths: the sum of twelve that are spread evenly. pgbench's own is cut at a few deviations.
_SPREAD = "\\set g " + " + ".join(["random(-500, 500)"] * 12) + "\n"
WORKLOADS = {
    "light": Workload(
        (("\\set a random(1, 100000)\nSELECT abalance FROM pgbench_accounts WHERE aid = :a", 1),), rate=250
    ),
    "bimodal parameters": Workload(
        (
            (
                "\\set slow random(1, 100)\n\\set n CASE WHEN :slow <= 12 THEN 90000 ELSE 200 END\n"
                "SELECT sum(abalance) FROM pgbench_accounts WHERE aid <= :n",
                1,
            ),
        ),
        rate=100,
    ),
    "row locks": Workload(
        (
            (
                "\\set b random_zipfian(1, 10, 1.2)\n"
                "WITH held AS (UPDATE pgbench_tellers SET tbalance = tbalance + 1 WHERE tid = :b RETURNING tid)"
                " SELECT pg_sleep(0.015) FROM held",
                1,
            ),
        )
    ),
    "12 statements": Workload(tuple(_twelve()), rate=200, clients=2 * CLIENTS),
    "lognormal": Workload(((f"{_SPREAD}SELECT pg_sleep(0.060 * exp(:g * 0.8 / 1000.0))", 1),), clients=2 * CLIENTS),
}


def run() -> str:
    """P50, P95 and P99 of five workloads as the agent estimates them, against pgbench's log of every transaction."""
    lines: list[str] = []
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        server = EmbeddedPostgres(directory / "pg", SETTINGS)
        server.create()
        server.start()
        try:
            _prepare(server)
            for reset in (False, True):
                lines += ["", _title(reset), _HEADING]
                every: list[_Compared] = []
                for title, workload in WORKLOADS.items():
                    found = _measured(directory / f"{title} {reset}", server, workload, reset)
                    compared = _compared(found)
                    lines += _rows(title, found, compared)
                    every += compared
                lines += _summary(every)
        finally:
            server.stop()
    lines += ["", f"PostgreSQL {server.version()}, {WINDOWS} windows of {WINDOW_SECONDS:g} s each; {_LEGEND}"]
    text = "\n".join(lines[1:])
    if _OUTSIDE in text:
        raise RuntimeError(f"what is certain is not so:\n{text}")
    return text


@dataclass(frozen=True)
class _Found:
    """estimate: of _agent.latency. server, client: ms of every call."""

    estimate: dict[str, Any]
    server: list[float]
    client: list[float]


_HEADING = (
    f"{'':<20}{'calls':>7}{'outside':>9}{'':>5}{'estimate':>10}{'pgbench':>10}{'error':>19}{'server':>10}{'error':>8}"
    f"{'certainly between':>22}{'in it':>9}{f'P95 below {LIMIT_MS:g} ms':>34}"
)
_LEGEND = (
    "outside: mean latency that is not execution in the server; server: by auto_explain, and what is certain is of"
    " that; the verdict against the one by pgbench's log"
)


def _title(reset: bool) -> str:
    if reset:
        return "with minmax_reset: captures reset the shortest and the longest call"
    return "by default: of the longest call only a new record is known"


@dataclass(frozen=True)
class _Compared:
    """One percentile of one workload, in ms: what is said of it, and both truths."""

    name: str
    entry: dict[str, float]
    client: float
    server: float

    @property
    def estimate(self) -> float:
        return self.entry["estimate_ms"]

    @property
    def certain(self) -> bool:
        # auto_explain writes thousandths.
        return self.entry["lower_ms"] <= self.server + 0.0005 and self.server - 0.0005 <= self.entry["upper_ms"]

    @property
    def verdict(self) -> tuple[str, str]:
        """What is said of the limit, and what that is worth."""
        said, truth = below(self.entry, LIMIT_MS), YES if self.client < LIMIT_MS else NO
        return f"{said}, is {truth}", _OPEN if said == UNDECIDABLE else _RIGHT if said == truth else _WRONG


def _compared(found: _Found) -> list[_Compared]:
    percentiles = found.estimate["percentiles"]
    truths = {
        name: [_percentile(values, int(name[1:])) for values in (found.client, found.server)] for name in PERCENTILES
    }
    return [_Compared(name, percentiles[name], *truths[name]) for name in PERCENTILES]


def _rows(title: str, found: _Found, compared: list[_Compared]) -> list[str]:
    outside = sum(found.client) / len(found.client) - sum(found.server) / len(found.server)
    lines = []
    for one in compared:
        bounds = f"{one.entry['lower_ms']:.2f} .. {one.entry['upper_ms']:.2f}"
        line = f"{title:<20}{len(found.client):>7,}{f'{outside:.2f} ms':>9}" if not lines else f"{'':<36}"
        line += f"{one.name.upper():>5}{one.estimate:>10.2f}{one.client:>10.2f}{_error(one.estimate, one.client):>19}"
        line += f"{one.server:>10.2f}{100 * (one.estimate / one.server - 1):>+7.0f}%{bounds:>22}"
        line += f"{'yes' if one.certain else _OUTSIDE:>9}"
        if one.name == "p95":
            line += f"{': '.join(one.verdict):>34}"
        lines.append(line)
    return lines


def _summary(every: list[_Compared]) -> list[str]:
    errors = ", ".join(
        f"{name.upper()} {median(abs(one.estimate / one.server - 1) for one in every if one.name == name):.0%}"
        for name in PERCENTILES
    )
    verdicts = [one.verdict[1] for one in every if one.name == "p95"]
    counts = ", ".join(f"{verdicts.count(worth)} {worth}" for worth in (_RIGHT, _OPEN, _WRONG))
    return [
        f"median error against the server: {errors}; certain of {sum(one.certain for one in every)} in {len(every)};"
        f" verdicts: {counts}"
    ]


_OUTSIDE = "OUTSIDE"
_RIGHT, _OPEN, _WRONG = "right", "not wrong", "WRONG"


def _error(estimate: float, truth: float) -> str:
    return f"{100 * (estimate / truth - 1):+.0f} %, {estimate - truth:+.2f} ms"


def _percentile(values: list[float], percentile: int) -> float:
    """One of the calls: the shortest one that this percentage of all did not exceed."""
    return sorted(values)[math.ceil(len(values) * percentile / 100) - 1]


def _prepare(server: EmbeddedPostgres) -> None:
    with contextlib.closing(_connected(server)) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE EXTENSION pg_stat_statements")
        cursor.execute("CREATE ROLE bench LOGIN SUPERUSER")
        cursor.execute("CREATE ROLE agent LOGIN IN ROLE pg_monitor")
        # It resets the shortest and the longest call, where that is asked for.
        cursor.execute("GRANT EXECUTE ON FUNCTION pg_stat_statements_reset(oid, oid, bigint, boolean) TO agent")
    _Pgbench(server, "--initialize", "--quiet", "--scale=1").check()


def _connected(server: EmbeddedPostgres) -> Any:
    connection = psycopg2.connect(host=str(server.socket), port=server.port, user="postgres", dbname=DATABASE)
    connection.autocommit = True
    return connection


def _measured(directory: Path, server: EmbeddedPostgres, workload: Workload, reset: bool) -> _Found:
    directory.mkdir()
    agent = Agent(directory, postgres=login(server, "agent", DATABASE), minmax_reset=reset, database=DATABASE)
    arguments = ["--no-vacuum", f"--client={workload.clients}", "--jobs=2"]
    for number, (text, weight) in enumerate(workload.scripts):
        (directory / f"{number}.sql").write_text(f"{text};\n")
        arguments.append(f"--file={directory}/{number}.sql@{weight}")
    arguments += [f"--rate={workload.rate}"] if workload.rate else []
    with contextlib.closing(_connected(server)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_statements_reset()")
    _Pgbench(server, *arguments, f"--time={BEFORE_SECONDS}").check()
    agent.run("capture")
    seen = size(server.log)
    seconds = math.ceil(WINDOWS * WINDOW_SECONDS)
    log = ("--log", f"--log-prefix={directory}/transactions")
    load = _Pgbench(server, *arguments, f"--time={seconds}", *log)
    begun = time.monotonic()
    for number in range(1, WINDOWS):
        time.sleep(max(0.0, begun + number * WINDOW_SECONDS - time.monotonic()))
        agent.run("capture")
    load.check()
    agent.run("capture")
    durations = [float(text) for text in DURATION.findall(after(server.log, seen))]
    client = [latency for path in directory.glob("transactions*") for latency in _latencies(path, workload.rate)]
    found = _estimated(agent)
    if not len(durations) == len(client) == found["calls"]:
        raise RuntimeError(f"calls: {len(client)} by pgbench, {len(durations)} by auto_explain, {found['calls']} by us")
    return _Found(found, durations, client)


def _latencies(path: Path, rate: int) -> Iterator[float]:
    """client_id transaction_no time script_no time_epoch time_us [schedule_lag], in microseconds."""
    for line in path.read_text().splitlines():
        fields = line.split()
        yield (int(fields[2]) - (int(fields[6]) if rate else 0)) / 1000


def _estimated(agent: Agent) -> dict[str, Any]:
    """As a snapshot finds it out."""
    with Store.open(str(agent.history)) as store:
        captures = [(head, store.document(head["id"])) for head in store.heads(STATEMENTS)]
    found = latency(captures, 100)
    assert found is not None
    return found


class _Pgbench:
    """A run of it; check() waits for its end."""

    def __init__(self, server: EmbeddedPostgres, *arguments: str) -> None:
        place = [f"--host={server.socket}", f"--port={server.port}", "--username=bench", DATABASE]
        self._process = subprocess.Popen(
            [str(postgres_bin() / "pgbench"), *arguments, *place],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def check(self) -> None:
        said, _nothing = self._process.communicate()
        if self._process.returncode != 0:
            raise RuntimeError(f"pgbench failed: {said.strip()[-500:]}")
