# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import hashlib
import itertools
from collections import Counter
from datetime import UTC, datetime, timedelta, timezone

import pytest
from ansible_collections.midi.capacity.plugins.module_utils._library import growth, tags
from ansible_collections.midi.capacity.plugins.module_utils._library.copy_text import CopyFile, copy_text
from ansible_collections.midi.capacity.plugins.module_utils._library.model import BLOCK, Library, Row, Value
from ansible_collections.midi.capacity.plugins.module_utils._library.tables import (
    CORE,
    FILE_TAGS,
    FILES,
    MUSICAL_METADATA,
    TABLES,
    TAGS,
)
from ansible_collections.midi.capacity.plugins.module_utils._library.words import KEYS, UNKNOWN_KEY
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.scale import scaled

END = datetime(2025, 11, 24, 15, 30, tzinfo=UTC)
BY_NAME = {table.name: table for table in TABLES}

libraries = st.builds(
    Library,
    files=st.integers(1000, 3000),
    seed=st.integers(0, 2**40),
    end=st.datetimes(datetime(2001, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC)),
)
TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
few = settings(max_examples=scaled(20, 200))


def rows(table: str, library: Library) -> list[Row]:
    return list(itertools.chain.from_iterable(BY_NAME[table].batches(library)))


def column(name: str, table: str, library: Library) -> list[Value]:
    place = BY_NAME[table].columns.index(name)
    return [row[place] for row in rows(table, library)]


def test_the_same_library_on_every_python() -> None:
    # Whoever changes what is generated changes this on purpose: figures of earlier runs are then of another library.
    library = Library(files=2500, seed=7, end=END)
    digest = hashlib.sha256()
    for table in TABLES:
        digest.update(copy_text(rows(table.name, library)).encode())
    assert digest.hexdigest() == "d40fb99583d8e40fe7c3df93e8c77df17ace05452a96b76614ae6d3055975592"


@few
@given(libraries)
def test_the_same_seed_gives_the_same_rows_and_another_one_does_not(library: Library) -> None:
    again = Library(library.files, library.seed, library.end)
    other = Library(library.files, library.seed + 1, library.end)
    for table in CORE:
        assert rows(table.name, library) == rows(table.name, again)
    assert rows("file_tags", library) != rows("file_tags", other)
    assert rows("files", library) != rows("files", other)


@few
@given(libraries)
def test_as_many_files_as_asked_for_with_hashes_and_paths_of_their_own(library: Library) -> None:
    assert column("id", "files", library) == list(range(1, library.files + 1))
    assert len(set(column("filepath", "files", library))) == library.files
    assert len(set(column("content_hash", "files", library))) == library.files


@few
@given(libraries)
def test_tags_are_about_five_a_file_and_one_is_on_most_files(library: Library) -> None:
    pairs = rows("file_tags", library)
    assert len(set(pairs)) == len(pairs)
    assert 4.5 <= len(pairs) / library.files <= 5.5
    uses = Counter(tag for _file, tag in pairs)
    hottest, count = uses.most_common(1)[0]
    assert hottest == 1
    assert 0.6 <= count / library.files <= 0.7
    assert set(uses) <= {row[0] for row in rows("tags", library)}


@few
@given(libraries)
def test_rows_refer_to_what_is_there(library: Library) -> None:
    files = set(range(1, library.files + 1))
    for table in TABLES:
        for name in table.columns:
            if name == "file_id" or name.endswith("_file_id") or name in ("file_a_id", "file_b_id"):
                assert set(column(name, table.name, library)) - {None} <= files, (table.name, name)
    for name, short in (
        ("category_id", "categories"),
        ("instrument_id", "instruments"),
        ("playlist_id", "playlists"),
        ("import_job_id", "import_jobs"),
    ):
        user = next(table.name for table in TABLES if name in table.columns)
        assert set(column(name, user, library)) <= set(column("id", short, library))


@few
@given(libraries)
def test_a_parent_came_in_before_its_child(library: Library) -> None:
    parents = column("parent_file_id", "files", library)
    children = [(child, parent) for child, parent in enumerate(parents, start=1) if parent is not None]
    assert all(1 <= parent < child for child, parent in children)
    assert 0.05 < len(children) / library.files < 0.2


@pytest.mark.parametrize(
    ("table", "key"),
    [
        ("musical_metadata", ("file_id",)),
        ("file_categories", ("file_id", "category_id")),
        ("file_instruments", ("file_id", "channel")),
        ("file_similarity", ("file_a_id", "file_b_id")),
        ("file_duplicates", ("duplicate_file_id", "original_file_id")),
        ("favorites", ("file_id",)),
        ("tracks", ("file_id", "track_number")),
        ("tags", ("name",)),
    ],
)
def test_keys_are_unique(table: str, key: tuple[str, ...]) -> None:
    library = Library(files=8000, seed=3, end=END)
    values = list(zip(*(column(name, table, library) for name in key), strict=True))
    assert values
    assert len(set(values)) == len(values)


@few
@given(libraries)
def test_files_come_in_over_18_uneven_months(library: Library) -> None:
    counts = growth.by_month(library)
    assert len(counts) == 18
    assert sum(counts.values()) == library.files
    assert list(counts)[-1] == (library.end.year, library.end.month)
    *full, _partial = counts.values()
    empty, *usual, bulk = sorted(full)
    assert empty <= library.files * 0.002 + 1
    assert bulk >= library.files * growth.BULK_SHARE
    assert max(usual) >= 2.8 * min(usual)


@few
@given(libraries)
def test_one_import_of_a_few_hours_brings_a_large_part(library: Library) -> None:
    largest = max(growth.spans(library), key=lambda span: span.files / (span.stop - span.start))
    assert largest.stop - largest.start == growth.BULK_SECONDS
    assert largest.files == pytest.approx(growth.BULK_SHARE * library.files, abs=1)


@few
@given(libraries)
def test_times_are_in_order_and_before_the_end(library: Library) -> None:
    created = column("created_at", "files", library)
    assert created == sorted(created)
    assert created[-1] <= library.end
    for name in ("updated_at", "analyzed_at"):
        for came, later in zip(created, column(name, "files", library), strict=True):
            assert later is None or came <= later <= library.end
    # by_month counts what the rows say.
    assert growth.by_month(library) == {
        **dict.fromkeys(growth.by_month(library), 0),
        **Counter((moment.year, moment.month) for moment in created),
    }


def test_the_last_month_is_cut_at_the_end() -> None:
    early = growth.by_month(Library(files=100_000, seed=5, end=datetime(2025, 11, 3, tzinfo=UTC)))
    late = growth.by_month(Library(files=100_000, seed=5, end=datetime(2025, 11, 29, tzinfo=UTC)))
    assert early[2025, 11] < late[2025, 11] / 5


def test_an_end_in_another_time_zone_is_the_same_moment() -> None:
    there = END.astimezone(timezone(timedelta(hours=9)))
    assert growth.spans(Library(1000, 1, END)) == growth.spans(Library(1000, 1, there))


@few
@given(libraries)
def test_the_analysed_files_have_metadata_that_makes_sense(library: Library) -> None:
    analysed = [row[0] for row in rows("files", library) if row[-1] is not None]
    assert column("file_id", "musical_metadata", library) == analysed
    bpms = column("bpm", "musical_metadata", library)
    assert all(40 <= bpm <= 240 for bpm in bpms)
    assert 0.1 < bpms.count(120.0) / len(bpms) < 0.25
    keys = Counter(column("key_signature", "musical_metadata", library))
    assert set(keys) <= {*KEYS, UNKNOWN_KEY}
    assert keys["Am"] > keys["A#m"]
    assert all(value > 0 for value in column("duration_seconds", "musical_metadata", library))


@pytest.mark.parametrize(("files", "count"), [(1_000, 106), (17_200, 250), (172_000, 500), (20_000_000, 500)])
def test_tags_fall_from_most_files_to_a_handful(files: int, count: int) -> None:
    shares = tags.shares(files)
    assert len(shares) == count == len(rows("tags", Library(files, 1, END)))
    assert list(shares) == sorted(shares, reverse=True)
    assert shares[0] == pytest.approx(tags.HOTTEST_SHARE)
    assert sum(shares) == pytest.approx(tags.TAGS_PER_FILE)
    assert shares[-1] * files == pytest.approx(tags.HANDFUL)


def test_tags_have_500_names_of_their_own() -> None:
    names = [name for name, _category in tags.names()]
    assert len(set(names)) == len(names) == tags.MOST_TAGS
    assert names[0] == "drums"


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_the_expected_rows_are_about_those_that_come(table) -> None:
    library = Library(files=20_000, seed=11, end=END)
    count = len(rows(table.name, library))
    if table.per_file:
        assert count == pytest.approx(table.per_file * library.files, rel=0.35)
    else:
        assert 0 < count <= 500


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_rows_have_the_columns_that_the_table_says(table) -> None:
    assert {len(row) for row in rows(table.name, Library(3000, 2, END))} == {len(table.columns)}


@pytest.mark.parametrize("table", [FILES, FILE_TAGS, MUSICAL_METADATA], ids=lambda table: table.name)
def test_a_block_is_the_same_made_alone(table) -> None:
    library = Library(files=4 * BLOCK + 7, seed=2, end=END)
    assert table.rows(library, 3) == list(table.batches(library))[3]
    assert [len(library.ids(block)) for block in range(library.blocks)] == [BLOCK] * 4 + [7]


@pytest.mark.parametrize("files", [1, 2, BLOCK - 1, BLOCK, BLOCK + 1])
def test_small_libraries_are_whole(files: int) -> None:
    library = Library(files=files, seed=1, end=END)
    for table in TABLES:
        rows(table.name, library)
    assert len(rows("files", library)) == files


@pytest.mark.parametrize(("files", "end"), [(0, END), (-1, END), (10, datetime(2025, 1, 1))])
def test_what_is_no_library_is_refused(files: int, end: datetime) -> None:
    with pytest.raises(ValueError, match="file|time zone"):
        Library(files=files, seed=1, end=end)


COPY_FIELDS = [
    (None, "\\N"),
    (True, "t"),
    (False, "f"),
    (-3, "-3"),
    (1.5, "1.5"),
    ("plain", "plain"),
    ("", ""),
    ("\\N", "\\\\N"),
    ("a\tb\nc\rd\\e", "a\\tb\\nc\\rd\\\\e"),
    ("ü ♭", "ü ♭"),
    (b"\x00\xff", "\\\\x00ff"),
    (datetime(2025, 1, 2, 3, 4, 5, tzinfo=UTC), "2025-01-02 03:04:05+00:00"),
]


@pytest.mark.parametrize(("value", "text"), COPY_FIELDS)
def test_values_as_copy_wants_them(value: Value, text: str) -> None:
    assert copy_text([(value, 1)]) == f"{text}\t1\n"


def test_copy_refuses_what_postgresql_would() -> None:
    with pytest.raises(ValueError, match="NUL"):
        copy_text([("a\0b",)])
    with pytest.raises(KeyError):
        copy_text([(object(),)])


@given(st.lists(st.lists(st.tuples(TEXTS), max_size=5)), st.integers(1, 40))
def test_a_copy_file_read_in_pieces_is_the_whole(batches: list, size: int) -> None:
    whole = copy_text(row for batch in batches for row in batch).encode()
    file = CopyFile(batches)
    pieces = list(iter(lambda: file.read(size), b""))
    assert b"".join(pieces) == whole
    assert all(len(piece) <= size for piece in pieces)
    assert file.rows == sum(len(batch) for batch in batches)
    assert file.read(size) == b""
    assert CopyFile(batches).read() == whole


@given(TEXTS)
def test_text_comes_back_as_it_was(text: str) -> None:
    line = copy_text([(text,)])
    assert line.count("\n") == 1
    unescaped = line[:-1]
    for letter, character in (("t", "\t"), ("n", "\n"), ("r", "\r"), ("b", "\b"), ("f", "\f"), ("v", "\v")):
        unescaped = "\\\\".join(part.replace("\\" + letter, character) for part in unescaped.split("\\\\"))
    assert unescaped.replace("\\\\", "\\") == text


def test_a_copy_file_takes_a_batch_only_when_it_is_asked() -> None:
    taken = []

    def batches():
        for number in range(3):
            taken.append(number)
            yield [(number,)]

    file = CopyFile(batches())
    assert taken == []
    assert file.read(100) == b"0\n"
    assert taken == [0]
    assert TAGS.per_file == 0
