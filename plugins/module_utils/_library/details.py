# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tables that most files have rows in, and the short ones that those refer to."""

from __future__ import annotations

from typing import List

from .files import moment
from .growth import spans
from .model import Library, Row
from .music import facts
from .words import INSTRUMENTS, ROLES

PLAYLISTS = 40
_SECOND_CATEGORY_SHARE = 0.2


def category_rows(_library: Library, _block: int) -> List[Row]:
    return [(number, name) for number, (name, _weight) in enumerate(ROLES, start=1)]


def instrument_rows(_library: Library, _block: int) -> List[Row]:
    return list(enumerate(INSTRUMENTS, start=1))


def playlist_rows(_library: Library, _block: int) -> List[Row]:
    return [(number, "playlist %d" % number) for number in range(1, PLAYLISTS + 1)]


def import_job_rows(library: Library, _block: int) -> List[Row]:
    """One job for each time span of the growth."""
    return [
        (number, "/incoming/%03d" % number, span.files, moment(span.start), moment(span.stop))
        for number, span in enumerate(spans(library), start=1)
    ]


def file_category_rows(library: Library, block: int) -> List[Row]:
    """Each file's role, and another one for some."""
    chance = library.chance("file_categories", block)
    rows: List[Row] = []
    for fact in facts(library, block):
        confidence = round(0.5 + 0.5 * chance(), 3)
        rows.append((fact.file_id, fact.role + 1, confidence))
        if chance() < _SECOND_CATEGORY_SHARE:
            other = (fact.role + 1 + int(chance() * (len(ROLES) - 1))) % len(ROLES)
            rows.append((fact.file_id, other + 1, round(confidence / 2, 3)))
    return rows


def file_instrument_rows(library: Library, block: int) -> List[Row]:
    """One to three instruments a file, each on a channel of its own."""
    chance = library.chance("file_instruments", block)
    rows: List[Row] = []
    for fact in facts(library, block):
        for channel in range(1 + int(chance() * chance() * 5)):
            instrument = 1 + int(chance() * len(INSTRUMENTS))
            rows.append((fact.file_id, channel, instrument, 8 + int(chance() * fact.bars * 12)))
    return rows


def import_item_rows(library: Library, block: int) -> List[Row]:
    """A tenth of the files, with the job that brought each in."""
    chance = library.chance("import_items", block)
    jobs = list(enumerate(spans(library), start=1))
    rows: List[Row] = []
    for file_id in library.ids(block):
        if chance() < 0.1:
            job = next(number for number, span in jobs if file_id < span.first_id + span.files)
            rows.append((job, file_id, "imported"))
    return rows


def analysis_error_rows(library: Library, block: int) -> List[Row]:
    return [
        (fact.file_id, "unexpected end of track", moment(fact.created)) for fact in facts(library, block) if fact.failed
    ]
