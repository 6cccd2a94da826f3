# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The many tables that only some files have rows in."""

from __future__ import annotations

from datetime import datetime
from typing import Callable, Iterable, Iterator, List, Tuple

from .details import PLAYLISTS
from .files import moment
from .growth import created
from .model import Library, Row, Table
from .words import INSTRUMENTS, KEYS

_TICKS_PER_BAR = 1920
_CHORDS = ("i", "ii", "III", "iv", "v", "VI", "VII", "I", "IV", "V")
_WORDS = ("love", "night", "light", "fire", "again", "home", "river", "moon", "dance", "alone")

Chance = Callable[[], float]
# Rows of one file that has any, from its id and the time when it came in.
Maker = Callable[[int, datetime, Chance], Iterable[Row]]


def _duplicates(file_id: int, came: datetime, chance: Chance) -> Iterator[Row]:
    if file_id > 1:
        original = 1 + int(chance() * (file_id - 1))
        yield original, file_id, round(0.9 + 0.1 * chance(), 4), came


def _similar(file_id: int, _came: datetime, chance: Chance) -> Iterator[Row]:
    if file_id > 1:
        yield 1 + int(chance() * (file_id - 1)), file_id, round(chance(), 4)


def _favorite(file_id: int, came: datetime, _chance: Chance) -> Iterator[Row]:
    yield file_id, came


def _playlist_item(file_id: int, came: datetime, chance: Chance) -> Iterator[Row]:
    yield 1 + int(chance() * PLAYLISTS), file_id, came


def _tracks(file_id: int, _came: datetime, chance: Chance) -> Iterator[Row]:
    for number in range(1, 4):
        yield (
            file_id,
            number,
            INSTRUMENTS[int(chance() * len(INSTRUMENTS))],
            int(chance() * 16),
            40 * number + int(chance() * 200),
        )


def _events(file_id: int, _came: datetime, chance: Chance) -> Iterator[Row]:
    for number in range(16):
        yield file_id, number * 120, "note_on", 0, 36 + int(chance() * 48), 40 + int(chance() * 80)


def _chords(file_id: int, _came: datetime, chance: Chance) -> Iterator[Row]:
    for number in range(1, 5):
        yield file_id, number, _CHORDS[int(chance() * len(_CHORDS))]


def _tempo_change(file_id: int, _came: datetime, chance: Chance) -> Iterator[Row]:
    yield file_id, _TICKS_PER_BAR * (1 + int(chance() * 16)), round(60 + 120 * chance(), 2)


def _time_signature_change(file_id: int, _came: datetime, chance: Chance) -> Iterator[Row]:
    yield file_id, _TICKS_PER_BAR * (1 + int(chance() * 16)), 3 + int(chance() * 5), 4


def _key_change(file_id: int, _came: datetime, chance: Chance) -> Iterator[Row]:
    yield file_id, _TICKS_PER_BAR * (1 + int(chance() * 16)), KEYS[int(chance() * len(KEYS))]


def _lyric(file_id: int, _came: datetime, chance: Chance) -> Iterator[Row]:
    yield file_id, 0, " ".join(_WORDS[int(chance() * len(_WORDS))] for _word in range(6))


def _rating(file_id: int, came: datetime, chance: Chance) -> Iterator[Row]:
    yield file_id, 1 + int(chance() * 5), came


def _comment(file_id: int, came: datetime, chance: Chance) -> Iterator[Row]:
    yield file_id, "good for %s" % _WORDS[int(chance() * len(_WORDS))], came


def _play(file_id: int, came: datetime, chance: Chance) -> Iterator[Row]:
    yield file_id, came, round(5 + 120 * chance(), 3)


def _preview(file_id: int, _came: datetime, chance: Chance) -> Iterator[Row]:
    yield file_id, "/previews/%d.ogg" % file_id, 20_000 + int(chance() * 80_000)


def _export(file_id: int, came: datetime, chance: Chance) -> Iterator[Row]:
    yield file_id, ("wav", "mp3", "xml")[int(chance() * 3)], came


def _drum_pattern(file_id: int, _came: datetime, chance: Chance) -> Iterator[Row]:
    for number in range(1, 5):
        yield file_id, number, "".join("x" if chance() < 0.4 else "." for _step in range(16))


def _melodic_pattern(file_id: int, _came: datetime, chance: Chance) -> Iterator[Row]:
    yield file_id, " ".join(str(int(chance() * 12)) for _note in range(8)), 1 + int(chance() * 9)


def _some(name: str, columns: Tuple[str, ...], share: float, rows_each: int, maker: Maker) -> Table:
    """A table in which a share of the files has rows."""

    def rows(library: Library, block: int) -> List[Row]:
        chance = library.chance(name, block)
        first_id = library.ids(block).start
        result: List[Row] = []
        for position, came in enumerate(created(library, block)):
            if chance() < share:
                result += maker(first_id + position, moment(came), chance)
        return result

    return Table(name, columns, share * rows_each, rows)


SOME_FILES = (
    _some(
        "file_duplicates", ("original_file_id", "duplicate_file_id", "similarity", "detected_at"), 0.01, 1, _duplicates
    ),
    _some("file_similarity", ("file_a_id", "file_b_id", "score"), 0.05, 1, _similar),
    _some("favorites", ("file_id", "added_at"), 0.01, 1, _favorite),
    _some("playlist_items", ("playlist_id", "file_id", "added_at"), 0.03, 1, _playlist_item),
    _some("tracks", ("file_id", "track_number", "name", "channel", "note_count"), 0.08, 3, _tracks),
    _some("midi_events", ("file_id", "tick", "kind", "channel", "data1", "data2"), 0.01, 16, _events),
    _some("chord_progressions", ("file_id", "bar", "chord"), 0.04, 4, _chords),
    _some("tempo_changes", ("file_id", "tick", "bpm"), 0.03, 1, _tempo_change),
    _some("time_signature_changes", ("file_id", "tick", "numerator", "denominator"), 0.01, 1, _time_signature_change),
    _some("key_changes", ("file_id", "tick", "key_signature"), 0.01, 1, _key_change),
    _some("lyrics", ("file_id", "tick", "words"), 0.005, 1, _lyric),
    _some("file_ratings", ("file_id", "stars", "rated_at"), 0.02, 1, _rating),
    _some("file_comments", ("file_id", "comment", "written_at"), 0.005, 1, _comment),
    _some("play_history", ("file_id", "played_at", "seconds"), 0.05, 1, _play),
    _some("audio_previews", ("file_id", "path", "size_bytes"), 0.01, 1, _preview),
    _some("file_exports", ("file_id", "format", "exported_at"), 0.005, 1, _export),
    _some("drum_patterns", ("file_id", "bar", "pattern"), 0.02, 4, _drum_pattern),
    _some("melodic_patterns", ("file_id", "intervals", "repeats"), 0.03, 1, _melodic_pattern),
)
