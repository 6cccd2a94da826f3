# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The built-in importer: synthetic files by several connections at once, and their removal.

Everything that it writes hangs on rows of `files` whose path begins with MARK, which no real file's does.
"""

from __future__ import annotations

import contextlib
import hashlib
import multiprocessing

# At once, and not when they are needed: another account than root may not be able to read where they are.
import multiprocessing.popen_fork
import multiprocessing.sharedctypes
import multiprocessing.synchronize
import os
import signal
import time
from datetime import datetime, timezone

from ansible_collections.midi.capacity.plugins.module_utils._errors import OperatorError
from ansible_collections.midi.capacity.plugins.module_utils._library.copy_text import CopyFile
from ansible_collections.midi.capacity.plugins.module_utils._library.model import Library
from ansible_collections.midi.capacity.plugins.module_utils._library.tables import FILE_TAGS, FILES, MUSICAL_METADATA
from ansible_collections.midi.capacity.plugins.module_utils._postgres import Server

MARK = "/midi-capacity-stress/"
APPLICATION = "midi.capacity stress"
# One transaction's files.
BATCH_FILES = 100
_REMOVED_FILES = 1000
_TRIES = 5
# Somebody else's lock came first, and the same again will do: a deadlock, a transaction that cannot be put in a row.
_TRY_AGAIN = ("40P01", "40001")
_COLUMN = {name: place for place, name in enumerate(FILES.columns)}

_RESERVE = "SELECT nextval(pg_get_serial_sequence('files', 'id')) AS id FROM generate_series(1, %(count)s)"
# In one order for all, so that the trigger that counts the uses of tags makes nobody's deadlock.
_LOCK_TAGS = "SELECT id FROM tags WHERE id = ANY (%(ids)s) ORDER BY id FOR NO KEY UPDATE"
_MARKED = "SELECT id FROM files WHERE starts_with(filepath, %(mark)s) ORDER BY id"


def imported(options: dict) -> None:
    """The process of an import, whose workers are processes, too. Ends with code 1 if one of them failed."""
    parent = os.getppid()
    context = multiprocessing.get_context("fork")
    done = context.Value("q", 0)
    workers = [
        context.Process(target=_work, args=(options, number, files, done))
        for number, files in enumerate(shares(options["files"], options["workers"]))
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        _join(worker, parent)
    _say(f"imported {done.value} files of {options['files']}, the import has ended")
    if any(worker.exitcode for worker in workers):
        raise SystemExit(1)


def _join(worker, parent: int) -> None:
    """Wait for a worker; when whoever began the import is gone, all of it ends."""
    while worker.is_alive():
        worker.join(1)
        if os.getppid() != parent:
            os.killpg(0, signal.SIGKILL)


def shares(files: int, workers: int) -> list:
    """How many files each worker gets; one that would get none is left out."""
    parts = [files // workers + (1 if place < files % workers else 0) for place in range(workers)]
    return [part for part in parts if part]


def marked(server: Server) -> list:
    """The ids of all files that were imported here and are still there."""
    return [row["id"] for row in server.rows(_MARKED, {"mark": MARK})]


def remove(server: Server, ids: list) -> None:
    """Remove these files with all that hangs on them."""
    for place in range(0, len(ids), _REMOVED_FILES):
        some = {"ids": ids[place : place + _REMOVED_FILES]}
        server.execute("BEGIN")
        # First what has triggers by statement: a row that goes along with its file is a statement of its own.
        for table in (FILE_TAGS, MUSICAL_METADATA):
            server.execute(f"DELETE FROM {table.name} WHERE file_id = ANY (%(ids)s)", some)
        server.execute("DELETE FROM files WHERE id = ANY (%(ids)s)", some)
        server.execute("COMMIT")


def _work(options: dict, number: int, files: int, done) -> None:
    parameters = {**(options["connect_params"] or {}), "application_name": APPLICATION}
    parent = os.getppid()
    try:
        server = Server.connect({**options, "connect_params": parameters})
        with contextlib.closing(server):
            tags = [row["id"] for row in server.rows("SELECT id FROM tags ORDER BY id")]
            for batch in _batches(_library(options["run"], number, files), options["run"], number):
                # A worker whose parent was killed has nobody to work for.
                if os.getppid() != parent:
                    return
                _import(server, batch, tags)
                with done.get_lock():
                    done.value += len(batch["files"])
                    _say(f"imported {done.value} files of {options['files']}")
    except OperatorError as error:
        _say(f"ERROR: worker {number}: {error.what}")
        raise SystemExit(1) from None


def _library(run: str, number: int, files: int) -> Library:
    """One that nobody else has, so that paths and hashes are new."""
    seed = int.from_bytes(hashlib.blake2b(f"{run}/{number}".encode(), digest_size=7).digest(), "big")
    return Library(files=files, seed=seed, end=datetime.now(timezone.utc))


def _batches(library: Library, run: str, number: int):
    """{files, tags, metadata}: the rows of up to BATCH_FILES files, whose ids are still those of the library."""
    for block in range(library.blocks):
        files = [_as_new(row, run, number) for row in FILES.rows(library, block)]
        tags = FILE_TAGS.rows(library, block)
        metadata = MUSICAL_METADATA.rows(library, block)
        for place in range(0, len(files), BATCH_FILES):
            some = files[place : place + BATCH_FILES]
            ids = {row[0] for row in some}
            yield {
                "files": some,
                "tags": [row for row in tags if row[0] in ids],
                "metadata": [row for row in metadata if row[0] in ids],
            }


def _as_new(row: tuple, run: str, number: int) -> tuple:
    """A file of the library, marked, that comes in now."""
    changed = list(row)
    changed[_COLUMN["filepath"]] = f"{MARK}{run}/{number}{row[_COLUMN['filepath']]}"
    now = datetime.now(timezone.utc)
    for name in ("created_at", "updated_at"):
        changed[_COLUMN[name]] = now
    if changed[_COLUMN["analyzed_at"]] is not None:
        changed[_COLUMN["analyzed_at"]] = now
    return tuple(changed)


def _import(server: Server, batch: dict, tags: list) -> None:
    """One batch in one transaction, tried again where somebody else's came first."""
    for tried in range(1, _TRIES + 1):
        try:
            _import_once(server, batch, tags)
            return
        except OperatorError as error:
            if getattr(error, "sqlstate", None) not in _TRY_AGAIN or tried == _TRIES:
                raise
            server.execute("ROLLBACK")
            _say(f"WARNING: {error.what}: tried again")
            time.sleep(0.05 * tried)


def _import_once(server: Server, batch: dict, tags: list) -> None:
    reserved = [row["id"] for row in server.rows(_RESERVE, {"count": len(batch["files"])})]
    new_id = {row[0]: file_id for row, file_id in zip(batch["files"], reserved)}
    server.execute("BEGIN")
    _copy(server, FILES, [_with_ids(row, new_id) for row in batch["files"]])
    _copy(server, MUSICAL_METADATA, [(new_id[row[0]], *row[1:]) for row in batch["metadata"]])
    if tags:
        # The library may know more tags than there are here.
        pairs = sorted({(new_id[file_id], tags[(tag - 1) % len(tags)]) for file_id, tag in batch["tags"]})
        server.execute(_LOCK_TAGS, {"ids": sorted({tag for _file, tag in pairs})})
        _copy(server, FILE_TAGS, pairs)
    server.execute("COMMIT")


def _with_ids(row: tuple, new_id: dict) -> tuple:
    changed = list(row)
    changed[_COLUMN["id"]] = new_id[row[_COLUMN["id"]]]
    # A parent of another batch is left out: it may not be there yet.
    changed[_COLUMN["parent_file_id"]] = new_id.get(row[_COLUMN["parent_file_id"]])
    return tuple(changed)


def _copy(server: Server, table, rows: list) -> None:
    server.copy(f"COPY {table.name} ({', '.join(table.columns)}) FROM STDIN", CopyFile([rows]))


def _say(line: str) -> None:
    # A line at once, so that those of several workers do not mix.
    os.write(1, f"{line}\n".encode())
