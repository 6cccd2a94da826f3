# SPDX-License-Identifier: GPL-3.0-or-later
"""Two baselines: what got worse, from which change on, and what makes the comparison uncertain."""

from __future__ import annotations

import copy
import re
from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.midi.capacity.plugins.filter.baseline_diff import FilterModule as Diff
from ansible_collections.midi.capacity.plugins.filter.baseline_diff_html import FilterModule as Html
from ansible_collections.midi.capacity.plugins.filter.baseline_diff_markdown import FilterModule as Markdown
from ansible_collections.midi.capacity.plugins.module_utils._baseline.compare import compare
from ansible_collections.midi.capacity.plugins.module_utils._baseline.compare_figures import BY_NAME, FIGURES, NEITHER
from ansible_collections.midi.capacity.plugins.module_utils._baseline.compare_report import shown
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.baseline_example import CACHE, HOST, baseline, begun, missing, setting, statement, table

SELECT, INSERT = "SELECT f.id", "INSERT INTO files"


def measured(label: str = "one", day: int = 24, **parts: Any) -> dict[str, Any]:
    """A baseline with a window of ten seconds in which 100 transactions and two statements ran, on a day at 00:29."""
    document = {**baseline(**parts), "cache": copy.deepcopy(CACHE), "cache_reason": None, "begin": begun()}
    document["label"] = label
    before = document["begin"]["snapshot"]
    rows = {row["query"].split(" JOIN")[0].split(" (")[0]: row for row in before["statements"]["rows"]}
    rows["SELECT f.id FROM files f"].update(calls=8000, total_exec_time=590000)
    rows["INSERT INTO files"].update(calls=1710000, total_exec_time=299000)
    before["database"].update(xact_commit=4900, xact_rollback=7, blks_hit=9220, blks_read=580)
    document["snapshot"]["database"]["xact_rollback"] = 7
    document["begin"]["cache"]["counters"].update(hits=829000, misses=169000)
    for holder, name in ((document, "taken_at"), (document["snapshot"], "taken_at"), (before, "taken_at")):
        holder[name] = holder[name].replace("-24T", f"-{day}T")
    for cache in (document["cache"], document["begin"]["cache"]):
        cache["taken_at"] = cache["taken_at"].replace("-24T", f"-{day}T")
    return document


def change(found: dict[str, Any], name: str) -> dict[str, Any]:
    return next(entry for entry in found["changes"] if entry["name"] == name)


def after(**parts: Any) -> dict[str, Any]:
    return measured("two", 25, **parts)


def end(document: dict[str, Any]) -> dict[str, Any]:
    return document["snapshot"]


def test_two_of_the_same_differ_in_nothing() -> None:
    found = compare(measured(), after())
    assert {entry["verdict"] for entry in found["changes"]} == {"same"}
    assert found["cautions"] == found["settings"] == found["sizes"] == found["new_statements"] == []
    assert (found["before"]["label"], found["after"]["label"], found["seconds"]) == ("one", "two", 86400)
    # All figures of the table are there, but for those that the example has no cause for.
    names = {entry["name"] for entry in found["changes"]}
    assert set(BY_NAME) - names == {"statement", "standby_lag"}
    assert [entry["title"] for entry in found["not_compared"]] == ["The last standby is behind by"]


def set_in(document: dict[str, Any], path: str, value: Any) -> None:
    *way, last = path.split("/")
    for step in way:
        document = document[int(step) if step.isdigit() else step]
    document[int(last) if last.isdigit() else last] = value


# The name of a figure; where it stands; a value of before, a value that is worse (or another, where neither is worse).
DIRECTIONS = [
    ("database_bytes", "snapshot/sizes/database_bytes", 5 * 2**30, 6 * 2**30),
    ("growth_rows", "snapshot/growth/rows", 10, 11),
    ("tables", "snapshot/sizes/counts/tables", 25, 26),
    ("indexes", "snapshot/sizes/counts/indexes", 61, 60),
    ("invalid_indexes", "snapshot/health/invalid_indexes", [], [{"building": False, "schema": "s", "name": "i"}]),
    ("connections_percent", "snapshot/connections/total", 10, 200),
    ("idle_in_transaction", "snapshot/connections/by_state/idle in transaction", 1, 3),
    ("oldest_transaction", "snapshot/health/oldest_transaction_seconds", 10, 100),
    ("oldest_xid_age", "snapshot/health/oldest_xid_age", 200_000_000, 300_000_000),
    ("statement_mean", "snapshot/statements/rows/0/total_exec_time", 600000, 700000),
    ("shared_buffers_hit", "snapshot/database/blks_read", 600, 900),
    ("commits", "snapshot/database/xact_commit", 5000, 6000),
    ("rolled_back", "snapshot/database/xact_rollback", 7, 30),
    ("temporary", "snapshot/database/temp_bytes", 3 * 2**30, 4 * 2**30),
    ("deadlocks", "snapshot/database/deadlocks", 2, 4),
    ("cpu_busy", "snapshot/host/cpu/busy_percent", 12.0, 60.0),
    ("memory_available", "snapshot/host/memory/available_bytes", 40 * 2**30, 10 * 2**30),
    ("disk_used", "snapshot/host/disks/0/used_percent", 26.3, 80.0),
    ("cache_hit", "cache/counters/misses", 170000, 171000),
    ("cache_lookups_missed", "cache/counters/misses", 170000, 171000),
    ("cache_evicted", "cache/counters/evicted_keys", 1200, 1300),
    ("cache_memory", "cache/memory/used_bytes", 2 * 2**30, 9 * 2**30),
    ("cache_keys", "cache/keyspace/db0/keys", 120000, 130000),
]


def test_the_directions_are_those_of_the_table() -> None:
    assert {name for name, *_rest in DIRECTIONS} == {figure.name for figure in FIGURES} - {"standby_lag"}


@pytest.mark.parametrize(
    ("name", "path", "good", "bad"), DIRECTIONS, ids=lambda value: value if isinstance(value, str) else ""
)
def test_what_is_worse(name: str, path: str, good: Any, bad: Any) -> None:
    one, two = measured(), after()
    set_in(one, path, good)
    set_in(two, path, bad)
    forth, back = compare(one, two), compare({**two, "label": "two"}, one)
    neutral = BY_NAME[name].worse == NEITHER
    assert change(forth, name)["verdict"] == ("changed" if neutral else "worse")
    assert change(back, name)["verdict"] == ("changed" if neutral else "better")
    assert change(forth, name)["exceeds"] >= 1


def test_a_standby_that_falls_behind_is_worse() -> None:
    def lag(number: int) -> dict[str, Any]:
        health = copy.deepcopy(baseline()["snapshot"]["health"])
        standbys = [{"lag_bytes": None}, {"lag_bytes": number}]
        return {**health, "replication": {"standbys": standbys, "receiver": None}}

    found = compare(measured(health=lag(2**20)), after(health=lag(2**28)))
    assert change(found, "standby_lag")["verdict"] == "worse"


def test_a_small_change_is_none() -> None:
    two = after()
    end(two)["host"]["cpu"]["busy_percent"] = 21.0
    # Large in percent and small in itself, and the other way round.
    end(two)["health"]["oldest_transaction_seconds"] = 185.2 + 59
    end(two)["health"]["oldest_xid_age"] = int(214748364 * 1.09)
    found = compare(measured(), two)
    for name in ("cpu_busy", "oldest_transaction", "oldest_xid_age"):
        assert change(found, name)["verdict"] == "same", name


def test_the_worst_comes_first_and_then_what_is_better() -> None:
    two = after()
    end(two)["host"]["cpu"]["busy_percent"] = 12.34 + 15
    end(two)["host"]["disks"][0]["used_percent"] = 26.3 + 40
    end(two)["host"]["memory"]["available_bytes"] = 50 * 2**30
    end(two)["sizes"]["database_bytes"] = 2**40
    found = compare(measured(), two)
    assert [(entry["name"], entry["verdict"]) for entry in found["changes"][:4]] == [
        ("disk_used", "worse"),
        ("cpu_busy", "worse"),
        ("memory_available", "better"),
        ("database_bytes", "changed"),
    ]
    disk = found["changes"][0]
    assert (disk["before"], round(disk["change"], 1), disk["exceeds"], disk["how"]) == (
        26.3,
        40.0,
        20.0,
        "measured at that moment",
    )


def test_from_nothing_there_is_no_percent() -> None:
    one, two = measured(), after()
    end(one)["health"]["oldest_transaction_seconds"] = 0
    found = change(compare(one, two), "oldest_transaction")
    assert (found["verdict"], found["change_percent"], found["exceeds"]) == ("worse", None, 3.09)


def slower(query: str, document: dict[str, Any], extra_ms: float) -> dict[str, Any]:
    for row in end(document)["statements"]["rows"]:
        if row["query"].startswith(query):
            row["total_exec_time"] += extra_ms
    return document


def statements_of(found: dict[str, Any]) -> list[tuple[str, str]]:
    return [(entry["verdict"], entry["statement"]["query"][:11]) for entry in found["changes"] if entry["statement"]]


def test_statements_that_got_slower_or_faster() -> None:
    two = slower(SELECT, after(), 20000)
    two = slower(INSERT, two, 5000)
    found = compare(measured(), two)
    # Six times as slow is worse than three times.
    assert statements_of(found) == [("worse", "INSERT INTO"), ("worse", "SELECT f.id")]
    assert statements_of(compare({**two, "label": "x"}, measured())) == [
        ("better", "INSERT INTO"),
        ("better", "SELECT f.id"),
    ]
    worst = [entry for entry in found["changes"] if entry["statement"]][1]
    assert (worst["before"], worst["after"], worst["change_percent"]) == (10.0, 30.0, 200.0)
    assert worst["statement"]["database"] == "midi_library"


def test_a_statement_that_costs_next_to_nothing_does_not_count() -> None:
    one, two = measured(), after()
    for document, total in ((one, 10), (two, 60)):
        end(document)["statements"]["rows"].append(statement("SELECT rare", total, 10))
        document["begin"]["snapshot"]["statements"]["rest"]["statements"] = 0
    assert ("worse", "SELECT rare") not in statements_of(compare(one, two))
    # In a window in which it costs more than others it does.
    slower("SELECT rare", two, 100000)
    assert ("worse", "SELECT rare") in statements_of(compare(one, two))


def test_statements_of_another_server_are_known_by_their_text() -> None:
    two = slower(SELECT, after(), 20000)
    other = {"system_identifier": "9"}
    for snapshot in (end(two), two["begin"]["snapshot"]):
        snapshot["server"].update(other)
        for row in snapshot["statements"]["rows"]:
            row["queryid"] += "9"
    found = compare(measured(), two)
    assert statements_of(found) == [("worse", "SELECT f.id")]
    assert found["between"] is None
    assert (
        "Statements are matched by their text, because numbers of one server say nothing of another."
        in found["cautions"]
    )
    # On the same server a number is what counts.
    for snapshot in (end(two), two["begin"]["snapshot"]):
        snapshot["server"] = end(measured())["server"]
    assert statements_of(compare(measured(), two)) == []


def test_the_queries_of_snapshots_are_no_load() -> None:
    two = after()
    end(two)["statements"]["rows"].append(statement("SELECT /* midi.capacity */ 1", 900000, 9))
    two["begin"]["snapshot"]["statements"]["rest"]["statements"] = 0
    found = compare(measured(), two)
    assert change(found, "statement_mean")["verdict"] == "same"
    assert found["new_statements"] == []
    # Where nothing else ran there is no mean.
    idle = [{**document, "begin": begun()} for document in (measured(), after())]
    assert {"title": "Mean time of all statements but those of snapshots", "reason": "neither has it"} in compare(
        *idle
    )["not_compared"]


def test_statements_that_are_new() -> None:
    two = after()
    end(two)["statements"]["rows"].append(statement("SELECT new", 50000, 5))
    two["begin"]["snapshot"]["statements"]["rest"]["statements"] = 0
    (new,) = compare(measured(), two)["new_statements"]
    assert (new["query"], new["calls"], new["mean_exec_time_ms"]) == ("SELECT new", 5, 10000)
    assert new["share_percent"] > 80
    # Without a window of before all would be new.
    one = {**measured(), "begin": None}
    assert compare(one, two)["new_statements"] == []


def other_server(**changes: Any) -> dict[str, Any]:
    return {**baseline()["snapshot"]["server"], **changes}


def elsewhere(**changes: Any) -> dict[str, Any]:
    return {**after(), **changes}


CAUTIONS = [
    (elsewhere(inventory_hostname="db2"), "Another host of the inventory: db1, then db2."),
    (after(server=other_server(system_identifier="9")),
     "Another server, by its system identifier: 7711527333102537146, then 9."),
    (after(server=other_server(version="16.6")), "Another version of PostgreSQL: 16.4, then 16.6."),
    (after(server=other_server(database="x")), "Another database: midi_library, then x."),
    (after(server=other_server(in_recovery=True)), "Another role: a primary, then a standby."),
    (after(server=None), "Which server it was could not be read for both; statements are matched by their text."),
    (after(host={**HOST, "cpu": {**HOST["cpu"], "usable_cpus": 8}}), "Another number of CPUs: 16, then 8."),
    (after(host={**HOST, "memory": {**HOST["memory"], "total_bytes": 2**35}}),
     "Another memory of the host: 60 GiB, then 32 GiB."),
    (after(growth={"table": "public.x", "rows": 1, "method": "exact"}),
     "Another growing table: public.files, then public.x."),
    (after(growth={"table": "public.files", "rows": 1, "method": "estimate"}),
     "Another way to count its rows: exact, then estimate."),
    (elsewhere(cache={**copy.deepcopy(CACHE), "version": "8.0"}), "Another version of Redis: 7.0.15, then 8.0."),
    (elsewhere(cache={**copy.deepcopy(CACHE), "memory": {**CACHE["memory"], "maxmemory_bytes": 0}}),
     "Another memory limit of the cache: 10 GiB, then none."),
    (elsewhere(begin=None),
     "The second baseline has no window, so only what was measured at a moment can be compared."),
]  # fmt: skip


@pytest.mark.parametrize(("two", "caution"), CAUTIONS, ids=[caution for _two, caution in CAUTIONS])
def test_what_makes_it_uncertain(two: dict[str, Any], caution: str) -> None:
    assert caution in compare(measured(), two)["cautions"]


def test_windows_that_differ_are_named() -> None:
    long = {**after(), "begin": {**begun(300), "cache": None}}
    long["begin"]["snapshot"]["taken_at"] = "2026-11-25T00:24:41.236Z"
    assert (
        "Their windows are of 10 s and 5 min: in the shorter one a single slow query weighs more."
        in compare(measured(), long)["cautions"]
    )
    later = after()
    later["taken_at"] = "2026-11-25T14:29:41.236Z"
    (caution,) = compare(measured(), later)["cautions"]
    assert caution.startswith("They were taken at 00:29 and 14:29 UTC: the load of another time of day")
    reset = after()
    end(reset)["database"]["stats_reset"] = "2026-11-25T00:29:35.000Z"
    (caution,) = compare(measured(), reset)["cautions"]
    assert caution.startswith(
        "In the window of the second, database: its counters were reset at 2026-11-25 00:29:35 UTC"
    )


def test_neither_with_a_window() -> None:
    found = compare({**measured(), "begin": None}, {**after(), "begin": None})
    assert found["cautions"] == [
        "Neither baseline has a window, so only what was measured at a moment can be compared."
    ]
    assert {"title": "Deadlocks", "reason": "neither has it"} in found["not_compared"]


def test_the_wrong_way_round_is_told() -> None:
    found = compare(after(), measured())
    assert found["cautions"] == [
        "The second baseline was taken before the first: what is called worse here is what got better since."
    ]
    assert found["seconds"] == -86400 and found["between"] is None


def test_what_is_missing_is_not_compared_and_says_why() -> None:
    found = compare(measured(), after(host=None, missing=missing("host", "it is elsewhere")))
    assert {"title": "CPU busy", "reason": "after does not have it: it is elsewhere"} in found["not_compared"]
    assert "cpu_busy" not in {entry["name"] for entry in found["changes"]}


def test_settings_that_changed() -> None:
    two = after()
    end(two)["settings"]["shared_buffers"] = setting("1048576", "8kB", "configuration file")
    end(two)["settings"]["io_method"] = setting("worker")
    del end(two)["settings"]["jit"]
    assert compare(measured(), two)["settings"] == [
        {"name": "io_method", "before": None, "after": "worker", "source": "default"},
        {"name": "jit", "before": "on", "after": None, "source": "default"},
        {"name": "shared_buffers", "before": "4GB", "after": "8GB", "source": "configuration file"},
    ]


def test_sizes_that_changed() -> None:
    two = after()
    end(two)["sizes"]["tables"] = [table("files", 4 * 2**30, 1), table("new", 5, 1)]
    found = compare(measured(), two)["sizes"]
    assert [(entry["kind"], entry["name"], entry["before_bytes"], entry["after_bytes"]) for entry in found] == [
        # Both by one GiB.
        ("table", "public.file_tags", 2**30, None),
        ("table", "public.files", 3 * 2**30, 4 * 2**30),
        ("table", "public.new", None, 5),
    ]
    end(two)["sizes"]["tables"] = None
    assert compare(measured(), two)["sizes"] == []


def test_the_time_between_is_a_window_too() -> None:
    two = slower(SELECT, after(), 5000)
    end(two)["statements"]["rows"][0]["calls"] += 100
    end(two)["database"]["xact_commit"] += 4000
    between = compare(measured(), two)["between"]
    assert (between["seconds"], between["database"]["xact_commit"]) == (86400, 4000)
    assert [(row["calls"], row["mean_exec_time_ms"]) for row in between["statements"]["rows"]] == [(100, 50.0)]


def report(one: dict[str, Any], two: dict[str, Any]) -> str:
    return Markdown().filters()["baseline_diff_markdown"](Diff().filters()["baseline_diff"](one, two))


def test_the_report() -> None:
    two = slower(SELECT, after(), 20000)
    end(two)["host"]["disks"][0]["used_percent"] = 66.3
    end(two)["sizes"]["tables"][0]["total_bytes"] += 2**20
    end(two)["settings"]["jit"] = setting("off", source="database")
    end(two)["statements"]["rows"].append(statement("SELECT new", 50000, 5))
    two["begin"]["snapshot"]["statements"]["rest"]["statements"] = 0
    text = report(measured(), two)
    assert text.startswith(
        "# Baselines `one` and `two`\n\nFrom `one`, taken 2026-11-24 00:29:41 UTC on `db1`, to `two`, taken"
        " 2026-11-25 00:29:41 UTC on `db1`, 1 d later. "
    )
    titles = re.findall(r"^## (.*)$", text, re.MULTILINE)
    assert titles == [
        "What got worse",
        "What makes this uncertain",
        "What got better",
        "What else changed",
        "Statements that are new",
        "Settings that changed",
        "Tables and indexes that changed",
        "Between the two",
        "What was not compared",
        "What counts as worse",
    ]
    worse = text.split("## What makes", maxsplit=1)[0]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in worse.splitlines() if line.startswith("| ")][
        2:
    ]
    assert ["Disk of the data directory used", "26 %", "66 %", "+40.0 points", "measured at that moment"] in rows
    assert any(row[0].startswith("`SELECT f.id") and row[1:4] == ["10 ms", "30 ms", "+20 ms (+200 %)"] for row in rows)
    assert "| public.files | table | 3 GiB  | 3 GiB | +1 MiB |" in re.sub(" +", " ", text).replace(
        "3 GiB |", "3 GiB  |", 1
    )
    assert "| jit | on | off | database |" in re.sub(" +", " ", text)
    assert "`SELECT new`" in text.split("## Statements that are new")[1].split("##")[0]
    assert "Transactions committed" in text.split("## Between the two")[1].split("##")[0]
    assert all(line == line.rstrip() for line in text.splitlines())


def test_a_report_of_nothing() -> None:
    text = report({**measured(), "begin": None}, {**after(), "begin": None})
    for title in ("What got worse", "What got better", "What else changed"):
        assert f"## {title}\n\nNothing that counts." in text
    assert "## Settings that changed\n\nNone." in text and "## Tables and indexes that changed\n\nNone." in text
    assert "Statements that are new" not in text
    assert "As before: " in text


def test_the_rules_are_in_the_report_and_are_the_table() -> None:
    rules = report(measured(), after()).split("## What counts as worse")[1]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in rules.splitlines() if line.startswith("| ")][
        2:
    ]
    assert [row[0] for row in rows] == [figure.title for figure in BY_NAME.values()]
    assert ["CPU busy", "more", "10 points", "measured over a second or so"] in rows
    assert ["Lookups that hit the cache", "less", "1 points", "measured over its window"] in rows
    assert ["A statement's mean time", "more", "0.1 ms and 20 %", "measured over its window"] in rows
    assert ["Database size", "for you to say", "1 MiB", "measured at that moment"] in rows


def test_the_page_says_what_the_markdown_says() -> None:
    two = after()
    two["label"] = "<b>"
    text = Html().filters()["baseline_diff_html"](compare(measured(), two))
    assert "<h1>Baselines <code>one</code> and <code>&lt;b&gt;</code></h1>" in text
    assert "<h2>What counts as worse</h2>" in text


@pytest.mark.parametrize(
    ("unit", "number", "text"),
    [
        ("bytes", 2048, "2 KiB"),
        ("bytes a second", 2048.0, "2 KiB a second"),
        ("count", 1234.0, "1,234"),
        ("count a second", 0.25, "0.25 a second"),
        ("percent", 12.3, "12 %"),
        ("ms", 0.5, "0.5 ms"),
        ("seconds", 90, "1 min 30 s"),
    ],
)
def test_shown(unit: str, number: float, text: str) -> None:
    assert shown(unit, number) == text


def test_what_is_no_baseline_is_told() -> None:
    for one, two in ((measured(), {}), ({}, measured()), (measured(), "text")):
        with pytest.raises(AnsibleFilterError, match="baseline_diff: these are no baselines"):
            Diff().filters()["baseline_diff"](one, two)
    with pytest.raises(AnsibleFilterError, match="baseline_diff: the baseline has schema version 2, not 1"):
        Diff().filters()["baseline_diff"](measured(), {"schema_version": 2})
    for module, name in ((Markdown, "baseline_diff_markdown"), (Html, "baseline_diff_html")):
        with pytest.raises(AnsibleFilterError, match=f"{name}: this is no diff of baselines"):
            module().filters()[name](measured())


@given(st.floats(0, 100), st.floats(0, 100))
def test_what_is_worse_one_way_is_better_the_other(one: float, two: float) -> None:
    verdicts = {"worse": "better", "better": "worse", "same": "same"}
    documents = [measured(), measured("two")]
    for document, value in zip(documents, (one, two), strict=True):
        end(document)["host"]["cpu"]["busy_percent"] = value
    forth, back = compare(*documents), compare(*reversed(documents))
    assert change(back, "cpu_busy")["verdict"] == verdicts[change(forth, "cpu_busy")["verdict"]]
