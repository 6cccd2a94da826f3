# SPDX-License-Identifier: GPL-3.0-or-later
"""The baseline's report as a page: the same as in Markdown, and nothing that a text in it can break."""

from __future__ import annotations

import copy
import re
from html.parser import HTMLParser
from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.midi.capacity.plugins.filter.baseline_html import FilterModule
from ansible_collections.midi.capacity.plugins.module_utils._baseline.report import document
from ansible_collections.midi.capacity.plugins.module_utils._report.document import (
    LEFT,
    RIGHT,
    Bar,
    Bars,
    Code,
    Document,
    Heading,
    Items,
    Paragraph,
    Section,
    Strong,
    Table,
    section,
)
from ansible_collections.midi.capacity.plugins.module_utils._report.html import escaped, written
from ansible_collections.midi.capacity.plugins.module_utils._report.markdown import written as markdown
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.baseline_example import CACHE, baseline, begun

VOID = {"meta", "rect"}


class Page(HTMLParser):
    """Elements with their attributes, and all text; fails where an end has no beginning."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.said: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open[-1:] != ["style"]:
            self.said.append(data)

    def tags(self) -> set[str]:
        return {tag for tag, _attributes in self.elements}


def whole() -> dict[str, Any]:
    return {**baseline(), "cache": copy.deepcopy(CACHE), "cache_reason": None, "begin": begun()}


def page(*blocks: Any) -> str:
    return written(Document(["A ", Code("b<c")], "lead", [section("One & two", *blocks)]))


def test_every_block() -> None:
    text = page(
        Heading("h<3"),
        "p & q",
        Items([["x ", Strong("<y>")]]),
        Table([("Name", LEFT), ('"N"', RIGHT)], [["<i>", "1"], [Code("a&b"), "2"]]),
    )
    assert "<title>A b&lt;c</title>" in text
    assert "<h1>A <code>b&lt;c</code></h1><p>lead</p>" in text
    assert '<li><a href="#one-two">One &amp; two</a></li>' in text
    assert '<section id="one-two">\n<h2>One &amp; two</h2>\n<h3>h&lt;3</h3>\n<p>p &amp; q</p>\n' in text
    assert "<ul><li>x <strong>&lt;y&gt;</strong></li></ul>" in text
    assert '<th scope="col">Name</th><th scope="col" class="number">&quot;N&quot;</th>' in text
    assert (
        '<tr><th scope="row">&lt;i&gt;</th><td data-column="&quot;N&quot;" class="number"><span>1</span></td></tr>'
    ) in text
    assert '<th scope="row"><code>a&amp;b</code></th>' in text


def test_bars_are_as_long_as_their_amounts() -> None:
    text = page(Bars("t", ("a", "b"), [Bar("x", [30, 10], "40"), Bar(Code("y"), [0, 20], "20")]))
    assert re.findall(r'<rect class="(s\d)" x="([\d.]+)" width="([\d.]+)"', text) == [
        ("s0", "0.0", "750.0"),
        ("s1", "750.0", "250.0"),
        ("s0", "0.0", "0.0"),
        ("s1", "0.0", "500.0"),
    ]
    assert re.findall(r"</svg>(\w)</li>", text) == ["a", "b"]
    # Of a whole; one series needs no legend; nothing at all has no length.
    text = page(Bars("t", ("a",), [Bar("x", [25], "25 %")], 100))
    assert 'width="250.0"' in text and 'class="legend"' not in text
    assert 'width="0.0"' in page(Bars("t", ("a",), [Bar("x", [0], "0")]))


def test_markdown_goes_without_charts() -> None:
    made = Document("t", "l", [section("s", Bars("chart", ("a",), [Bar("x", [1], "1")]), "after")])
    assert markdown(made) == "# t\n\nl\n\n## s\n\nafter\n"


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("<script>", "&lt;script&gt;"),
        ("a\"b'c&amp;", "a&quot;b&#x27;c&amp;amp;"),
        ("a\x00b\x1bc\x85\ud800", "a\ufffdb\ufffdc\ufffd\ufffd"),
        ("tab\tline\n", "tab\tline\n"),
    ],
)
def test_escaped(text: str, safe: str) -> None:
    assert escaped(text) == safe


@given(st.text(max_size=60))
def test_no_text_is_ever_markup(text: str) -> None:
    blocks = [
        Paragraph(text),
        Heading(text),
        Items([[Strong(text)]]),
        Table([(text, LEFT), (text, RIGHT)], [[text] * 2]),
    ]
    made = written(
        Document(text, [Code(text)], [Section(text, [*blocks, Bars(text, (text, text), [Bar(text, [1, 1], text)])])])
    )
    found = Page(made)
    harmless = Page(
        written(Document("x", [Code("x")], [Section("x", [
            Paragraph("x"), Heading("x"), Items([[Strong("x")]]), Table([("x", LEFT), ("x", RIGHT)], [["x"] * 2]),
            Bars("x", ("x", "x"), [Bar("x", [1, 1], "x")]),
        ])]))
    )  # fmt: skip
    assert [(tag, sorted(attributes)) for tag, attributes in found.elements] == [
        (tag, sorted(attributes)) for tag, attributes in harmless.elements
    ]


def test_the_page_says_what_the_markdown_says() -> None:
    found = Page(FilterModule().filters()["baseline_html"](whole()))
    said = " ".join(" ".join(found.said).split())
    for part in document(whole()).sections:
        for block in part.blocks:
            if isinstance(block, Table):
                for cell in (cell for row in block.rows for cell in row):
                    assert " ".join((cell if isinstance(cell, str) else cell.text).split()) in said


def test_it_stands_alone() -> None:
    found = Page(FilterModule().filters()["baseline_html"](whole()))
    assert not found.tags() & {"script", "link", "img", "iframe", "object", "form", "base"}
    for _tag, attributes in found.elements:
        assert not {name for name in attributes if name.startswith("on")}
        assert (attributes.get("href") or "#").startswith("#")
        assert not {"src", "style", "srcset", "action"} & set(attributes)
    policies = [
        attributes["content"] for _tag, attributes in found.elements if attributes.get("http-equiv") is not None
    ]
    assert policies and (policies[0] or "").startswith("default-src 'none'")


def test_charts_of_sizes_and_of_time() -> None:
    document_ = whole()
    document_["begin"]["snapshot"]["statements"]["rows"][0].update(calls=8990, total_exec_time=599500)
    text = FilterModule().filters()["baseline_html"](document_)
    captions = re.findall(r"<figcaption>([^<]*)", text)
    assert [caption.strip() for caption in captions] == [
        "Size on disk, measured",
        "Size on disk, measured",
        "Share of the time of all statements in the window of 10 s, measured",
        "Share of the time of all statements since the counters were reset, cumulative",
    ]


@pytest.mark.parametrize(
    ("damaged", "complaint"),
    [("text", "baseline_html: this is no baseline"), ({"schema_version": 2}, "baseline_html: .* schema version 2")],
)
def test_what_is_no_baseline_is_told(damaged: Any, complaint: str) -> None:
    with pytest.raises(AnsibleFilterError, match=complaint):
        FilterModule().filters()["baseline_html"](damaged)
