# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import datetime
import decimal
import json
from typing import Any

import pytest
from ansible_collections.midi.capacity.plugins.module_utils._query_text import MASK, without_secrets
from ansible_collections.midi.capacity.plugins.module_utils._snapshot_values import plain
from hypothesis import given
from hypothesis import strategies as st

BERLIN = datetime.timezone(datetime.timedelta(hours=1))

VALUES = [
    (decimal.Decimal("18446744073709551616"), 18446744073709551616),
    (decimal.Decimal("1.5"), 1.5),
    (decimal.Decimal("2.0"), 2),
    (datetime.datetime(2026, 1, 1, 0, 30, tzinfo=BERLIN), "2025-12-31T23:30:00.000Z"),
    (datetime.datetime(2026, 1, 1, 0, 0, 0, 999999, tzinfo=datetime.UTC), "2026-01-01T00:00:00.999Z"),
    (datetime.timedelta(milliseconds=1500), 1.5),
    ((1, None), [1, None]),
    ({"a": [{"b": decimal.Decimal(3)}]}, {"a": [{"b": 3}]}),
    (True, True),
    ("x", "x"),
]


@pytest.mark.parametrize(("value", "expected"), VALUES)
def test_plain(value: Any, expected: Any) -> None:
    assert plain(value) == expected
    assert type(plain(value)) is type(expected)
    json.dumps(plain(value))


TEXTS = [
    ("ALTER ROLE a PASSWORD 'x'", f"ALTER ROLE a PASSWORD {MASK}"),
    ("create user a with encrypted password E'it''s' valid until 'infinity'", None),
    ("ALTER ROLE a PASSWORD $$x$$", f"ALTER ROLE a PASSWORD {MASK}"),
    ("ALTER ROLE a PASSWORD $pw$x$pw$", f"ALTER ROLE a PASSWORD {MASK}"),
    ("ALTER ROLE a PASSWORD 'cut off here", f"ALTER ROLE a PASSWORD {MASK}"),
    ("DO $do$BEGIN EXECUTE 'ALTER ROLE a PASSWORD ''x'''; END$do$", None),
    ("CREATE USER MAPPING FOR a SERVER s OPTIONS (user 'u', password 'x')", None),
    ("CREATE SUBSCRIPTION s CONNECTION 'host=h password=x dbname=d' PUBLICATION p", None),
    ("CREATE SUBSCRIPTION s CONNECTION 'postgresql://u:x@h/d' PUBLICATION p", None),
    ("UPDATE users SET api_key = 'x' WHERE id = $1", f"UPDATE users SET api_key = {MASK}"),
    (
        "SELECT id FROM users WHERE password = $1 AND name = $2",
        "SELECT id FROM users WHERE password = $1 AND name = $2",
    ),
    ("SELECT passwords FROM files WHERE id = $1", "SELECT passwords FROM files WHERE id = $1"),
    ("SELECT * FROM files WHERE url = $1 -- see https://h/d", "SELECT * FROM files WHERE url = $1 -- see https://h/d"),
    ("COMMENT ON TABLE files IS 'all of them'", "COMMENT ON TABLE files IS 'all of them'"),
]


@pytest.mark.parametrize(("text", "expected"), TEXTS)
def test_secrets_are_masked_and_nothing_else(text: str, expected: str | None) -> None:
    masked = without_secrets(text)
    if expected is None:
        assert MASK in masked
    else:
        assert masked == expected


@given(
    st.sampled_from(
        [
            "ALTER ROLE a PASSWORD '{}'",
            "ALTER USER a\nWITH LOGIN\npassword '{}' VALID UNTIL 'x'",
            "CREATE SUBSCRIPTION s CONNECTION 'password={} host=h' PUBLICATION p",
            "CREATE SUBSCRIPTION s CONNECTION 'postgres://u:{}@h:5432/d' PUBLICATION p",
            "CREATE USER MAPPING FOR a SERVER s OPTIONS (password '{}')",
            "SELECT dblink_connect('host=h user=u password={}')",
        ]
    ),
    st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=4),
)
def test_no_password_comes_through(statement: str, password: str) -> None:
    assert password not in without_secrets(statement.format("~" + password)).replace(statement.split("{")[0], "")
