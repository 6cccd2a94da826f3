# SPDX-License-Identifier: GPL-3.0-or-later
"""The history of the agent: what goes in comes out, and what a snapshot keeps is enough for the window before it."""

from __future__ import annotations

import sqlite3
import stat
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.midi.capacity.plugins.module_utils._agent import counters
from ansible_collections.midi.capacity.plugins.module_utils._agent.schema import VERSION
from ansible_collections.midi.capacity.plugins.module_utils._agent_store import Store, StoreError
from ansible_collections.midi.capacity.plugins.module_utils._windows import statements as windows
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.scale import scaled

SYSTEM = "7711527333102537146"
LONG_AGO = "2026-10-01T00:00:00.000Z"
FULL, LIGHT = "full", "statements"


def at(minute: int) -> str:
    return f"2026-11-24T{minute // 60:02d}:{minute % 60:02d}:00.000Z"


def row(queryid: str, calls: int, total_ms: float, **more: Any) -> dict[str, Any]:
    """A statement as pg_stat_statements has it."""
    return {
        **dict.fromkeys(counters.SUMS, 0),
        "userid": 10,
        "dbid": 5,
        "queryid": queryid,
        "toplevel": True,
        "user": "midiuser",
        "database": "midi_library",
        "query": f"SELECT {queryid}",
        "calls": calls,
        "total_exec_time": total_ms,
        "stddev_exec_time": 0.5,
        "min_exec_time": 0.25,
        "max_exec_time": 2.0,
        "stats_since": LONG_AGO,
        "minmax_stats_since": LONG_AGO,
        **more,
    }


def add(store: Store, minute: int, *rows: dict[str, Any], kind: str = FULL, limit: int = 100, **more: Any) -> int:
    found = {windows.key(entry): entry for entry in rows}
    document = {
        "taken_at": at(minute),
        "server": {"system_identifier": more.pop("system", SYSTEM)},
        "statements": {"stats_reset": LONG_AGO, "dealloc": 0, "all": counters.total(rows)},
        **more,
    }
    clock = {"taken_at": at(minute), "boot_id": "boot", "monotonic_seconds": minute * 60.0}
    return store.add(kind, document, clock, found, limit)


@pytest.fixture
def store(tmp_path: Path) -> Any:
    with Store.open(str(tmp_path / "history.sqlite3")) as opened:
        yield opened


@pytest.mark.parametrize(("table", "before"), [("counter", 2), ("newest", 2)])
def test_every_counter_has_its_column(store: Store, table: str, before: int) -> None:
    columns = [column[1] for column in store._rows(f"PRAGMA table_info({table})", ())]
    assert tuple(columns[before:]) == counters.NAMES


def test_what_goes_in_comes_out(store: Store) -> None:
    sizes = {"database_bytes": 5, "tables": [{"name": "files", "total_bytes": 3}]}
    first = add(store, 0, row("1", 10, 100), sizes=sizes)
    second = add(store, 60, row("1", 30, 700), row("2", 1, 900), sizes=sizes)
    assert [head["taken_at"] for head in store.heads(FULL)] == [at(0), at(60)]
    assert [head["id"] for head in store.heads(FULL, since=at(60))] == [second]
    found = store.document(second)
    assert found["sizes"] == sizes and found["statements"]["dealloc"] == 0
    assert found["statements"]["rows"] == [row("2", 1, 900), row("1", 30, 700)]
    assert set(found["statements"]["rest"].values()) == {0}
    assert store.document(first)["statements"]["rows"] == [row("1", 10, 100)]


def test_a_snapshot_of_a_server_that_is_down_has_no_statements(store: Store) -> None:
    clock = {"taken_at": at(0), "boot_id": "boot", "monotonic_seconds": 1.0}
    number = store.add(FULL, {"server": None, "statements": None}, clock, None, 100)
    assert store.document(number) == {"server": None, "statements": None}


def test_rows_are_those_with_most_time_of_the_window_and_stand_at_both_ends(store: Store) -> None:
    quiet = row("1", 1000, 99999)
    first = add(store, 0, quiet, row("2", 1, 1), row("3", 1, 1), limit=1)
    # Since the first all ran, as far as it is known.
    assert [entry["queryid"] for entry in store.rows(first)] == ["1"]
    second = add(store, 60, quiet, row("2", 2, 11), row("3", 2, 6), limit=1)
    assert store.rows(second) == [row("2", 2, 11)]
    assert store.rows(first) == [quiet, row("2", 1, 1)]
    found = store.document(second)["statements"]["rest"]
    assert (found["statements"], found["calls"], found["total_exec_time"]) == (2, 1002, 100005)
    assert store.document(first)["statements"]["rest"]["calls"] == 1


def test_a_light_capture_has_a_window_of_its_own(store: Store) -> None:
    add(store, 0, row("1", 1, 1))
    light = add(store, 0, row("1", 1, 1), kind=LIGHT)
    later = add(store, 5, row("1", 5, 5), kind=LIGHT)
    full = add(store, 60, row("1", 9, 9))
    assert [store.rows(number)[0]["calls"] for number in (light, later, full)] == [1, 5, 9]
    idle = add(store, 65, row("1", 5, 5), kind=LIGHT)
    assert store.rows(idle) == []


def test_what_was_dropped_and_another_server_are_no_beginning(store: Store) -> None:
    add(store, 0, row("1", 10, 10), row("2", 10, 10))
    add(store, 60, row("2", 11, 11))
    back = add(store, 120, row("1", 2, 2), row("2", 11, 11))
    assert [entry["queryid"] for entry in store.rows(back)] == ["1"]
    other = add(store, 180, row("1", 2, 2), system="1")
    assert [entry["queryid"] for entry in store.rows(other)] == ["1"]
    # And what is there of the first is not its beginning when it comes back.
    assert store.newest(FULL, SYSTEM) == {}


def test_that_counters_were_lost_is_known_though_only_few_have_rows(store: Store) -> None:
    later = {"stats_since": at(30)}
    add(store, 0, row("1", 9, 900), row("2", 9, 9), row("3", 9, 8), limit=1)
    number = add(store, 60, row("1", 10, 1900), row("2", 19, 10, **later), limit=1)
    found = store.document(number)["statements"]
    assert [entry["queryid"] for entry in found["rows"]] == ["1"] and found["lost"] == 2
    number = add(store, 120, row("1", 11, 2900), row("2", 20, 11, **later), limit=1)
    assert store.document(number)["statements"]["lost"] == 0


def test_that_a_statement_had_no_entry_is_known_though_only_few_have_rows(store: Store) -> None:
    old = {"stats_since": None, "minmax_stats_since": None}
    first = add(store, 0, row("1", 9, 9, **old), row("2", 9, 8, **old), limit=1)
    down = store.add(
        FULL, {"server": None, "statements": None}, {"taken_at": at(30), "boot_id": "", "monotonic_seconds": 1}, None, 1
    )
    second = add(store, 60, row("1", 9, 9, **old), row("2", 9, 8, **old), row("3", 2, 7, **old), limit=1)
    assert store.document(first)["statements"]["absent"] == [
        {"userid": 10, "dbid": 5, "queryid": "3", "toplevel": True}
    ]
    assert store.document(down) == {"server": None, "statements": None} and store.rows(down) == []
    found, _told = windows.difference(store.document(first), store.document(second))
    assert [(entry["queryid"], entry["calls"]) for entry in found["rows"]] == [("3", 2)]
    assert found["undetermined"] == [] and found["rest"]["calls"] == 0


def test_the_text_of_a_statement_is_stored_once(store: Store) -> None:
    key = windows.key(row("1", 1, 1))
    assert store.without_text(SYSTEM, [key]) == {key}
    add(store, 0, row("1", 1, 1))
    assert store.without_text(SYSTEM, [key]) == set()
    assert store.without_text("1", [key]) == {key}
    number = add(store, 60, row("1", 2, 2, query=None))
    assert store.rows(number)[0]["query"] == "SELECT 1"
    # One that could not be had then can be had later.
    add(store, 120, row("2", 2, 2, query=None))
    assert store.without_text(SYSTEM, [windows.key(row("2", 1, 1))])
    number = add(store, 180, row("2", 3, 3))
    assert store.rows(number)[0]["query"] == "SELECT 2"


def test_only_its_owner_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "history.sqlite3"
    with Store.open(str(path)) as store:
        add(store, 0, row("1", 1, 1))
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()}
    assert len(modes) == 3 and set(modes.values()) == {0o600}


def test_a_transaction_is_whole_or_not_at_all(store: Store) -> None:
    # Whatever ended it comes through as it is.
    with pytest.raises(FileNotFoundError), store.transaction():
        add(store, 0, row("1", 1, 1))
        store.remember("alerts", {"a": 1})
        raise FileNotFoundError
    assert store.heads(FULL) == [] and store.memory("alerts") is None and store.newest(FULL, SYSTEM) == {}


def test_runs_and_what_is_remembered(store: Store) -> None:
    cut_off = store.begin_run("snapshot", at(0))
    done = store.begin_run("snapshot", at(60))
    store.end_run(done, "done", snapshot_id=7, cost={"wall_seconds": 0.2})
    newest, older = store.runs(10)
    assert newest == {
        "id": done, "command": "snapshot", "started_at": at(60), "outcome": "done", "reason": "", "snapshot_id": 7,
        "cost": {"wall_seconds": 0.2},
    }  # fmt: skip
    assert older["id"] == cut_off and older["outcome"] is None and older["cost"] is None
    assert store.runs(1) == [newest]
    store.remember("silences", {"until": at(9)})
    store.remember("silences", {"until": at(10)})
    assert store.memory("silences") == {"until": at(10)}


def test_readings(store: Store) -> None:
    number = add(store, 0, row("1", 1, 1))
    known = {"value": 12.5, "subject": "/data", "reason": None}
    unknown = {"value": None, "subject": None, "reason": "no"}
    store.add_readings(number, {"disk_used_percent": known, "xid": unknown})
    add(store, 60)
    (first, second) = store.readings()
    assert first == {"id": number, "taken_at": at(0), "readings": {"disk_used_percent": known, "xid": unknown}}
    assert second["readings"] == {} and store.readings(since=at(60)) == [second]


def test_what_is_too_old_goes_with_all_that_hangs_on_it_but_never_the_last(store: Store) -> None:
    for minute in range(0, 600, 60):
        number = add(store, minute, row(str(minute), 1, 1))
        store.add_readings(number, {"x": {"value": 1.0, "subject": None, "reason": None}})
    add(store, 0, row("1", 1, 1), kind=LIGHT)
    store.begin_run("snapshot", at(0))
    run = store.begin_run("snapshot", at(500))
    assert store.prune({FULL: at(480), LIGHT: at(300)}, 1 << 30) == 8
    assert [head["taken_at"] for head in store.heads(FULL)] == [at(480), at(540)]
    assert len(store.heads(LIGHT)) == 1
    assert [entry["id"] for entry in store.runs(9)] == [run]
    tables = {name: store._rows(f"SELECT count(*) FROM {name}", ())[0][0] for name in ("counter", "reading")}
    # With the one that says that the second had no entry at the first.
    assert tables == {"counter": 4, "reading": 2}
    # Of those without a snapshot the texts are gone as well.
    texts = [entry[0] for entry in store._rows("SELECT query FROM statement ORDER BY id", ())]
    assert texts == ["SELECT 480", "SELECT 540", "SELECT 1"]
    assert store.prune({FULL: at(999), LIGHT: at(999)}, 1 << 30) == 1 and len(store.heads(FULL)) == 1


def test_retention_by_size_takes_the_oldest_first_and_gives_the_room_back(store: Store) -> None:
    for minute in range(200):
        add(store, minute, *(row(str(number), minute + 1, minute + 1.5) for number in range(40)))
    store.prune({FULL: "", LIGHT: ""}, 1 << 30)
    before = store.bytes()
    assert len(store.heads(FULL)) == 200
    store.prune({FULL: "", LIGHT: ""}, before // 2)
    kept = [head["taken_at"] for head in store.heads(FULL)]
    assert kept[-1] == at(199) and kept == [at(minute) for minute in range(200 - len(kept), 200)]
    assert 50 < len(kept) < 130 and store.bytes() <= before * 0.6
    # What cannot be had is not tried for ever.
    store.prune({FULL: "", LIGHT: ""}, 0)
    assert [head["taken_at"] for head in store.heads(FULL)] == [at(199)]


def test_faults_say_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="No such file or directory.*run as the account"):
        Store.open(str(tmp_path / "nowhere" / "history.sqlite3"))
    text = tmp_path / "text.sqlite3"
    text.write_text("no database, but longer than the header of one is, which has sixteen bytes")
    with pytest.raises(StoreError, match="not a database.*move the file out of the way"):
        Store.open(str(text))
    newer = tmp_path / "newer.sqlite3"
    connection = sqlite3.connect(newer)
    connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    connection.close()
    with pytest.raises(StoreError, match=f"its schema is {VERSION + 1}.*install the newer version"):
        Store.open(str(newer))


def test_a_page_that_was_overwritten_is_found(tmp_path: Path) -> None:
    path = tmp_path / "history.sqlite3"
    with Store.open(str(path)) as store:
        for minute in range(20):
            add(store, minute, *(row(str(number), minute + 1, 1.5) for number in range(40)))
        store.prune({FULL: "", LIGHT: ""}, 1 << 30)
        assert store.problems() == []
    with path.open("r+b") as file:
        file.seek(5 * 4096)
        file.write(b"\xff" * 4096)
    with Store.open(str(path)) as store:
        assert store.problems()


def test_opening_twice_migrates_once(tmp_path: Path) -> None:
    path = str(tmp_path / "history.sqlite3")
    with Store.open(path) as first, Store.open(path) as second:
        add(first, 0, row("1", 1, 1))
        assert len(second.heads(FULL)) == 1
        with first.transaction():
            first.remember("a", {})
            # A reader does not wait for who writes.
            assert second.memory("a") is None


CALLS = st.lists(st.integers(0, 3), min_size=4, max_size=4)


@given(steps=st.lists(CALLS, min_size=2, max_size=6), limit=st.integers(1, 4))
@settings(deadline=None, max_examples=scaled(15, 300))
def test_what_is_kept_gives_the_same_windows_as_everything(
    tmp_path_factory: pytest.TempPathFactory, steps: list[list[int]], limit: int
) -> None:
    directory = tmp_path_factory.mktemp("store")
    with Store.open(str(directory / "kept")) as kept, Store.open(str(directory / "all")) as everything:
        calls = [1, 1, 1, 1]
        for minute, step in enumerate(steps):
            calls = [before + more for before, more in zip(calls, step, strict=True)]
            rows = [row(str(number), n, n * (number + 1.0)) for number, n in enumerate(calls)]
            add(kept, minute, *rows, limit=limit)
            add(everything, minute, *rows)
        ends = list(zip(kept.heads(FULL), kept.heads(FULL)[1:], strict=False))
        for before, after in ends:
            found, _told = windows.difference(kept.document(before["id"]), kept.document(after["id"]))
            whole, _told = windows.difference(everything.document(before["id"]), everything.document(after["id"]))
            assert found["total"] == whole["total"] and found["incomplete"] is None
            most = {entry["queryid"]: entry["calls"] for entry in whole["rows"][:limit]}
            assert most.items() <= {entry["queryid"]: entry["calls"] for entry in found["rows"]}.items()
