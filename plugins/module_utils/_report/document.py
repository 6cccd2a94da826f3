# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A report as data: what it says, and not how it looks. markdown.py and html.py write it."""

from __future__ import annotations

from typing import List, NamedTuple, Optional, Sequence, Tuple, Union

LEFT = "left"
RIGHT = "right"


class Code(NamedTuple):
    """Text as a machine has it: a name, a query."""

    text: str


class Strong(NamedTuple):
    text: str


Inline = Union[str, Code, Strong]
# A text, or pieces of it.
Text = Union[Inline, Sequence[Inline]]


class Heading(NamedTuple):
    """Within a section."""

    text: str


class Paragraph(NamedTuple):
    text: Text


class Items(NamedTuple):
    items: Sequence[Text]


class Table(NamedTuple):
    """columns: (heading, LEFT or RIGHT); a row has a cell for each."""

    columns: Sequence[Tuple[str, str]]
    rows: Sequence[Sequence[Union[str, Code]]]


class Bar(NamedTuple):
    """name; amounts, one for each series of its chart; value, what the bar says in words."""

    name: Union[str, Code]
    amounts: Sequence[float]
    value: str


class Bars(NamedTuple):
    """A chart of bars. It only shows what a table beside it says, so plain text goes without it.

    title: what is shown and how it was got. series: what the parts of a bar are; one that has no parts has one.
    whole: what a bar of full length is; 0 for the longest.
    """

    title: str
    series: Sequence[str]
    bars: Sequence[Bar]
    whole: float = 0


Block = Union[Heading, Paragraph, Items, Table, Bars]


class Section(NamedTuple):
    title: str
    blocks: Sequence[Block]


class Document(NamedTuple):
    title: Text
    lead: Text
    sections: Sequence[Section]


def section(title: str, *blocks: Union[None, str, Block]) -> Section:
    """Texts are paragraphs; what is empty is left out."""
    kept: List[Block] = []
    for block in blocks:
        if isinstance(block, str):
            kept += [Paragraph(block)] if block else []
        elif block is not None:
            kept.append(block)
    return Section(title, kept)


def pieces(text: Text) -> Sequence[Inline]:
    """The pieces of a text, which may be one."""
    return [text] if isinstance(text, (str, Code, Strong)) else text


def items(entries: Sequence[Text]) -> Optional[Items]:
    """A list, or nothing where there is nothing to list."""
    return Items(entries) if entries else None
