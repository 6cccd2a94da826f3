# SPDX-License-Identifier: GPL-3.0-or-later
"""_history.rollback: from the entries of the history to the values of before."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.midi.capacity.plugins.filter import settings_way_back as filters
from hypothesis import given
from hypothesis import strategies as st

SERVER = {"system_identifier": "7711527333102537146", "data_directory": "/var/lib/postgresql/16/main"}


def settings_way_back(entries: Any, to: str = "", server: Any = None) -> Any:
    return filters.FilterModule().filters()["settings_way_back"](entries, server or SERVER, to)


def entry(number: int, undoes: str | None = None, **stored: tuple[str | None, str | None]) -> dict[str, Any]:
    sides = {name: {"before": before, "after": after} for name, (before, after) in stored.items()}
    identity = f"2026112{number}T000000.000000Z"
    return {"schema_version": 1, "id": identity, "undoes": undoes, "server": SERVER, "stored": sides}


FIRST = entry(1, work_mem=(None, "8MB"), max_connections=("150", "200"))
SECOND = entry(2, work_mem=("8MB", "16MB"), jit=(None, "off"))


def test_the_last_run_is_taken_back() -> None:
    assert settings_way_back([SECOND, FIRST]) == {
        "settings": {"work_mem": "8MB"},
        "reset": ["jit"],
        "undoes": SECOND["id"],
        "ids": [SECOND["id"]],
    }


def test_all_since_an_entry_are_taken_back() -> None:
    back = settings_way_back([FIRST, SECOND], FIRST["id"])
    assert back["settings"] == {"max_connections": "150"}
    assert back["reset"] == ["jit", "work_mem"]
    assert back["ids"] == [SECOND["id"], FIRST["id"]]


def test_a_second_way_back_goes_to_the_same_place() -> None:
    undone = entry(3, SECOND["id"], work_mem=("16MB", "8MB"), jit=("off", None))
    back = settings_way_back([FIRST, SECOND, undone])
    assert (back["settings"], back["reset"], back["undoes"]) == ({"work_mem": "8MB"}, ["jit"], SECOND["id"])


def test_a_run_that_only_took_dangers_back_is_passed_over() -> None:
    assert settings_way_back([FIRST, SECOND, entry(3)])["undoes"] == SECOND["id"]


@pytest.mark.parametrize("name", ["system_identifier", "data_directory"])
def test_runs_of_other_servers_do_not_count(name: str) -> None:
    other = {**entry(3, shared_buffers=(None, "16GB")), "server": {**SERVER, name: "another"}}
    assert settings_way_back([FIRST, other])["undoes"] == FIRST["id"]
    assert settings_way_back([FIRST, other], server=other["server"])["reset"] == ["shared_buffers"]
    with pytest.raises(AnsibleFilterError, match="the history has runs of other servers only"):
        settings_way_back([other])


@pytest.mark.parametrize(
    ("entries", "to", "complaint"),
    [
        ([], "", "nothing to go back to"),
        ([entry(1)], "", "no run of before has changed a setting that may be put back"),
        (
            [FIRST, SECOND],
            "yesterday",
            f"there is no entry yesterday in the history; it has {FIRST['id']}, {SECOND['id']}",
        ),
        ([{**FIRST, "schema_version": 2}], "", "has schema version 2, and only 1 is known"),
        ([entry(1, primary_conninfo=("(hidden)", "(hidden)"))], "", "primary_conninfo may hold a password"),
        ([{"id": "x"}], "", "has schema version None"),
        (["x"], "", "these are no entries of the history"),
    ],
)
def test_what_has_no_way_back_is_told(entries: list[Any], to: str, complaint: str) -> None:
    with pytest.raises(AnsibleFilterError, match=complaint):
        settings_way_back(entries, to)


VALUES = st.dictionaries(st.sampled_from("abc"), st.sampled_from([None, "1", "2"]), min_size=3, max_size=3)


@given(st.lists(VALUES, min_size=2, max_size=5), st.data())
def test_it_is_as_before_the_entry(states: list[dict[str, str | None]], data: st.DataObject) -> None:
    entries = [
        entry(number, **{name: (before[name], after[name]) for name in before if before[name] != after[name]})
        for number, (before, after) in enumerate(zip(states, states[1:], strict=False))
    ]
    chosen = data.draw(st.integers(0, len(entries) - 1))
    back = settings_way_back(entries, entries[chosen]["id"])
    now = dict(states[-1]) | back["settings"] | dict.fromkeys(back["reset"])
    assert now == states[chosen]
