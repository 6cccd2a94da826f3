# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Markdown that reads well as plain text too: aligned tables, safe cells."""

from __future__ import annotations

from typing import Sequence, Tuple

LEFT = "left"
RIGHT = "right"


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


def _line(texts: Sequence[str], widths: Sequence[int], sides: Sequence[str]) -> str:
    return _joined(
        [
            text.rjust(widths[place]) if sides[place] == RIGHT else text.ljust(widths[place])
            for place, text in enumerate(texts)
        ]
    )


def _joined(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"
