# SPDX-License-Identifier: GPL-3.0-or-later
"""What an audit adds up, and the small parts that it and the invalidation share."""

from __future__ import annotations

import pytest
from ansible_collections.midi.capacity.plugins.module_utils._redis_keys.audit import (
    NO_TTL,
    Extent,
    Observation,
    Tally,
)
from ansible_collections.midi.capacity.plugins.module_utils._redis_keys.distinct import DistinctCount
from ansible_collections.midi.capacity.plugins.module_utils._redis_keys.latency import percentile, summary
from ansible_collections.midi.capacity.plugins.module_utils._redis_keys.model import KeyPattern, read
from ansible_collections.midi.capacity.plugins.module_utils._redis_keys.names import LONGEST, shown
from hypothesis import given
from hypothesis import strategies as st

WHOLE = Extent(looked_at=6, total=6, whole=True)


def patterns() -> list[KeyPattern]:
    keys = [
        {"pattern": "tag:{id}", "meaning": "m", "ttl_seconds": 60, "max_value_bytes": 100},
        {"pattern": "bpm:{min}:{max}", "meaning": "m", "ttl_seconds": 30},
    ]
    found, problems = read(keys)
    assert found is not None, problems
    return list(found.patterns)


def tally(*seen: tuple[str, int | None, int | None], largest: int = 3, examples: int = 2) -> Tally:
    found = Tally(patterns(), largest, examples)
    for entry in seen:
        found.add(Observation(*entry))
    return found


def test_everything_is_counted_where_it_belongs() -> None:
    found = tally(
        ("tag:1", 60_000, 50),
        ("tag:2", 60_001, 100),
        ("tag:3", NO_TTL, 101),
        ("bpm:1:2", 1, 5000),
        ("tag:1:x", NO_TTL, 70),
        ("other", 10**12, 30),
    )
    tag, bpm = found.patterns(WHOLE)
    assert tag == {
        "pattern": "tag:{id}",
        "meaning": "m",
        "ttl_seconds": 60,
        "max_value_bytes": 100,
        "key_count": 3,
        "key_count_estimated": 3,
        "without_ttl": 1,
        "above_ttl": 1,
        "memory_bytes": 251,
        "memory_bytes_estimated": 251,
        "largest_bytes": 101,
        "above_max_value_bytes": 1,
        "examples": {"without_ttl": ["tag:3"], "above_ttl": ["tag:2"], "above_max_value_bytes": ["tag:3"]},
    }
    assert (bpm["key_count"], bpm["without_ttl"], bpm["above_ttl"], bpm["above_max_value_bytes"]) == (1, 0, 0, None)
    assert found.unmatched(WHOLE) == {
        "key_count": 2,
        "key_count_estimated": 2,
        "without_ttl": 1,
        "memory_bytes": 100,
        "memory_bytes_estimated": 100,
        "largest_bytes": 70,
        "examples": ["tag:1:x", "other"],
    }
    assert [(size, key, pattern and pattern.name) for size, key, pattern in found.largest()] == [
        (5000, "bpm:1:2", "bpm:{min}:{max}"),
        (101, "tag:3", "tag:{id}"),
        (100, "tag:2", "tag:{id}"),
    ]


def test_a_sample_is_scaled_to_all_keys() -> None:
    found = tally(("tag:1", 1, 10), ("tag:2", 1, 30), ("other", 1, 10), ("more", 1, 10))
    extent = Extent(looked_at=4, total=1000, whole=False)
    tag = found.patterns(extent)[0]
    assert (tag["key_count"], tag["key_count_estimated"]) == (2, 500)
    assert (tag["memory_bytes"], tag["memory_bytes_estimated"]) == (40, 10_000)
    assert found.unmatched(extent)["key_count_estimated"] == 500


@pytest.mark.parametrize(
    ("extent", "expected"),
    [
        (Extent(10, 1000, False), 300),
        (Extent(10, 1000, True), 3),
        # Keys that came meanwhile.
        (Extent(10, 5, False), 3),
        (Extent(0, 1000, False), 3),
    ],
)
def test_estimates(extent: Extent, expected: int) -> None:
    assert extent.estimated(3) == expected


def test_what_may_not_be_read_is_null_and_no_zero() -> None:
    found = tally(("tag:1", None, None), ("other", None, None))
    tag, bpm = found.patterns(WHOLE)
    for name in ("without_ttl", "above_ttl", "memory_bytes", "memory_bytes_estimated", "largest_bytes"):
        assert tag[name] is None, name
    assert tag["above_max_value_bytes"] is None and tag["key_count"] == 1
    # There is nothing to read where there is no key.
    assert (bpm["without_ttl"], bpm["memory_bytes"], bpm["largest_bytes"]) == (0, 0, 0)
    assert found.unmatched(WHOLE)["memory_bytes"] is None
    assert found.largest() == []


def test_keys_whose_size_is_unknown_count_like_the_others() -> None:
    tag = tally(("tag:1", 1, 40), ("tag:2", 1, None)).patterns(WHOLE)[0]
    assert (tag["memory_bytes"], tag["memory_bytes_estimated"]) == (40, 80)


def test_no_more_is_kept_than_asked_for() -> None:
    seen = [(f"other{number}", NO_TTL, number) for number in range(50)]
    assert len(tally(*seen).unmatched(WHOLE)["examples"]) == 2
    assert [size for size, _key, _pattern in tally(*seen).largest()] == [49, 48, 47]
    assert tally(*seen, largest=0, examples=0).largest() == []
    assert tally(*seen, largest=0, examples=0).unmatched(WHOLE)["examples"] == []


def test_without_patterns_no_key_matches() -> None:
    found = Tally([], 1, 1)
    found.add(Observation("tag:1", 1, 1))
    assert found.patterns(WHOLE) == [] and found.unmatched(WHOLE)["key_count"] == 1


@given(st.lists(st.text(max_size=3), max_size=50))
def test_distinct_count(keys: list[str]) -> None:
    found = DistinctCount()
    for key in keys:
        found.add(key)
    assert found.count() == len(set(keys))


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("tag:drum & bass", "tag:drum & bass"),
        ("tag:\u00fcber", "tag:\u00fcber"),
        ("a\nb\x00", "a\\x0ab\\x00"),
        ("raw\udcff", "raw\\xff"),
        ("x" * LONGEST, "x" * LONGEST),
        ("x" * (LONGEST + 1), "x" * (LONGEST - 1) + "…"),
        ("\x00" * LONGEST, ("\\x00" * LONGEST)[: LONGEST - 1] + "…"),
    ],
)
def test_shown(key: str, expected: str) -> None:
    assert shown(key) == expected


@given(st.binary(max_size=300))
def test_any_key_can_be_shown(key: bytes) -> None:
    text = shown(key.decode("utf-8", "surrogateescape"))
    assert text.isprintable() and len(text) <= LONGEST
    text.encode("utf-8")


def test_summary() -> None:
    assert summary([]) is None
    assert summary([0.002]) == {"samples": 1, "median_ms": 2.0, "p99_ms": 2.0, "max_ms": 2.0}
    # 1 ms to 200 ms, in any order.
    samples = [number / 1000 for number in range(200, 0, -1)]
    assert summary(samples) == {"samples": 200, "median_ms": 100.0, "p99_ms": 198.0, "max_ms": 200.0}


@given(st.lists(st.floats(0, 10), min_size=1), st.integers(1, 100))
def test_a_percentile_is_a_sample_that_so_many_do_not_exceed(samples: list[float], share: int) -> None:
    ordered = sorted(samples)
    found = percentile(ordered, share)
    assert found in ordered
    assert sum(sample <= found for sample in ordered) * 100 >= share * len(ordered)
    assert sum(sample < found for sample in ordered) * 100 < share * len(ordered)
