# SPDX-License-Identifier: GPL-3.0-or-later
"""_query_text.without_literals: of a statement's text its shape stays, and no constant, whole or cut."""

from __future__ import annotations

import pytest
from ansible_collections.midi.capacity.plugins.module_utils._query_text import OWN, without_literals
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("SELECT f.id\n  FROM files f\tWHERE id = $1", "SELECT f.id FROM files f WHERE id = $1"),
        # Strings, in all the ways of PostgreSQL to write them.
        ("SET application_name = 'it''s'", "SET application_name = ?"),
        (r"SELECT E'it\'s', e'\\', 'a\'", "SELECT ?, ?, ?"),
        ("SELECT B'01', x'1F', N'x', U&'d\\0061t'", "SELECT ?, ?, ?, ?"),
        ("SELECT 'a'\n  'b'", "SELECT ? ?"),
        ("DO $$BEGIN PERFORM 'x' $1; END$$", "DO ?"),
        ("DO $body$ SELECT $$x$$ $body$ LANGUAGE plpgsql", "DO ? LANGUAGE plpgsql"),
        ("SELECT $é$x$é$", "SELECT ?"),
        # What begins in a string, a name or a comment is none of another kind.
        ("SELECT '--', 'x'", "SELECT ?, ?"),
        ("SELECT '/*', 'a' /* b */, 'x'", "SELECT ?, ? , ?"),
        ("""SELECT "it's", 'x' FROM "a -- b", "/*" """, """SELECT "it's", ? FROM "a -- b", "/*\""""),
        ("SELECT 1 -- it's\n, 'x'", "SELECT ? , ?"),
        ("SELECT /* it's /* nested */ 'x' */ a", "SELECT a"),
        ("SELECT a$b$c, t.a1, é2, $12 FROM t1, _2", "SELECT a$b$c, t.a1, é2, $12 FROM t1, _2"),
        ('SELECT "a 5 b", "5"', 'SELECT "a 5 b", "5"'),
        # Numbers.
        ("SET work_mem = 64", "SET work_mem = ?"),
        ("SELECT -5, +1.5, .25, 5., 1e10, 2.5E-3, a[1], (7)", "SELECT -?, +?, ?, ?, ?, ?, a[?], (?)"),
        ("SELECT 0x1F, 0o17, 0b11, 1_000_000, 1_0.2_5", "SELECT ?, ?, ?, ?, ?"),
        ("LIMIT 5OFFSET 6", "LIMIT ?OFFSET ?"),
        ("SELECT 1/2, 3--4", "SELECT ?/?, ?"),
        # Utility statements, in which PostgreSQL leaves them.
        ("COPY t FROM '/data/x.csv' WITH (DELIMITER ',')", "COPY t FROM ? WITH (DELIMITER ?)"),
        ("VACUUM (PARALLEL 4) public.t", "VACUUM (PARALLEL ?) public.t"),
        # Comments of clients go, and ours says whose it is.
        ("/*route='/users/7',user=anna*/ SELECT 1", "SELECT ?"),
        (f"SELECT {OWN} name FROM t WHERE a = 1", f"SELECT name FROM t WHERE a = ? {OWN}"),
        # One that was cut.
        ("SELECT 'it''", "SELECT ?"),
        ("SELECT E'it\\", "SELECT ?"),
        ("SELECT $a$it$", "SELECT ?"),
        ("SELECT /* it", "SELECT"),
        ("SELECT /* it /* is */ it", "SELECT"),
        ('SELECT "it', 'SELECT "it'),
    ],
)
def test_constants_go_and_the_rest_stays(text: str, expected: str) -> None:
    assert without_literals(text) == expected


ODD = st.lists(
    st.sampled_from(["--", "/*", "*/", '"', "$$", "$a$", "$1", "\\\\", " ", "hunter", "4711", "é"]), max_size=5
)
INSIDE = ODD.map("".join)
STRINGS = st.one_of(
    st.tuples(st.sampled_from(["", "E", "e", "B", "x", "N", "U&"]), INSIDE, st.sampled_from(["", "''"])).map(
        lambda parts: f"{parts[0]}'hunter{parts[1]}{parts[2]}hunter'"
    ),
    INSIDE.map(lambda text: "E'hunter\\'" + text + "hunter'"),
    INSIDE.map(lambda text: f"$q$hunter'{text}hunter$q$"),
)
NUMBERS = st.sampled_from(["4711", "4711.5", ".4711", "4711.", "4711e4", "0x4711", "4_4711", "1.4711e-3"])
COMMENTS = st.one_of(
    INSIDE.map(lambda text: f"--hunter' {text}\n"),
    st.sampled_from(["'", "", "$$"]).map(lambda text: f"/*hunter{text} /* 4711 */ hunter */"),
)
KEPT = st.sampled_from(['"it\'s"', '"a -- b"', '"/*"', '"$$"', "a$b$c", "$1", "t2", "SELECT", "::", "->", "@>", "é1"])
STATEMENTS = st.lists(STRINGS | NUMBERS | COMMENTS | KEPT, max_size=8)


@given(STATEMENTS)
def test_no_constant_is_left_and_everything_else_is(parts: list[str]) -> None:
    found = without_literals(" ".join(parts))
    assert "hunter" not in found and "4711" not in found
    kept = [part for part in parts if not {"hunter", "4711"} & {word for word in ("hunter", "4711") if word in part}]
    words = [word for word in found.split() if word != "?"]
    assert words == " ".join(kept).split()


@given(STATEMENTS, st.integers(0, 200))
def test_a_text_that_was_cut_tells_no_more(parts: list[str], length: int) -> None:
    found = without_literals(" ".join(parts)[:length])
    assert "hunter" not in found and "4711" not in found


@given(STATEMENTS | st.text(alphabet="aE'\"$\\/*-1. ", max_size=20).map(lambda text: [text]))
def test_once_is_as_good_as_twice(parts: list[str]) -> None:
    once = without_literals(" ".join(parts))
    assert without_literals(once).replace(" ", "") == once.replace(" ", "")


def test_a_long_text_takes_no_longer_than_it_is_long() -> None:
    """Each of these begins something that does not end."""
    for text in (
        "'" * 99_999,
        "/*" * 50_000,
        "E'\\" * 30_000,
        "$a" * 50_000,
        '"' * 99_999,
        "9" * 99_999 + "x",
        "$" * 99_999,
    ):
        assert len(without_literals(text)) <= len(text)
