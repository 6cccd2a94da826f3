# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.midi.capacity.plugins.module_utils._settings import plan as planning
from ansible_collections.midi.capacity.plugins.module_utils._settings.model import FileEntry, RoleValue
from ansible_collections.midi.capacity.plugins.module_utils._settings.plan import (
    APPLIED,
    OVERRIDDEN,
    PENDING_RESTART,
    SettingPlan,
    facts_after,
    file_problems,
    plan_absent,
    plan_present,
    predicted,
    state,
)
from ansible_collections.midi.capacity.plugins.module_utils._settings.safety import dangers

from tests.unit.settings_facts import AUTO, CONF, facts

FILE = {"source": "configuration file"}


def one(name: str, wanted: Any, known: planning.Facts, **options: Any) -> SettingPlan:
    plans, problems = plan_present({name: wanted}, known, **options)
    assert problems == []
    return plans[0]


@pytest.mark.parametrize(
    ("case", "name", "wanted", "known", "action", "expected"),
    [
        ("default differs", "work_mem", "64MB", facts(), "set", APPLIED),
        ("default is it", "work_mem", "4MB", facts(), "none", APPLIED),
        ("restart due", "max_connections", 256, facts(), "set", PENDING_RESTART),
        (
            "a file says it already",
            "max_connections",
            256,
            facts([(CONF, "max_connections", "256")], max_connections={"setting": "256", **FILE}),
            "none",
            APPLIED,
        ),
        (
            "ALTER SYSTEM says it, restart still due",
            "max_connections",
            256,
            facts([(CONF, "max_connections", "100"), (AUTO, "max_connections", "256")],
                  max_connections={"setting": "100", "pending_restart": True, **FILE}),
            "none",
            PENDING_RESTART,
        ),
        (
            "ALTER SYSTEM says another",
            "max_connections",
            256,
            facts([(AUTO, "max_connections", "200")], max_connections={"setting": "256", **FILE}),
            "set",
            APPLIED,
        ),
        ("unit differs only", "work_mem", "65536kB",
         facts([(CONF, "work_mem", "64MB")], work_mem={"setting": "65536", **FILE}), "none", APPLIED),
        ("size that the server computes", "wal_buffers", -1, facts(wal_buffers={"setting": "512"}), "none", APPLIED),
        ("name in another case", "timezone", "UTC", facts(), "set", APPLIED),
        ("started with the wanted value", "max_connections", 100,
         facts(max_connections={"setting": "100", "source": "command line"}), "none", APPLIED),
        ("started with another value", "max_connections", 256,
         facts(max_connections={"setting": "100", "source": "command line"}), "set", OVERRIDDEN),
        ("a role carries another value", "work_mem", "64MB",
         facts(roles=[RoleValue("work_mem", "1GB", role="app")]), "set", OVERRIDDEN),
        ("a role carries the wanted value", "work_mem", "64MB",
         facts(roles=[RoleValue("work_mem", "65536", role="app")]), "set", APPLIED),
        ("a database carries nonsense", "work_mem", "64MB",
         facts(roles=[RoleValue("work_mem", "lots", database="d")]), "set", OVERRIDDEN),
    ],
)  # fmt: skip
def test_plan(case: str, name: str, wanted: Any, known: planning.Facts, action: str, expected: str) -> None:
    planned = one(name, wanted, known)
    assert (planned.action, state(planned, predicted(planned))) == (action, expected)


def test_a_value_that_the_files_say_and_nobody_has_read_is_a_change() -> None:
    known = facts([(AUTO, "work_mem", "64MB")])
    planned = one("work_mem", "64MB", known)
    assert (planned.action, planned.unread, planned.changes) == ("none", True, True)
    restart = one("max_connections", 256, facts([(AUTO, "max_connections", "256")]))
    assert (restart.action, restart.unread, restart.changes) == ("none", True, False)


def test_what_is_set_has_come_through_on_the_second_plan() -> None:
    first = one("work_mem", "64MB", facts())
    again = one("work_mem", "64MB", facts([(AUTO, "work_mem", "64MB")], work_mem={"setting": "65536", **FILE}))
    assert first.changes
    assert not again.changes


def test_a_live_value_that_contradicts_the_files_is_not_called_applied() -> None:
    planned = one("work_mem", "64MB", facts())
    assert state(planned, replace(planned.definition, setting="4096")) == OVERRIDDEN


def test_libraries_are_merged_unless_replaced() -> None:
    known = facts([(CONF, "shared_preload_libraries", "auto_explain")])
    assert one("shared_preload_libraries", "pg_stat_statements", known).desired == "auto_explain, pg_stat_statements"
    replaced = one("shared_preload_libraries", "pg_stat_statements", known, merge_lists=False)
    assert replaced.desired == "pg_stat_statements"


def test_a_list_is_emptied_only_where_a_reset_does_it() -> None:
    left = facts([(AUTO, "shared_preload_libraries", "auto_explain")])
    assert one("shared_preload_libraries", [], left, merge_lists=False).action == "reset"
    below = facts([(CONF, "shared_preload_libraries", "auto_explain")])
    plans, problems = plan_present({"shared_preload_libraries": []}, below, merge_lists=False)
    assert plans == []
    assert "/etc/postgresql.conf line 1" in problems[0]


def test_all_faults_are_listed_at_once() -> None:
    wanted = {
        "max_connection": 1,
        "max_connections": 0,
        "block_size": 1,
        "data_directory": "/x",
        "work_mem": "1",
        "WORK_MEM": "64MB",
        "pg_stat_statements.max": 1,
    }
    plans, problems = plan_present(wanted, facts())
    assert plans == []
    assert len(problems) == len(wanted)
    text = "\n".join(problems)
    for part in ("did you mean max_connections?", "takes 1 to 262143", "block_size cannot be changed", "given twice",
                 "load the library pg_stat_statements first"):  # fmt: skip
        assert part in text


def test_absent_takes_away_only_what_alter_system_stored() -> None:
    known = facts([(CONF, "work_mem", "8MB"), (AUTO, "work_mem", "64MB"), (CONF, "fsync", "off")])
    plans, problems = plan_absent(["work_mem", "fsync", "max_connections"], known)
    assert problems == []
    assert [(found.action, found.desired) for found in plans] == [("reset", "8192"), ("none", "off"), ("none", "100")]


def test_an_override_says_what_to_change() -> None:
    known = facts(max_connections={"setting": "100", "source": "command line"})
    (found,) = one("max_connections", 256, known).overrides
    assert 'take "-c max_connections=100"' in str(found)
    assert "256" in str(found)
    roles = [RoleValue("work_mem", "1GB", role='a"b'), RoleValue("work_mem", "2GB", database="d"),
             RoleValue("work_mem", "3GB", role="r", database="d")]  # fmt: skip
    texts = [str(found) for found in one("work_mem", "64MB", facts(roles=roles)).overrides]
    assert 'ALTER ROLE "a""b" RESET work_mem' in texts[0]
    assert 'ALTER DATABASE "d" RESET work_mem' in texts[1]
    assert 'ALTER ROLE "r" IN DATABASE "d" RESET work_mem' in texts[2]
    (everyone,) = one("work_mem", "64MB", facts(roles=[RoleValue("work_mem", "1GB")])).overrides
    assert "ALTER ROLE ALL RESET work_mem" in str(everyone)


def test_file_problems_are_told_from_values_that_wait_for_a_restart() -> None:
    known = facts()
    entries = [
        FileEntry(CONF, 1, "max_connections", "256", "setting could not be applied"),
        FileEntry(CONF, 2, None, None, "syntax error"),
        FileEntry(CONF, 3, "work_mem", "lots", "invalid value"),
        FileEntry(CONF, 4, "no_such", "1", "unrecognized configuration parameter"),
    ]
    found = file_problems(replace(known, entries=entries))
    assert [problem.split(":")[0][-6:] for problem in found] == ["line 2", "line 3", "line 4"]


def test_dangers_are_named_with_where_they_stand() -> None:
    known = facts(
        [(AUTO, "fsync", "off"), (CONF, "autovacuum", "off"), (AUTO, "wal_level", "minimal"),
         (AUTO, "shared_preload_libraries", '"a,b"')],
        fsync={"setting": "off", **FILE},
    )  # fmt: skip
    found = {danger.name: danger for danger in dangers(known)}
    assert sorted(found) == ["autovacuum", "fsync", "shared_preload_libraries", "wal_level"]
    assert found["fsync"].remedy == "ALTER SYSTEM RESET fsync"
    assert "/etc/postgresql.conf line 2" in found["autovacuum"].remedy
    assert "will not start" in found["wal_level"].consequence
    assert sorted(name for name, danger in found.items() if danger.prevents_start) == [
        "shared_preload_libraries",
        "wal_level",
    ]


def test_a_sound_server_has_no_dangers() -> None:
    assert dangers(facts()) == []
    without_senders = facts([(AUTO, "wal_level", "minimal"), (AUTO, "max_wal_senders", "0")])
    assert dangers(without_senders) == []


def test_what_the_plans_bring_is_judged_before_anything_is_written() -> None:
    known = facts([(AUTO, "fsync", "off")], fsync={"setting": "off", **FILE})
    mends, _problems = plan_present({"fsync": True}, known)
    assert dangers(facts_after(known, mends)) == []
    resets, _problems = plan_absent(["fsync"], known)
    assert dangers(facts_after(known, resets)) == []
    harms, _problems = plan_present({"fsync": False}, facts())
    (danger,) = dangers(facts_after(facts(), harms))
    assert str(danger) == (
        "fsync = off in what is wanted here: a crash of the host can corrupt the whole cluster; want another value"
    )


def test_libraries_of_the_command_line_are_kept_and_named() -> None:
    known = facts(shared_preload_libraries={"setting": "vector", "source": "command line"})
    planned = one("shared_preload_libraries", "pg_stat_statements", known)
    # Whoever takes the option away, as the remedy says, must not lose the library.
    assert planned.desired == "vector, pg_stat_statements"
    assert 'take "-c shared_preload_libraries=vector"' in planned.overrides[0].remedy


def test_the_environment_of_the_server_overrides_too() -> None:
    known = facts(max_connections={"setting": "100", "source": "environment variable"})
    (override,) = one("max_connections", 256, known).overrides
    assert (override.by, override.remedy.split(" in ")[0]) == ("the environment variable", "unset the variable")


def test_what_only_this_session_sees_is_not_taken_for_unread() -> None:
    known = facts([(AUTO, "work_mem", "64MB")], work_mem={"setting": "1024", "source": "user"})
    assert not one("work_mem", "64MB", known).unread


def test_a_live_danger_counts_although_the_files_are_mended() -> None:
    known = facts([(CONF, "fsync", "on")], fsync={"setting": "off", **FILE})
    assert [danger.name for danger in dangers(known)] == ["fsync"]


@pytest.mark.parametrize("stored", ['""', '"auto_explain,pg_stat_statements"'])
def test_a_list_of_libraries_that_was_stored_wrongly_prevents_a_start(stored: str) -> None:
    (danger,) = dangers(facts([(AUTO, "shared_preload_libraries", stored)]))
    assert (danger.name, danger.prevents_start) == ("shared_preload_libraries", True)
