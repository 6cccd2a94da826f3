# SPDX-License-Identifier: GPL-3.0-or-later
"""_restart.auto_conf, .trial and .interruption: what to go back to, what to try, and how long nobody answered."""

from __future__ import annotations

import pytest
from ansible_collections.midi.capacity.plugins.module_utils._restart import auto_conf, trial
from ansible_collections.midi.capacity.plugins.module_utils._restart.interruption import Interruption

from tests.unit.settings_facts import AUTO, CONF, facts

FILE = "configuration file"


def test_what_waits_is_pinned_to_what_runs() -> None:
    found = facts(
        [(CONF, "max_connections", "150"), (AUTO, "max_connections", "256"), (AUTO, "work_mem", "8MB")],
        max_connections={"setting": "150", "source": FILE, "pending_restart": True},
        work_mem={"setting": "8192", "source": FILE},
    )
    # The file below says 150 already.
    assert auto_conf.pins(found) == {"max_connections": None}


def test_what_no_file_says_any_more_is_pinned_with_its_value() -> None:
    found = facts(
        [(AUTO, "shared_preload_libraries", "pg_stat_statements")],
        shared_buffers={"setting": "32768", "source": FILE, "pending_restart": True},
        shared_preload_libraries={"setting": "auto_explain, pg_cron", "source": FILE, "pending_restart": True},
    )
    assert auto_conf.pins(found) == {"shared_buffers": "256MB", "shared_preload_libraries": "auto_explain, pg_cron"}


def test_what_the_files_say_and_nobody_has_read_yet_waits_as_well() -> None:
    found = facts([(CONF, "max_connections", "300"), (CONF, "wal_buffers", "-1")], wal_buffers={"setting": "512"})
    assert auto_conf.pins(found) == {"max_connections": "100"}


def test_what_the_command_line_says_does_not_wait() -> None:
    found = facts([(AUTO, "max_connections", "300")], max_connections={"setting": "100", "source": "command line"})
    assert auto_conf.pins(found) == {}


def test_the_text_loses_the_lines_and_gets_the_values() -> None:
    text = "# Do not edit\nmax_connections = '256'\nMax_Connections = '300'\nwork_mem = '8MB'\nshared_buffers = '9TB'\n"
    pinned = auto_conf.pinned(text, {"max_connections": "100", "shared_buffers": None, "log_line_prefix": "it's \\ "})
    assert pinned == ("# Do not edit\nwork_mem = '8MB'\nlog_line_prefix = 'it''s \\\\ '\nmax_connections = '100'\n")


def test_a_trial_takes_what_decides_about_a_start() -> None:
    found = facts(
        [
            (AUTO, "max_connections", "256"),
            (AUTO, "work_mem", "8MB"),
            (AUTO, "listen_addresses", "*"),
            (AUTO, "shared_preload_libraries", "auto_explain"),
            (AUTO, "wal_level", "replica"),
        ],
        shared_buffers={"setting": "32768", "source": "command line"},
    )
    assert trial.conf(found) == (
        "max_connections = '256'\nshared_buffers = '256MB'\nshared_preload_libraries = 'auto_explain'\n"
    )


def test_the_longest_interruption_counts() -> None:
    found = Interruption()
    for moment in (0.0, 0.1, 2.1, 2.2, 2.7):
        found.answered(moment)
    assert (found.longest_seconds, found.answers) == (pytest.approx(2.0), 5)
    found.ended(10.7)
    assert found.longest_seconds == pytest.approx(8.0)


def test_nobody_asked_is_no_interruption() -> None:
    found = Interruption()
    found.ended(100.0)
    assert found.longest_seconds == 0.0
