# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the agent reads: over one connection, bounded in time, and at least that a server is not reached."""

from __future__ import annotations

import os
import time

from ansible_collections.midi.capacity.plugins.module_utils import _postgres, _redis, _redis_facts, _snapshot_host
from ansible_collections.midi.capacity.plugins.module_utils import _snapshot_parts as parts
from ansible_collections.midi.capacity.plugins.module_utils._agent import counters
from ansible_collections.midi.capacity.plugins.module_utils._agent.bounded import bounded
from ansible_collections.midi.capacity.plugins.module_utils._agent.config import Config
from ansible_collections.midi.capacity.plugins.module_utils._agent_clock import now
from ansible_collections.midi.capacity.plugins.module_utils._agent_probes import measured
from ansible_collections.midi.capacity.plugins.module_utils._errors import OperatorError
from ansible_collections.midi.capacity.plugins.module_utils._postgres import LoginRefused, Server, Unreachable
from ansible_collections.midi.capacity.plugins.module_utils._snapshot import (
    HEALTH,
    SCHEMA_VERSION,
    SIZES,
    Snapshot,
    take,
)
from ansible_collections.midi.capacity.plugins.module_utils._snapshot_values import plain
from ansible_collections.midi.capacity.plugins.module_utils._windows.statements import key

# Over how long CPU use is measured where no snapshot is before it; otherwise the whole window counts.
SAMPLE_SECONDS = 0.2
# SQLSTATE of a server that runs and lets nobody in: it starts or stops, or all its connections are taken.
_SHUT = ("57P01", "57P02", "57P03", "53300")
# What the agent logs in with is the role's work; correcting it by hand lasts until that runs again.
_LOGIN_REMEDY = "run the role monitoring_cron again, which has the database role made and its password set"
_RUNS_REMEDY = "the server runs and does not let the agent in: look into the server's log"


class Taken:
    """A snapshot: its document, and of all statements the rows, {key: row}; None where they could not be read.

    place: where the server runs, for a time when nobody can ask it; None where it could not be asked.
    """

    def __init__(self, document: dict, rows: dict | None, place: dict | None = None) -> None:
        self.document = document
        self.rows = rows
        self.place = place


def connect(config: Config) -> Server:
    """As the configuration says. Raises Unreachable, PostgresError."""
    if config.pgservicefile:
        os.environ["PGSERVICEFILE"] = config.pgservicefile
    # Neither the account's own files nor its environment have a say in it.
    os.environ.pop("PGPASSWORD", None)
    options = {**config.postgres, "connect_params": {**(config.postgres.get("connect_params") or {})}}
    options["connect_params"].setdefault("application_name", "capacity-agent")
    try:
        return Server.connect(options)
    except LoginRefused as error:
        raise LoginRefused(error.what, error.where, _LOGIN_REMEDY) from None


def full(config: Config, place: dict | None, untold) -> Taken:
    """Everything. A server that cannot be reached is a snapshot as well.

    place: of the last one that reached it. untold(system_identifier, rows): see statements_only.
    """
    started = time.monotonic()
    reader = _Statements()
    around = _Around(config, place)
    server = None
    try:
        try:
            server = connect(config)
            document = _read(config, server, reader, around)
            reach = {"down": False, "reason": None, "remedy": None}
            rows = reader.rows
        except OperatorError as error:
            reach = not_reached(config, error)
            document = _without_server(config, error.what, reach["remedy"], around)
            rows = None
        rows = _with_texts(server, document, rows, untold)
    finally:
        if server is not None:
            server.close()
    document["host_is_elsewhere"] = around.elsewhere
    document["reach"] = {"postgres": reach, "redis": around.reach_of_redis}
    document["seconds"] = round(time.monotonic() - started, 3)
    return Taken(bounded(document), rows, around.place)


def statements_only(server: Server, untold) -> Taken:
    """A light capture. untold(system_identifier, rows): the keys of those rows whose text is wanted."""
    reader = _Statements()
    snapshot = Snapshot(server)
    document = {"schema_version": SCHEMA_VERSION, "taken_at": snapshot.part("taken_at", parts.now)}
    document["server"] = snapshot.part("server", parts.identity)
    document["statements"] = snapshot.part("statements", reader)
    document["missing"] = snapshot.missing
    return Taken(document, _with_texts(server, document, reader.rows, untold))


def _with_texts(server: Server | None, document: dict, rows: dict | None, untold) -> dict | None:
    """The rows with their names and those texts that are wanted; what cannot be read of these is only missing."""
    if server is None or rows is None or not document["server"]:
        return None
    wanted = untold(document["server"]["system_identifier"], rows)
    snapshot = Snapshot(server)
    try:
        _give_texts(snapshot, rows, wanted)
    except Unreachable as error:
        snapshot.missing.append({"part": "statements.texts", "reason": error.what, "remedy": error.remedy})
    document["missing"] += snapshot.missing
    return rows


def _give_texts(snapshot: Snapshot, rows: dict, wanted) -> None:
    """Raises Unreachable."""
    roles = sorted({row["userid"] for row in rows.values()})
    names = snapshot.part("statements.names", parts.oid_names, roles) or {"roles": {}, "databases": {}}
    for row in rows.values():
        row.update(user=names["roles"].get(row["userid"]), database=names["databases"].get(row["dbid"]))
    queryids = sorted({name[2] for name in wanted})
    if not queryids:
        return

    def with_keys(asked: Server) -> list:
        return list(parts.statement_texts(asked, queryids).items())

    for name, text in snapshot.part("statements.texts", with_keys) or []:
        if tuple(name) in rows:
            rows[tuple(name)]["query"] = text


def not_reached(config: Config, error: OperatorError) -> dict:
    """{down, reason, remedy}, see _agent.readings: only what nobody can use is down.

    A server that refuses this login runs, and nobody knows more of it.
    """
    down = False
    if isinstance(error, Unreachable):
        knock = _postgres.knock(config.postgres)
        down = knock.refused or knock.sqlstate is None or knock.sqlstate in _SHUT
    # A server's messages may be in a language that tells its errors apart to nobody here.
    misled = isinstance(error, Unreachable) and not down and error.remedy == _postgres.REACH_REMEDY
    return {"down": True if down else None, "reason": error.what, "remedy": _RUNS_REMEDY if misled else error.remedy}


class _Around:
    """The host of the server and its cache, which are read whether it is up or down. Its readers raise OperatorError.

    place: of _snapshot_parts.place, with login_host and the directories of tablespaces; None where nobody knows.
    elsewhere: whether it is another host than this one. reach_of_redis: see _agent.readings.
    """

    def __init__(self, config: Config, place: dict | None) -> None:
        self.place = place
        self.elsewhere = False
        self.reach_of_redis: dict | None = None
        self._config = config

    def host(self, backend_pid: int | None = None) -> dict:
        place = self.place
        if place is None:
            raise OperatorError("PostgreSQL was never reached, so it is not known whether it runs on this host")
        wal = os.path.join(place["data_directory"], "pg_wal") if place["data_directory"] else None
        paths = [*([wal] if wal else []), *place["tablespaces"], self._config.state_dir]
        try:
            return _snapshot_host.read(
                {**place, "backend_pid": backend_pid}, place["login_host"], SAMPLE_SECONDS, paths
            )
        except _snapshot_host.Elsewhere:
            self.elsewhere = True
            raise

    def redis(self) -> dict:
        try:
            found = _redis_facts.read(self._config.redis or {})
        except OperatorError as error:
            self.reach_of_redis = {"down": True if _is_away(error) else None, "reason": error.what}
            raise
        self.reach_of_redis = {"down": False, "reason": None}
        return found


def _read(config: Config, server: Server, reader: _Statements, around: _Around) -> dict:
    tablespaces = Snapshot(server).part("tablespaces", parts.tablespaces) or []

    def read_host(place: dict) -> dict:
        around.place = {**place, "login_host": server.host or "", "tablespaces": tablespaces}
        return around.host(place["backend_pid"])

    options = {
        "growth_table": config.growth_table,
        "growth_count": config.growth_count,
        "growth_timeout_seconds": config.growth_timeout_seconds,
    }
    document = take(server, options, read_host, around.redis if config.redis is not None else None, reader)
    if config.probes:
        document["probes"] = measured(server, config.probes)
    return document


def _without_server(config: Config, reason: str, remedy: str, around: _Around) -> dict:
    """A snapshot of a server that cannot be reached: that, and what can be seen without it."""
    snapshot = Snapshot(None)
    document = {
        **dict.fromkeys(("server", "settings", "connections", "database", "statements", "growth")),
        "schema_version": SCHEMA_VERSION,
        "taken_at": now(),
        "sizes": dict.fromkeys(SIZES),
        "health": dict.fromkeys(HEALTH),
        "host": snapshot.outside("host", around.host),
        "redis": snapshot.outside("redis", around.redis) if config.redis is not None else None,
    }
    down = {"part": "server", "reason": reason, "remedy": remedy}
    return {**document, "missing": [down, *snapshot.missing]}


def _is_away(error: OperatorError) -> bool:
    return isinstance(error, (_redis.Unreachable, _redis.Loading))


class _Statements:
    """Reads all statements; the part of the document has their sums, and the rows are here."""

    def __init__(self) -> None:
        self.rows: dict | None = None

    def __call__(self, server: Server) -> dict:
        info, rows = parts.all_statements(server)
        rows = plain(rows)
        self.rows = {key(row): row for row in rows}
        return {**info, "all": counters.total(rows)}
