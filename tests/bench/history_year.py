# SPDX-License-Identifier: GPL-3.0-or-later
"""The history after a year of hourly snapshots, with captures between them, pruned as the agent prunes it by default.

A real snapshot of the library is where it begins: its document, its readings, the entries of pg_stat_statements. From
hour to hour they change as a server's do: tables grow, counters rise by the hour of the day and by chance, statements
of 1,000 run often or rarely, some are dropped and new ones come. All of it goes through the agent's own store. Captures
older than they are kept are left out, because nothing of them would be left; runs of the agent all stand in it.
"""

from __future__ import annotations

import contextlib
import copy
import io
import math
import random
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg2
from ansible_collections.midi.capacity.plugins.module_utils import _moments
from ansible_collections.midi.capacity.plugins.module_utils._agent import counters
from ansible_collections.midi.capacity.plugins.module_utils._agent.config import DEFAULTS
from ansible_collections.midi.capacity.plugins.module_utils._agent_store import FULL, STATEMENTS, Store
from ansible_collections.midi.capacity.plugins.module_utils._windows.statements import key

from demo import library
from demo.progress import Progress
from demo.servers import EmbeddedPostgres
from tests.bench.agent import Agent, login

FILES = 1_000
DAYS = 365
HOUR, DAY = 3600, 86400
STATEMENTS_NUMBER = 1000
# Of the statements, each day: dropped and replaced by others, as an application that changes has it.
RENEWED = 5
MOST_BYTES, MOST_SECONDS = 500_000_000, 2.0
ROUNDS = 3
SEED = 20251129
# What a run says that it has cost.
COST = {"wall_seconds": 0.412, "cpu_seconds": 0.387, "peak_bytes": 41_234_432}


def run() -> str:
    """A year of hourly snapshots with captures every 5 minutes: its size on disk, and the time of `history --since`."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        agent = Agent(directory)
        document, readings = _real(directory)
        begun = time.monotonic()
        with Store.open(str(agent.history)) as store:
            year = _Year(store, document, readings)
            year.write()
            tables = year.tables()
            size = store.bytes()
        written = time.monotonic() - begun
        shown = []
        for title, arguments in (("text", ()), ("--json", ("--json",)), ("--csv", ("--csv",))):
            taken = [agent.run("history", "--since", f"{DAYS + 1}d", *arguments) for _round in range(ROUNDS)]
            # The least: what else the machine does is no matter of the program.
            least = min(taken, key=lambda one: one.seconds)
            shown.append((title, least.seconds, least.cpu_seconds, len(least.output.splitlines())))
    lines = [
        f"{'':<28}{'':>12}{'at most':>12}",
        f"{'size of the history':<28}{size / 1e6:>9.1f} MB{MOST_BYTES / 1e6:>9.0f} MB  {_verdict(size, MOST_BYTES)}",
    ]
    for title, seconds, cpu, count in shown:
        told = f"{_verdict(seconds, MOST_SECONDS)}, CPU {cpu:.2f} s, {count:,} lines"
        lines.append(f"{f'history --since, {title}':<28}{seconds:>10.2f} s{MOST_SECONDS:>10.0f} s  {told}")
    lines += ["", f"{'table':<28}{'rows':>12}{'size':>12}"]
    lines += [f"{name:<28}{rows:>12,}{bytes_ / 1e6:>9.1f} MB" for name, rows, bytes_ in tables]
    lines.append(
        f"{DAYS} days, written in {written:.0f} s; the least of {ROUNDS} runs of the program, its start included"
    )
    return "\n".join(lines)


def _verdict(value: float, most: float) -> str:
    return "ok" if value <= most else "TOO MUCH"


def _real(directory: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """(the document of a real snapshot of the library, its readings)."""
    server = EmbeddedPostgres(directory / "pg", {"shared_preload_libraries": "'pg_stat_statements'"})
    server.create()
    server.start()
    try:
        library.load(server, FILES, Progress(io.StringIO(), library.expected_rows(FILES)))
        place = {"host": str(server.socket), "port": server.port, "user": "postgres", "dbname": library.DATABASE}
        with contextlib.closing(psycopg2.connect(**place)) as connection, connection.cursor() as cursor:
            cursor.execute("CREATE EXTENSION pg_stat_statements")
            connection.commit()
        seen = directory / "seen"
        agent = Agent(seen, postgres=login(server, "postgres", library.DATABASE), growth_table="files")
        agent.run("snapshot")
        agent.run("capture")
        agent.run("snapshot")
        with Store.open(str(agent.history)) as store:
            last = store.last_head(FULL)
            assert last is not None
            document = store.document(last["id"])
            readings = store.readings()[-1]["readings"]
    finally:
        server.stop()
    return document, readings


class _Statements:
    """Entries of pg_stat_statements whose counters rise."""

    def __init__(self, chance: random.Random, since: str) -> None:
        self._chance = chance
        self._made = 0
        self.rows: list[dict[str, Any]] = [self._new(since) for _number in range(STATEMENTS_NUMBER)]

    def _new(self, since: str) -> dict[str, Any]:
        self._made += 1
        columns = ", ".join(f"column_{self._chance.randrange(1000)}" for _name in range(self._chance.randrange(2, 20)))
        return {
            **dict.fromkeys(counters.NAMES, 0),
            "userid": 16385,
            "dbid": 16384,
            "queryid": str(self._chance.randrange(-(2**63), 2**63)),
            "toplevel": True,
            "user": "midiuser",
            "database": "midi_library",
            "query": f"SELECT {columns} FROM files JOIN file_tags USING (file_id) WHERE label = $1 LIMIT $2",
            "stddev_exec_time": 0.0,
            "min_exec_time": 0.0,
            "max_exec_time": 0.0,
            "total_exec_time": 0.0,
            "shared_blk_read_time": 0.0,
            "shared_blk_write_time": 0.0,
            "stats_since": since,
            "minmax_stats_since": since,
            # As of many statements few are most of the calls, and the mean is another matter.
            "_per_hour": 40_000 / self._made**1.1 if self._made <= STATEMENTS_NUMBER else 20.0,
            "_mean_ms": math.exp(self._chance.gauss(0.5, 1.5)),
        }

    def renew(self, number: int, since: str) -> None:
        for place in self._chance.sample(range(len(self.rows)), number):
            self.rows[place] = self._new(since)

    def go_on(self, hours: float, busy: float) -> None:
        """busy: how much of the usual load there is."""
        for row in self.rows:
            wanted = row["_per_hour"] * hours * busy * self._chance.uniform(0.5, 1.5)
            calls = int(wanted) + (self._chance.random() < wanted % 1)
            if not calls:
                continue
            mean = row["_mean_ms"] * math.exp(self._chance.gauss(0, 0.3))
            row["calls"] += calls
            row["rows"] += calls * self._chance.randrange(1, 20)
            row["total_exec_time"] += calls * mean
            row["stddev_exec_time"] = mean * self._chance.uniform(0.3, 3)
            row["min_exec_time"] = min(row["min_exec_time"] or mean, mean * self._chance.uniform(0.1, 0.9))
            row["max_exec_time"] = max(row["max_exec_time"], mean * self._chance.uniform(2, 20))
            row["shared_blks_hit"] += calls * self._chance.randrange(3, 200)
            row["shared_blks_read"] += self._chance.randrange(calls + 1)
            row["shared_blk_read_time"] += self._chance.random() * calls / 10
            row["wal_bytes"] += self._chance.randrange(100 * calls)

    def found(self) -> dict[Any, dict[str, Any]]:
        """As the store takes them."""
        return {key(row): {name: row[name] for name in row if name[0] != "_"} for row in self.rows}


class _Year:
    def __init__(self, store: Store, document: dict[str, Any], readings: dict[str, Any]) -> None:
        self._store, self._document, self._readings = store, document, readings
        self._chance = random.Random(SEED)
        # A whole number of seconds, as schedules have it.
        self._end = datetime.now(UTC).replace(minute=0, second=1, microsecond=0)
        self._statements = _Statements(self._chance, self._moment(0))

    def write(self) -> None:
        hours = DAYS * 24
        kept_from = hours - (DEFAULTS["keep_captures_days"] + 1) * 24
        for hour in range(hours):
            at = hour * HOUR
            if hour % 24 == 0:
                self._statements.renew(RENEWED, self._moment(at))
            # One transaction, only so that a bench does not wait for the disk 100,000 times.
            with self._store.transaction():
                if hour < kept_from:
                    self._statements.go_on(1, self._busy(at))
                    self._captures_long_gone(at)
                else:
                    self._captures(at)
                self._snapshot(at, with_capture=hour >= kept_from)
            if hour % 24 == 23:
                self._prune(at)

    def tables(self) -> list[tuple[str, int, int]]:
        """(table, rows, bytes), the largest first."""
        rows = self._store._rows(
            "SELECT name, (SELECT sum(pgsize) FROM dbstat WHERE dbstat.name = s.name) FROM sqlite_schema s"
            " WHERE rootpage > 0 AND name NOT LIKE 'sqlite_stat%'",
            (),
        )
        found = []
        for name, size in rows:
            is_table = self._store._rows("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?", (name,))
            count = self._store._rows(f"SELECT count(*) FROM {name}", ())[0][0] if is_table else 0
            found.append((name, count, size))
        return sorted(found, key=lambda entry: -entry[2])

    def _snapshot(self, at: int, with_capture: bool) -> None:
        number = self._run("snapshot", at)
        head, found = self._head(at), self._statements.found()
        document = self._varied(at, found)
        snapshot = self._store.add(FULL, document, head, found, DEFAULTS["statements_limit"])
        if with_capture:
            self._store.add(STATEMENTS, _light(document), head, found, DEFAULTS["statements_limit"])
        self._store.add_readings(snapshot, self._varied_readings())
        self._store.end_run(number, "done", "", snapshot, COST)
        self._store.end_run(self._run("deadman", at + 30 * 60), "done", "", None, COST)

    def _captures(self, at: int) -> None:
        every = DEFAULTS["capture_seconds"]
        for moment in range(at - HOUR + every, at, every):
            self._statements.go_on(every / HOUR, self._busy(moment))
            number = self._run("capture", moment)
            found = self._statements.found()
            document = _light(self._varied(moment, found))
            capture = self._store.add(STATEMENTS, document, self._head(moment), found, DEFAULTS["statements_limit"])
            self._store.end_run(number, "done", "", capture, COST)
        self._statements.go_on(every / HOUR, self._busy(at))

    def _captures_long_gone(self, at: int) -> None:
        every = DEFAULTS["capture_seconds"]
        for moment in range(at - HOUR + every, at, every):
            self._store.end_run(self._run("capture", moment), "done", "", None, COST)

    def _run(self, command: str, at: int) -> int:
        return self._store.begin_run(command, self._moment(at))

    def _prune(self, at: int) -> None:
        before = {
            kind: self._moment(at - DEFAULTS[days] * DAY)
            for kind, days in ((FULL, "keep_days"), (STATEMENTS, "keep_captures_days"))
        }
        self._store.prune(before, DEFAULTS["max_bytes"])

    def _moment(self, at: int) -> str:
        return _moments.written(self._end - timedelta(seconds=DAYS * DAY - HOUR - at))

    def _head(self, at: int) -> dict[str, Any]:
        return {
            "taken_at": self._moment(at),
            "boot_id": "0c5d3cbb-2b1d-4c22-8b6c-1d2c9ac7a1f3",
            "monotonic_seconds": at + 100.0,
        }

    def _busy(self, at: int) -> float:
        """More by day than by night, and less at weekends."""
        moment = datetime.fromisoformat(self._moment(at))
        return (1 + 0.8 * math.sin((moment.hour - 8) / 24 * 2 * math.pi)) * (0.4 if moment.weekday() > 4 else 1.0)

    def _varied(self, at: int, found: dict[Any, dict[str, Any]]) -> dict[str, Any]:
        """The document as it is at that time: what counts has counted on, what has a size has grown."""
        document = copy.deepcopy(self._document)
        growth = 1 + at / (DAYS * DAY)
        document["taken_at"] = self._moment(at)
        for name, value in document["database"].items():
            if _counts(value) and name != "datid":
                grown = value * (1 + at / HOUR) + self._chance.randrange(1000)
                document["database"][name] = int(grown) if isinstance(value, int) else grown
        for rows in (document["sizes"]["tables"], document["sizes"]["indexes"]):
            for row in rows:
                for name, value in row.items():
                    if _counts(value):
                        row[name] = int(value * growth) + self._chance.randrange(2) * 8192
        document["sizes"]["database_bytes"] = int(document["sizes"]["database_bytes"] * growth)
        document["growth"]["rows"] = int(document["growth"]["rows"] * growth) + self._chance.randrange(50)
        document["health"]["oldest_xid_age"] += at
        for name in document["connections"]["by_state"]:
            document["connections"]["by_state"][name] = self._chance.randrange(30)
        if document["host"]:
            document["host"] = _jittered(document["host"], self._chance)
        document["statements"] = {
            **{name: document["statements"][name] for name in document["statements"] if name not in _OF_THE_STORE},
            "all": counters.total(found.values()),
        }
        return document

    def _varied_readings(self) -> dict[str, Any]:
        varied = {}
        for name, entry in self._readings.items():
            value = entry["value"]
            varied[name] = {**entry, "value": value and value * self._chance.uniform(0.5, 1.5)}
        return varied


# What the store gives with a document, and does not take.
_OF_THE_STORE = ("rows", "rest", "absent")


def _light(document: dict[str, Any]) -> dict[str, Any]:
    names = ("schema_version", "taken_at", "server", "statements")
    return {**{name: document[name] for name in names}, "missing": []}


def _jittered(value: Any, chance: random.Random) -> Any:
    """The same with other numbers, all the way down."""
    if isinstance(value, dict):
        return {name: _jittered(inner, chance) for name, inner in value.items()}
    if isinstance(value, list):
        return [_jittered(inner, chance) for inner in value]
    if not _counts(value):
        return value
    if isinstance(value, int):
        return value + chance.randrange(max(1, value // 100))
    return value * chance.uniform(0.9, 1.1)


def _counts(value: Any) -> bool:
    """Whether it is a number; True and False are none."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)
