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
from ansible_collections.midi.capacity.plugins.module_utils._postgres import Server, Unreachable
from ansible_collections.midi.capacity.plugins.module_utils._snapshot import SCHEMA_VERSION, Snapshot, take
from ansible_collections.midi.capacity.plugins.module_utils._snapshot_values import plain
from ansible_collections.midi.capacity.plugins.module_utils._windows.statements import key

# Over how long CPU use is measured where no snapshot is before it; otherwise the whole window counts.
SAMPLE_SECONDS = 0.2
# SQLSTATE of a server that runs and lets nobody in: it starts or stops, or all its connections are taken.
_SHUT = ("57P01", "57P02", "57P03", "53300")


class Taken:
    """A snapshot: its document, and of all statements the rows, {key: row}; None where they could not be read."""

    def __init__(self, document: dict, rows: dict | None) -> None:
        self.document = document
        self.rows = rows


def connect(config: Config) -> Server:
    """As the configuration says. Raises Unreachable, PostgresError."""
    if config.pgservicefile:
        os.environ["PGSERVICEFILE"] = config.pgservicefile
    # Neither the account's own files nor its environment have a say in it.
    os.environ.pop("PGPASSWORD", None)
    options = {**config.postgres, "connect_params": {**(config.postgres.get("connect_params") or {})}}
    options["connect_params"].setdefault("application_name", "capacity-agent")
    return Server.connect(options)


def full(config: Config) -> Taken:
    """Everything. A server that cannot be reached is a snapshot as well."""
    started = time.monotonic()
    reach: dict = {"postgres": None, "redis": None}
    reader = _Statements()
    server = None
    try:
        server = connect(config)
        document = _read(config, server, reader, reach)
        reach["postgres"] = {"down": False, "reason": None}
    except OperatorError as error:
        reach["postgres"] = _not_reached(config, error)
        document = _without_server(config, error, reach)
        reader.rows = None
    finally:
        if server is not None:
            server.close()
    document["reach"] = reach
    document["seconds"] = round(time.monotonic() - started, 3)
    return Taken(bounded(document), reader.rows)


def statements_only(server: Server) -> Taken:
    """A light capture."""
    reader = _Statements()
    snapshot = Snapshot(server)
    document = {"schema_version": SCHEMA_VERSION, "taken_at": snapshot.part("taken_at", parts.now)}
    document["server"] = snapshot.part("server", parts.identity)
    document["statements"] = snapshot.part("statements", reader)
    document["missing"] = snapshot.missing
    return Taken(document, reader.rows if document["server"] else None)


def with_texts(server: Server, rows: dict, wanted) -> list:
    """Gives those of the rows that are wanted their texts, and all of them the names; what could not be read."""
    snapshot = Snapshot(server)
    names = snapshot.part("statements.names", parts.oid_names) or {"roles": {}, "databases": {}}
    queryids = sorted({name[2] for name in wanted})
    texts = {}
    if queryids:

        def with_keys(asked: Server) -> list:
            return list(parts.statement_texts(asked, queryids).items())

        texts = {tuple(name): text for name, text in snapshot.part("statements.texts", with_keys) or []}
    for name, row in rows.items():
        row.update(
            user=names["roles"].get(row["userid"]), database=names["databases"].get(row["dbid"]), query=texts.get(name)
        )
    return snapshot.missing


def not_reached(config: Config, error: OperatorError) -> dict:
    """{down, reason}: see _agent.readings."""
    return _not_reached(config, error)


def _read(config: Config, server: Server, reader: _Statements, reach: dict) -> dict:
    spaces = Snapshot(server)
    more = spaces.part("tablespaces", parts.tablespaces) or []

    def read_host(place: dict) -> dict:
        wal = os.path.join(place["data_directory"], "pg_wal") if place["data_directory"] else None
        paths = [*([wal] if wal else []), *more, config.state_dir]
        return _snapshot_host.read(place, server.host or "", SAMPLE_SECONDS, paths)

    def read_redis() -> dict:
        try:
            found = _redis_facts.read(config.redis or {})
        except OperatorError as error:
            reach["redis"] = {"down": True if _is_away(error) else None, "reason": error.what}
            raise
        reach["redis"] = {"down": False, "reason": None}
        return found

    options = {
        "growth_table": config.growth_table,
        "growth_count": config.growth_count,
        "growth_timeout_seconds": config.growth_timeout_seconds,
    }
    document = take(server, options, read_host, read_redis if config.redis is not None else None, reader)
    document["host_is_elsewhere"] = any(entry["part"] == "host" for entry in document["missing"])
    if config.probes:
        document["probes"] = measured(server, config.probes)
    return document


def _without_server(config: Config, error: OperatorError, reach: dict) -> dict:
    """A snapshot of a server that cannot be reached: that, and what can be seen without it."""
    document = {
        **dict.fromkeys(("server", "settings", "connections", "database", "statements", "growth")),
        "schema_version": SCHEMA_VERSION,
        "taken_at": now(),
        "sizes": dict.fromkeys(parts.SIZES),
        "health": dict.fromkeys(parts.HEALTH),
        "host": None,
        "redis": None,
        "missing": [{"part": "server", "reason": error.what, "remedy": error.remedy}],
    }
    if config.redis is None:
        return document
    try:
        found = _redis_facts.read(config.redis)
        found.pop("missing", None)
        document["redis"] = plain(found)
        reach["redis"] = {"down": False, "reason": None}
    except OperatorError as redis_error:
        reach["redis"] = {"down": True if _is_away(redis_error) else None, "reason": redis_error.what}
        document["missing"].append({"part": "redis", "reason": redis_error.what, "remedy": redis_error.remedy})
    return document


def _not_reached(config: Config, error: OperatorError) -> dict:
    """Only what nobody can use is down: a server that refuses this login runs, and nobody knows more of it."""
    reason = error.what
    if isinstance(error, Unreachable):
        knock = _postgres.knock(config.postgres)
        down = knock.refused or knock.sqlstate is None or knock.sqlstate in _SHUT
        return {"down": True if down else None, "reason": reason}
    return {"down": None, "reason": reason}


def _is_away(error: OperatorError) -> bool:
    return isinstance(error, (_redis.Unreachable, _redis.Loading))


class _Statements:
    """Reads all statements; the part of the document has their sums, and the rows are here."""

    def __init__(self) -> None:
        self.rows: dict | None = None

    def __call__(self, server: Server) -> dict:
        info, rows, hidden = parts.all_statements(server)
        rows = plain(rows)
        self.rows = {key(row): row for row in rows}
        found = {**info, "all": counters.total(rows), "hidden": hidden}
        if hidden:
            raise parts.Unreadable(
                f'{hidden} statements of other roles are hidden from role "{server.user}"', parts.grant(server), found
            )
        return found
