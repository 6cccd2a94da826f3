# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables and indexes of a snapshot: several parts of it, out of one reading of the catalogs."""

from __future__ import annotations

from ansible_collections.midi.capacity.plugins.module_utils import _snapshot_parts as parts
from ansible_collections.midi.capacity.plugins.module_utils import _snapshot_sql as queries
from ansible_collections.midi.capacity.plugins.module_utils._errors import OperatorError
from ansible_collections.midi.capacity.plugins.module_utils._postgres import Server
from ansible_collections.midi.capacity.plugins.module_utils._snapshot_parts import Unreadable

# pg_class.relkind of indexes of tables, and of partitioned tables, which have no data of their own.
_INDEX, _PARTITIONED, _VIEW = "i", "p", "m"


class Relations:
    """Read at the first question, once; what could not be read then is not tried again."""

    def __init__(self) -> None:
        self._rows: list | None = None
        self._error: OperatorError | None = None

    def tables(self, server: Server) -> list:
        """A dict for each table and partition; total_bytes = table_bytes + indexes_bytes + toast_bytes."""
        rows = self._read(server)
        indexes: dict = {}
        for row in rows:
            if row["kind"] == _INDEX:
                indexes.setdefault(row["table_oid"], []).append(row)
        found, passed_over = [], []
        for row in rows:
            if row["kind"] in (_INDEX, _PARTITIONED):
                continue
            of_it = indexes.get(row["oid"], ())
            # A whole one, or none.
            if any(one["main_bytes"] is None for one in (row, *of_it)):
                passed_over.append(row)
            else:
                found.append(_table(row, sum(_own_bytes(one) for one in of_it)))
        return _all_of(found, passed_over)

    def indexes(self, server: Server) -> list:
        """{schema, table, name, bytes, scans, valid}; bytes are those of its data."""
        rows = self._read(server)
        names = {row["oid"]: row["name"] for row in rows}
        found, passed_over = [], []
        for row in rows:
            if row["kind"] != _INDEX:
                continue
            if row["main_bytes"] is None:
                passed_over.append(row)
                continue
            index = {"schema": row["schema"], "table": names.get(row["table_oid"]), "name": row["name"]}
            found.append({**index, "bytes": row["main_bytes"], "scans": row["scans"], "valid": row["valid"]})
        found.sort(key=lambda index: (index["schema"], index["table"] or "", index["name"]))
        return _all_of(found, passed_over)

    def counts(self, server: Server) -> dict:
        """A partitioned table counts as one table, its leaves as partitions; an index of each leaf is an index."""
        rows = self._read(server)
        tables = [row for row in rows if row["kind"] not in (_INDEX, _VIEW)]
        return {
            "tables": sum(not row["is_partition"] for row in tables),
            "indexes": sum(row["kind"] == _INDEX for row in rows),
            "partitions": sum(row["is_partition"] and row["kind"] != _PARTITIONED for row in tables),
        }

    def invalid_indexes(self, server: Server) -> list:
        """Looked for once more where there was one: it may be built by now, or be about to."""
        known = self._rows is not None and all(row["valid"] is not False for row in self._rows)
        return [] if known else parts.invalid_indexes(server)

    def _read(self, server: Server) -> list:
        if self._error is not None:
            raise self._error
        if self._rows is None:
            try:
                self._rows = server.rows(queries.RELATIONS)
            except OperatorError as error:
                self._error = error
                raise
        return self._rows


def _table(row: dict, indexes_bytes: int) -> dict:
    table_bytes, toast_bytes = _own_bytes(row), row["toast_bytes"] or 0
    return {
        "schema": row["schema"],
        "name": row["name"],
        "partition_of": row["partition_of"],
        "total_bytes": table_bytes + indexes_bytes + toast_bytes,
        "table_bytes": table_bytes,
        "indexes_bytes": indexes_bytes,
        "toast_bytes": toast_bytes,
        "estimated_rows": row["estimated_rows"],
    }


def _own_bytes(row: dict) -> int:
    return row["main_bytes"] + (row["more_bytes"] or 0)


def _all_of(found: list, passed_over: list) -> list:
    """Those without a size were passed over because of a lock, or dropped while we looked."""
    if not passed_over:
        return found
    names = ", ".join(f"{row['schema']}.{row['name']}" for row in passed_over)
    raise Unreadable(
        f"another session holds these exclusively, or has dropped them: {names}",
        "run again when that session is done",
        found,
    )
