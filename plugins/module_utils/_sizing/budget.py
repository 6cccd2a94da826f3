# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that PostgreSQL may want at once, against the memory that it may use.

What counts, and its source in PostgreSQL's manual:
- shared_buffers and wal_buffers: taken at start (19.4, 19.5).
- work_mem: for each sort or hash of each session, so several times a query (19.4). Here every connection works on
  `nodes_per_query` of them at once, 1 unless said otherwise: queries with more are balanced by connections that idle.
  Each parallel worker counts like a connection (19.4, max_parallel_workers_per_gather).
- hash_mem_multiplier: a hash takes that much of work_mem (19.4). Half of those who work are taken to be at a hash, so
  that the usual 2.0 is already in the one node, and a greater one makes it greater.
- maintenance_work_mem: for each VACUUM, CREATE INDEX and so on by hand, its parallel workers included (19.4).
- autovacuum_work_mem: for each autovacuum worker, without it maintenance_work_mem (19.4, 19.10).
- 2 MB for every process that the server may have: what a connection takes by itself, as A. Freund measured
  ("Measuring the Memory Overhead of a Postgres Connection", 2020: less than 2 MiB). max_connections, autovacuum
  workers, workers and WAL senders are the processes that the server makes room for (18.4.1).

What does not, and what the head-room is for: the kernel and its cache of files, page tables without huge pages, the
lock table, temp_buffers, logical decoding, caches of sessions with very many tables, and everything else on the host.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import List, Optional, Tuple

from ansible_collections.midi.capacity.plugins.module_utils._sizing.amounts import KB, MB
from ansible_collections.midi.capacity.plugins.module_utils._sizing.effective import Effective, greatest_value
from ansible_collections.midi.capacity.plugins.module_utils._sizing.errors import SizingError

PROCESS_BYTES = 2 * MB

_LEAST_WORK_MEM_BYTES = 64 * KB
_LEAST_SHARED_BUFFERS_BYTES = 128 * KB


@dataclass(frozen=True)
class Assumptions:
    """nodes_per_query: sorts and hashes that a connection is at, on average over all of them; may be below 1.

    maintenance_sessions: people and jobs that run VACUUM, CREATE INDEX and their kind at once.
    headroom_percent: of the memory, for everything that is not PostgreSQL's. Raises SizingError for what cannot be.
    """

    nodes_per_query: float = 1.0
    maintenance_sessions: int = 1
    headroom_percent: float = 10.0

    def __post_init__(self) -> None:
        if not 0 < self.nodes_per_query <= 100:
            raise SizingError(f"nodes_per_query is more than 0 and at most 100, not {self.nodes_per_query}")
        if self.maintenance_sessions < 0:
            raise SizingError(f"maintenance_sessions is 0 or more, not {self.maintenance_sessions}")
        if not 0 <= self.headroom_percent < 100:
            raise SizingError(f"headroom_percent is 0 or more and less than 100, not {self.headroom_percent}")


USUAL = Assumptions()


@dataclass(frozen=True)
class Line:
    """One term of the sum: what takes memory, how that was reckoned, and the bytes."""

    name: str
    formula: str
    number_bytes: int


@dataclass(frozen=True)
class Budget:
    """The sum, term by term; memory_bytes None where nobody knows it, and then nothing is over."""

    lines: Tuple[Line, ...]
    memory_bytes: Optional[int]
    headroom_bytes: int
    # What one kB of work_mem, and one connection, come to.
    work_mem_users: float
    connection_bytes: float
    work_mem_bytes: int
    max_connections: int
    shared_buffers_bytes: int
    reserved_connections: int

    @property
    def total_bytes(self) -> int:
        return sum(line.number_bytes for line in self.lines)

    @property
    def limit_bytes(self) -> Optional[int]:
        """What may be wanted: the memory without the head-room."""
        return None if self.memory_bytes is None else self.memory_bytes - self.headroom_bytes

    @property
    def over_bytes(self) -> int:
        """How much too much it is; 0 where it fits or nobody knows."""
        return 0 if self.limit_bytes is None else max(0, self.total_bytes - self.limit_bytes)

    @property
    def safe_work_mem_bytes(self) -> Optional[int]:
        """The greatest work_mem that fits beside all else, in whole kB; None where none does."""
        return self._greatest("work_mem", self.work_mem_bytes, self.work_mem_users, KB, _LEAST_WORK_MEM_BYTES)

    @property
    def safe_max_connections(self) -> Optional[int]:
        """The greatest max_connections that fits beside all else and leaves one for people; None where none does."""
        least = self.reserved_connections + 1
        return self._greatest("max_connections", self.max_connections, self.connection_bytes, 1, least)

    @property
    def safe_shared_buffers_bytes(self) -> Optional[int]:
        """The greatest shared_buffers that fits beside all else, in whole MB; None where none does."""
        return self._greatest("shared_buffers", self.shared_buffers_bytes, 1, MB, _LEAST_SHARED_BUFFERS_BYTES)

    def _greatest(self, name: str, now: int, bytes_each: float, step: int, least: int) -> Optional[int]:
        if self.limit_bytes is None:
            return None
        others_bytes = self.total_bytes - now * bytes_each
        # Lines are whole bytes, rounded up: one for each that this lever is in.
        fitting = math.floor((self.limit_bytes - others_bytes - len(self.lines)) / bytes_each)
        greatest = min(fitting, greatest_value(name)) // step * step
        return greatest if greatest >= least else None


def budget(settings: Effective, memory_bytes: Optional[int], assumptions: Assumptions = USUAL) -> Budget:
    """The budget of settings that are, or would be, in effect."""
    connections = settings.number("max_connections")
    parallel = min(settings.number("max_parallel_workers"), settings.number("max_worker_processes"))
    each_bytes = settings.size("work_mem") * hash_factor(settings) * assumptions.nodes_per_query
    per_user = "".join([f"{settings.text('work_mem')} of work_mem", _times(settings, assumptions)])
    autovacuum, sessions = settings.number("autovacuum_max_workers"), assumptions.maintenance_sessions
    processes = _processes(settings)
    lines = (
        Line("shared_buffers", "", settings.size("shared_buffers")),
        Line("wal_buffers", "", settings.size("wal_buffers")),
        Line("queries", f"{connections} connections x {per_user}", math.ceil(connections * each_bytes)),
        Line("parallel queries", f"{parallel} workers x {per_user}", math.ceil(parallel * each_bytes)),
        _maintenance(settings, "autovacuum", "workers", autovacuum, "autovacuum_work_mem"),
        _maintenance(settings, "maintenance", "sessions", sessions, "maintenance_work_mem"),
        Line("processes", f"{processes} processes x 2MB", processes * PROCESS_BYTES),
    )
    return Budget(
        lines=lines,
        memory_bytes=memory_bytes,
        headroom_bytes=math.ceil((memory_bytes or 0) * assumptions.headroom_percent / 100),
        work_mem_users=(connections + parallel) * hash_factor(settings) * assumptions.nodes_per_query,
        connection_bytes=each_bytes + PROCESS_BYTES,
        work_mem_bytes=settings.size("work_mem"),
        max_connections=connections,
        shared_buffers_bytes=settings.size("shared_buffers"),
        reserved_connections=settings.number("superuser_reserved_connections")
        + settings.number("reserved_connections"),
    )


def hash_factor(settings: Effective) -> float:
    """How much of work_mem a node takes, on average: half of them are hashes."""
    return max(1.0, settings.real("hash_mem_multiplier") / 2)


def _maintenance(settings: Effective, name: str, who: str, number: int, setting: str) -> Line:
    if name == "autovacuum" and settings.word(setting) == "-1":
        setting = "maintenance_work_mem"
    return Line(
        name,
        f"{number} {who if number != 1 else who[:-1]} x {settings.text(setting)} of {setting}",
        number * settings.size(setting),
    )


def _processes(settings: Effective) -> int:
    names: List[str] = ["max_connections", "autovacuum_max_workers", "max_worker_processes", "max_wal_senders"]
    return sum(settings.number(name) for name in names)


def _times(settings: Effective, assumptions: Assumptions) -> str:
    """The factors that are not 1, in words."""
    text = "" if assumptions.nodes_per_query == 1 else f" x {assumptions.nodes_per_query:g} nodes"
    factor = hash_factor(settings)
    return (
        text if factor == 1 else f"{text} x {factor:g} for hash_mem_multiplier {settings.word('hash_mem_multiplier')}"
    )
