# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.midi.capacity.plugins.module_utils._settings import lists, values
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.settings_facts import definition

# The right-hand side is what `SET x = …; SELECT setting FROM pg_settings` answers on PostgreSQL 16.
CANONICAL = [
    ("max_connections", 256, "256"),
    ("max_connections", "256", "256"),
    ("max_connections", " 256 ", "256"),
    ("max_connections", "0x100", "256"),
    ("max_connections", "1e2", "100"),
    ("shared_buffers", "128MB", "16384"),
    ("shared_buffers", 16384, "16384"),
    ("shared_buffers", "4 GB", "524288"),
    ("shared_buffers", "1.5GB", "196608"),
    ("wal_buffers", -1, "-1"),
    ("work_mem", "64MB", "65536"),
    ("work_mem", "0.1GB", "104448"),
    ("work_mem", "131072B", "128"),
    ("min_wal_size", "1GB", "1024"),
    ("statement_timeout", "5min", "300000"),
    ("statement_timeout", "1.5s", "1500"),
    ("statement_timeout", 0, "0"),
    ("checkpoint_timeout", "15min", "900"),
    ("log_rotation_age", "1d", "1440"),
    ("random_page_cost", 1.1, "1.1"),
    ("random_page_cost", "4", "4"),
    ("vacuum_cost_delay", "2ms", "2"),
    ("vacuum_cost_delay", "500us", "0.5"),
    ("fsync", True, "on"),
    ("fsync", "false", "off"),
    ("fsync", "FALSE", "off"),
    ("fsync", "t", "on"),
    ("fsync", "of", "off"),
    ("fsync", 0, "off"),
    ("wal_level", "Logical", "logical"),
    ("wal_level", "hot_standby", "replica"),
    ("wal_compression", True, "pglz"),
    ("wal_compression", "lz4", "lz4"),
    ("synchronous_commit", False, "off"),
    ("synchronous_commit", "yes", "on"),
    ("shared_preload_libraries", "a,b", "a, b"),
    ("shared_preload_libraries", ["a", "b", "a"], "a, b"),
    ("shared_preload_libraries", '"odd name", b', '"odd name", b'),
    ("listen_addresses", "*", "*"),
    ("TimeZone", "Europe/Berlin", "Europe/Berlin"),
]

REFUSED = [
    ("max_connections", "many", "takes a number"),
    ("max_connections", True, "takes a number"),
    ("max_connections", [1], "not a list"),
    ("max_connections", {}, "not a mapping"),
    ("max_connections", None, "has no value"),
    ("max_connections", 0, "takes 1 to 262143"),
    ("max_connections", 1.5, "whole number"),
    ("max_connections", float("nan"), "takes a number"),
    ("max_connections", "10MB", "without a unit"),
    ("work_mem", "64mb", "write MB"),
    ("work_mem", "64parsec", "with a unit of B, kB, MB, GB, TB"),
    ("work_mem", "1kB", "takes 64 to 2147483647 kB"),
    ("statement_timeout", "-1", "takes 0 to"),
    ("random_page_cost", "cheap", "takes a number"),
    ("random_page_cost", True, "takes a number"),
    ("fsync", "o", "takes on or off"),
    ("fsync", "", "takes on or off"),
    ("fsync", "maybe", "takes on or off"),
    ("wal_level", "full", "takes one of minimal, replica, logical"),
    ("wal_level", True, "takes one of"),
    ("log_line_prefix", "a\nb", "line break"),
]


@pytest.mark.parametrize(("name", "wanted", "expected"), CANONICAL)
def test_canonical(name: str, wanted: Any, expected: str) -> None:
    assert values.canonical(definition(name), wanted) == expected


@pytest.mark.parametrize(("name", "wanted", "message"), REFUSED)
def test_refused(name: str, wanted: Any, message: str) -> None:
    with pytest.raises(values.InvalidValue, match=message):
        values.canonical(definition(name), wanted)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("shared_buffers", "16384", "128MB"),
        ("shared_buffers", "16385", "131080kB"),
        ("work_mem", "1048576", "1GB"),
        ("wal_buffers", "-1", "-1"),
        ("statement_timeout", "0", "0"),
        ("statement_timeout", "90000", "90s"),
        ("log_rotation_age", "1440", "1d"),
        ("vacuum_cost_delay", "0.5", "500us"),
        ("vacuum_cost_delay", "2", "2ms"),
        ("max_connections", "256", "256"),
        ("random_page_cost", "1.1", "1.1"),
        ("fsync", "on", "on"),
    ],
)
def test_rendered_as_show_prints_it(name: str, value: str, expected: str) -> None:
    assert values.rendered(definition(name), value) == expected


@given(st.integers(min_value=64, max_value=2147483647))
def test_what_is_rendered_reads_back_as_the_same_memory(number: int) -> None:
    found = definition("work_mem")
    assert values.canonical(found, values.rendered(found, str(number))) == str(number)


@given(st.integers(min_value=0, max_value=2147483647))
def test_what_is_rendered_reads_back_as_the_same_time(number: int) -> None:
    found = definition("statement_timeout")
    assert values.canonical(found, values.rendered(found, str(number))) == str(number)


@given(st.text())
def test_any_text_is_a_value_or_refused(text: str) -> None:
    for name in ("max_connections", "work_mem", "fsync", "wal_level", "vacuum_cost_delay", "shared_preload_libraries"):
        try:
            result = values.canonical(definition(name), text)
        except values.InvalidValue:
            continue
        assert values.canonical(definition(name), result) == result


def test_reals_are_compared_as_numbers_and_lists_by_element() -> None:
    assert values.same(definition("random_page_cost"), "1.10", "1.1")
    assert not values.same(definition("random_page_cost"), "1.1", "1.2")
    assert values.same(definition("listen_addresses"), "a,b", "a, b")
    assert not values.same(definition("listen_addresses"), "a, b", "b, a")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ('""', []),
        ("a", ["a"]),
        ("a, b", ["a", "b"]),
        ('"a,b"', ["a,b"]),
        ('"a""b", c', ['a"b', "c"]),
        ('"$user", public', ["$user", "public"]),
        ("a,,b", ["a", "b"]),
        ('"broken', ['"broken']),
    ],
)
def test_split(text: str, expected: list[str]) -> None:
    assert lists.split(text) == expected


@pytest.mark.parametrize(
    ("existing", "wanted", "expected"),
    [
        ("", "pg_stat_statements", "pg_stat_statements"),
        ("auto_explain", "pg_stat_statements", "auto_explain, pg_stat_statements"),
        ("auto_explain, pg_stat_statements", ["pg_stat_statements"], "auto_explain, pg_stat_statements"),
        ('""', "pg_stat_statements", "pg_stat_statements"),
        ('"auto_explain,pg_stat_statements"', "pg_stat_statements", "auto_explain, pg_stat_statements"),
    ],
)
def test_merged(existing: str, wanted: Any, expected: str) -> None:
    assert lists.merged(existing, wanted) == expected


@given(st.lists(st.text(min_size=1).map(str.strip).filter(bool), unique=True))
def test_a_list_survives_being_joined_and_split(items: list[str]) -> None:
    assert lists.split(lists.joined(items)) == items


@given(st.lists(st.from_regex(r"[a-z_]+", fullmatch=True)), st.lists(st.from_regex(r"[a-z_]+", fullmatch=True)))
def test_merging_keeps_what_is_there_and_is_idempotent(existing: list[str], wanted: list[str]) -> None:
    once = lists.merged(lists.joined(existing), wanted)
    assert lists.split(once)[: len(dict.fromkeys(existing))] == list(dict.fromkeys(existing))
    assert set(lists.split(once)) == set(existing) | set(wanted)
    assert lists.merged(once, wanted) == once


@pytest.mark.parametrize(
    ("name", "value", "secret"),
    [
        ("primary_conninfo", "host=p", True),
        ("Primary_Conninfo", "host=p", True),
        ("archive_command", "cp %p /archive/%f", False),
        ("archive_command", "PGPASSWORD=geheim pg_probackup %p", True),
        ("restore_command", "wget https://restore:geheim@archive/%f", True),
        ("password_encryption", "scram-sha-256", False),
        ("shared_preload_libraries", "passwordcheck, pg_stat_statements", False),
        ("max_connections", 256, False),
    ],
)
def test_what_may_hold_a_password_is_known(name: str, value: Any, secret: bool) -> None:
    assert values.is_secret(name, value) == secret
    assert values.secrets({name: value, "work_mem": "8MB"}) == ([value] if secret else [])
