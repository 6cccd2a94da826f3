# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A page that stands alone: no script, nothing that is loaded from anywhere, every text escaped."""

from __future__ import annotations

import html
import re
from typing import List, Sequence, Tuple

from ansible_collections.midi.capacity.plugins.module_utils._report.document import (
    RIGHT,
    Bar,
    Bars,
    Block,
    Code,
    Document,
    Heading,
    Inline,
    Items,
    Section,
    Strong,
    Table,
    Text,
    pieces,
)
from ansible_collections.midi.capacity.plugins.module_utils._report.style import CSS

# The browser itself refuses whatever is not in the page: should anything ever get past the escaping, it does nothing.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
# No character of a text, in HTML.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_WIDE = 1000


def written(document: Document) -> str:
    """The document; it ends in a line break."""
    plain = escaped("".join(piece if isinstance(piece, str) else piece.text for piece in pieces(document.title)))
    contents = "".join(
        f'<li><a href="#{_anchor(part.title)}">{escaped(part.title)}</a></li>' for part in document.sections
    )
    lines = [
        "<!DOCTYPE html>",
        '<html lang="en">',
        "<head>",
        '<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{escaped(_POLICY)}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="color-scheme" content="light dark">',
        f"<title>{plain}</title>",
        f"<style>{CSS}</style>",
        "</head>",
        "<body>",
        "<main>",
        f"<header><h1>{_text(document.title)}</h1><p>{_text(document.lead)}</p>",
        f'<nav aria-label="Contents"><ul>{contents}</ul></nav></header>',
        *map(_section, document.sections),
        "</main>",
        "</body>",
        "</html>",
    ]
    return "\n".join(lines) + "\n"


def escaped(text: str) -> str:
    """Text as HTML has it, in an attribute as well."""
    return html.escape(_CONTROL.sub("\ufffd", text), quote=True)


def _section(found: Section) -> str:
    anchor = _anchor(found.title)
    blocks = "\n".join(map(_block, found.blocks))
    return f'<section id="{anchor}">\n<h2>{escaped(found.title)}</h2>\n{blocks}\n</section>'


def _anchor(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")


def _block(block: Block) -> str:
    if isinstance(block, Heading):
        return f"<h3>{escaped(block.text)}</h3>"
    if isinstance(block, Items):
        return "<ul>" + "".join(f"<li>{_text(entry)}</li>" for entry in block.items) + "</ul>"
    if isinstance(block, Table):
        return _table(block)
    if isinstance(block, Bars):
        return _bars(block)
    return f"<p>{_text(block.text)}</p>"


def _text(text: Text) -> str:
    return "".join(map(_inline, pieces(text)))


def _inline(piece: Inline) -> str:
    if isinstance(piece, Code):
        return f"<code>{escaped(piece.text)}</code>"
    return f"<strong>{escaped(piece.text)}</strong>" if isinstance(piece, Strong) else escaped(piece)


def _table(found: Table) -> str:
    heads = "".join(f'<th scope="col"{_side(side)}>{escaped(name)}</th>' for name, side in found.columns)
    rows = "\n".join(f"<tr>{_row(row, found.columns)}</tr>" for row in found.rows)
    return f"<table>\n<thead><tr>{heads}</tr></thead>\n<tbody>\n{rows}\n</tbody>\n</table>"


def _row(row: Sequence[Inline], columns: Sequence[Tuple[str, str]]) -> str:
    """What a row is about stands first, unless that is a number."""
    cells: List[str] = []
    for place, text in enumerate(row):
        name, side = columns[place]
        if not cells and side != RIGHT:
            cells.append(f'<th scope="row">{_inline(text)}</th>')
        else:
            cells.append(f'<td data-column="{escaped(name)}"{_side(side)}><span>{_inline(text)}</span></td>')
    return "".join(cells)


def _side(side: str) -> str:
    return ' class="number"' if side == RIGHT else ""


def _bars(found: Bars) -> str:
    # Of one series the title says what it is.
    legend = "".join(f"<li>{_mark(place)}{escaped(name)}</li>" for place, name in enumerate(found.series))
    legend = f' <ul class="legend">{legend}</ul>' if len(found.series) > 1 else ""
    whole = found.whole or max((sum(each.amounts) for each in found.bars), default=0)
    bars = "\n".join(_bar(each, whole) for each in found.bars)
    return f"<figure>\n<figcaption>{escaped(found.title)}{legend}</figcaption>\n{bars}\n</figure>"


def _bar(found: Bar, whole: float) -> str:
    at = 0.0
    parts = []
    for place, amount in enumerate(found.amounts):
        width = _WIDE * amount / whole if whole else 0.0
        parts.append(f'<rect class="s{place}" x="{at:.1f}" width="{width:.1f}" height="10"/>')
        at += width
    drawing = f'<svg viewBox="0 0 {_WIDE} 10" preserveAspectRatio="none" aria-hidden="true">{"".join(parts)}</svg>'
    value = f'<span class="value">{escaped(found.value)}</span>'
    return f'<div class="bar"><span>{_inline(found.name)}</span>{drawing}{value}</div>'


def _mark(place: int) -> str:
    return f'<svg viewBox="0 0 10 10" aria-hidden="true"><rect class="s{place}" width="10" height="10"/></svg>'
