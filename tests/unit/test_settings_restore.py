# SPDX-License-Identifier: GPL-3.0-or-later
"""What is taken back of dangerous settings, and what is left to people."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.midi.capacity.plugins.module_utils._settings.model import RoleValue
from ansible_collections.midi.capacity.plugins.module_utils._settings.plan import (
    PENDING_RESTART,
    Facts,
    facts_after,
    plan_present,
    predicted,
    state,
)
from ansible_collections.midi.capacity.plugins.module_utils._settings.restore import plan_restored
from ansible_collections.midi.capacity.plugins.module_utils._settings.safety import dangers
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.settings_facts import AUTO, CONF, facts

FILE = {"source": "configuration file"}
OFF = {"setting": "off", **FILE}
Action = tuple[str, str, str]


def restored(known: Facts, wanted: dict[str, Any] | None = None) -> tuple[list[Action], list[str]]:
    """(name, action, value) of what is taken back, and the dangers that are left."""
    plans, problems = plan_present(wanted or {}, known)
    assert problems == []
    found = plan_restored(known, plans)
    left = dangers(facts_after(known, [*plans, *found]))
    return [(plan.name, plan.action, plan.desired) for plan in found], [danger.name for danger in left]


@pytest.mark.parametrize(
    ("case", "known", "actions", "left"),
    [
        ("a sound server", facts(), [], []),
        ("left behind by ALTER SYSTEM", facts([(AUTO, "fsync", "off")], fsync=OFF), [("fsync", "reset", "on")], []),
        ("stored and not read yet", facts([(AUTO, "autovacuum", "off")]), [("autovacuum", "reset", "on")], []),
        (
            "a line below would win",
            facts([(CONF, "fsync", "off"), (AUTO, "fsync", "off")], fsync=OFF),
            [("fsync", "set", "on")],
            [],
        ),
        ("in another file", facts([(CONF, "fsync", "off")], fsync=OFF), [], ["fsync"]),
        ("the files are mended and not read", facts([(CONF, "fsync", "on")], fsync=OFF), [("fsync", "none", "on")], []),
        (
            "on the command line",
            facts([(AUTO, "fsync", "off")], fsync={"setting": "off", "source": "command line"}),
            [],
            ["fsync"],
        ),
        ("a role's", facts(roles=[RoleValue("track_counts", "off", role="app")]), [], ["track_counts"]),
        (
            "a role's and ALTER SYSTEM's",
            facts([(AUTO, "track_counts", "off")], [RoleValue("track_counts", "off", database="d")], track_counts=OFF),
            [("track_counts", "reset", "on")],
            ["track_counts"],
        ),
        (
            "seen through the role's own",
            facts(roles=[RoleValue("track_counts", "off", role="postgres")],
                  track_counts={"setting": "off", "source": "user"}),
            [],
            ["track_counts"],
        ),
        ("a start that would fail", facts([(AUTO, "wal_level", "minimal")]), [("wal_level", "reset", "replica")], []),
        (
            "a start that would fail, and a line below",
            facts([(CONF, "wal_level", "minimal"), (AUTO, "wal_level", "minimal")]),
            [("wal_level", "set", "replica")],
            [],
        ),
        ("no senders, no danger", facts([(AUTO, "wal_level", "minimal"), (AUTO, "max_wal_senders", "0")]), [], []),
        (
            "more reserved than there are",
            facts([(AUTO, "superuser_reserved_connections", "200")]),
            [("superuser_reserved_connections", "reset", "3")],
            [],
        ),
        ("fewer than are reserved", facts([(AUTO, "max_connections", "2")]), [("max_connections", "reset", "100")], []),
        ("more reserved in another file", facts([(CONF, "superuser_reserved_connections", "200")]), [],
         ["max_connections"]),
        (
            "two libraries in one name",
            facts([(AUTO, "shared_preload_libraries", '"a,b"')]),
            [("shared_preload_libraries", "set", "a, b")],
            [],
        ),
        (
            "a library without a name",
            facts([(CONF, "shared_preload_libraries", "auto_explain"), (AUTO, "shared_preload_libraries", '""')]),
            [("shared_preload_libraries", "reset", "auto_explain")],
            [],
        ),
        (
            "several at once",
            facts([(AUTO, "fsync", "off"), (AUTO, "autovacuum", "off"), (AUTO, "wal_level", "minimal")], fsync=OFF),
            [("fsync", "reset", "on"), ("autovacuum", "reset", "on"), ("wal_level", "reset", "replica")],
            [],
        ),
    ],
)  # fmt: skip
def test_what_is_taken_back(case: str, known: Facts, actions: list[Action], left: list[str]) -> None:
    assert restored(known) == (actions, left)


def test_what_is_wanted_stays_wanted() -> None:
    known = facts([(AUTO, "fsync", "off"), (AUTO, "autovacuum", "off")], fsync=OFF)
    assert restored(known, {"fsync": False}) == ([("autovacuum", "reset", "on")], ["fsync"])
    assert restored(known, {"fsync": True, "autovacuum": True}) == ([], [])


def test_what_is_wanted_makes_a_reserve_too_large() -> None:
    known = facts([(AUTO, "max_connections", "500"), (AUTO, "superuser_reserved_connections", "300")])
    assert restored(known)[0] == []
    assert restored(known, {"max_connections": 256}) == ([("superuser_reserved_connections", "reset", "3")], [])


def test_a_server_started_with_minimal_waits_for_its_restart_until_it_is_over() -> None:
    minimal = {"setting": "minimal", "pending_restart": True, **FILE}
    known = facts([(AUTO, "wal_level", "minimal")], wal_level={**minimal, "pending_restart": False})
    (first,) = plan_restored(known, [])
    assert (first.action, state(first, predicted(first))) == ("reset", PENDING_RESTART)
    (again,) = plan_restored(facts(wal_level=minimal), [])
    assert (again.action, again.changes, state(again, predicted(again))) == ("none", False, PENDING_RESTART)
    assert plan_restored(facts(wal_level={"setting": "replica"}), []) == []


@given(
    st.lists(
        st.tuples(
            st.sampled_from([AUTO, CONF]),
            st.sampled_from(["fsync", "autovacuum", "track_counts", "wal_level", "max_wal_senders", "max_connections"]),
            st.sampled_from(["on", "off", "minimal", "replica", "0", "2", "300"]),
        ),
        max_size=6,
    ),
    st.booleans(),
)
def test_taking_back_leaves_nothing_of_alter_system_and_does_nothing_twice(
    lines: list[tuple[str, str, str]], live_off: bool
) -> None:
    fitting = {"wal_level": ("minimal", "replica"), "max_wal_senders": ("0", "2"), "max_connections": ("2", "300")}
    lines = [
        line
        for line in sorted(lines, key=lambda line: line[0] == AUTO)
        if line[2] in fitting.get(line[1], ("on", "off"))
    ]
    known = facts(lines, fsync={"setting": "off" if live_off else "on", **FILE})
    found = plan_restored(known, [])
    after = facts_after(known, found)
    # How many connections are enough is not known where both files say too few.
    stored = {name for file, name, _value in lines if file == AUTO and name != "max_connections"}
    assert [danger.name for danger in dangers(after) if danger.name in stored] == []
    assert [plan.name for plan in plan_restored(after, []) if plan.changes] == []
