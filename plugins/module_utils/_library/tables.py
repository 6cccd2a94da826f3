# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All tables of the library that hold rows, in an order in which no row refers to one of a later table."""

from __future__ import annotations

from typing import Tuple

from . import details, files, music, some_files, tags
from .model import Table

FILES = Table(
    "files",
    (
        "id", "filepath", "filename", "content_hash", "file_size_bytes", "track_count", "ticks_per_quarter_note",
        "manufacturer", "collection_name", "parent_file_id", "created_at", "updated_at", "analyzed_at",
    ),
    1.0,
    files.file_rows,
)  # fmt: skip
TAGS = Table("tags", ("id", "name", "category"), 0, tags.tag_rows)
FILE_TAGS = Table("file_tags", ("file_id", "tag_id"), tags.TAGS_PER_FILE, tags.file_tag_rows)
MUSICAL_METADATA = Table(
    "musical_metadata",
    (
        "file_id", "bpm", "bpm_confidence", "key_signature", "key_confidence", "time_signature_numerator",
        "time_signature_denominator", "duration_seconds", "note_count", "pitch_count", "lowest_pitch", "highest_pitch",
        "average_velocity", "polyphony", "is_percussive",
    ),
    0.98,
    music.metadata_rows,
)  # fmt: skip

# Enough for the queries that the library is made for.
CORE: Tuple[Table, ...] = (TAGS, FILES, FILE_TAGS, MUSICAL_METADATA)

TABLES: Tuple[Table, ...] = (
    TAGS,
    Table("categories", ("id", "name"), 0, details.category_rows),
    Table("instruments", ("id", "name"), 0, details.instrument_rows),
    Table("playlists", ("id", "name"), 0, details.playlist_rows),
    Table("import_jobs", ("id", "source", "file_count", "started_at", "finished_at"), 0, details.import_job_rows),
    FILES,
    FILE_TAGS,
    MUSICAL_METADATA,
    Table("file_categories", ("file_id", "category_id", "confidence"), 1.2, details.file_category_rows),
    Table(
        "file_instruments", ("file_id", "channel", "instrument_id", "note_count"), 1.83, details.file_instrument_rows
    ),
    Table("import_items", ("import_job_id", "file_id", "status"), 0.1, details.import_item_rows),
    Table("analysis_errors", ("file_id", "message", "failed_at"), 0.015, details.analysis_error_rows),
    *some_files.SOME_FILES,
)
