# SPDX-License-Identifier: GPL-3.0-or-later
"""The baseline's report: every figure says how it was got, and what is missing says why."""

from __future__ import annotations

import copy
import re
from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.midi.capacity.plugins.filter.baseline_markdown import FilterModule
from ansible_collections.midi.capacity.plugins.filter.baseline_steps import FilterModule as StepsModule
from ansible_collections.midi.capacity.plugins.module_utils._baseline.report import UnknownSchema, markdown

from tests.unit.baseline_example import CACHE, HOST, baseline, begun, missing, statement, table


def sections(text: str) -> dict[str, str]:
    """The report by the headings of its sections; the part before the first is ''."""
    parts = re.split(r"^## (.*)\n", text, flags=re.MULTILINE)
    return {"": parts[0], **dict(zip(parts[1::2], parts[2::2], strict=True))}


def row(text: str, first: str) -> list[str]:
    """The cells of the table row that begins with a text."""
    line = next(line for line in text.splitlines() if line.startswith(f"| {first}"))
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def report(**parts: Any) -> dict[str, str]:
    return sections(markdown(baseline(**parts)))


def test_heading() -> None:
    assert report()[""] == (
        "# Capacity baseline `phase1`\n\n"
        "Taken 2026-11-24 00:29:41 UTC on `db1`: database `midi_library` of PostgreSQL 16.4, a primary,"
        " up for 11 d 21 h. System identifier 7711527333102537146.\n\n"
    )


GLANCE = [
    ("Database size", "5 GiB", "measured"),
    ("Rows of public.files", "1,720,000", "counted, in 312 ms"),
    ("Tables", "25", "counted"),
    ("Indexes", "61", "counted; 1 invalid: public.broken"),
    (
        "Connections used",
        "14 of 253 (5.5 %)",
        "counted at that moment, without the snapshot's own: 3 active, 10 idle, 1 idle in transaction",
    ),
    ("Blocks found", "94 %", "cumulative, since 2026-10-01 00:00:00 UTC; not a window"),
    ("Temporary files", "3 GiB", "cumulative, since 2026-10-01 00:00:00 UTC; not a window"),
    ("Deadlocks", "2", "cumulative, since 2026-10-01 00:00:00 UTC; not a window"),
    ("Oldest transaction ", "3 min 5 s", "measured at that moment"),
    ("Oldest transaction id", "214,748,364", "measured; 10 % of the way to wraparound"),
]


@pytest.mark.parametrize(("figure", "value", "how"), GLANCE)
def test_glance(figure: str, value: str, how: str) -> None:
    assert row(report()["At a glance"], figure)[1:] == [value, how]


def test_an_estimate_says_so() -> None:
    growth = {"table": "public.files", "rows": 1718000, "method": "estimate", "seconds": 0.0, "note": None}
    assert row(report(growth=growth)["At a glance"], "Rows of")[1:] == [
        "~ 1,718,000",
        "estimated from the planner's statistics",
    ]
    growth["note"] = "no exact count: it took longer than 30 s"
    assert row(report(growth=growth)["At a glance"], "Rows of")[2].endswith(
        "; no exact count: it took longer than 30 s"
    )


NO_SIZES = {"database_bytes": None, "tables": [], "indexes": [], "counts": None}
ABSENT = [
    ({"sizes": NO_SIZES}, "sizes.database_bytes", "Database size"),
    ({"sizes": NO_SIZES}, "sizes.counts", "Indexes"),
    ({"growth": None}, "growth", "Rows of"),
    ({"connections": None}, "connections", "Connections used"),
    ({"database": None}, "database", "Counters of"),
]


@pytest.mark.parametrize(("parts", "part", "figure"), ABSENT)
def test_a_figure_that_is_missing_says_why(parts: dict[str, Any], part: str, figure: str) -> None:
    text = report(**parts, missing=missing(part, "the reason", "the remedy"))
    assert row(text["At a glance"], figure)[1:] == ["missing", "missing: the reason"]
    assert f"- **{part}**: the reason. To get it: the remedy.\n" in text["What to do next"]


def test_hidden_connections_are_not_zero() -> None:
    hidden = {"total": None, "by_state": None, "by_database": None, "usable_maximum": 253}
    text = report(connections=hidden, missing=missing("connections"))
    assert row(text["At a glance"], "Connections used")[1:] == ["? of 253", "missing: the reason"]


@pytest.mark.parametrize(
    ("part", "parts", "title"),
    [
        ("statements", {"statements": None}, "Statements"),
        ("settings", {"settings": None}, "Settings"),
        ("host", {"host": None}, "Host"),
    ],
)
def test_a_section_that_is_missing_says_why(part: str, parts: dict[str, Any], title: str) -> None:
    text = report(**parts, missing=missing(part))
    assert text[title].strip() == "Missing: the reason."


@pytest.mark.parametrize(
    ("part", "title"),
    [
        ("sizes.tables", "Largest tables"),
        ("sizes.indexes", "Largest indexes"),
        ("statements", "Statements"),
        ("settings", "Settings"),
    ],
)
def test_a_section_of_which_something_is_missing_says_so(part: str, title: str) -> None:
    text = report(missing=missing(part, "this is hidden"))[title]
    assert "Not all of them: this is hidden." in text
    assert "| ---" in text


def test_tables_with_their_partitions_together() -> None:
    sizes = {
        "database_bytes": 1,
        "tables": [table("p0", 1000, 10, "public.p"), table("small", 1500, 7), table("p1", 1000, 10, "public.p")],
        "indexes": [],
        "counts": {"tables": 2, "indexes": 0, "partitions": 2},
    }
    text = report(sizes=sizes)
    lines = [line for line in text["Largest tables"].splitlines() if line.startswith("| public")]
    assert [line.split("|")[1].strip() for line in lines] == ["public.p (2 partitions)", "public.small"]
    assert row(text["Largest tables"], "public.p ")[1:] == ["1.95 KiB", "1.46 KiB", "500 B", "0 B", "~ 20"]
    assert row(text["At a glance"], "Tables")[2] == "counted; 2 partitions besides"
    assert "There are no indexes." in text["Largest indexes"]


def test_a_table_that_was_never_analyzed_has_no_row_estimate() -> None:
    assert row(report()["Largest tables"], "public.file_tags")[-1] == "never analyzed"


def test_only_the_largest_are_shown() -> None:
    sizes = baseline()["snapshot"]["sizes"]
    sizes["tables"] = [table(f"t{number}", number * 1000, number) for number in range(13)]
    text = report(sizes=sizes)["Largest tables"]
    assert "| public.t12 " in text and "| public.t2 " not in text
    assert "And 3 smaller tables." in text


def test_statements_are_labelled_as_sums_since_the_reset() -> None:
    text = report()["Statements"]
    assert "cumulative since 2026-11-12 03:00:00 UTC: sums of all that time, not of a window" in text
    assert "dropped 7 times" in text
    total, mean = text.split("### Slowest on average")
    assert row(total, "10 min")[1:5] == ["60 %", "9,000", "66.7 ms", "10 min"]
    # One call in ten seconds beats nine thousand short ones: the order by mean is another one.
    assert mean.index("a \\|\\| b \\| c") < mean.index("SELECT f.id")
    assert "among the 3 statements with most total time; 40 others" in mean


def test_at_most_five_statements_each() -> None:
    statements = baseline()["snapshot"]["statements"]
    statements["rows"] = [statement(f"SELECT {number}", 1000.0 - number, 1) for number in range(9)]
    text = report(statements=statements)["Statements"]
    assert len(re.findall("`SELECT", text)) == 10


def test_the_queries_of_snapshots_are_left_out() -> None:
    statements = baseline()["snapshot"]["statements"]
    statements["rows"].insert(0, statement("SELECT /* midi.capacity */ count(*) FROM files", 1000000, 1))
    text = report(statements=statements)["Statements"]
    assert "midi.capacity" not in text
    # They did cost time, so the shares of the others shrink.
    assert row(text, "10 min")[1] == "30 %"


def test_nothing_recorded_yet() -> None:
    rest = {"statements": 0, "calls": 0, "total_exec_time": 0}
    empty = {"stats_reset": "2026-11-12T03:00:00.000Z", "dealloc": 0, "rows": [], "rest": rest}
    assert "None was recorded." in report(statements=empty)["Statements"]


def test_settings_have_their_source_and_units() -> None:
    text = report()["Settings"]
    assert row(text, "shared_buffers")[1:] == ["4GB", "command line", ""]
    assert row(text, "work_mem")[1:] == ["64MB", "configuration file", "yes"]
    assert row(text, "shared_preload_libraries")[1] == "(empty)"
    assert "jit" not in text and "One more is at its default." in text


def test_host() -> None:
    text = report()["Host"]
    assert text.startswith("\nIts CPU is AMD Ryzen 9.\n")
    assert row(text, "CPUs that")[1:] == ["16", "measured"]
    assert row(text, "CPU busy")[1:] == ["12 %", "measured over 1 s"]
    assert row(text, "Memory ")[1:] == ["60 GiB", "measured"]
    assert row(text, "Disk")[1:] == ["700 GiB", "measured; 26 % of 1000 GiB used; /"]
    assert "limit" not in text and "Not all of it" not in text


def test_host_with_a_limit_and_gaps() -> None:
    group = {"version": "2", "limit_bytes": 2**33, "source": "/sys/fs/cgroup/x/memory.max", "limit_used_bytes": 2**32}
    host = {**HOST, "memory": {**HOST["memory"], "cgroup": group}, "disks": []}
    text = report(host=host, missing=missing("host.disks", "it is not here"))["Host"]
    assert row(text, "Memory limit")[1:] == ["8 GiB", "/sys/fs/cgroup/x/memory.max"]
    assert row(text, "Memory used")[1] == "4 GiB"
    assert "- host.disks: it is not here" in text


def cache_report(cache: dict[str, Any] | None = None, **parts: Any) -> dict[str, str]:
    """The report with a cache, of which parts are replaced; a part that is a dict only in what it names."""
    found = copy.deepcopy(cache or CACHE)
    for name, part in parts.items():
        found[name] = {**found[name], **part} if isinstance(part, dict) and found[name] else part
    return sections(markdown({**baseline(), "cache": found, "cache_reason": None}))


CACHE_FIGURES = [
    ("Memory used ", "2 GiB", "measured at that moment"),
    ("Memory limit", "10 GiB", "maxmemory, 20 % used; policy allkeys-lfu"),
    ("Memory used at most", "3 GiB", "measured, since start"),
    ("Fragmentation", "1.1", "measured: resident memory over used memory"),
    ("Lookups that hit", "830,000", "cumulative since start, not a window"),
    ("Lookups that missed", "170,000", "cumulative since start, not a window"),
    ("Hit ratio", "83 %", "hits of all lookups, cumulative since start, not a window"),
    ("Keys evicted", "1,200", "cumulative since start, not a window"),
    ("Keys expired", "34,000", "cumulative since start, not a window"),
    ("Keys held", "125,000", "counted at that moment, in all databases"),
    ("Keys with a time to live", "110,000", "counted at that moment; 88 % of all"),
    ("Append-only file", "on", "last write ok, last rewrite ok"),
    ("Last snapshot (RDB)", "ok", "last save or start 2026-11-24 00:20:00 UTC; 4,321 changes since"),
    ("Clients", "12 of 10,000 (0.1 %)", "counted at that moment, the reader among them"),
    ("maxmemory ", "10gb"),
    ("save", '""'),
]


@pytest.mark.parametrize("figure", CACHE_FIGURES, ids=lambda figure: figure[0])
def test_cache(figure: tuple[str, ...]) -> None:
    text = cache_report()["Cache"]
    assert text.startswith("\nRedis 7.0.15, a master, up for 1 d.\n")
    assert row(text, figure[0])[1:] == list(figure[1:])
    assert "Not all of it" not in text


def test_a_cache_of_which_nothing_is_known_says_why() -> None:
    def emptied(part: Any) -> Any:
        return {name: emptied(value) for name, value in part.items()} if isinstance(part, dict) else None

    gap = {"part": "info.used_memory", "reason": "the server's INFO does not have it"}
    text = cache_report({**emptied(CACHE), "keyspace": {}, "config": None, "missing": [gap]})["Cache"]
    assert "Redis of an unknown version, of an unknown role." in text
    for figure in ("Memory used ", "Memory limit", "Hit ratio", "Append-only file", "Clients"):
        assert row(text, figure)[1] == "missing"
    assert "- info.used_memory: the server's INFO does not have it" in text
    assert "### Settings" not in text


def test_a_cache_that_was_never_asked_has_no_ratio() -> None:
    text = cache_report(counters={"hits": 0, "misses": 0})["Cache"]
    assert row(text, "Hit ratio")[1] == "n/a"


def test_an_empty_cache_has_no_share_of_keys() -> None:
    text = cache_report({**CACHE, "keyspace": {}})["Cache"]
    assert row(text, "Keys with a time to live")[1:] == ["0", "counted at that moment"]


def test_a_replica_and_no_limit() -> None:
    text = cache_report(role="replica", memory={"maxmemory_bytes": 0}, persistence={"aof_enabled": False})["Cache"]
    assert "Redis 7.0.15, a replica" in text
    assert row(text, "Memory limit")[1:] == ["none", "maxmemory; policy allkeys-lfu"]
    assert row(text, "Append-only file")[1:] == ["off", "as INFO says"]


@pytest.mark.parametrize(
    ("parts", "step"),
    [
        ({"memory": {"maxmemory_bytes": 0}}, "it has no memory limit"),
        ({"memory": {"maxmemory_policy": "noeviction"}}, "at its limit it refuses writes"),
        ({"persistence": {"aof_last_write_status": "err"}}, "its append-only file could not be written"),
        ({"persistence": {"aof_last_rewrite_status": "err"}}, "its append-only file could not be written"),
        ({"persistence": {"rdb_last_bgsave_status": "err"}}, "its last snapshot could not be saved"),
    ],
)
def test_what_a_cache_needs(parts: dict[str, Any], step: str) -> None:
    assert f"- **cache**: {step}" in cache_report(**parts)["What to do next"]
    assert "**cache**" not in cache_report()["What to do next"]


def test_an_old_failure_of_a_file_that_is_off_is_no_step() -> None:
    kept = {"aof_enabled": False, "aof_last_write_status": "err"}
    assert "**cache**" not in cache_report(persistence=kept)["What to do next"]


def test_next_steps() -> None:
    steps = report()["What to do next"]
    assert "- **public.broken**: the index is invalid: it costs on every write" in steps
    assert "**restart**: work_mem will change" in steps
    assert "**cache**: not asked for" in steps
    assert "**growth**: no table was named" in report(growth=None)["What to do next"]


def test_nothing_to_do() -> None:
    complete = baseline(settings={}, health={**baseline()["snapshot"]["health"], "invalid_indexes": []})
    complete["cache_reason"] = None
    complete["cache"] = CACHE
    assert sections(markdown(complete))["What to do next"] == "\nNothing is missing.\n"


def test_replication_is_shown_where_there_is_some() -> None:
    health = baseline()["snapshot"]["health"]
    health["replication"] = {
        "standbys": [{"lag_bytes": 5}, {"lag_bytes": 16 * 2**20}],
        "receiver": {"lag_seconds": 3.0, "lag_bytes": 1, "state": "streaming"},
    }
    health["inactive_slots"] = [{"name": "old", "retained_bytes": 2**31, "type": "physical", "wal_status": "extended"}]
    text = report(health=health)["At a glance"]
    assert row(text, "Standbys")[1:] == ["2", "measured; the last one is 16 MiB behind"]
    assert row(text, "Behind its primary")[1] == "3 s"
    assert row(text, "WAL held for inactive slot old")[1] == "2 GiB"


def test_an_unknown_schema_is_refused() -> None:
    newer = {**baseline(), "schema_version": 2}
    with pytest.raises(UnknownSchema, match="the baseline has schema version 2, not 1"):
        markdown(newer)
    with pytest.raises(AnsibleFilterError, match="schema version 2"):
        FilterModule().filters()["baseline_markdown"](newer)


def test_the_version_is_looked_at_before_anything_else() -> None:
    with pytest.raises(UnknownSchema, match="the baseline has schema version 2, not 1"):
        markdown({"schema_version": 2})


@pytest.mark.parametrize("damaged", ["text", {"schema_version": 1, "snapshot": []}, {**baseline(), "cache": "text"}])
def test_what_is_no_baseline_is_told(damaged: Any) -> None:
    for name, function in {**FilterModule().filters(), **StepsModule().filters()}.items():
        with pytest.raises(AnsibleFilterError, match=f"{name}: this is no baseline"):
            function(damaged)


def test_the_steps_are_those_of_the_report() -> None:
    found = StepsModule().filters()["baseline_steps"](baseline(missing=missing("host", "it is away", "ask there")))
    assert [(step["part"], step["gap"], step["optional"], step["by"]) for step in found] == [
        ("host", True, False, None),
        ("cache", True, True, None),
        ("public.broken", False, False, None),
        ("restart", False, False, "restart"),
    ]
    assert found[0]["what"] == "it is away" and found[0]["remedy"] == "ask there"


def test_sentences_end_with_one_dot() -> None:
    parts = {"statements": None, "host": None, "missing": []}
    for part in ("statements", "host", "settings", "sizes.tables"):
        parts["missing"] += missing(part, "something does lead to it.", "look there.")
    text = markdown({**baseline(**parts), "cache_reason": "it was away."})
    assert ".." not in text
    assert "lead to it. To get it: look there.\n" in text


def test_the_filter_is_the_report() -> None:
    assert FilterModule().filters()["baseline_markdown"](baseline()) == markdown(baseline())


def test_every_line_is_as_long_as_a_table_needs_and_none_ends_in_blanks() -> None:
    for line in markdown({**baseline(), "cache": CACHE}).splitlines():
        assert line == line.rstrip()


def windowed(**end: Any) -> dict[str, Any]:
    """A baseline with a window in which the first statement ran; parts of its end replaced."""
    document = {**baseline(), "cache": copy.deepcopy(CACHE), "cache_reason": None, "begin": begun()}
    before = document["begin"]["snapshot"]
    before["statements"]["rows"][0].update(calls=8990, rows=8990, total_exec_time=599500, shared_blks_read=8990)
    before["database"].update(blks_hit=9370, blks_read=590, xact_commit=4950, temp_bytes=3 * 2**30 - 1024)
    document["begin"]["cache"]["counters"].update(hits=829910, misses=169990, evicted_keys=1195)
    document["snapshot"].update(end)
    return document


WINDOW_GLANCE = [
    ("Blocks found in shared buffers, in the window", "75 %", "measured over 10 s"),
    ("Transactions committed, in the window", "50", "measured over 10 s; 5 a second"),
    ("Temporary files written, in the window", "1 KiB", "measured over 10 s"),
    ("Deadlocks, in the window", "0", "measured over 10 s"),
]
WINDOW_CACHE = [
    ("Lookups in the window", "100", "measured over 10 s"),
    ("Hit ratio in the window", "90 %", "hits of all lookups, measured over 10 s"),
    ("Keys evicted in the window", "5", "measured over 10 s"),
    ("Keys expired in the window", "0", "measured over 10 s"),
]


@pytest.mark.parametrize("figure", [*WINDOW_GLANCE, *WINDOW_CACHE], ids=lambda figure: figure[0])
def test_figures_of_the_window(figure: tuple[str, str, str]) -> None:
    text = sections(markdown(windowed()))["At a glance" if figure in WINDOW_GLANCE else "Cache"]
    # The seconds of a cache are whole ones.
    assert row(text, figure[0])[1:] == list(figure[1:])
    assert "in the window" not in markdown(baseline())


def test_statements_of_the_window_come_first() -> None:
    window, since = sections(markdown(windowed()))["Statements"].split("### Since the counters were reset")
    assert window.startswith(
        "\n### In the window of 10 s\n\nMeasured over 10 s by pg_stat_statements, all databases, from"
    )
    assert "from 2026-11-24 00:29:31 UTC to 2026-11-24 00:29:41 UTC: 10 calls took 500 ms in sum." in window
    assert row(window, "500 ms")[1:7] == ["100 %", "10", "50 ms", "10", "10", "midi_library"]
    assert "INSERT" not in window
    assert "cumulative since 2026-11-12" in since


def test_what_weakens_the_window_is_told() -> None:
    document = windowed()
    document["begin"]["snapshot"]["statements"]["dealloc"] = 5
    document["begin"]["cache"]["counters"]["hits"] = 10**9
    text = sections(markdown(document))
    assert "in sum, at least: statements were dropped 2 times to make room for others." in text["Statements"]
    assert "- Statements were dropped 2 times to make room for others, with what they had done." in text["Statements"]
    assert row(text["Cache"], "Hit ratio in the window")[1] == "missing"
    assert "- window: its counters were reset in the window (CONFIG RESETSTAT)" in text["Cache"]


def test_a_window_in_which_nothing_ran() -> None:
    document = {**windowed(), "begin": begun()}
    document["snapshot"]["statements"]["rows"][0]["query"] = "SELECT /* midi.capacity */ 1"
    text = sections(markdown(document))
    assert "Nothing else ran.\n" in text["Statements"]
    assert row(text["At a glance"], "Blocks found in shared buffers, in the window")[1:] == [
        "n/a",
        "measured over 10 s: no block was asked for",
    ]
    assert row(text["Cache"], "Hit ratio in the window")[1:] == ["n/a", "no key was asked for, measured over 10 s"]


def test_a_window_that_cannot_be_says_why() -> None:
    other = {**baseline()["snapshot"]["server"], "system_identifier": "1"}
    text = sections(markdown(windowed(server=other)))
    assert "### In the window\n\n- Another server: system identifier 7711527333102537146, then 1." in text["Statements"]
    assert "in the window" not in text["At a glance"]


def test_ends_without_time_between_them_are_no_window() -> None:
    document = {**windowed(), "begin": begun(0)}
    assert "in the window" not in markdown(document)
