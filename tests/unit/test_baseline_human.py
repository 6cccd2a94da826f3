# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import re

import pytest
from ansible_collections.midi.capacity.plugins.module_utils._report import human, markdown
from hypothesis import given
from hypothesis import strategies as st

SIZES = [
    (0, "0 B"),
    (512, "512 B"),
    (1023, "1023 B"),
    (1024, "1 KiB"),
    (1024 * 1023.6, "1 MiB"),
    (1473741, "1.41 MiB"),
    (2**30, "1 GiB"),
    (4.8 * 2**30, "4.8 GiB"),
    (29.96 * 2**30, "30 GiB"),
    (999.7 * 2**40, "1000 TiB"),
    (5000 * 2**50, "5000 PiB"),
    (-2048, "-2 KiB"),
]
COUNTS = [(0, "0"), (999, "999"), (1720000, "1,720,000"), (1234.6, "1,235")]
PERCENTS = [
    (0, 10, "0 %"),
    (10, 10, "100 %"),
    (1, 0, "n/a"),
    (1, 100000, "< 0.1 %"),
    (99999, 100000, "> 99 %"),
    (43, 1000, "4.3 %"),
    (940, 1000, "94 %"),
    (120, 100, "120 %"),
]
MILLISECONDS = [
    (0, "0 ms"),
    (0.042, "0.042 ms"),
    (0.5, "0.5 ms"),
    (51.12, "51.1 ms"),
    (999.4, "999 ms"),
    (999.6, "1 s"),
    (1300, "1.3 s"),
    (125000, "2 min 5 s"),
]
SECONDS = [
    (0, "0 s"),
    (0.312, "0.31 s"),
    (59.9, "59.9 s"),
    (59.96, "1 min"),
    (60, "1 min"),
    (3599.6, "1 h"),
    (11520, "3 h 12 min"),
    (86400, "1 d"),
    (1024200, "11 d 20 h"),
    (-7260, "-2 h 1 min"),
]


@pytest.mark.parametrize(("number", "text"), SIZES)
def test_size(number: float, text: str) -> None:
    assert human.size(number) == text


@pytest.mark.parametrize(("number", "text"), COUNTS)
def test_count(number: float, text: str) -> None:
    assert human.count(number) == text


@pytest.mark.parametrize(("number", "text"), [(1, "once"), (2, "2 times"), (1200, "1,200 times")])
def test_times(number: int, text: str) -> None:
    assert human.times(number) == text


@pytest.mark.parametrize(("part", "whole", "text"), PERCENTS)
def test_percent(part: float, whole: float, text: str) -> None:
    assert human.percent(part, whole) == text


@pytest.mark.parametrize(("number", "text"), MILLISECONDS)
def test_milliseconds(number: float, text: str) -> None:
    assert human.milliseconds(number) == text


@pytest.mark.parametrize(("number", "text"), SECONDS)
def test_seconds(number: float, text: str) -> None:
    assert human.seconds(number) == text


def test_moments() -> None:
    assert human.moment("2026-11-24T00:29:41.236Z") == "2026-11-24 00:29:41 UTC"


@given(st.integers(0, 2**62))
def test_a_size_is_right_to_three_digits(number: int) -> None:
    amount, unit = human.size(number).split()
    exponent = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"].index(unit)
    assert float(amount) * 1024**exponent == pytest.approx(number, rel=0.006)
    assert re.fullmatch(r"\d{1,4}(\.\d{1,2})?", amount)


@given(st.floats(0, 1e9))
def test_a_duration_never_says_too_much(number: float) -> None:
    units = {"d": 86400, "h": 3600, "min": 60, "s": 1}
    said = sum(float(amount) * units[unit] for amount, unit in re.findall(r"([\d.]+) (\w+)", human.seconds(number)))
    # Two units are shown: what is left out is less than the smaller of them.
    assert number - 3600 <= said <= number * 1.006 + 0.5


@given(st.lists(st.tuples(st.text(max_size=20), st.text(max_size=20)), max_size=5))
def test_tables_are_aligned_and_cells_stay_in_their_place(rows: list[tuple[str, str]]) -> None:
    lines = markdown.table([("Name", markdown.LEFT), ("Value", markdown.RIGHT)], rows).split("\n")
    assert len(lines) == 2 + len(rows)
    assert len({len(line) for line in lines}) == 1
    assert all(len(re.findall(r"(?<!\\)\|", line)) == 3 for line in lines)


def test_table() -> None:
    assert markdown.table([("A", markdown.LEFT), ("Long", markdown.RIGHT)], [["a|b", "1"], ["c\nd", "22"]]) == (
        "| A    | Long |\n"
        "| ---- | ---: |\n"
        "| a\\|b |    1 |\n"
        "| c d  |   22 |"
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "code"), [("a", "`a`"), ("a`b", "``a`b``"), ("`", "`` ` ``"), ("a\n  b", "`a b`"), ("``a", "``` ``a ```")]
)
def test_code(text: str, code: str) -> None:
    assert markdown.code(text) == code


def test_shortened() -> None:
    assert markdown.shortened("SELECT  1\n FROM t", 20) == "SELECT 1 FROM t"
    assert markdown.shortened("abcdef", 4) == "abc…"
    assert len(markdown.shortened("x" * 100, 80)) == 80
