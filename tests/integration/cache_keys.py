# SPDX-License-Identifier: GPL-3.0-or-later
"""A cache full of keys, declared and foreign, for the tests of what looks for them."""

from __future__ import annotations

import redis

TAGS, RANGES, SIGNATURES = 20_000, 3_000, 24
# Everything that a sloppy match would take for a tag, a range or a signature.
FOREIGN = [f"tag:{number}:x" for number in range(5_000)]
FOREIGN += [
    "tag:",
    "tag",
    "tags:1",
    "xtag:1",
    "TAG:1",
    "bpm_range:60",
    "bpm_range:60:90:1",
    "key_signature:",
    "session:1",
]

KEYS = [
    {
        "pattern": "tag:{tag_id}",
        "meaning": "Files with a tag",
        "ttl_seconds": 3600,
        "max_value_bytes": 100_000,
        "invalidated_by": ["import_completed"],
    },
    {
        "pattern": "bpm_range:{min}:{max}",
        "meaning": "Files in a range of BPM",
        "ttl_seconds": 1800,
        "invalidated_by": ["import_completed", "analysis_completed"],
    },
    {
        "pattern": "key_signature:{key}",
        "meaning": "Files in a key",
        "ttl_seconds": 3600,
        "invalidated_by": ["analysed"],
    },
]


def fill(client: redis.Redis) -> None:
    """All of them, and a set with 100,000 members that never expires."""
    pipeline = client.pipeline(transaction=False)
    for number in range(TAGS - 1):
        pipeline.set(f"tag:{number}", "[1]", ex=3600)
    for number in range(RANGES):
        pipeline.set(f"bpm_range:{number}:{number + 9}", "[1]", ex=7200)
    for number in range(SIGNATURES):
        pipeline.set(f"key_signature:{number}", "[1]", ex=60)
    for key in FOREIGN:
        pipeline.set(key, "foreign")
    for start in range(0, 100_000, 1000):
        pipeline.sadd("tag:big", *range(start, start + 1000))
    pipeline.execute()


def calls(client: redis.Redis) -> dict[str, int]:
    """How often each command was run."""
    return {name.removeprefix("cmdstat_"): found["calls"] for name, found in client.info("commandstats").items()}
