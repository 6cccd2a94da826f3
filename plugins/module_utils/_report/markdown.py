# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Markdown that reads well as plain text too: aligned tables, safe cells."""

from __future__ import annotations

from typing import List, Sequence, Tuple

from ansible_collections.midi.capacity.plugins.module_utils._report.document import (
    LEFT,
    RIGHT,
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

__all__ = ["LEFT", "RIGHT", "cell", "code", "one_line", "shortened", "table", "written"]


def written(document: Document) -> str:
    """The document; it ends in a line break."""
    parts = [f"# {_text(document.title)}\n\n{_text(document.lead)}", *map(_section, document.sections)]
    return "\n\n".join(parts) + "\n"


def table(columns: Sequence[Tuple[str, str]], rows: Sequence[Sequence[str]]) -> str:
    """An aligned table. columns: (heading, LEFT or RIGHT); a row has a cell for each. Ends without a line break."""
    cells = [[cell(text) for text in row] for row in rows]
    headings = [heading for heading, _side in columns]
    widths = [max(3, *(len(line[place]) for line in [headings, *cells])) for place in range(len(columns))]
    sides = [side for _heading, side in columns]
    rule = ["-" * (width - 1) + (":" if sides[place] == RIGHT else "-") for place, width in enumerate(widths)]
    lines = [_line(headings, widths, sides), _joined(rule)]
    return "\n".join(lines + [_line(line, widths, sides) for line in cells])


def cell(text: str) -> str:
    """Text that stays in its cell: one line, pipes escaped."""
    return one_line(text).replace("|", "\\|")


def code(text: str) -> str:
    """Inline code, whatever backticks the text has itself."""
    text = one_line(text)
    fence = "`"
    while fence in text:
        fence += "`"
    padding = " " if text[:1] == "`" or text[-1:] == "`" else ""
    return f"{fence}{padding}{text}{padding}{fence}"


def shortened(text: str, longest: int) -> str:
    """One line of at most `longest` characters; what is cut ends in an ellipsis."""
    text = one_line(text)
    return text if len(text) <= longest else text[: longest - 1].rstrip() + "…"


def one_line(text: str) -> str:
    return " ".join(text.split())


def _section(found: Section) -> str:
    # What a chart shows stands in a table, too.
    blocks = [block for block in found.blocks if not isinstance(block, Bars)]
    return "\n\n".join([f"## {found.title}", *map(_block, blocks)])


def _block(block: Block) -> str:
    if isinstance(block, Heading):
        return f"### {block.text}"
    if isinstance(block, Items):
        return "\n".join(f"- {_text(entry)}" for entry in block.items)
    if isinstance(block, Table):
        rows: List[List[str]] = [[_inline(text) for text in row] for row in block.rows]
        return table(block.columns, rows)
    return "" if isinstance(block, Bars) else _text(block.text)


def _text(text: Text) -> str:
    return "".join(map(_inline, pieces(text)))


def _inline(piece: Inline) -> str:
    if isinstance(piece, Code):
        return code(piece.text)
    return f"**{piece.text}**" if isinstance(piece, Strong) else piece


def _line(texts: Sequence[str], widths: Sequence[int], sides: Sequence[str]) -> str:
    return _joined(
        [
            text.rjust(widths[place]) if sides[place] == RIGHT else text.ljust(widths[place])
            for place, text in enumerate(texts)
        ]
    )


def _joined(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"
