# SPDX-License-Identifier: GPL-3.0-or-later
"""A PostgreSQL that counts as pg_stat_statements and pg_stat_database do, and knows besides what really ran."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ansible_collections.midi.capacity.plugins.module_utils import _moments
from ansible_collections.midi.capacity.plugins.module_utils._agent import counters
from ansible_collections.midi.capacity.plugins.module_utils._windows.statements import Key

from tests.unit.statement_counters import Counters

BEGIN = "2026-11-24T00:10:00.000Z"
LONG_AGO = "2026-10-01T00:00:00.000Z"
Json = dict[str, Any]


def key_of(name: str) -> Key:
    return 10, 5, name, True


class Reading:
    """What one look at the server shows: its clock and that of nobody, and all of its counters."""

    def __init__(self, server: CountingServer) -> None:
        self.passed = server.passed
        self.head = {"taken_at": server.clock(), "boot_id": server.boot, "monotonic_seconds": server.since_boot}
        self.server: Json = {
            "system_identifier": "7711527333102537146",
            "database": "midi_library",
            "version": "18.1" if server.tells_since else "16.4",
            "version_num": 180001 if server.tells_since else 160004,
            "postmaster_start": server.started,
            "counters_since": server.counters_since,
            "in_recovery": False,
        }
        self.info: Json = {"stats_reset": server.statements_reset, "dealloc": server.dealloc}
        self.rows: dict[Key, Json] = {
            key_of(name): {
                **dict.fromkeys(counters.SUMS, 0), "userid": 10, "dbid": 5, "queryid": name, "toplevel": True,
                "user": "midiuser", "database": "midi_library", "query": f"SELECT {name}", **entry.read(),
            }
            for name, entry in server.entries.items()
        }  # fmt: skip
        self.database: Json = {
            "xact_commit": server.commits, "blks_hit": 9 * server.commits, "blks_read": server.commits,
            "stats_reset": server.database_reset,
        }  # fmt: skip

    def document(self, rows: Sequence[Key], absent: Sequence[Key] | None = None) -> Json:
        """A snapshot in which these have rows. absent: keys that are known to have no entry, as the history says it."""
        listed = [copy.deepcopy(self.rows[key]) for key in rows]
        rest = counters.rest(counters.total(self.rows.values()), listed)
        statements = {**self.info, "rows": listed, "rest": rest}
        if absent is not None:
            names = ("userid", "dbid", "queryid", "toplevel")
            statements["absent"] = [dict(zip(names, key, strict=True)) for key in absent]
        return {
            "taken_at": self.head["taken_at"], "server": dict(self.server), "database": dict(self.database),
            "statements": statements, "host": None, "redis": None, "missing": [],
        }  # fmt: skip

    def most(self, limit: int) -> list[Key]:
        """The statements with most time, as a snapshot of module pg_snapshot_info has them."""
        return sorted(self.rows, key=lambda key: (-self.rows[key]["total_exec_time"], key))[:limit]


class CountingServer:
    """tells_since: as PostgreSQL 17 and newer, whose entries say since when they count.

    passed: seconds that went by, whatever the clock says. ran: what ran, (when, name, milliseconds).
    forgotten: the entries that were reset by themselves, (when, name).
    """

    def __init__(self, tells_since: bool) -> None:
        self.tells_since = tells_since
        self.passed = self.since_boot = self.offset = 0.0
        self.boot = "boot 0"
        self.started = self.statements_reset = self.counters_since = LONG_AGO
        self.database_reset: str | None = None
        self.dealloc = self.commits = 0
        self.forgotten: list[tuple[float, str]] = []
        self.entries: dict[str, Counters] = {}
        self.ran: list[tuple[float, str, float]] = []

    def clock(self) -> str:
        return _moments.after(BEGIN, self.passed + self.offset)

    def wait(self, seconds: float) -> None:
        self.passed += seconds
        self.since_boot += seconds

    def run(self, name: str, times: Sequence[float]) -> None:
        entry = self.entries.setdefault(name, Counters(self.clock() if self.tells_since else None))
        entry.count(times)
        self.commits += len(times)
        self.ran += [(self.passed, name, time) for time in times]

    def evict(self) -> None:
        """Entries that were called least are dropped to make room."""
        if self.entries:
            del self.entries[min(self.entries, key=lambda name: (self.entries[name].calls, name))]
            self.dealloc += 1

    def reset_one(self, name: str) -> None:
        """pg_stat_statements_reset(userid, dbid, queryid), which nothing tells of."""
        if self.entries.pop(name, None) is not None:
            self.forgotten.append((self.passed, name))

    def reset_statements(self) -> None:
        self.entries, self.dealloc, self.statements_reset = {}, 0, self.clock()

    def reset_database(self) -> None:
        self.commits, self.database_reset = 0, self.clock()

    def reset_shared(self) -> None:
        """pg_stat_reset_shared(), which without an argument resets all but what is of databases (17)."""
        self.counters_since = self.clock()

    def restart(self) -> None:
        self.started = self.clock()

    def stop_at_once(self) -> None:
        """A stop in mode immediate, and a start: as after a crash, but pg_stat_statements was saved."""
        self.restart()
        self.commits, self.database_reset, self.counters_since = 0, None, self.clock()

    def crash(self) -> None:
        """A process that was killed: everything begins anew, and the postmaster stays."""
        self.reset_statements()
        self.commits, self.database_reset, self.counters_since = 0, None, self.clock()

    def reboot(self) -> None:
        self.boot, self.since_boot = f"{self.boot}+", 0.0
        self.restart()

    def set_clock(self, seconds: float) -> None:
        self.offset += seconds

    def fail_over(self, other: CountingServer) -> None:
        """From now on the same address leads to another one of the same origin, which has run all the time."""
        for name in ("started", "statements_reset", "counters_since", "database_reset", "dealloc", "commits"):
            setattr(self, name, getattr(other, name))
        self.entries = copy.deepcopy(other.entries)

    def forgot(self, since: Reading, but: Iterable[Key] = ()) -> bool:
        """Whether entries other than these were reset by themselves since a reading."""
        return any(when > since.passed and key_of(name) not in but for when, name in self.forgotten)

    def executed(self, since: Reading, name: str | None = None) -> tuple[int, float]:
        """Calls and milliseconds since a reading, whatever became of their counters."""
        found = [time for when, ran, time in self.ran if when > since.passed and name in (None, ran)]
        return len(found), sum(found)


def agent_documents(earlier: Reading, later: Reading, limit: int, also: Mapping[Key, Any]) -> tuple[Json, Json]:
    """The two as the history keeps them: what ran most between them has rows at both ends. also: with a row before."""
    kept = counters.kept(earlier.rows, later.rows, limit)
    before = [key for key in earlier.rows if key in kept or key in also]
    ends = earlier.document(before, [key for key in kept if key not in earlier.rows]), later.document(kept)
    ends[1]["statements"]["lost"] = counters.lost(earlier.rows, later.rows)
    return ends
