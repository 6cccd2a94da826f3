# SPDX-License-Identifier: GPL-3.0-or-later
"""The key strategy as data: checked as a whole, selected from, and written down."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from ansible_collections.midi.capacity.plugins.module_utils._redis_keys.model import KeyPattern, Strategy, read
from ansible_collections.midi.capacity.plugins.module_utils._redis_keys.report import sentence
from ansible_collections.midi.capacity.plugins.module_utils._redis_keys.select import select
from ansible_collections.midi.capacity.plugins.module_utils._redis_keys.strategy import markdown

from tests.unit.collection import ROOT

TAG = {"pattern": "tag:{tag_id}", "meaning": "Files with a tag", "ttl_seconds": 3600}
BPM = {"pattern": "bpm_range:{min}:{max}", "meaning": "Files in BPM range", "ttl_seconds": "1800"}


def strategy(keys: Any, events: Any = ()) -> Strategy:
    found, problems = read(keys, events)
    assert found is not None, problems
    return found


def test_a_strategy() -> None:
    found = strategy([{**TAG, "max_value_bytes": 1024, "invalidated_by": ["import_completed", "tagged"]}, BPM])
    tag, bpm = found.patterns
    assert (tag.name, tag.ttl_seconds, tag.max_value_bytes) == ("tag:{tag_id}", 3600, 1024)
    assert tag.invalidated_by == ("import_completed", "tagged")
    assert (bpm.ttl_seconds, bpm.max_value_bytes, bpm.invalidated_by) == (1800, None, ())
    assert found.events == ("import_completed", "tagged")


def test_no_keys_are_a_strategy() -> None:
    assert strategy([]) == Strategy((), ())


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"pattern": ""}, "entry 1: pattern is missing: write how the keys look"),
        ({"pattern": 7}, "entry 1: pattern is missing"),
        ({"pattern": "tag:*"}, "pattern tag:*: has a bare *"),
        ({"meaning": " "}, "pattern tag:{tag_id}: meaning is missing"),
        ({"meaning": None}, "pattern tag:{tag_id}: meaning is missing"),
        (
            {"ttl_seconds": None},
            "ttl_seconds is missing: give the seconds that a key may live, a whole number from 1 on",
        ),
        ({"ttl_seconds": 0}, "ttl_seconds is 0: give"),
        ({"ttl_seconds": -5}, "ttl_seconds is -5: give"),
        ({"ttl_seconds": True}, "ttl_seconds is True: give"),
        ({"ttl_seconds": 1.5}, "ttl_seconds is 1.5: give"),
        ({"ttl_seconds": "1h"}, "ttl_seconds is '1h': give"),
        ({"ttl_seconds": 10**18}, "ttl_seconds is 1000000000000000000: give"),
        ({"max_value_bytes": 0}, "max_value_bytes is 0: give the bytes that a value may have"),
        ({"max_value_bytes": "1mb"}, "max_value_bytes is '1mb': give"),
        ({"invalidated_by": "import_completed"}, "invalidated_by is no list: write [import_completed]"),
        ({"invalidated_by": ["a b"]}, "invalidated_by has 'a b', which cannot be an event"),
        ({"invalidated_by": [1]}, "invalidated_by has 1, which cannot be an event"),
        ({"invalidated_by": ["x", "x"]}, "invalidated_by has x twice"),
        ({"ttl_second": 1}, "ttl_second means nothing: did you mean ttl_seconds?"),
        ({"owner": "me"}, "owner means nothing: known are pattern, meaning"),
    ],
)
def test_a_fault_in_an_entry(change: dict[str, Any], problem: str) -> None:
    found, problems = read([{**TAG, **change}])
    assert found is None
    assert len(problems) == 1 and problem in problems[0], problems


@pytest.mark.parametrize(
    ("keys", "problem"),
    [
        (None, "the keys are no list"),
        ({"pattern": "x"}, "the keys are no list"),
        (["tag:{id}"], "entry 1: it is no mapping: give it pattern, meaning, ttl_seconds"),
    ],
)
def test_keys_that_are_none(keys: Any, problem: str) -> None:
    found, problems = read(keys)
    assert found is None and len(problems) == 1 and problem in problems[0]


def test_events_that_are_declared_are_all_that_there_are() -> None:
    keys = [{**TAG, "invalidated_by": ["impord_completed", "rain"]}]
    _found, problems = read(keys, ["import_completed"])
    assert problems == [
        "pattern tag:{tag_id}: invalidated_by has impord_completed, which is no event: did you mean import_completed?",
        "pattern tag:{tag_id}: invalidated_by has rain, which is no event: known are import_completed",
    ]
    assert read([TAG], "import_completed")[1] == [
        "the list of events is no list: write [import_completed], or [] for nothing"
    ]


def test_all_faults_at_once_and_overlaps_among_them() -> None:
    keys = [
        {**TAG, "ttl_seconds": 0},
        {**BPM, "meaning": ""},
        {**TAG, "pattern": "tag:all"},
        TAG,
        {"pattern": "a:*"},
    ]
    found, problems = read(keys)
    assert found is None
    assert [problem.partition(": ")[0] for problem in problems[:5]] == [
        "pattern tag:{tag_id}",
        "pattern bpm_range:{min}:{max}",
        "pattern a:*",
        "pattern a:*",
        "pattern a:*",
    ]
    assert problems[5:] == [
        "patterns tag:{tag_id} and tag:all overlap, both mean the key tag:all: give one another beginning",
        "pattern tag:{tag_id} is given twice",
        "patterns tag:all and tag:{tag_id} overlap, both mean the key tag:all: give one another beginning",
    ]


@pytest.fixture
def both() -> Strategy:
    keys = [
        {**TAG, "invalidated_by": ["import_completed"]},
        {**BPM, "invalidated_by": ["import_completed", "analysed"]},
    ]
    return strategy(keys, ["import_completed", "analysed", "renamed"])


@pytest.mark.parametrize(
    ("event", "names", "expected"),
    [
        ("import_completed", [], ["tag:{tag_id}", "bpm_range:{min}:{max}"]),
        ("analysed", None, ["bpm_range:{min}:{max}"]),
        ("renamed", [], []),
        (None, ["bpm_range:{min}:{max}", "tag:{tag_id}"], ["tag:{tag_id}", "bpm_range:{min}:{max}"]),
        ("", ["tag:{tag_id}"], ["tag:{tag_id}"]),
    ],
)
def test_select(both: Strategy, event: str | None, names: list[str] | None, expected: list[str]) -> None:
    chosen, problems = select(both, event, names)
    assert ([pattern.name for pattern in chosen], problems) == (expected, [])


@pytest.mark.parametrize(
    ("event", "names", "problem"),
    [
        (
            "import_complete",
            [],
            "there is no event import_complete: known are import_completed, analysed, renamed;"
            " did you mean import_completed?",
        ),
        ("zzz", [], "there is no event zzz: known are import_completed, analysed, renamed"),
        (
            None,
            [],
            "neither an event nor a pattern is given: known are import_completed, analysed, renamed",
        ),
        ("analysed", ["tag:{tag_id}"], "both an event and patterns are given: give one of them"),
        (
            None,
            ["tag:{id}"],
            "there is no pattern tag:{id}: known are tag:{tag_id}, bpm_range:{min}:{max}; did you mean tag:{tag_id}?",
        ),
    ],
)
def test_what_cannot_be_selected(both: Strategy, event: str | None, names: list[str], problem: str) -> None:
    assert select(both, event, names) == ([], [problem])


def test_nothing_is_known_where_nothing_is_declared() -> None:
    assert select(strategy([TAG]), "x", [])[1] == ["there is no event x: the keys declare no events"]


def test_the_document() -> None:
    keys = [
        {**TAG, "max_value_bytes": 1024**2, "invalidated_by": ["import_completed"]},
        {**BPM, "meaning": "One | of\nseveral"},
    ]
    text = markdown(strategy(keys, ["import_completed", "renamed"]))
    assert "| `tag:{tag_id}`          | Files with a tag  |    1 h | at most 1 MiB | `import_completed`" in text
    assert (
        "| `bpm_range:{min}:{max}` | One \\| of several | 30 min |      no bound | nothing" in text
        and "nothing but its time |" in text
    )
    assert "| `import_completed` | `tag:{tag_id}`" in text and "| `renamed`          | nothing" in text
    assert "-e event=import_completed\n" in text and """-e '{"patterns": ["tag:{tag_id}"]}'\n""" in text
    assert text.endswith("```\n") and max(len(line) for line in text.splitlines()) <= 120


def test_the_document_of_nothing_promises_nothing() -> None:
    text = markdown(strategy([]))
    assert "invalidate" not in text and "| Key " in text


def test_the_example_inventory_has_the_checklists_keys() -> None:
    example = yaml.safe_load((ROOT / "inventories/example/group_vars/redis.yml").read_text("utf-8"))
    found = strategy(example["redis_cache_keys"], example["redis_cache_events"])
    assert {pattern.name: pattern.ttl_seconds for pattern in found.patterns} == {
        "tag:{tag_id}": 3600,
        "instrument:{name}": 3600,
        "bpm_range:{min}:{max}": 1800,
        "key_signature:{key}": 3600,
    }
    assert found.events == ("import_completed", "analysis_completed")
    assert all(isinstance(pattern, KeyPattern) and pattern.invalidated_by for pattern in found.patterns)


BEFORE = {"samples": 9, "median_ms": 0.1, "p99_ms": 0.2, "max_ms": 0.25}


@pytest.mark.parametrize(
    ("counts", "check", "during", "expected"),
    [
        ([], False, BEFORE, "This event invalidates nothing."),
        (
            [("a:{x}", 1200), ("b", 1)],
            False,
            BEFORE,
            "Unlinked 1,201 keys: 1,200 of a:{x}, 1 of b. Redis answered a PING in 0.2 ms (p99, at most 0.25 ms) before"
            " and in 0.2 ms (p99, at most 0.25 ms) meanwhile.",
        ),
        (
            [("b", 1)],
            True,
            None,
            "Would unlink 1 key: 1 of b. How long Redis took to answer meanwhile was not measured: no",
        ),
        ([("b", 0)], False, None, "There is no key of b. How long Redis took to answer meanwhile was not measured: no"),
    ],
)
def test_sentence(counts: list[tuple[str, int]], check: bool, during: Any, expected: str) -> None:
    assert sentence(counts, check, {"before": BEFORE, "during": during, "reason": "no"}) == expected
