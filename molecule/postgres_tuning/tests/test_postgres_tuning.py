# SPDX-License-Identifier: GPL-3.0-or-later
"""A host after role postgres_tuning, asked itself."""

from __future__ import annotations

from typing import Any

import pytest


def sql(host: Any, statement: str) -> str:
    with host.sudo("postgres"):
        return host.check_output(f'psql --no-psqlrc --tuples-only --no-align --command "{statement}"')


@pytest.mark.parametrize(
    ("setting", "value"),
    [("max_connections", "200"), ("work_mem", "16MB"), ("log_min_duration_statement", "500ms")],
)
def test_the_setting_is_in_effect(host: Any, setting: str, value: str) -> None:
    assert sql(host, f"SHOW {setting}") == value


def test_the_library_that_was_loaded_is_loaded_still(host: Any) -> None:
    assert sql(host, "SHOW shared_preload_libraries") == "auto_explain, pg_stat_statements"
    assert sql(host, "SELECT count(*) FROM pg_settings WHERE name = 'auto_explain.log_min_duration'") == "1"


def test_statements_are_counted(host: Any) -> None:
    assert int(sql(host, "SELECT count(*) FROM pg_stat_statements")) > 0


def test_nothing_waits_for_a_restart_and_every_file_is_valid(host: Any) -> None:
    assert sql(host, "SELECT count(*) FROM pg_settings WHERE pending_restart") == "0"
    assert sql(host, "SELECT count(*) FROM pg_file_settings WHERE error IS NOT NULL") == "0"
