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
        "server": {"version": "16.4"},
        "dangers": [],
        "overridden": [],
        "restarted": False,
        "restart": "never",
        "restart_method": "systemd",
        "extension": {"version": "1.10", "schema": "public"},
        "statements": 1234,
        **parts,
    }


PENDING = {
    "max_connections": setting("256", "100", "pending_restart", source="default", sourcefile=None, sourceline=None)
}
CACHE = {
    "settings": [{"name": "maxmemory", "wanted": "10gb", "live": "10gb", "state": "applied"}],
    "server": {"version": "7.0.15", "config_file": "/etc/redis/redis.conf"},
}
SNAPSHOT = {"file": "/s/x.json", "taken_at": "2026-11-24T13:25:53.000Z", "count": 1200, "missing": []}
BASELINE = {"markdown": "/r/baseline-phase1.md", "taken_at": "2026-11-24T13:25:57.000Z"}


def test_all_is_well() -> None:
    results = {"tuning": tuning(restarted=True), "cache": CACHE, "snapshot": SNAPSHOT, "baseline": BASELINE}
    assert phase1(results) == "\n".join(
        [
            "PostgreSQL 16.4: 2 of 2 settings in effect, restarted for it",
            "  setting          wanted  live  source                       state",
            "  max_connections  256     256   postgresql.auto.conf line 3  applied",
            "  work_mem         64MB    64MB  postgresql.auto.conf line 3  applied",
            "  extension pg_stat_statements 1.10: its view can be read and has 1,234 statements",
            "Redis 7.0.15: 1 of 1 settings in effect",
            "  setting    wanted  live  state",
            "  maxmemory  10gb    10gb  applied",
            "  kept in /etc/redis/redis.conf",
            "snapshot  2026-11-24 13:25:53 UTC, 1,200 in the history; newest: /s/x.json",
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
    ],
)
def test_what_waits_for_a_restart_says_how_to_get_it(parts: dict[str, Any], check_mode: bool, step: str) -> None:
    said = phase1({"tuning": tuning(settings=PENDING, statements=None, **parts)}, check_mode)
    assert "0 of 1 settings in effect" in said
    assert "  max_connections  256     100   default  pending restart" in said
    assert "its view cannot be read yet" in said
    assert said.splitlines()[-1].startswith("  - max_connections: ")
    assert step in said


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
        "snapshot": {**SNAPSHOT, "missing": missing},
    }
    assert phase1(results).split("To do next:\n")[1].splitlines() == [
        '  - work_mem is 1MB by role "x": run ALTER ROLE',
        "  - fsync = off in a.conf line 1: it corrupts; reset it",
        "  - the snapshot lacks host, because it is elsewhere: run it there",
        "  - the snapshot lacks redis, because it is down",
    ]
    # In check mode the snapshot was taken of a server as it is, not as it would be.
    assert "snapshot lacks" not in phase1(results, check_mode=True)


def test_what_redis_would_forget_becomes_a_step() -> None:
    forgotten = {**CACHE, "settings": [{**CACHE["settings"][0], "state": "live_only"}]}
    said = phase1({"cache": forgotten})
    assert "0 of 1 settings in effect" not in said
    assert said.endswith("  - maxmemory: a restart of Redis forgets this; start it with a configuration file")


def test_check_mode_says_so_first() -> None:
    assert phase1({"tuning": tuning()}, check_mode=True).startswith("Check mode: nothing was changed")


def test_nothing_ran() -> None:
    nothing = dict.fromkeys(("tuning", "cache", "snapshot", "baseline"))
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
