# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One snapshot of a server, its host and its cache: raw counters with their reset times, never a difference.

A part that cannot be read is None in the snapshot and stands in `missing` with the reason; it never blocks the rest.
"""

from __future__ import annotations

import contextlib

from ansible_collections.midi.capacity.plugins.module_utils import _snapshot_parts as parts
from ansible_collections.midi.capacity.plugins.module_utils._errors import OperatorError
from ansible_collections.midi.capacity.plugins.module_utils._postgres import Server, Unreachable
from ansible_collections.midi.capacity.plugins.module_utils._query_text import OWN
from ansible_collections.midi.capacity.plugins.module_utils._snapshot_parts import Unreadable
from ansible_collections.midi.capacity.plugins.module_utils._snapshot_relations import Relations
from ansible_collections.midi.capacity.plugins.module_utils._snapshot_values import plain

SCHEMA_VERSION = 1
PART_SECONDS = 30
LOCK_SECONDS = 2
# In one message, so that a part costs the server two answers besides its own. Rows that a policy hides would be missing
# from a count without a word: then rather no count.
_BEGIN = (
    f"BEGIN {OWN} READ ONLY; SET LOCAL {OWN} statement_timeout = '{{seconds}}s';"
    f" SET LOCAL {OWN} lock_timeout = '{{lock_seconds}}s'; SET LOCAL {OWN} row_security = off"
)


class Snapshot:
    """Reads parts of one server, each in a read-only transaction of its own, and notes which it could not read."""

    def __init__(self, server: Server | None) -> None:
        """Without a server there is only what is outside of it."""
        self.server = server
        self.missing: list = []

    def part(self, name: str, read, *arguments, seconds: int = PART_SECONDS):
        """What read(server, *arguments) gives, JSON-able; None when it cannot be read. Raises Unreachable."""
        try:
            with transaction(self.server, seconds):
                found = read(self.server, *arguments)
        except Unreadable as error:
            self._miss(name, error)
            found = error.found
        except Unreachable:
            raise
        except OperatorError as error:
            self._miss(name, parts.explained(error, seconds, LOCK_SECONDS))
            found = None
        return plain(found)

    def outside(self, name: str, read):
        """What read() gives, for parts that are not PostgreSQL's; what they list as missing joins the rest of it."""
        try:
            found = read()
        except OperatorError as error:
            self._miss(name, error)
            return None
        for entry in found.pop("missing", ()):
            self.missing.append({"part": f"{name}.{entry['part']}", "reason": entry["reason"], "remedy": ""})
        return plain(found)

    def _miss(self, name: str, error: OperatorError) -> None:
        self.missing.append({"part": name, "reason": error.what, "remedy": error.remedy})


def take(server: Server, options: dict, read_host=None, read_redis=None, read_statements=None) -> dict:
    """A snapshot, with values that JSON can carry.

    options: growth_table, growth_count, growth_timeout_seconds, statements_limit, as in module pg_snapshot_info.
    read_host(place) -> dict and read_redis() -> dict give the parts that are not PostgreSQL's; None: not asked for.
    place: see _snapshot_parts.place. read_statements(server) -> dict in place of _snapshot_parts.statements.
    Raises Unreachable when the connection is lost.
    """
    snapshot = Snapshot(server)
    read = snapshot.part
    taken = {"schema_version": SCHEMA_VERSION, "taken_at": read("taken_at", parts.now)}
    taken["server"] = read("server", parts.identity)
    taken["settings"] = read("settings", parts.settings)
    taken["connections"] = read("connections", parts.connections)
    taken["database"] = read("database", parts.database)
    if read_statements:
        taken["statements"] = read("statements", read_statements)
    else:
        taken["statements"] = read("statements", parts.statements, options["statements_limit"])
    relations = Relations()
    taken["sizes"] = {name: read(f"sizes.{name}", reader) for name, reader in _sizes(relations).items()}
    taken["growth"] = _growth(snapshot, options)
    taken["health"] = {name: read(f"health.{name}", reader) for name, reader in _health(relations).items()}
    taken["host"] = _host(snapshot, read_host)
    taken["redis"] = snapshot.outside("redis", read_redis) if read_redis else None
    taken["missing"] = snapshot.missing
    return taken


def _growth(snapshot: Snapshot, options: dict):
    table = options["growth_table"]
    if not table:
        return None
    note = None
    if options["growth_count"] == "exact":
        seconds = options["growth_timeout_seconds"]
        try:
            with transaction(snapshot.server, seconds):
                return plain(parts.growth_exact(snapshot.server, table))
        except Unreachable:
            raise
        except OperatorError as error:
            note = f"no exact count: {parts.explained(error, seconds, LOCK_SECONDS).what}"
    return snapshot.part("growth", parts.growth_estimate, table, note)


def _host(snapshot: Snapshot, read_host):
    if read_host is None:
        return None
    place = snapshot.part("host.disks", parts.place)
    return snapshot.outside("host", lambda: read_host(place)) if place else None


@contextlib.contextmanager
def transaction(server: Server, seconds: int):
    """A read-only transaction that gives up: on a statement after `seconds`, on a lock after LOCK_SECONDS."""
    try:
        server.execute(_BEGIN.format(seconds=seconds, lock_seconds=LOCK_SECONDS))
        yield
    except Unreachable:
        raise
    except BaseException:
        server.execute(f"ROLLBACK {OWN}")
        raise
    server.execute(f"COMMIT {OWN}")


def _sizes(relations: Relations) -> dict:
    return {
        "database_bytes": parts.database_bytes,
        "tables": relations.tables,
        "indexes": relations.indexes,
        "counts": relations.counts,
    }


def _health(relations: Relations) -> dict:
    return {
        "oldest_transaction_seconds": parts.oldest_transaction_seconds,
        "oldest_xid_age": parts.oldest_xid_age,
        "replication": parts.replication,
        "inactive_slots": parts.inactive_slots,
        "invalid_indexes": relations.invalid_indexes,
    }


# The names, for whoever has nothing to read.
SIZES, HEALTH = tuple(_sizes(Relations())), tuple(_health(Relations()))
