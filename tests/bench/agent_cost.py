# SPDX-License-Identifier: GPL-3.0-or-later
"""What the agent costs a server, beside an exporter that is scraped.

Database time is what pg_stat_statements counts of a role: planning and execution of all its statements, those of
transactions and settings included. Each of those that are compared has a role of its own. It leaves out logging in and
parsing; so the CPU time of all processes of the server stands beside it, in which everything is.
"""

from __future__ import annotations

import contextlib
import io
import itertools
import os
import sqlite3
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import psycopg2

from demo import library
from demo.options import USUAL_FILES
from demo.processes import working_in
from demo.progress import Progress
from demo.servers import EmbeddedPostgres
from tests.bench import exporter
from tests.bench.agent import Agent, login

ROUNDS = 15
STATEMENTS = 1000
MOST_ROWS = 5000
# What there is in an hour, by default; of the exporter, by Prometheus' own.
CAPTURES, SCRAPES = 11, 60
SNAPSHOT, CAPTURE, SCRAPE, WIDE = "snapshot", "capture", "scrape", "scrape, wide"
# Each of what is compared has a role of its own, and a capture that of the snapshot's.
ROLES = {SNAPSHOT: "agent", CAPTURE: "agent", SCRAPE: "exporter", WIDE: "exporter_wide"}
SETTINGS = {
    "shared_preload_libraries": "'pg_stat_statements'",
    "pg_stat_statements.track_planning": "on",
    "autovacuum": "off",
}
COLUMNS = """
SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'
  AND table_name IN (SELECT relname FROM pg_class WHERE relkind = 'r') ORDER BY 1, ordinal_position
"""
DATABASE_MS = """
SELECT coalesce(sum(total_plan_time + total_exec_time), 0), coalesce(sum(calls), 0) FROM pg_stat_statements
WHERE userid = %s::regrole
"""


def run() -> str:
    """A snapshot and a capture of the agent, and a scrape of Debian's exporter: 172,000 files, 1,000 statements."""
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        directory = Path(name)
        package = exporter.package(directory / "package")
        server = EmbeddedPostgres(directory / "pg", SETTINGS)
        server.create()
        server.start()
        stack.callback(server.stop)
        library.load(server, USUAL_FILES, Progress(io.StringIO(), library.expected_rows(USUAL_FILES)))
        bench = _Bench(
            server, Agent(directory, postgres=login(server, "agent", library.DATABASE), growth_table="files")
        )
        stack.callback(bench.close)
        source = f"host={server.socket} port={server.port} dbname={library.DATABASE}"
        scraped = {
            title: stack.enter_context(
                exporter.running(package.program, directory / f"{role}.log", f"{source} user={role}", *arguments)
            )
            for title, role, arguments in (
                (SCRAPE, "exporter", ()),
                (WIDE, "exporter_wide", (f"--extend.query-path={package.queries}",)),
            )
        }
        works: dict[str, Callable[[], Any]] = {
            SNAPSHOT: lambda: bench.agent.run("snapshot"),
            CAPTURE: lambda: bench.agent.run("capture"),
            SCRAPE: scraped[SCRAPE].scrape,
            WIDE: scraped[WIDE].scrape,
        }
        # The first of each has more to do: there is no history yet, and no connection.
        for work in works.values():
            bench.load()
            work()
        taken = [{title: bench.cost(title, work) for title, work in works.items()} for _round in range(ROUNDS)]
        found = {
            title: {
                **{figure: median(one[title][figure] for one in taken) for figure in taken[0][title]},
                "least_ms": min(one[title]["database_ms"] for one in taken),
            }
            for title in works
        }
        lines = [*_table(found), _in_an_hour(found), *bench.slowest(SNAPSHOT), *bench.slowest(SCRAPE)]
        told = [text for one in scraped.values() for text in exporter.failures(one.log)]
    lines += [
        f"PostgreSQL {server.version()}, {exporter.PACKAGE} {package.version}; medians of {ROUNDS} rounds, in each of"
        f" which all {STATEMENTS} statements run before each of the four",
        "scrape: its default collectors; wide: with the queries for statements and tables that its package ships",
        *(f"of the exporter this failed: {text}" for text in sorted(set(told))),
    ]
    return "\n".join(lines)


class _Bench:
    """The server, its load, and what is measured of it."""

    def __init__(self, server: EmbeddedPostgres, agent: Agent) -> None:
        self.server, self.agent = server, agent
        self._connection = psycopg2.connect(
            host=str(server.socket), port=server.port, user="postgres", dbname=library.DATABASE
        )
        self._connection.autocommit = True
        self._rows("CREATE EXTENSION pg_stat_statements")
        # Of what has loaded the library nothing is left.
        self._rows("SELECT pg_stat_statements_reset()")
        for role in sorted(set(ROLES.values())):
            self._rows(f"CREATE ROLE {role} LOGIN IN ROLE pg_monitor")
        self._statements = self._distinct()
        self.load()
        ((number,),) = self._rows(
            "SELECT count(*) FROM pg_stat_statements WHERE calls = 1 AND query LIKE %s", ("%/* load */%",)
        )
        if number != STATEMENTS:
            raise RuntimeError(f"the load has {number} statements, not {STATEMENTS}")

    def close(self) -> None:
        self._connection.close()

    def load(self) -> None:
        with self._connection.cursor() as cursor:
            for statement in self._statements:
                cursor.execute(statement)

    def cost(self, title: str, work: Callable[[], Any]) -> dict[str, float]:
        """Of one run."""
        self.load()
        before = self._database(title), _cpu_ms(self.server), self._history_bytes()
        begun = time.monotonic()
        done = work()
        wall = time.monotonic() - begun
        after = self._database(title), _cpu_ms(self.server), self._history_bytes()
        ours = title in (SNAPSHOT, CAPTURE)
        return {
            "database_ms": after[0][0] - before[0][0],
            "statements": after[0][1] - before[0][1],
            "server_cpu_ms": after[1] - before[1],
            "wall_ms": 1000 * wall,
            "cpu_ms": 1000 * done.cpu_seconds if ours else float("nan"),
            "bytes": after[2] - before[2] if ours else len(done),
        }

    def slowest(self, title: str, most: int = 8) -> list[str]:
        """Where a role's time in the database goes, for one call each."""
        rows = self._rows(
            "SELECT (total_plan_time + total_exec_time) / calls, total_plan_time / calls, rows / calls, query"
            " FROM pg_stat_statements WHERE userid = %s::regrole ORDER BY 1 DESC LIMIT %s",
            (ROLES[title], most),
        )
        lines = [f"  {each:>6.2f} ms, planning {plan:.2f}  {count:>5} rows  {' '.join(text.split())[:90]}"
                 for each, plan, count, text in rows]  # fmt: skip
        return [f"where the database time of a {title} goes", *lines]

    def _database(self, title: str) -> tuple[float, int]:
        ((spent, calls),) = self._rows(DATABASE_MS, (ROLES[title],))
        return spent, calls

    def _history_bytes(self) -> int:
        if not self.agent.history.exists():
            return 0
        with contextlib.closing(sqlite3.connect(self.agent.history)) as history:
            history.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            pages, free, size = (
                history.execute(f"PRAGMA {name}").fetchone()[0]
                for name in ("page_count", "freelist_count", "page_size")
            )
        return int((pages - free) * size)

    def _distinct(self) -> list[str]:
        """Statements of the library's tables that pg_stat_statements tells from each other."""
        columns: dict[str, list[str]] = {}
        for table, column in self._rows(COLUMNS):
            columns.setdefault(table, []).append(column)
        pairs = ((table, *pair) for table, names in columns.items() for pair in itertools.permutations(names, 2))
        texts = [f"SELECT {one}, {other} /* load */ FROM {table}" for table, one, other in pairs]
        texts = [*texts, *(f"{text} OFFSET 1" for text in texts)][:STATEMENTS]
        # As everywhere few take most of the time, and always the same.
        return [f"{text} LIMIT {1 + MOST_ROWS // (1 + number)}" for number, text in enumerate(texts)]

    def _rows(self, statement: str, arguments: Any = None) -> list[tuple[Any, ...]]:
        with self._connection.cursor() as cursor:
            cursor.execute(statement, arguments)
            return cursor.fetchall() if cursor.description else []


def _cpu_ms(server: EmbeddedPostgres) -> float:
    """CPU time of all processes of the server, those that have ended included."""
    ticks = 0
    for pid in working_in(server.data, "postgres"):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        # utime, stime, and those of children that were waited for: the postmaster has all of them.
        ticks += sum(map(int, fields[11:15]))
    return 1000 * ticks / os.sysconf("SC_CLK_TCK")


def _table(found: dict[str, dict[str, float]]) -> list[str]:
    rows = (
        ("database time", "database_ms", "ms", 2),
        ("the least of it", "least_ms", "ms", 2),
        ("statements sent", "statements", "", 0),
        ("server's CPU time", "server_cpu_ms", "ms", 0),
        ("wall time", "wall_ms", "ms", 0),
        ("its own CPU time", "cpu_ms", "ms", 0),
        ("added to history / text", "bytes", "B", 0),
    )
    lines = [f"{'':<24}" + "".join(f"{title:>18}" for title in found)]
    for heading, figure, unit, digits in rows:
        cells = "".join(f"{f'{one[figure]:,.{digits}f} {unit}'.strip():>18}" for one in found.values())
        lines.append(f"{heading:<24}{cells.replace('nan ms', '-')}")
    for title in (SCRAPE, WIDE):
        ratios = (f"{one['database_ms'] / found[title]['database_ms']:.2f}x" for one in found.values())
        lines.append(f"{f'to {title}':<24}" + "".join(f"{ratio:>18}" for ratio in ratios))
    return lines


def _in_an_hour(found: dict[str, dict[str, float]]) -> str:
    ours = found[SNAPSHOT]["database_ms"] + CAPTURES * found[CAPTURE]["database_ms"]
    theirs = SCRAPES * found[SCRAPE]["database_ms"]
    return (
        f"database time in an hour: {ours:.0f} ms of a snapshot and {CAPTURES} captures, {theirs:.0f} ms of a scrape"
        f" every minute: {ours / theirs:.2f}x"
    )
