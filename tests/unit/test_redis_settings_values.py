# SPDX-License-Identifier: GPL-3.0-or-later
"""Values of Redis settings: what people write, what CONFIG GET shows, what redis.conf writes."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.midi.capacity.plugins.module_utils._redis_settings import catalog
from ansible_collections.midi.capacity.plugins.module_utils._redis_settings.values import (
    InvalidValue,
    canonical,
    memory_bytes,
    memory_text,
    rendered,
    same,
)
from hypothesis import given
from hypothesis import strategies as st

LIMITS = "normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60"


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("10gb", 10 * 1024**3),
        ("10g", 10 * 1000**3),
        ("512MB", 512 * 1024**2),
        ("512m", 512 * 1000**2),
        ("64kb", 65536),
        ("64K", 64000),
        ("100b", 100),
        (" 100 ", 100),
        (1048576, 1048576),
        ("0", 0),
    ],
)
def test_memory(written: Any, number: int) -> None:
    assert memory_bytes(written) == number


@pytest.mark.parametrize("written", ["1.5gb", 1.5, "10 gb", "10GiB", "-1", -1, "gb", "", True, "ten", "٣gb", "³"])
def test_what_is_no_memory(written: Any) -> None:
    with pytest.raises(InvalidValue, match="takes whole bytes, or a whole number with one of b, k, kb, m, mb, g, gb"):
        memory_bytes(written)


@given(st.integers(min_value=0, max_value=2**63))
def test_memory_is_written_as_it_is_read(number: int) -> None:
    assert memory_bytes(memory_text(number)) == number


@pytest.mark.parametrize(
    ("name", "wanted", "current", "expected"),
    [
        ("maxmemory", "10gb", "0", "10737418240"),
        ("maxmemory-clients", "5 %", "0", "5%"),
        ("maxmemory-clients", "1mb", "0", "1048576"),
        ("maxmemory-policy", "AllKeys-LFU", "noeviction", "allkeys-lfu"),
        ("appendfsync", False, "everysec", "no"),
        ("appendonly", True, "no", "yes"),
        ("appendonly", "On", "no", "yes"),
        ("appendonly", "false", "yes", "no"),
        ("oom-score-adj", "relative", "no", "yes"),
        ("oom-score-adj", True, "no", "yes"),
        ("timeout", 300, "0", "300"),
        ("timeout", "300", "0", "300"),
        ("timeout", 300.0, "0", "300"),
        ("slowlog-log-slower-than", -1, "10000", "-1"),
        ("masteruser", "007", "", "007"),
        ("masteruser", True, "yes", "yes"),
        ("dbfilename", "2", "1", "2"),
        ("tls-ciphers", "A:B", "", "A:B"),
        ("bind", ["127.0.0.1", "-::1"], "", "127.0.0.1 -::1"),
        ("bind", " 127.0.0.1   ::1", "", "127.0.0.1 ::1"),
        ("oom-score-adj-values", [0, 100, 200], "0 200 800", "0 100 200"),
        ("shutdown-on-sigterm", ["now", "SAVE"], "default", "save now"),
        ("save", "900 1 300 10", "", "900 1 300 10"),
        ("save", " 900  1\n300 10", "", "900 1 300 10"),
        ("save", ["900 1", "300 10"], "", "900 1 300 10"),
        ("save", [900, 1, [300, 10]], "", "900 1 300 10"),
        ("save", "", "900 1", ""),
        ("save", [], "900 1", ""),
        ("save", '""', "900 1", ""),
        ("client-output-buffer-limit", "replica 1gb 512mb 60", LIMITS,
         "normal 0 0 0 slave 1073741824 536870912 60 pubsub 33554432 8388608 60"),
        ("client-output-buffer-limit", ["pubsub 0 0 0", "normal 1mb 1m 5"], LIMITS,
         "normal 1048576 1000000 5 slave 268435456 67108864 60 pubsub 0 0 0"),
    ],
)  # fmt: skip
def test_canonical(name: str, wanted: Any, current: str, expected: str) -> None:
    assert canonical(name, wanted, current) == expected
    assert canonical(name, expected, expected) == expected


@pytest.mark.parametrize(
    ("name", "wanted", "current", "message"),
    [
        ("timeout", None, "0", "has no value"),
        ("timeout", {"a": 1}, "0", "not a mapping"),
        ("timeout", [1], "0", "not a list"),
        ("timeout", "abc", "0", "takes a whole number"),
        ("timeout", "007", "0", "takes a whole number"),
        ("timeout", 1.5, "0", "takes a whole number"),
        ("timeout", float("inf"), "0", "takes a whole number"),
        ("timeout", float("nan"), "0", "takes a whole number"),
        ("timeout", True, "0", "takes a whole number"),
        ("timeout", "٣", "0", "takes a whole number"),
        ("save", "٣ 1", "", "takes pairs of seconds and changes"),
        ("maxmemory-clients", "٣%", "0", "takes whole bytes"),
        ("appendonly", "perhaps", "no", "takes yes or no"),
        ("appendonly", 1, "no", "takes yes or no"),
        ("maxmemory-policy", "lru", "noeviction", "takes one of volatile-lru"),
        ("maxmemory-clients", "x%", "0", "takes whole bytes"),
        ("shutdown-on-sigint", ["save", "soon"], "default", "takes one of default, save"),
        ("save", "900", "", "takes pairs of seconds and changes"),
        ("save", ["900 1", "300"], "", "takes pairs of seconds and changes"),
        ("save", True, "", "takes pairs of seconds and changes"),
        ("save", "soon 1", "", "takes pairs of seconds and changes"),
        ("save", "0 1", "", "takes seconds of 1 or more"),
        ("save", "1 -1", "", "takes seconds of 1 or more"),
        ("client-output-buffer-limit", "replica 1gb", LIMITS, "takes a class and three numbers"),
        ("client-output-buffer-limit", "", LIMITS, "takes a class and three numbers"),
        ("client-output-buffer-limit", "other 0 0 0", LIMITS, "knows the classes"),
        ("client-output-buffer-limit", "replica much 0 0", LIMITS, "takes whole bytes"),
        ("client-output-buffer-limit", "replica 1 1 soon", LIMITS, "takes a whole number"),
    ],
)
def test_what_a_setting_cannot_take(name: str, wanted: Any, current: str, message: str) -> None:
    with pytest.raises(InvalidValue, match=message):
        canonical(name, wanted, current)


def test_words_that_a_newer_server_may_know_are_left_to_it() -> None:
    assert canonical("maxmemory-policy", "Allkeys-LRM", "noeviction", closed=False) == "allkeys-lrm"


@pytest.mark.parametrize(
    ("name", "left", "right", "expected"),
    [
        ("notify-keyspace-events", "KEA", "AKE", True),
        ("notify-keyspace-events", "Kg$lshzxetd", "AK", True),
        ("notify-keyspace-events", "KE", "AKE", False),
        ("timeout", "1", "1", True),
        ("timeout", "1", "2", False),
    ],
)
def test_same(name: str, left: str, right: str, expected: bool) -> None:
    assert same(name, left, right) is expected


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("maxmemory", "10737418240", "10gb"),
        ("maxmemory", "1073741825", "1073741825"),
        ("maxmemory", "65536", "64kb"),
        ("maxmemory", "0", "0"),
        ("maxmemory-clients", "5%", "5%"),
        ("timeout", "1024", "1024"),
        ("save", "", '""'),
    ],
)
def test_rendered(name: str, value: str, expected: str) -> None:
    assert rendered(name, value) == expected


@given(
    st.sampled_from([*catalog.MEMORY, *catalog.MEMORY_OR_PERCENT, *catalog.WORDS, *catalog.ROWS, "save", "timeout"]),
    st.one_of(st.text(), st.integers(), st.booleans(), st.floats(), st.lists(st.text(), max_size=4), st.none()),
)
def test_a_value_is_refused_in_words_or_taken_once_and_for_all(name: str, wanted: Any) -> None:
    try:
        once = canonical(name, wanted, "0")
    except InvalidValue as refused:
        assert str(refused)
    else:
        assert canonical(name, once, "0") == once


def test_the_catalog_agrees_with_itself() -> None:
    kinds = [set(catalog.MEMORY), set(catalog.MEMORY_OR_PERCENT), set(catalog.TEXTS), set(catalog.SECRET)]
    for at, kind in enumerate(kinds):
        for other in kinds[at + 1 :]:
            assert not kind & other
        assert not kind & set(catalog.WORDS)
    for (name, word), shown in catalog.SAME_WORD.items():
        assert {word, shown} <= set(catalog.WORDS[name])
