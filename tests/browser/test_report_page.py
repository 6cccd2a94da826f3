# SPDX-License-Identifier: GPL-3.0-or-later
"""The page of a baseline's report as people see it: in headless Chromium, at every width, light, dark and on paper."""

from __future__ import annotations

import copy
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.midi.capacity.plugins.filter.baseline_diff import baseline_diff
from ansible_collections.midi.capacity.plugins.filter.baseline_diff_html import baseline_diff_html
from ansible_collections.midi.capacity.plugins.filter.baseline_html import baseline_html

from tests.browser.chromium import Chromium
from tests.unit.baseline_example import CACHE, baseline, begun, index, statement, table

TELEPHONE, DESK = 400, 1280
SCREENS = [(width, scheme) for width in (320, TELEPHONE, 768, DESK) for scheme in ("light", "dark")]
LONG = "SELECT " + "a_column_with_a_name_that_nothing_can_break_anywhere_" * 8
HOSTILE = "<script>hacked = 1; alert(1)</script><img src=http://localhost:9/x onerror='hacked = 2'>"


def example() -> dict[str, Any]:
    """A baseline with everything in it, and with texts that a page could break on."""
    document = {**baseline(), "cache": copy.deepcopy(CACHE), "cache_reason": None, "begin": begun()}
    snapshot = document["snapshot"]
    for place, query in enumerate((LONG, HOSTILE)):
        snapshot["statements"]["rows"].insert(1, statement(query, 310000 + place, 70))
    snapshot["statements"]["dealloc"] = 8
    before = document["begin"]["snapshot"]
    before["statements"]["rows"][0].update(calls=8000, rows=8000, total_exec_time=540000, shared_blks_read=8000)
    before["database"].update(blks_hit=9000, blks_read=560, xact_commit=1000)
    document["begin"]["cache"]["counters"].update(hits=820000, misses=169000)
    sizes = snapshot["sizes"]
    sizes["tables"] += [table("t" * 63, 2**29, 1000), table(HOSTILE[:40], 2**28, 10)]
    sizes["indexes"].append(index("i" * 63, "t" * 63, 2**27))
    return document


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    started = Chromium(tmp_path_factory.mktemp("chromium"))
    yield started
    started.close()


def worse() -> dict[str, Any]:
    """A later baseline in which something of every kind is another."""
    document = example()
    document["label"], document["taken_at"] = "later", "2026-11-25T13:29:41.236Z"
    snapshot = document["snapshot"]
    snapshot["taken_at"] = document["taken_at"]
    document["begin"]["snapshot"]["taken_at"] = "2026-11-25T13:28:41.236Z"
    snapshot["host"]["cpu"]["busy_percent"] = 80.0
    snapshot["host"]["memory"]["available_bytes"] = 55 * 2**30
    snapshot["settings"]["jit"]["setting"] = "off"
    snapshot["sizes"]["tables"][2]["total_bytes"] *= 2
    for row in snapshot["statements"]["rows"]:
        row["total_exec_time"] *= 2
    snapshot["statements"]["rows"].append(statement(LONG.replace("a_", "b_"), 900000, 20))
    return document


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "baseline.html"
    path.write_text(baseline_html(example()), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def diff_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "diff.html"
    path.write_text(baseline_diff_html(baseline_diff(example(), worse())), encoding="utf-8")
    return path


# Elements with a text of their own that somebody can see: what it is, where it is, how it looks.
TEXTS = """
  const found = [];
  for (const element of document.querySelectorAll('main *')) {
    const own = [...element.childNodes].filter(n => n.nodeType === 3).map(n => n.data).join('').trim();
    if (!own || element.closest('thead')) continue;
    const box = element.getBoundingClientRect(), style = getComputedStyle(element);
    found.push({own, left: box.left, right: box.right, width: box.width, height: box.height, color: style.color,
                clipped: style.overflow !== 'visible' && element.scrollWidth > element.clientWidth,
                size: parseFloat(style.fontSize), shown: style.visibility === 'visible' && style.opacity === '1'});
  }
  return found;
"""


@pytest.mark.parametrize("which", ["page", "diff_page"])
@pytest.mark.parametrize(("width", "scheme"), SCREENS)
def test_everything_can_be_seen_at_every_width(
    browser: Chromium, request: pytest.FixtureRequest, which: str, width: int, scheme: str
) -> None:
    path: Path = request.getfixturevalue(which)
    browser.open(path, width, scheme)
    # For whoever wants to look: SCREENSHOTS=directory.
    if "SCREENSHOTS" in os.environ:
        browser.screenshot(Path(os.environ["SCREENSHOTS"]) / f"{which}-{width}-{scheme}.png")
    assert browser.complaints() == []
    assert browser.requests() == [path.as_uri()]
    assert browser.run("return document.documentElement.scrollWidth") == width
    texts = browser.run(TEXTS)
    assert len(texts) > 150
    assert [text for text in texts if hidden(text, width)] == []


def hidden(text: dict[str, Any], width: int) -> bool:
    """Whether something of it cannot be seen."""
    outside = text["left"] < 0 or text["right"] > width or not text["width"] or not text["height"]
    return bool(outside or text["clipped"] or not text["shown"] or text["size"] < 11)


def test_the_sections_are_there_and_the_contents_lead_to_them(browser: Chromium, page: Path) -> None:
    browser.open(page, DESK)
    headings = browser.run("return [...document.querySelectorAll('h2')].map(h => h.innerText)")
    assert headings == [
        "At a glance",
        "Largest tables",
        "Largest indexes",
        "Statements",
        "Cache",
        "Host",
        "Settings",
        "What to do next",
    ]
    targets = browser.run(
        "return [...document.querySelectorAll('nav a')]"
        ".map(a => document.querySelector(a.getAttribute('href')).querySelector('h2').innerText)"
    )
    assert targets == headings


def test_a_cell_of_a_telephone_says_its_column(browser: Chromium, page: Path) -> None:
    script = """
      const cell = document.querySelector('tbody td');
      return [getComputedStyle(cell, '::before').content, getComputedStyle(cell).display];
    """
    browser.open(page, TELEPHONE)
    assert browser.run(script) == ['"Value"', "grid"]
    browser.open(page, DESK)
    assert browser.run(script) == ["none", "table-cell"]


def test_a_text_of_the_database_is_a_text(browser: Chromium, page: Path) -> None:
    browser.open(page, DESK)
    assert browser.run("return typeof hacked") == "undefined"
    assert browser.run("return document.images.length + document.scripts.length") == 0
    assert "<script>hacked" in browser.run("return document.querySelector('#statements').innerText")


@pytest.mark.parametrize("width", [TELEPHONE, DESK])
def test_bars_are_drawn_as_long_as_what_they_show(browser: Chromium, page: Path, width: int) -> None:
    browser.open(page, width)
    drawn = browser.run("""
      const figure = document.querySelector('#largest-tables figure');
      return [...figure.querySelectorAll('.bar')].map(bar => ({
        name: bar.querySelector('span').innerText, whole: bar.querySelector('svg').getBoundingClientRect().width,
        parts: [...bar.querySelectorAll('rect')].map(rect => rect.getBoundingClientRect().width)}));
    """)
    assert [each["name"] for each in drawn][:2] == ["public.files", "public.file_tags"]
    largest, second = drawn[:2]
    assert sum(largest["parts"]) == pytest.approx(largest["whole"], rel=0.01)
    assert sum(second["parts"]) == pytest.approx(largest["whole"] / 3, rel=0.01)
    assert largest["parts"][0] == pytest.approx(3 * largest["parts"][1], rel=0.01)
    assert largest["whole"] > 100


def luminance(color: str) -> float:
    """Relative luminance as WCAG 2 has it."""
    parts = [int(part) / 255 for part in re.findall(r"\d+", color)[:3]]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


PAPER = "return getComputedStyle(document.body).backgroundColor"


@pytest.mark.parametrize(
    ("scheme", "media", "light"), [("light", "screen", True), ("dark", "screen", False), ("dark", "print", True)]
)
def test_it_can_be_read_in_light_in_dark_and_on_paper(
    browser: Chromium, page: Path, scheme: str, media: str, light: bool
) -> None:
    browser.open(page, DESK, scheme, media)
    paper = browser.run(PAPER)
    assert (luminance(paper) > 0.5) == light
    grounds = [
        paper,
        browser.run("return getComputedStyle(document.querySelector('tr:nth-child(even)')).backgroundColor"),
    ]
    for color in {text["color"] for text in browser.run(TEXTS)}:
        assert min(contrast(color, ground) for ground in grounds) >= 4.5, color
    for fill in browser.run("return [...document.querySelectorAll('rect')].map(r => getComputedStyle(r).fill)"):
        assert contrast(fill, paper) >= 3, fill


def test_it_prints(browser: Chromium, page: Path) -> None:
    browser.open(page, DESK, media="print")
    made = browser.paper()
    if "SCREENSHOTS" in os.environ:
        (Path(os.environ["SCREENSHOTS"]) / "paper.pdf").write_bytes(made)
    assert made.startswith(b"%PDF")
    assert 2 <= len(re.findall(rb"/Type\s*/Page\b", made)) <= 10
    assert browser.run("return getComputedStyle(document.querySelector('nav')).display") == "none"
