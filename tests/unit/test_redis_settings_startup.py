# SPDX-License-Identifier: GPL-3.0-or-later
"""What a server reads when it starts, and what of it beats a value that CONFIG REWRITE writes."""

from __future__ import annotations

import pytest
from ansible_collections.midi.capacity.plugins.module_utils._redis_settings.plan import SettingPlan
from ansible_collections.midi.capacity.plugins.module_utils._redis_settings.startup import Line, lines, overrides

CONF, MORE = "/etc/redis.conf", "/etc/more.conf"
MAXMEMORY = SettingPlan("maxmemory", "0", str(64 * 1024**2))


def read_from(files: dict[str, str]):
    return lambda pattern: [(path, text) for path, text in files.items() if path == pattern]


def found(files: dict[str, str], *arguments: str) -> list[Line]:
    return lines(CONF, ["redis-server", *arguments], read_from(files))


def beaten(plan: SettingPlan, files: dict[str, str], *arguments: str, written: bool = False) -> list[tuple[str, str]]:
    return [(beats.by, beats.value) for beats in overrides([plan], found(files, *arguments), written)]


def test_lines_come_in_the_order_in_which_the_server_takes_them() -> None:
    files = {
        CONF: f"# maxmemory 1\nMaxMemory 1gb\n\ninclude {MORE}\nrequirepass 'a b'\ninclude /gone\nhz\nsave \"\"\n",
        MORE: 'save 900 1\ndir "unfinished\n',
    }
    assert found(files, CONF, "--timeout", "5", "--save", "60", "1", "--save", "") == [
        Line("maxmemory", "1gb", f"{CONF} line 2", own=True),
        Line("save", "900 1", f"{MORE} line 1"),
        Line("requirepass", "a b", f"{CONF} line 5", own=True),
        Line("save", "", f"{CONF} line 8", own=True),
        Line("timeout", "5", "the command line"),
        Line("save", "60 1", "the command line"),
        Line("save", "", "the command line"),
    ]


def test_a_file_that_includes_itself_comes_to_an_end() -> None:
    assert 1 < len(found({CONF: f"maxmemory 1gb\ninclude {CONF}\n"})) < 20


def test_a_title_in_the_place_of_the_command_line_says_nothing() -> None:
    assert lines(CONF, ["redis-server *:6379", "", ""], read_from({CONF: ""})) == []
    assert lines(CONF, [], read_from({})) == []


@pytest.mark.parametrize(
    ("own", "included", "expected"),
    [
        # The value is written where the line is: before the include.
        ("maxmemory 1gb\ninclude {}", "maxmemory 100mb", [(f"{MORE} line 1", "100mb")]),
        ("include {}\nmaxmemory 1gb", "maxmemory 100mb", []),
        # CONFIG REWRITE keeps the first line and blanks the others.
        ("maxmemory 1gb\ninclude {}\nmaxmemory 1gb", "maxmemory 100mb", [(f"{MORE} line 1", "100mb")]),
        # Without a line it is written at the end.
        ("include {}", "maxmemory 100mb", []),
        # The same, in other words.
        ("maxmemory 1gb\ninclude {}", "maxmemory 64MB", []),
        ("maxmemory 1gb\ninclude {}", "maxmemory 100mb\nmaxmemory 64mb", []),
        ("maxmemory 1gb\ninclude {}", "maxmemory 64mb\nmaxmemory 100mb", [(f"{MORE} line 2", "100mb")]),
        ("maxmemory 1gb\ninclude {}", "maxmemory nonsense", [(f"{MORE} line 1", "nonsense")]),
        ("maxmemory 1gb\ninclude {}", "timeout 5", []),
    ],
)
def test_an_included_line_beats_what_is_written_before_it(
    own: str, included: str, expected: list[tuple[str, str]]
) -> None:
    assert beaten(MAXMEMORY, {CONF: own.format(MORE), MORE: included}) == expected


def test_a_default_that_is_not_written_leaves_the_word_to_the_included_line() -> None:
    plan = SettingPlan("maxmemory-policy", "allkeys-lru", "noeviction")
    files = {CONF: f"include {MORE}\n", MORE: "maxmemory-policy allkeys-lru\n"}
    assert beaten(plan, files) == []
    assert beaten(plan, files, written=True) == [(f"{MORE} line 1", "allkeys-lru")]
    written = {**files, CONF: f"include {MORE}\nmaxmemory-policy noeviction\n"}
    assert beaten(plan, written, written=True) == []


def test_the_command_line_beats_all_files() -> None:
    files = {CONF: "maxmemory 64mb\n"}
    assert beaten(MAXMEMORY, files, CONF, "--maxmemory", "100mb") == [("the command line", "100mb")]
    assert beaten(MAXMEMORY, {}, CONF, "--maxmemory", "100mb") == [("the command line", "100mb")]
    assert beaten(MAXMEMORY, files, CONF, "--maxmemory", "64mb") == []
    assert beaten(MAXMEMORY, files, CONF, "--maxmemory", "64mb", written=True) == []


def test_old_and_new_names_are_one() -> None:
    plan = SettingPlan("replica-priority", "100", "50")
    assert beaten(plan, {}, CONF, "--slave-priority", "10") == [("the command line", "10")]


@pytest.mark.parametrize(
    ("included", "arguments", "expected"),
    [
        ("save 60 1", [], [(f"{MORE} line 1", "60 1")]),
        ('save ""', [], []),
        ("timeout 0", ["--save", ""], [("the command line", '""')]),
        ("timeout 0", ["--save", "900", "1"], []),
    ],
)
def test_lines_of_save_add_up(included: str, arguments: list[str], expected: list[tuple[str, str]]) -> None:
    plan = SettingPlan("save", "", "900 1")
    assert beaten(plan, {CONF: f"include {MORE}\nsave 900 1\n", MORE: included}, CONF, *arguments) == expected


def test_limits_of_another_class_do_not_beat() -> None:
    desired = "normal 0 0 0 slave 1073741824 536870912 60 pubsub 33554432 8388608 60"
    plan = SettingPlan("client-output-buffer-limit", desired, desired)
    assert beaten(plan, {}, CONF, "--client-output-buffer-limit", "replica", "1gb", "512mb", "60") == []
    assert beaten(plan, {}, CONF, "--client-output-buffer-limit", "normal", "1gb", "0", "0") != []


def test_what_to_do_is_said() -> None:
    files = {CONF: f"timeout 0\ninclude {MORE}\n", MORE: "timeout 5\n"}
    plans = [SettingPlan("timeout", "5", "300"), MAXMEMORY]
    included, command = overrides(plans, found(files, CONF, "--maxmemory", "100mb"), written=False)
    assert str(included) == (f'timeout is 5 by {MORE} line 1, wanted 300: take "timeout 5" out of {MORE} line 1')
    assert str(command).startswith(
        'maxmemory is 100mb by the command line, wanted 64mb: take "--maxmemory 100mb" out of the command that starts'
    )
