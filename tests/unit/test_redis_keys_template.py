# SPDX-License-Identifier: GPL-3.0-or-later
"""Key templates: read, turned into globs and expressions, and compared with one another."""

from __future__ import annotations

import re

import pytest
from ansible_collections.midi.capacity.plugins.module_utils._redis_keys.overlap import common_key
from ansible_collections.midi.capacity.plugins.module_utils._redis_keys.template import Template, parse
from hypothesis import assume, given
from hypothesis import strategies as st


def template(text: str) -> Template:
    found, problems = parse(text)
    assert found is not None, problems
    return found


def redis_glob_matches(glob: str, key: str) -> bool:
    """What Redis' matcher does with the part of its language that templates turn into."""
    expression = ""
    at = 0
    while at < len(glob):
        if glob[at] == "\\" and at + 1 < len(glob):
            at += 1
            expression += re.escape(glob[at])
        else:
            # A bracket would begin a class, which no template asks for.
            assert glob[at] != "["
            expression += {"*": ".*", "?": "."}.get(glob[at], re.escape(glob[at]))
        at += 1
    return re.fullmatch(expression, key, re.DOTALL) is not None


@pytest.mark.parametrize(
    ("text", "glob"),
    [
        ("tag:{tag_id}", "tag:?*"),
        ("bpm_range:{min}:{max}", "bpm_range:?*:?*"),
        ("{tenant}:tag:{id}:files", "?*:tag:?*:files"),
        ("statistics", "statistics"),
        (r"a\*b\?c\[d\]:{x}", r"a\*b\?c\[d]:?*"),
        (r"slot\{1\}:{x}", "slot{1}:?*"),
        (r"back\\slash:{x}", r"back\\slash:?*"),
        ("caret^-:{x}", "caret^-:?*"),
    ],
)
def test_glob(text: str, glob: str) -> None:
    assert template(text).glob() == glob


@pytest.mark.parametrize(
    ("text", "key", "expected"),
    [
        ("tag:{tag_id}", "tag:1", True),
        ("tag:{tag_id}", "tag:drum & bass", True),
        ("tag:{tag_id}", "tag:two\nlines", True),
        ("tag:{tag_id}", "tag:\udcff", True),
        # SCAN's glob takes these for a tag, too.
        ("tag:{tag_id}", "tag:1:x", False),
        ("tag:{tag_id}", "tag::", False),
        ("tag:{tag_id}", "tag:", False),
        ("tag:{tag_id}", "tag:1\n:", False),
        ("tag:{tag_id}", "xtag:1", False),
        ("tag:{tag_id}", "TAG:1", False),
        ("bpm_range:{min}:{max}", "bpm_range:60:90", True),
        ("bpm_range:{min}:{max}", "bpm_range:60", False),
        ("bpm_range:{min}:{max}", "bpm_range:60:90:1", False),
        ("statistics", "statistics", True),
        ("statistics", "statistics2", False),
        ("statistics", "statistics\n", False),
        (r"a.\*:{x}", "a.*:1", True),
        (r"a.\*:{x}", "abc:1", False),
        ("{a}-{b}:x", "1-2-3:x", True),
        ("{a}-{b}:x", "1-:x", False),
    ],
)
def test_matches(text: str, key: str, expected: bool) -> None:
    assert template(text).matches(key) is expected


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("tag:*", "has a bare *: write {name} for the part that varies, or \\* for the character itself"),
        ("tag:?", "has a bare ?"),
        ("tag:[0-9]", "has a bare ["),
        ("tag:{}", "has {}: a placeholder's name has letters"),
        ("tag:{tag id}", "has {tag id}: a placeholder's name"),
        ("tag:{1}", "has {1}: a placeholder's name"),
        ("tag:{id", "has a { without its partner"),
        ("tag:id}", "has a } without its partner"),
        ("tag:{a{b}", "has a { without its partner"),
        ("tag:{id}:{id}", "has {id} twice"),
        ("tag:{a}{b}", "has {a} and {b} side by side"),
        ("tag\\:{a}", "has a backslash that stands before none of"),
        ("tag:{a}\\", "has a backslash that stands before none of"),
        ("{a}", "has no fixed part, so it would take keys of everybody"),
        ("{a}:{b}", "has no fixed part"),
        (":::", "has no fixed part"),
    ],
)
def test_faults(text: str, problem: str) -> None:
    found, problems = parse(text)
    assert found is None
    assert [fault for fault in problems if problem in fault], problems


def test_all_faults_of_a_template_at_once() -> None:
    _found, problems = parse("tag:*:*:{1}{1}:?")
    assert len(problems) == 5, problems


@pytest.mark.parametrize(
    ("one", "other", "key"),
    [
        ("tag:{id}", "tag:all", "tag:all"),
        ("tag:{id}", "tag:{id}:files", None),
        ("tag:{id}", "tags:{id}", None),
        ("tag:{id}", "{kind}:7", "tag:7"),
        ("a:{x}:c", "a:b:{y}", "a:b:c"),
        ("user-{id}", "user-{id}-{page}", "user-x-x"),
        ("x{a}", "{b}y", "xy"),
        ("x{a}", "{b}x", "xx"),
        ("a:{b}", "a:", None),
        ("tag:{id}", "tag:{name}", "tag:x"),
        ("bpm_range:{min}:{max}", "bpm_range:{all}", None),
    ],
)
def test_common_key(one: str, other: str, key: str | None) -> None:
    assert common_key(template(one), template(other)) == key
    assert (common_key(template(other), template(one)) is None) == (key is None)


# Few characters, so that keys often nearly match.
LITERAL = st.text(alphabet="ab:*?[]\\{}^-", min_size=1, max_size=4)
VALUE = st.text(alphabet="ab*?[]\\{}^-\n\udcff", min_size=1, max_size=4)


@st.composite
def templates(draw: st.DrawFn) -> Template:
    """Literals and placeholders in turn, as people would have to write them."""
    text, parts = "", draw(st.lists(LITERAL, min_size=1, max_size=3))
    for number, literal in enumerate(parts):
        between = f"{{p{number}}}" if number or draw(st.booleans()) else ""
        text += between + re.sub(r"([{}*?\[\]\\])", r"\\\1", literal)
    text += "{last}" if draw(st.booleans()) else ""
    found, problems = parse(text)
    assume(found is not None)
    assert found is not None and not problems
    return found


@given(templates(), st.data())
def test_a_key_made_from_a_template_is_matched_by_all_of_its_forms(found: Template, data: st.DataObject) -> None:
    key = "".join(data.draw(VALUE) if part is None else part for part in found.parts)
    assert found.matches(key)
    assert redis_glob_matches(found.glob(), key)


@given(templates(), st.text(alphabet="ab:*?[]\\{}^-", max_size=8))
def test_what_matches_exactly_is_among_what_scan_proposes(found: Template, key: str) -> None:
    if found.matches(key):
        assert redis_glob_matches(found.glob(), key)
    if found.parts == (key,):
        assert found.matches(key)


@given(templates(), templates(), st.text(alphabet="ab:*?[]\\{}^-", max_size=8))
def test_templates_overlap_where_there_is_a_key_of_both(one: Template, other: Template, key: str) -> None:
    common = common_key(one, other)
    if common is not None:
        assert one.matches(common) and other.matches(common)
    elif one.matches(key):
        assert not other.matches(key)


@given(templates(), st.data())
def test_a_template_overlaps_with_each_of_its_keys(found: Template, data: st.DataObject) -> None:
    key = "".join(data.draw(VALUE) if part is None else part for part in found.parts)
    assert common_key(found, Template(key, (key,))) == key


@given(st.text(alphabet="ab:*?[]\\{}1_", max_size=12))
def test_any_text_is_a_template_or_has_a_fault(text: str) -> None:
    found, problems = parse(text)
    assert (found is None) == bool(problems)
