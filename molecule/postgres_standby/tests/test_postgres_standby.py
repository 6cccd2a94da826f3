# SPDX-License-Identifier: GPL-3.0-or-later
"""A primary and its standby after settings that bind both were raised, and then lowered."""

from __future__ import annotations

from typing import Any


def sql(host: Any, statement: str) -> str:
    with host.sudo("postgres"):
        return host.check_output(f'psql --no-psqlrc --tuples-only --no-align --command "{statement}"')


def is_standby(host: Any) -> bool:
    return host.backend.hostname == "postgres-standby"


def started(host: Any) -> int:
    """How often the server has been ready since it was made."""
    log = host.check_output("cat /var/log/postgresql/postgresql-15-main.log")
    return log.count("database system is ready to accept")


def test_both_run_with_what_is_wanted(host: Any) -> None:
    assert (sql(host, "SHOW max_connections"), sql(host, "SHOW max_worker_processes")) == ("150", "6")


def test_the_standby_follows(host: Any) -> None:
    if is_standby(host):
        assert sql(host, "SELECT pg_is_in_recovery()") == "t"
        assert sql(host, "SELECT status FROM pg_stat_wal_receiver") == "streaming"
    else:
        assert sql(host, "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'") == "1"


def test_no_standby_was_stopped_or_paused_for_want_of_a_setting(host: Any) -> None:
    log = host.check_output("cat /var/log/postgresql/postgresql-15-main.log")
    assert started(host) >= 3
    assert "insufficient parameter settings" not in log
    assert "recovery has paused" not in log


def test_statements_are_counted_on_both(host: Any) -> None:
    assert int(sql(host, "SELECT count(*) FROM pg_stat_statements")) > 0
