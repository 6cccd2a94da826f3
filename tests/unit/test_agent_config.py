# SPDX-License-Identifier: GPL-3.0-or-later
"""_agent.config: what people write, read as a whole or refused with the key, what is wrong, and what is allowed."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.midi.capacity.plugins.module_utils._agent import config, connections
from ansible_collections.midi.capacity.plugins.module_utils._agent.connections import Option
from ansible_collections.midi.capacity.plugins.module_utils._postgres import POSTGRES_SPEC
from ansible_collections.midi.capacity.plugins.module_utils._redis import REDIS_SPEC
from hypothesis import given
from hypothesis import strategies as st

LEAST = {"host": "db1", "database": "midi_library"}


def problems(**fields: Any) -> list[str]:
    found, wrong = config.read({**LEAST, **fields})
    assert (found is None) == bool(wrong)
    return wrong


def test_two_names_are_enough() -> None:
    found, wrong = config.read(LEAST)
    assert wrong == [] and found is not None
    assert (found.history, found.runtime_dir) == ("/var/lib/midi-capacity/agent/history.db", "/run/midi-capacity")
    assert (found.interval_seconds, found.capture_seconds, found.deadline_seconds) == (3600, 300, 120)
    assert found.redis is None and found.channels == [] and len(found.thresholds) > 20
    for name, default in config.DEFAULTS.items():
        if name not in ("postgres", "thresholds"):
            assert getattr(found, name) == default


def test_fields_are_read_in_the_order_of_the_configuration() -> None:
    assert tuple(config._FIELDS) == config.Config._fields


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"host": ""}, "host is '': write a text that is not empty"),
        ({"database": 5}, "database is 5: write a text that is not empty"),
        ({"keep_dayz": 1}, "there is no keep_dayz: did you mean keep_days or keep_captures_days?"),
        ({"a\x1b[31m": 1}, "there is no a [31m: there are host, database, "),
        ({"schema_version": 2}, "schema_version is 2: this version of the agent knows 1"),
        ({"state_dir": "here"}, "state_dir is 'here': write an absolute path"),
        ({"textfile": ["/a"]}, "textfile is ['/a']: write an absolute path"),
        ({"backup_files": "*.dump"}, "backup_files is '*.dump': write an absolute path"),
        ({"growth_table": None}, "growth_table is None: write a text, or leave it out"),
        ({"keep_days": 0}, "keep_days is 0: write a whole number from 1 to 36500"),
        ({"keep_days": True}, "keep_days is True: write a whole number from 1 to 36500"),
        ({"keep_days": "x" * 99}, "keep_days is 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...: write a whole number from 1"),
        ({"growth_count": "all"}, "growth_count is 'all': write one of estimate, exact"),
        ({"growth_count": []}, "growth_count is []: write one of estimate, exact"),
        ({"minmax_reset": "yes"}, "minmax_reset is 'yes': write true or false"),
        ({"thresholds": 1}, "thresholds: the thresholds are no list: write a list of mappings, each with a metric"),
        (
            {"thresholds": [{"metric": "cpu"}]},
            "thresholds: entry 1: there is no metric cpu: did you mean cpu_busy_perc",
        ),
        ({"channels": [{"type": "webhook"}]}, "channels: channel 1 (webhook): it has no url: write one"),
        ({"probes": {}}, "probes is no list: write a list of mappings with name, sql and runs"),
        ({"probes": [1]}, "probes: entry 1 is no mapping: write name, sql and runs"),
        (
            {"probes": [{"name": "a", "sql": "x", "runs": 101}]},
            "probes: entry 1 has runs 101: write a whole number from",
        ),
        ({"probes": [{"name": "A", "sql": "x"}]}, "probes: entry 1 has the name 'A': write small letters, digits and"),
        ({"probes": [{"name": "a", "sql": " "}]}, "probes: entry 1 has no sql: write the query"),
        (
            {"probes": [{"name": "a", "sql": "x", "run": 1}]},
            "probes: entry 1 has run, which a probe has not: write nam",
        ),
        (
            {"probes": [{"name": "a", "sql": "x"}] * 2},
            "probes: entry 2 has the name a, which another one has: give each",
        ),
        (
            {"capture_seconds": 600, "interval_seconds": 300},
            "capture_seconds is 600, longer than interval_seconds, 300",
        ),
        (
            {"deadline_seconds": 300, "interval_seconds": 300},
            "deadline_seconds is 300, not below interval_seconds, 300",
        ),
        ({"postgres": {"login_hots": "x"}}, "postgres: there is no login_hots: did you mean login_host"),
        ({"postgres": {"login_port": "x"}}, "postgres: login_port is 'x': write a whole number from 1 to 65535"),
        ({"postgres": {"ssl_mode": "on"}}, "postgres: ssl_mode is 'on': write one of disable, allow, prefer, require"),
        ({"postgres": {"a\x1b[31m": 1}}, "postgres: there is no a [31m: there are login_host, login_port, "),
        ({"redis": {"tls": "tls"}}, "redis: tls is 'tls': write true or false"),
        ({"redis": {"ca_certs": "a.pem"}}, "redis: ca_certs is 'a.pem': write an absolute path"),
    ],
)
def test_messages_name_the_key_what_is_wrong_and_what_is_allowed(fields: dict[str, Any], told: str) -> None:
    [problem] = problems(**fields)
    assert problem.startswith(told)


def test_all_of_it_is_told_at_once() -> None:
    assert [problem.split(" ", 1)[0] for problem in config.read({"state_dir": 1, "channels": 1, "probes": 1})[1]] == [
        "host", "database", "state_dir", "channels:", "probes",
    ]  # fmt: skip
    assert config.read([])[1] == ["the configuration is no mapping: write each field by its name"]


@pytest.mark.parametrize("options", ["host=db1 password=hunter2", {"login_password": ["hunter2"]}, ["hunter2"]])
def test_no_secret_is_said_again(options: Any) -> None:
    for name in ("postgres", "redis"):
        assert problems(**{name: options}) and "hunter2" not in str(problems(**{name: options}))


def test_connections_have_all_their_options() -> None:
    found = config.read({**LEAST, "postgres": {"login_db": "midi", "login_port": None}, "redis": {"login_user": "a"}})[
        0
    ]
    assert found is not None and found.redis is not None
    assert (found.postgres["login_db"], found.postgres["login_port"]) == ("midi", 5432)
    assert (found.redis["login_user"], found.redis["login_port"], found.redis["login_host"]) == ("a", 6379, "127.0.0.1")
    # As Jinja hands them over.
    assert connections.read(connections.REDIS, {"login_port": "6380", "tls": "True"})[0]["login_port"] == 6380
    assert connections.read(connections.REDIS, {"login_port": "6380", "tls": "True"})[0]["tls"] is True
    assert config.read({**LEAST, "redis": {}})[0].redis["login_port"] == 6379  # type: ignore[union-attr]


@pytest.mark.parametrize(("ours", "modules"), [(connections.POSTGRES, POSTGRES_SPEC), (connections.REDIS, REDIS_SPEC)])
def test_options_of_a_connection_are_those_of_the_modules(ours: dict[str, Option], modules: Any) -> None:
    assert {name: option.default for name, option in ours.items()} == {
        name: option.get("default") for name, option in modules.options.items()
    }
    for name, option in modules.options.items():
        for choice in option.get("choices", ()):
            assert ours[name].read(choice) == choice


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=4,
)


@given(st.dictionaries(st.sampled_from([*config.Config._fields, "other"]), JSON, max_size=4) | JSON)
def test_whatever_is_written_is_read_or_refused(document: Any) -> None:
    found, wrong = config.read(document)
    assert (found is None) == bool(wrong)
    assert all(problem.isprintable() for problem in wrong)
