# SPDX-License-Identifier: GPL-3.0-or-later
"""_stress: patterns, lines and what is counted of them, and the command and its secrets."""

from __future__ import annotations

import re
from typing import Any

import pytest
from ansible_collections.midi.capacity.plugins.module_utils._stress import command
from ansible_collections.midi.capacity.plugins.module_utils._stress.lines import LONGEST_LINE, Lines
from ansible_collections.midi.capacity.plugins.module_utils._stress.log import EXAMPLES, LONGEST_EXAMPLE, LogTally
from ansible_collections.midi.capacity.plugins.module_utils._stress.patterns import KINDS, BadPatterns, parse
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.collection import load

DEFAULTS = load("roles/capacity_baseline/defaults/main.yml")["capacity_baseline_stress_patterns"]


def tally(lines: list[str], patterns: Any = DEFAULTS, secrets: list[str] | None = None) -> dict[str, Any]:
    found = LogTally(parse(patterns), secrets or [])
    for line in lines:
        found.add(line)
    return found.result()


def pattern_of(line: str, patterns: Any = DEFAULTS) -> str | None:
    return next((entry["name"] for entry in tally([line], patterns)["patterns"] if entry["lines"]), None)


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("ERROR: deadlock detected", "deadlock"),
        ("psycopg2.errors.DeadlockDetected: deadlock detected", "deadlock"),
        ('ERROR:  duplicate key value violates unique constraint "files_filepath_key"', "duplicate key"),
        ("UNIQUE constraint failed: files.filepath", "duplicate key"),
        ("FATAL:  sorry, too many clients already", "no connection left"),
        ("FATAL:  remaining connection slots are reserved for roles with SUPERUSER", "no connection left"),
        ("sqlx: pool timed out while waiting for an open connection", "no connection left"),
        ("connect: Connection refused (os error 111)", "connection"),
        ("server closed the connection unexpectedly: connection reset by peer", "connection"),
        ("FATAL:  terminating connection due to administrator command", "connection"),
        ("could not connect to server", "connection"),
        ("canceling statement due to statement timeout", "time-out"),
        ("request timed out", "time-out"),
        ("operation time-out", "time-out"),
        ("Out of memory: Killed process 4711", "out of memory"),
        ("ERROR:  out of shared memory", "out of memory"),
        ("write: No space left on device", "disk full"),
        ("WARNING: 3 files were left out", "warning"),
        ("warn: slow", "warning"),
        ("thread 'main' panic", "other error"),
        ("Traceback (most recent call last):", "other error"),
        ("imported 1,200 files of 20,000", "imported"),
        ("0 errors, 12 files a second", None),
        ("terror strikes", None),
        ("lifetimes are fine", None),
        ("starting", None),
    ],
)
def test_the_patterns_of_the_role_know_common_lines(line: str, name: str | None) -> None:
    assert pattern_of(line) == name


def test_the_first_pattern_wins_and_every_line_is_counted_once() -> None:
    patterns = [{"name": "known", "regex": "error 7", "kind": "ignore"}, *DEFAULTS]
    found = tally(["error 7", "error 8", "deadlock detected", "WARN x", "hello", "error 9"], patterns)
    assert (found["lines"], found["errors"], found["warnings"], found["unmatched"]) == (6, 3, 1, 1)
    assert {entry["name"]: entry["lines"] for entry in found["patterns"] if entry["lines"]} == {
        "known": 1, "deadlock": 1, "warning": 1, "other error": 2,
    }  # fmt: skip
    assert found["unmatched_examples"] == ["hello"]
    assert [entry["kind"] for entry in found["patterns"]][:2] == ["ignore", "progress"]


def test_examples_are_the_first_and_few_and_short() -> None:
    found = tally([f"error {number} " + "x" * 1000 for number in range(9)])
    (entry,) = (entry for entry in found["patterns"] if entry["lines"])
    assert (entry["lines"], len(entry["examples"])) == (9, EXAMPLES)
    assert entry["examples"][0].startswith("error 0 x") and len(entry["examples"][0]) == LONGEST_EXAMPLE
    assert len(tally(["nothing"] * 9)["unmatched_examples"]) == EXAMPLES


@pytest.mark.parametrize(
    "line",
    [
        "error: cannot connect to postgresql://midiuser:hunter2@localhost:5433/midi_library",
        "error: PGPASSWORD=hunter2 is wrong",
        "error: password 'hunter2' refused",
        "error: \x1b[31mhunt\x1b[0mer2 in colours",
        "error: said hunter2 aloud",
        "said hunter2, and hunter2",
    ],
)
def test_no_secret_is_in_an_example(line: str) -> None:
    found = str(tally([line], secrets=["", "ter", "hunter2"]))
    assert "hunter2" not in found and "hun***" not in found and "********" in found
    assert "\x1b" not in found


@pytest.mark.parametrize(
    ("lines", "files", "rate"),
    [
        (["imported 1,200 files"], 1200, None),
        # Lines of several processes overtake each other.
        (["done 100", "done 300", "done 200"], 300, None),
        (["rate 7,830.5 files/s", "rate 100 files/s"], None, 100.0),
        (["done many"], None, None),
        (["done 1_000"], 1000, None),
        ([], None, None),
    ],
)
def test_numbers_come_from_groups(lines: list[str], files: int | None, rate: float | None) -> None:
    patterns = [
        *DEFAULTS,
        {"name": "done", "regex": r"^done (?P<files>\S+)", "kind": "progress"},
        {"name": "rate", "regex": r"^rate (?P<files_per_second>\S+)", "kind": "progress"},
    ]
    found = tally(lines, patterns)
    assert (found["files"], found["files_per_second"]) == (files, rate)


def test_only_progress_has_numbers() -> None:
    assert tally(["done 5"], [{"name": "x", "regex": r"(?P<files>\d+)", "kind": "ignore"}])["files"] is None


def test_everything_that_is_wrong_with_patterns_is_said() -> None:
    good = {"name": "a", "regex": "a", "kind": "error"}
    given_patterns = [
        good,
        good,
        "x",
        {"name": "b"},
        {**good, "kind": "fault"},
        {**good, "regex": "("},
        {**good, "k": 1},
    ]
    with pytest.raises(BadPatterns) as caught:
        parse(given_patterns)
    assert caught.value.problems == [
        "pattern 3: it has to be a dictionary with name, regex, kind, not 'x'",
        "pattern 4: it lacks regex",
        "pattern 4: it lacks kind",
        "pattern 5: kind is one of error, warning, progress, ignore, not 'fault'",
        "pattern 6: '(' is no regular expression: missing ), unterminated subpattern at position 0",
        "pattern 7: there is no key k: known are name, regex, kind",
        "the name a is there 2 times",
    ]
    assert {entry["kind"] for entry in DEFAULTS} < set(KINDS)


# Lines

LOGS = st.lists(st.sampled_from(["a", "bc", "\n", "\r", "\r\n", " ", "é", "x" * 700]), max_size=30).map("".join)


@given(LOGS, st.lists(st.integers(1, 900), min_size=1, max_size=20))
def test_however_a_log_is_cut_into_pieces_its_lines_are_the_same(text: str, cuts: list[int]) -> None:
    data = text.encode()
    wanted = [line.encode()[:LONGEST_LINE].decode("utf-8", "replace").strip() for line in re.split(r"\r\n|\r|\n", text)]
    reader, found, place = Lines(), [], 0
    while place < len(data):
        size = cuts[place % len(cuts)]
        found += reader.feed(data[place : place + size])
        place += size
    assert [*found, *reader.end()] == [line for line in wanted if line]


def test_a_line_without_an_end_takes_bounded_memory() -> None:
    reader = Lines()
    for _piece in range(100):
        assert reader.feed(b"x" * 1000) == []
        assert len(reader._rest) <= LONGEST_LINE + 1000
    assert reader.feed(b"\nnext\n") == ["x" * LONGEST_LINE, "next"]


# The command


@pytest.mark.parametrize(
    ("given_command", "words", "text"),
    [
        (["./run", 8, "a b"], ["./run", "8", "a b"], "./run 8 'a b'"),
        ("./run |\n tee x", ["/bin/sh", "-c", "./run |\n tee x"], "./run | tee x"),
        (
            ["./run", "--password-file", "/etc/x"],
            ["./run", "--password-file", "/etc/x"],
            "./run --password-file /etc/x",
        ),
        ("run --password-file '/x'", ["/bin/sh", "-c", "run --password-file '/x'"], "run --password-file '/x'"),
        (["psql", "postgresql://u@h/d"], ["psql", "postgresql://u@h/d"], "psql postgresql://u@h/d"),
    ],
)
def test_a_command_is_a_list_or_a_text(given_command: Any, words: list[str], text: str) -> None:
    assert command.arguments(given_command) == words
    assert command.shown(given_command) == text


@pytest.mark.parametrize(
    ("given_command", "complaint"),
    [
        ([], "it is empty"),
        (" ", "it is empty"),
        (["", "x"], "it is empty"),
        ({"a": 1}, "it has to be a list"),
        (["psql", "postgresql://u:pw@h/d"], "it has a password in it"),
        ("PGPASSWORD=pw ./run", "it has a password in it"),
        ("./run 'postgresql://u:pw@h/d'", "it has a password in it"),
        (["./run", "--password=pw"], "it has a password in it"),
    ],
)
def test_what_is_no_command(given_command: Any, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        command.arguments(given_command)


def test_secrets_of_an_environment() -> None:
    environment = {
        "PGPASSWORD": "one", "API_TOKEN": "two", "URL": "postgresql://u:three@h/d", "AWS_SECRET": 4, "SSH_KEY": "five",
        "KEYBOARD": "us", "WORKERS": "8", "PGUSER": "midi",
    }  # fmt: skip
    assert sorted(command.secrets(environment)) == ["4", "five", "one", "three", "two"]
    assert command.texts({"A": 1}) == {"A": "1"}
    assert command.problems({"A=B": 1, "": 2, "C": 3}) == [
        "'A=B' is no name of a variable",
        "'' is no name of a variable",
    ]


@pytest.mark.parametrize(
    ("given_command", "environment", "found"),
    [
        (["import", "--all"], {"PGDATABASE": "x"}, {"x": "PGDATABASE of its environment"}),
        ("import postgresql://u@h:5432/midi%20x?sslmode=off", {}, {"midi x": "the command"}),
        (
            ["import"],
            {"DATABASE_URL": "postgres://u:p@h/midi_library"},
            {"midi_library": "DATABASE_URL of its environment"},
        ),
        (["import"], {"URL": "postgresql+asyncpg://h/a"}, {"a": "URL of its environment"}),
        (["import"], {"URL": "https://h/a", "PGDATABASE": ""}, {}),
        ("import postgresql:///", {}, {}),
        (None, {}, {}),
    ],
)
def test_databases_that_a_command_is_told_of(given_command: Any, environment: dict, found: dict) -> None:
    assert command.databases(given_command, environment) == found
