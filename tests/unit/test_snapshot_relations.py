# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables and indexes of a snapshot, out of rows of one query: a scripted server gives them and counts the questions."""

from __future__ import annotations

import re
from typing import Any

import pytest
from ansible_collections.midi.capacity.plugins.module_utils import _snapshot_sql as queries
from ansible_collections.midi.capacity.plugins.module_utils._postgres import PostgresError
from ansible_collections.midi.capacity.plugins.module_utils._snapshot_parts import Unreadable
from ansible_collections.midi.capacity.plugins.module_utils._snapshot_relations import Relations

INVALID = [{"schema": "public", "table": "files", "name": "files_name", "building": False}]


def relation(oid: int, name: str, kind: str = "r", **more: Any) -> dict[str, Any]:
    """A row of the query; an index has the oid of its table."""
    row = {
        "oid": oid, "schema": "public", "name": name, "kind": kind, "is_partition": False, "table_oid": None,
        "valid": None, "estimated_rows": 9, "partition_of": None, "main_bytes": 800, "more_bytes": 32,
        "toast_bytes": None, "scans": None,
    }  # fmt: skip
    return {**row, **({"valid": True, "scans": 4, "main_bytes": 100, "more_bytes": 8} if kind == "i" else {}), **more}


FILES = relation(1, "files", toast_bytes=64)
KEY = relation(2, "files_pkey", "i", table_oid=1)
NAME = relation(3, "files_name", "i", table_oid=1)
TAGS = relation(4, "tags")
LATEST = relation(5, "latest", "m")
PLAYS = relation(6, "plays", "p", main_bytes=None, more_bytes=None)
LEAF = relation(7, "plays_2026", is_partition=True, partition_of="public.plays")


class Scripted:
    """A server with these relations; None: the query fails."""

    def __init__(self, *rows: dict[str, Any] | None) -> None:
        self._rows = rows
        self.asked: list[str] = []

    def rows(self, statement: str) -> list[Any]:
        self.asked.append(statement)
        if statement == queries.INVALID_INDEXES:
            return INVALID
        if None in self._rows:
            raise PostgresError("canceling statement due to lock timeout", sqlstate="55P03")
        return list(self._rows)


def test_all_parts_are_out_of_one_query() -> None:
    server, relations = Scripted(FILES, KEY, NAME, LATEST, PLAYS, LEAF, TAGS), Relations()
    found: Any = server
    assert [
        (table["name"], table["total_bytes"], table["table_bytes"], table["indexes_bytes"], table["toast_bytes"])
        for table in relations.tables(found)
    ] == [
        ("files", 832 + 216 + 64, 832, 216, 64),
        ("latest", 832, 832, 0, 0),
        ("plays_2026", 832, 832, 0, 0),
        ("tags", 832, 832, 0, 0),
    ]
    index = {"schema": "public", "table": "files", "bytes": 100, "scans": 4, "valid": True}
    assert relations.indexes(found) == [{**index, "name": "files_name"}, {**index, "name": "files_pkey"}]
    assert relations.counts(found) == {"tables": 3, "indexes": 2, "partitions": 1}
    assert relations.invalid_indexes(found) == []
    assert server.asked == [queries.RELATIONS]


LOCKED = [
    # Who is locked, the tables that are not measured, the indexes that are not.
    ("the table", {1}, "public.files", ""),
    ("an index", {3}, "public.files", "public.files_name"),
    ("another table", {4}, "public.tags", ""),
    ("several", {1, 2, 4}, "public.files, public.tags", "public.files_pkey"),
]


@pytest.mark.parametrize(("_name", "locked", "tables", "indexes"), LOCKED)
def test_what_is_locked_is_passed_over_and_named(_name: str, locked: set[int], tables: str, indexes: str) -> None:
    rows = [{**row, "main_bytes": None} if row["oid"] in locked else row for row in (FILES, KEY, NAME, TAGS)]
    server: Any = Scripted(*rows)
    relations = Relations()
    for read, names, names_of_all in (
        (relations.tables, tables, {"files", "tags"}),
        (relations.indexes, indexes, {"files_pkey", "files_name"}),
    ):
        if not names:
            assert {row["name"] for row in read(server)} == names_of_all
            continue
        with pytest.raises(Unreadable, match=rf"or has dropped them: {re.escape(names)}\. ") as raised:
            read(server)
        assert {row["name"] for row in raised.value.found} == names_of_all - {
            name.partition(".")[2] for name in names.split(", ")
        }
    assert relations.counts(server) == {"tables": 2, "indexes": 2, "partitions": 0}


def test_an_invalid_index_is_looked_at_once_more() -> None:
    server: Any = Scripted(FILES, {**NAME, "valid": False})
    relations = Relations()
    assert relations.indexes(server)[0]["valid"] is False and relations.invalid_indexes(server) == INVALID
    assert server.asked == [queries.RELATIONS, queries.INVALID_INDEXES]


def test_what_cannot_be_read_is_tried_once_and_hides_no_invalid_index() -> None:
    server: Any = Scripted(None)
    relations = Relations()
    for read in (relations.tables, relations.indexes, relations.counts):
        with pytest.raises(PostgresError, match="lock timeout"):
            read(server)
    assert relations.invalid_indexes(server) == INVALID
    assert server.asked == [queries.RELATIONS, queries.INVALID_INDEXES]
