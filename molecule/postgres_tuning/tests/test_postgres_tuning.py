# SPDX-License-Identifier: GPL-3.0-or-later
"""A host after role postgres_tuning, asked itself."""

from __future__ import annotations

from typing import Any

import pytest


def sql(host: Any, statement: str) -> str:
    with host.sudo("postgres"):
        return host.check_output(f'psql --no-psqlrc --tuples-only --no-align --command "{statement}"')


def is_limited(host: Any) -> bool:
    return host.backend.hostname.endswith("4gb")


GIVEN = {"max_connections": "200", "work_mem": "16MB", "log_min_duration_statement": "500ms"}
# A quarter of the 4 GB that the container may use, and three quarters.
COMPUTED = {
    "max_connections": "50",
    "shared_buffers": "1GB",
    "effective_cache_size": "3GB",
    "maintenance_work_mem": "256MB",
}


def test_the_settings_are_in_effect(host: Any) -> None:
    wanted = COMPUTED if is_limited(host) else GIVEN
    assert {name: sql(host, f"SHOW {name}") for name in wanted} == wanted


def test_the_machine_has_more_than_the_container(host: Any) -> None:
    total_kb = int(host.check_output("awk '/^MemTotal/ {print $2}' /proc/meminfo"))
    assert total_kb > 5 * 2**20, "the limit of 4 GB proves nothing on a machine as small as this"


def test_the_library_that_was_loaded_is_loaded_still(host: Any) -> None:
    assert sql(host, "SHOW shared_preload_libraries") == "auto_explain, pg_stat_statements"
    assert sql(host, "SELECT count(*) FROM pg_settings WHERE name = 'auto_explain.log_min_duration'") == "1"


def test_statements_are_counted(host: Any) -> None:
    assert int(sql(host, "SELECT count(*) FROM pg_stat_statements")) > 0


def test_nothing_waits_for_a_restart_and_every_file_is_valid(host: Any) -> None:
    assert sql(host, "SELECT count(*) FROM pg_settings WHERE pending_restart") == "0"
    assert sql(host, "SELECT count(*) FROM pg_file_settings WHERE error IS NOT NULL") == "0"


def test_a_start_that_failed_lost_nothing(host: Any) -> None:
    if is_limited(host):
        assert sql(host, "SELECT number FROM kept") == "7"


def test_the_history_is_roots_alone(host: Any) -> None:
    directory = host.file("/var/lib/midi-capacity/settings")
    assert (directory.user, directory.mode) == ("root", 0o700)
    names = directory.listdir()
    assert "restart-begun.json" not in names
    assert names
    for name in names:
        entry = host.file(f"{directory.path}/{name}")
        assert (entry.user, entry.mode) == ("root", 0o600)


@pytest.mark.parametrize("place", ["/tmp/midi-capacity*", "/root/.ansible_async/*"])
def test_nothing_is_left_behind(host: Any, place: str) -> None:
    assert host.run(f"ls -d {place}").stdout == ""
