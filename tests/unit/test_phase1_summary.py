# SPDX-License-Identifier: GPL-3.0-or-later
"""What phase 1 says at its end."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.midi.capacity.plugins.filter.phase1_summary import FilterModule
from ansible_collections.midi.capacity.plugins.module_utils._summary.columns import columns
from ansible_collections.midi.capacity.plugins.module_utils._summary.phase1 import phase1
from hypothesis import given
from hypothesis import strategies as st

AUTO = {"source": "configuration file", "sourcefile": "/data/postgresql.auto.conf", "sourceline": 3}


def setting(wanted: str, live: str, state: str = "applied", **source: Any) -> dict[str, Any]:
    return {"wanted": wanted, "live": live, "state": state, **(source or AUTO)}


def tuning(**parts: Any) -> dict[str, Any]:
    return {
        "settings": {"work_mem": setting("64MB", "64MB"), "max_connections": setting("256", "256")},
        "server": {"version": "16.4", "in_recovery": False},
        "dangers": [],
        "overridden": [],
        "restored": [],
        "restarted": False,
        "restart": "never",
        "restart_method": "systemd",
        "window": {"open": True, "text": "no maintenance window is set"},
        "interruption_seconds": None,
        "cut_off": [],
        "extension": {"version": "1.10", "schema": "public"},
        "statement_statistics": True,
        "statements": 1234,
        "profile": "none",
        "origins": {"work_mem": "given", "max_connections": "given"},
        "budget": {"fits": True, "text": "30.5 GB of memory at most, of 54 GB", "problems": [], "warnings": []},
        **parts,
    }


PENDING = {
    "max_connections": setting("256", "100", "pending_restart", source="default", sourcefile=None, sourceline=None)
}
CACHE = {
    "settings": [{"name": "maxmemory", "wanted": "10gb", "live": "10gb", "state": "applied"}],
    "server": {"version": "7.0.15", "config_file": "/etc/redis/redis.conf"},
}
AGENT: dict[str, Any] = {
    "agent": {
        "command": "/b/capacity-agent",
        "schedule": "cron",
        "schedule_wanted": "auto",
        "deadman": "timer",
        "interval_minutes": 60,
        "channels": 1,
    },
    "history": {"path": "/s/history.db", "snapshots": 1200, "last": "2026-11-24T13:25:53.000Z", "missing": []},
    "access": {},
}


def lacking(*missing: dict[str, Any]) -> dict[str, Any]:
    """The agent, whose last snapshot lacks these."""
    return {**AGENT, "history": {**AGENT["history"], "missing": list(missing)}}


BASELINE = {
    "markdown": "/r/baseline-phase1.md",
    "taken_at": "2026-11-24T13:25:57.000Z",
    "kept": False,
    "cache_host": "",
    "steps": [],
}


def step(part: str, what: str, remedy: str = "", **more: Any) -> dict[str, Any]:
    return {"part": part, "what": what, "remedy": remedy, "gap": False, "optional": False, "by": None, **more}


def to_do(results: dict[str, Any], check_mode: bool = False) -> list[str]:
    """What the summary has under "To do next"."""
    return phase1(results, check_mode).partition("To do next:\n")[2].splitlines()


def test_all_is_well() -> None:
    told = {"restarted": True, "interruption_seconds": 1.26, "cut_off": [{"pid": 7}]}
    results = {"tuning": tuning(**told), "cache": CACHE, "agent": AGENT, "baseline": BASELINE}
    assert phase1(results) == "\n".join(
        [
            "PostgreSQL 16.4: 2 of 2 settings in effect, restarted for it; clients got no answer for 1.3 s, and"
            " 1 were cut off at work",
            "  setting          wanted  live  source                       state",
            "  max_connections  256     256   postgresql.auto.conf line 3  applied",
            "  work_mem         64MB    64MB  postgresql.auto.conf line 3  applied",
            "  30.5 GB of memory at most, of 54 GB",
            "  extension pg_stat_statements 1.10: its view can be read and has 1,234 statements",
            "Redis 7.0.15: 1 of 1 settings in effect",
            "  setting    wanted  live  state",
            "  maxmemory  10gb    10gb  applied",
            "  kept in /etc/redis/redis.conf",
            "history   1,200 snapshots, the last of 2026-11-24 13:25:53 UTC: /s/history.db",
            "agent     every 1 h by cron; how it stands: /b/capacity-agent status",
            "baseline  2026-11-24 13:25:57 UTC: /r/baseline-phase1.md",
            "",
            "Nothing is left to do.",
        ]
    )


@pytest.mark.parametrize(
    ("parts", "check_mode", "step"),
    [
        ({}, False, "in a maintenance window, run this with -e postgres_tuning_restart=when_pending"),
        ({"restart_method": "none"}, False, "have PostgreSQL restarted, then run this again, which proves it"),
        ({"restart": "when_pending"}, True, "the run restarts PostgreSQL for it"),
        (
            {"restart": "when_pending", "window": {"open": False, "text": "the maintenance window Sat is closed"}},
            False,
            "the maintenance window Sat is closed: run this again then",
        ),
    ],
)
def test_what_waits_for_a_restart_says_how_to_get_it(parts: dict[str, Any], check_mode: bool, step: str) -> None:
    said = phase1({"tuning": tuning(settings=PENDING, statements=None, **parts)}, check_mode)
    assert "0 of 1 settings in effect" in said
    assert "  max_connections  256     100   default  pending restart" in said
    assert "its view cannot be read yet" in said
    assert said.splitlines()[-1].startswith("  - max_connections: ")
    assert step in said


def test_what_was_taken_back_is_told() -> None:
    results = {"tuning": tuning(restored=["fsync", "wal_level"])}
    words = "taken back, because ALTER SYSTEM had left it dangerous: fsync, wal_level"
    assert f"  {words}" in phase1(results).splitlines()
    assert f"  would be {words}" in phase1(results, check_mode=True).splitlines()
    assert "taken back" not in phase1({"tuning": tuning()})


ACCESS = {"role": "midi_monitor", "standby": False, "logs_in": True, "service_file": "/s/c", "password_file": None}


@pytest.mark.parametrize(
    ("access", "check_mode", "line"),
    [
        (ACCESS, False, "login    as midi_monitor without a password: /s/c"),
        ({**ACCESS, "password_file": "/s/p"}, False, "login    as midi_monitor with a password: /s/c"),
        ({**ACCESS, "logs_in": False}, True, "login    would be as midi_monitor, a role that it would get"),
        ({**ACCESS, "logs_in": False, "standby": True}, False, "  - role midi_monitor: this server is a standby"),
    ],
)
def test_how_the_agent_logs_in_is_told(access: dict[str, Any], check_mode: bool, line: str) -> None:
    said = phase1({"agent": {**AGENT, "access": access}}, check_mode)
    assert [found for found in said.splitlines() if found.startswith(line)]


@pytest.mark.parametrize(("schedule", "told"), [("cron", True), ("timer", True), ("none", False)])
def test_that_nobody_is_told_of_an_alert_is_a_step(schedule: str, told: bool) -> None:
    agent = {**AGENT, "agent": {**AGENT["agent"], "channels": 0, "schedule": schedule, "schedule_wanted": schedule}}
    found = [step for step in to_do({"agent": agent}) if step.startswith("  - alerts: no channel is set up")]
    assert bool(found) == told


def test_that_nothing_runs_the_agent_is_a_step_unless_it_was_wanted() -> None:
    agent = {**AGENT, "agent": {**AGENT["agent"], "channels": 0, "schedule": "none"}}
    (step,) = to_do({"agent": agent})
    assert step.startswith(
        "  - agent: nothing runs it, because the files of cron and systemd are root's: have /b/capacity"
    )


def test_a_history_that_is_to_begin_and_an_agent_that_was_removed() -> None:
    history = {"path": "/s/history.db", "snapshots": 0, "last": None, "missing": []}
    said = phase1({"agent": {**AGENT, "history": history}}, check_mode=True)
    assert "history  begins with the first snapshot: /s/history.db" in said.splitlines()
    said = phase1({"agent": {"removed": ["/b/capacity-agent"], "kept": ["/s/agent"]}})
    assert said.splitlines()[0] == "agent  removed; what it wrote stays: /s/agent"


def test_overrides_dangers_and_what_is_missing_become_steps() -> None:
    override = {"name": "work_mem", "value": "1MB", "by": 'role "x"', "wanted": "64MB", "remedy": "run ALTER ROLE"}
    danger = {
        "name": "fsync",
        "value": "off",
        "where": "a.conf line 1",
        "consequence": "it corrupts",
        "remedy": "reset it",
    }
    missing = [
        {"part": "host", "reason": "it is elsewhere", "remedy": "run it there"},
        {"part": "redis", "reason": "it is down", "remedy": ""},
    ]
    results = {
        "tuning": tuning(overridden=[override], dangers=[danger]),
        "agent": lacking(*missing),
    }
    assert phase1(results).split("To do next:\n")[1].splitlines() == [
        '  - work_mem is 1MB by role "x": run ALTER ROLE',
        "  - fsync = off in a.conf line 1: it corrupts; reset it",
        "  - the snapshot lacks host, because it is elsewhere: run it there",
        "  - the snapshot lacks redis, because it is down",
    ]


def test_what_a_profile_computed_is_marked() -> None:
    said = phase1({"tuning": tuning(profile="web", origins={"work_mem": "profile", "max_connections": "given"})})
    assert "  work_mem         64MB (profile)  64MB" in said
    assert "  max_connections  256             256" in said


def test_what_does_not_fit_becomes_a_step() -> None:
    over = {"fits": False, "text": "long\ntable", "problems": ["it wants 64 GB"], "warnings": ["/dev/shm is small"]}
    assert to_do({"tuning": tuning(budget=over)}) == ["  - it wants 64 GB", "  - /dev/shm is small"]
    assert "table" not in phase1({"tuning": tuning(budget=over)})


STATEMENTS = {"part": "statements", "reason": "it is not loaded", "remedy": "load it"}
GROWTH = {"part": "growth", "reason": "there is no table nope", "remedy": "check growth_table"}


def test_check_mode_leaves_out_what_the_run_itself_mends() -> None:
    results = {"tuning": tuning(), "agent": lacking(STATEMENTS, GROWTH)}
    growth = "  - the snapshot lacks growth, because there is no table nope: check growth_table"
    statements = "  - the snapshot lacks statements, because it is not loaded: load it"
    assert to_do(results, check_mode=True) == [growth]
    assert to_do(results) == [statements, growth]
    # Where the run does not see to it, it is to do.
    assert to_do({**results, "tuning": None}, check_mode=True) == [statements, growth]
    without = {**results, "tuning": tuning(statement_statistics=False)}
    assert to_do(without, check_mode=True) == [statements, growth]


def test_a_standby_is_sent_to_its_primary() -> None:
    standby = tuning(server={"version": "16.4", "in_recovery": True}, extension=None, statements=None)
    results = {"tuning": standby, "agent": lacking(STATEMENTS)}
    (told,) = to_do(results)
    assert "this server is a standby and takes no writes, so it comes with the run on its primary" in told
    assert to_do({"tuning": {**standby, "statement_statistics": False}}) == []


def test_what_the_baseline_says_is_told_once() -> None:
    steps = [
        step("growth", "there is no table nope", gap=True),
        step("cache", "it is down", gap=True),
        step("redis", "not asked for: no", gap=True, optional=True),
        step("public.broken", "the index is invalid", "drop it"),
        step("restart", "work_mem will change", by="restart"),
    ]
    results = {"agent": lacking(GROWTH), "baseline": {**BASELINE, "steps": steps}}
    told = [
        "  - the snapshot lacks growth, because there is no table nope: check growth_table",
        "  - the baseline lacks cache, because it is down",
        "  - public.broken: the index is invalid: drop it",
        "  - restart: work_mem will change",
    ]
    assert to_do(results) == told
    # The settings tell themselves what waits for a restart.
    assert to_do({**results, "tuning": tuning()}) == told[:-1]


def test_a_baseline_that_was_kept_tells_of_then() -> None:
    found = [step("public.broken", "the index is invalid", "drop it")]
    assert to_do({"baseline": {**BASELINE, "kept": True, "steps": found}}) == [
        "  - public.broken, when the baseline was taken: the index is invalid: drop it; if that was done, take the"
        " baseline again with -e capacity_baseline_retake=true"
    ]


def test_settings_of_the_cache_are_seen_to_where_its_role_runs() -> None:
    steps = [step("cache", "it has no memory limit", by="cache"), step("cache", "it cannot be reached", gap=True)]
    results = {"baseline": {**BASELINE, "steps": steps}}
    assert len(to_do(results, check_mode=True)) == 2
    assert to_do({**results, "baseline_cache": CACHE}, check_mode=True) == [
        "  - the baseline lacks cache, because it cannot be reached"
    ]


def test_missing_packages_are_told_and_that_nothing_else_is_known() -> None:
    waiting = {"would_install": ["python3-psycopg2"]}
    results = {
        "tuning": waiting,
        "cache": {"would_install": ["python3-redis"]},
        "agent": waiting,
        "baseline": waiting,
        "baseline_cache": {"would_install": ["elsewhere"]},
    }
    assert phase1(results, check_mode=True).splitlines()[1:] == [
        "would be installed first: python3-psycopg2, python3-redis",
        "",
        "To do next:",
        "  - check mode can look no further without these packages: install them, then run the check again",
    ]


def test_a_server_that_a_run_would_start_is_told() -> None:
    results = {
        "cache": {"would_start": "container midi-redis-cache"},
        "queue": {"would_start": "container midi-redis-queue"},
    }
    assert phase1({**results, "baseline_cache": results["cache"]}, check_mode=True).splitlines()[1:] == [
        "would be started: container midi-redis-cache, container midi-redis-queue",
        "",
        "To do next:",
        "  - check mode can look no further without a server: run this, then run the check again",
    ]


def test_the_queue_is_told_beside_the_cache() -> None:
    said = phase1({"cache": {**CACHE, "started": True}, "queue": {**CACHE, "started": False}}).splitlines()
    headings = [line for line in said if line.startswith("Redis")]
    assert headings == [
        "Redis 7.0.15: 1 of 1 settings in effect, started by this run",
        "Redis 7.0.15 as queue: 1 of 1 settings in effect",
    ]


@pytest.mark.parametrize(
    ("config_file", "remedy"),
    [(None, "start it with a configuration file"), ("/etc/redis/redis.conf", "set redis_cache_persist to always")],
)
def test_what_redis_would_forget_becomes_a_step(config_file: str | None, remedy: str) -> None:
    server = {**CACHE["server"], "config_file": config_file}
    said = phase1({"cache": {"server": server, "settings": [{**CACHE["settings"][0], "state": "live_only"}]}})
    assert said.endswith(f"  - maxmemory: a restart of Redis forgets this; {remedy}")
    assert "kept in" not in said


def test_what_redis_does_not_run_with_is_not_in_effect() -> None:
    said = phase1({"cache": {**CACHE, "settings": [{**CACHE["settings"][0], "live": "512mb"}]}})
    assert "Redis 7.0.15: 0 of 1 settings in effect" in said
    assert said.endswith("  - maxmemory: Redis runs with another value; look into its log, then run this again")


def test_check_mode_says_so_first() -> None:
    assert phase1({"tuning": tuning()}, check_mode=True).startswith("Check mode: nothing was changed")


def test_nothing_ran() -> None:
    nothing = dict.fromkeys(("tuning", "cache", "agent", "baseline"))
    assert phase1(nothing) == "Nothing of phase 1 ran on this host."


def test_the_filter_names_what_is_no_result() -> None:
    summary = FilterModule().filters()["phase1_summary"]
    assert summary({"tuning": tuning()}) == phase1({"tuning": tuning()})
    with pytest.raises(AnsibleFilterError, match="these are no results of phase 1"):
        summary({"tuning": {"settings": {}}})


@given(st.lists(st.tuples(st.text("abc", max_size=5), st.text("abc", min_size=1, max_size=5)), max_size=5))
def test_columns_are_aligned_and_lose_nothing(rows: list[tuple[str, str]]) -> None:
    lines = columns(rows)
    assert [tuple(line.split()) for line in lines] == [tuple(cell for cell in row if cell) for row in rows]
    starts = {len(line) - len(row[1]) for line, row in zip(lines, rows, strict=True)}
    assert len(starts) <= 1
