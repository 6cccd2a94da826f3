# SPDX-License-Identifier: GPL-3.0-or-later
"""What differs between versions of PostgreSQL in the queries of a snapshot; that they run is the integration tests'."""

from __future__ import annotations

import re

import pytest
from ansible_collections.midi.capacity.plugins.module_utils import _snapshot_sql as queries
from ansible_collections.midi.capacity.plugins.module_utils._query_text import OWN

ALL_VERSIONS = [(1, 9), (1, 10), (1, 11), (1, 12)]
# From the changes of the extension's own scripts: 1.11 renamed the times of blocks and added stats_since.
NEW_IN_1_11 = ("shared_blk_read_time", "shared_blk_write_time", "stats_since")


def read_from(statement: str) -> set[str]:
    """The columns that a statements query reads: what stands in its aggregates."""
    return set(re.findall(r"(?:sum|min|max)\((\w+)\)", statement))


@pytest.mark.parametrize("version", ALL_VERSIONS)
def test_results_have_the_same_names_in_all_versions(version: tuple[int, int]) -> None:
    names = set(re.findall(r" AS (\w+)[,\n]", queries.statements(version) + "\n"))
    assert {*queries.STATEMENT_COUNTERS, "min_exec_time", "max_exec_time", "stats_since", "queryid", "query"} <= names


@pytest.mark.parametrize("version", [(1, 9), (1, 10)])
def test_older_versions_are_not_asked_for_newer_columns(version: tuple[int, int]) -> None:
    columns = read_from(queries.statements(version))
    assert {"blk_read_time", "blk_write_time"} <= columns
    assert columns.isdisjoint(NEW_IN_1_11)


@pytest.mark.parametrize("version", [(1, 11), (1, 12)])
def test_newer_versions_are_asked_for_them(version: tuple[int, int]) -> None:
    columns = read_from(queries.statements(version))
    assert set(NEW_IN_1_11) <= columns
    assert columns.isdisjoint({"blk_read_time", "blk_write_time"})


def test_a_setting_of_a_newer_version_is_no_error_in_an_older_one() -> None:
    """reserved_connections came with 16: the second argument makes current_setting answer NULL before that."""
    assert "current_setting('reserved_connections', true)" in queries.USABLE_MAXIMUM
    assert set(queries.GUARDED_SETTING_NAMES) <= set(queries.SETTING_NAMES)


@pytest.mark.parametrize("name", [name for name in dir(queries) if name[0].isupper() and name != "OWN"])
def test_queries_only_read_and_are_marked(name: str) -> None:
    text = getattr(queries, name)
    if isinstance(text, str):
        assert text.lstrip().split()[0] in ("SELECT", "WITH")
        assert OWN in text
        assert not re.search(r"\b(INSERT|UPDATE|DELETE|LOCK|CREATE|ALTER|DROP)\b|_reset\s*\(", text)
