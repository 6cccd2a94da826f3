# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of a snapshot that PostgreSQL gives, a function each. They only read, and run in a caller's transaction."""

from __future__ import annotations

import time

from ansible_collections.midi.capacity.plugins.module_utils import _snapshot_sql as queries
from ansible_collections.midi.capacity.plugins.module_utils._errors import OperatorError
from ansible_collections.midi.capacity.plugins.module_utils._postgres import Server, sql
from ansible_collections.midi.capacity.plugins.module_utils._query_text import without_literals, without_secrets

# States that stand in the result even when no connection is in them.
STATES = ("active", "idle", "idle in transaction", "idle in transaction (aborted)")
# pg_class.relkind of tables, partitioned tables and materialized views.
_COUNTED_KINDS = ("r", "p", "m")


class Unreadable(OperatorError):
    """A part, or some of it, cannot be read; `found` is what could be."""

    def __init__(self, what: str, remedy: str = "", found=None) -> None:
        super().__init__(what, remedy=remedy)
        self.found = found


def now(server: Server):
    return server.value(queries.NOW)


def identity(server: Server) -> dict:
    return server.rows(queries.SERVER)[0]


def settings(server: Server) -> dict:
    """{name: {setting, unit, source, pending_restart}}; a setting that this version does not know is left out."""
    rows = server.rows(queries.SETTINGS, {"names": list(queries.SETTING_NAMES)})
    found = {row.pop("name"): row for row in rows}
    hidden = [name for name in queries.GUARDED_SETTING_NAMES if name not in found]
    if hidden:
        raise Unreadable(f'{", ".join(hidden)} is hidden from role "{server.user}"', grant(server), found)
    return found


def connections(server: Server) -> dict:
    """Client connections of all databases without this one: {total, by_state, by_database, usable_maximum}."""
    rows = server.rows(queries.CONNECTIONS)
    maximum = server.value(queries.USABLE_MAXIMUM)
    hidden = sum(row["connections"] for row in rows if row["hidden"])
    if hidden:
        found = {"total": None, "by_state": None, "by_database": None, "usable_maximum": maximum}
        raise Unreadable(f'the states of {hidden} sessions are hidden from role "{server.user}"', grant(server), found)
    by_state: dict = dict.fromkeys(STATES, 0)
    by_database: dict = {}
    for row in rows:
        by_state[row["state"]] = by_state.get(row["state"], 0) + row["connections"]
        # Who is still logging in has no database yet.
        if row["database"] is not None:
            by_database[row["database"]] = by_database.get(row["database"], 0) + row["connections"]
    return {
        "total": sum(by_state.values()),
        "by_state": by_state,
        "by_database": by_database,
        "usable_maximum": maximum,
    }


def database(server: Server) -> dict:
    return server.rows(queries.DATABASE)[0]


def statements(server: Server, limit: int) -> dict:
    """The counters of pg_stat_statements: {stats_reset, dealloc, rows, rest}; rest sums up what is not in rows."""
    schema, version, info = statements_extension(server)
    rows = server.rows(sql.SQL(queries.statements(version)).format(schema=schema), {"limit": limit})
    rest = rows.pop() if rows and rows[-1]["place"] is None else {}
    found = {
        **info,
        "rows": [_statement(row) for row in rows],
        "rest": {name: rest.get(name) or 0 for name in ("statements", *queries.STATEMENT_COUNTERS)},
    }
    if rest.get("hidden"):
        raise Unreadable(
            f'{rest["hidden"]} statements of other roles are hidden from role "{server.user}"; only their sum was read',
            grant(server),
            found,
        )
    return found


def all_statements(server: Server) -> tuple:
    """({stats_reset, dealloc}, the row of every statement without its text).

    All or none: one that is hidden now and not later would seem to be new then, with all that it ever did.
    """
    schema, version, info = statements_extension(server)
    rows = server.rows(sql.SQL(queries.all_statements(version)).format(schema=schema))
    hidden = sum(row["queryid"] is None for row in rows)
    if hidden:
        raise Unreadable(f'{hidden} statements of other roles are hidden from role "{server.user}"', grant(server))
    return info, rows


def statement_texts(server: Server, queryids: list) -> dict:
    """{(userid, dbid, queryid, toplevel): text}, without secrets and literals."""
    schema = statements_extension(server)[0]
    rows = server.rows(sql.SQL(queries.STATEMENT_TEXTS).format(schema=schema), {"queryids": queryids})
    return {
        (row["userid"], row["dbid"], row["queryid"], row["toplevel"]): without_literals(without_secrets(row["query"]))
        for row in rows
        if row["query"]
    }


def tablespaces(server: Server) -> list:
    """Directories of tablespaces that are outside of the data directory."""
    return sorted(row["directory"] for row in server.rows(queries.TABLESPACES) if row["directory"])


def oid_names(server: Server, roles: list) -> dict:
    """{roles: {oid: name}, databases: {oid: name}}: of those roles that there are, and of all databases."""
    rows = [row for row in server.rows(queries.NAMES, {"roles": roles}) if row["name"] != f"unknown (OID={row['oid']})"]
    return {kind: {row["oid"]: row["name"] for row in rows if row["kind"] == kind} for kind in ("roles", "databases")}


def statements_extension(server: Server) -> tuple:
    """(its schema as an identifier, its version, {dealloc, stats_reset}). Raises Unreadable where there is none."""
    extension = server.rows(queries.STATEMENTS_EXTENSION)
    if not extension:
        create = f'run CREATE EXTENSION pg_stat_statements in database "{server.database}"'
        if not server.value(queries.STATEMENTS_PRELOADED):
            create = f"add pg_stat_statements to shared_preload_libraries, restart the server, and {create}"
        raise Unreadable(f'the extension pg_stat_statements is not in database "{server.database}"', create)
    version = tuple(int(number) for number in extension[0]["version"].split("."))
    if version < queries.OLDEST_STATEMENTS_VERSION:
        raise Unreadable(
            f"the extension pg_stat_statements is at version {extension[0]['version']}",
            "run ALTER EXTENSION pg_stat_statements UPDATE",
        )
    schema = sql.Identifier(extension[0]["schema"])
    try:
        info = server.rows(sql.SQL(queries.STATEMENTS_INFO).format(schema=schema))[0]
    except OperatorError as error:
        if getattr(error, "sqlstate", None) != "55000":
            raise
        raise Unreadable(
            error.what, "add pg_stat_statements to shared_preload_libraries and restart the server"
        ) from None
    return schema, version, info


def database_bytes(server: Server) -> int:
    return server.value(queries.DATABASE_BYTES)


def growth_exact(server: Server, table: str) -> dict:
    """{table, rows, method, seconds, note}: every row counted."""
    found = _growth_table(server, table)
    started = time.monotonic()
    rows = server.value(sql.SQL(queries.GROWTH_EXACT).format(table=sql.Identifier(found["schema"], found["name"])))
    return _growth(found, rows, "exact", started, None)


def growth_estimate(server: Server, table: str, note: str | None) -> dict:
    """As growth_exact, from the planner's statistics. note: why it was not counted, or None."""
    found = _growth_table(server, table)
    started = time.monotonic()
    rows = server.value(queries.GROWTH_ESTIMATE, {"oid": found["oid"]})
    if rows is None:
        reason = f"{found['schema']}.{found['name']} was never analyzed, so there is no estimate"
        raise Unreadable(f"{reason}; {note}" if note else reason, "run ANALYZE on it, or have its rows counted")
    return _growth(found, rows, "estimate", started, note)


def oldest_transaction_seconds(server: Server) -> float:
    """Age of the oldest open or prepared transaction, without this one; 0 when there is none."""
    row = server.rows(queries.TRANSACTIONS)[0]
    if row["hidden"]:
        raise Unreadable(
            f'the transactions of {row["hidden"]} sessions are hidden from role "{server.user}"', grant(server)
        )
    return row["seconds"]


def oldest_xid_age(server: Server) -> int:
    return server.value(queries.OLDEST_XID_AGE)


def replication(server: Server) -> dict:
    """{standbys: [...], receiver: {...} or None}: who replicates from here, and on a standby how far behind it is."""
    standbys = server.rows(queries.STANDBYS)
    receiver = server.rows(queries.RECEIVER)[0] if server.in_recovery() else None
    found = {"standbys": standbys, "receiver": receiver}
    if any(standby["state"] is None for standby in standbys):
        raise Unreadable(f'the positions of the standbys are hidden from role "{server.user}"', grant(server), found)
    return found


def inactive_slots(server: Server) -> list:
    return server.rows(queries.INACTIVE_SLOTS)


def invalid_indexes(server: Server) -> list:
    return server.rows(queries.INVALID_INDEXES)


def place(server: Server) -> dict:
    """Where the server runs: {data_directory, server_address, client_address, backend_pid}."""
    found = server.rows(queries.PLACE)[0]
    if found["data_directory"] is None:
        raise Unreadable(f'the data directory is hidden from role "{server.user}"', grant(server), found)
    return found


def explained(error: OperatorError, seconds: int, lock_seconds: int) -> OperatorError:
    """The error in words that say what gave up; PostgreSQL's own say which of its parameters did."""
    sqlstate = getattr(error, "sqlstate", None)
    if sqlstate == "57014":
        return Unreadable(f"it took longer than {seconds} s", "look for what keeps the server busy, then run again")
    if sqlstate == "55P03":
        return Unreadable(
            f"another session held a lock for longer than {lock_seconds} s", "run again when that session is done"
        )
    return error


def _statement(row: dict) -> dict:
    dropped = ("place", "statements", "hidden")
    kept = {name: value for name, value in row.items() if name not in dropped}
    kept["query"] = without_secrets(kept["query"] or "")
    return kept


def _growth_table(server: Server, table: str) -> dict:
    rows = server.rows(queries.GROWTH_TABLE, {"table": table})
    if not rows:
        raise Unreadable(
            f'there is no table {table} in database "{server.database}"', "check growth_table and login_db"
        )
    if rows[0]["kind"] not in _COUNTED_KINDS:
        raise Unreadable(f"{table} is not a table", "name a table, a partitioned table or a materialized view")
    return rows[0]


def _growth(found: dict, rows: int, method: str, started: float, note: str | None) -> dict:
    return {
        "table": f"{found['schema']}.{found['name']}",
        "rows": rows,
        "method": method,
        "seconds": round(time.monotonic() - started, 6),
        "note": note,
    }


def grant(server: Server) -> str:
    return f'as a superuser run GRANT pg_monitor TO "{server.user}"'
