# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The growth table itself: one row a file."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta, timezone
from typing import List, Optional

from .model import Library, Row
from .music import Fact, facts
from .words import COLLECTIONS, GENRES, MANUFACTURERS, MOODS, ROLES

_PARENT_SHARE = 0.12
# A split file follows the one it was split from.
_FARTHEST_PARENT = 20
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def file_rows(library: Library, block: int) -> List[Row]:
    """One row a file; paths and hashes are unique in the whole library."""
    chance = library.chance("files", block)
    return [_file(library.seed, fact, chance(), chance(), chance(), chance()) for fact in facts(library, block)]


def content_hash(seed: int, file_id: int) -> bytes:
    """32 bytes that no other file of the library has."""
    return hashlib.blake2b(b"%d/%d" % (seed, file_id), digest_size=32).digest()


def moment(seconds: float) -> datetime:
    """seconds: since 1970."""
    return _EPOCH + timedelta(seconds=seconds)


def _file(seed: int, fact: Fact, maker: float, mood: float, size: float, parent: float) -> Row:
    genre = GENRES[fact.genre].name
    role = ROLES[fact.role][0]
    manufacturer = MANUFACTURERS[int(maker * maker * len(MANUFACTURERS))]
    collection = COLLECTIONS[int(mood * mood * len(COLLECTIONS))]
    mood_name = MOODS[int(mood * len(MOODS))]
    filename = "%s_%s_%s_%g_%s_%d.mid" % (mood_name, genre, role, fact.bpm, fact.key, fact.file_id)
    came = moment(fact.created)
    analyzed = None if fact.analyzed is None else moment(fact.analyzed)
    tracks = 1 if fact.bars < 64 else 4 + int(size * 12)
    return (
        fact.file_id,
        "/library/%s/%s/%s/%s" % (manufacturer, collection, genre, filename),
        filename,
        content_hash(seed, fact.file_id),
        # Heavy towards small files, as MIDI files are.
        180 + int(fact.bars * 60 * (0.5 + 3 * size * size * size)),
        tracks,
        480 if mood < 0.6 else 96,
        manufacturer,
        collection,
        _parent(fact.file_id, parent),
        came,
        came if analyzed is None else analyzed,
        analyzed,
    )


def _parent(file_id: int, number: float) -> Optional[int]:
    """number: in [0, 1); its first part decides whether there is a parent, the rest which one."""
    if number >= _PARENT_SHARE or file_id == 1:
        return None
    nearest = min(file_id - 1, _FARTHEST_PARENT)
    return file_id - 1 - int(number / _PARENT_SHARE * nearest)
