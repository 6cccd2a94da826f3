# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The textfile that an agent leaves behind. Its path stands in a file of the agent's account, so it proves nothing."""

from __future__ import annotations

import contextlib
import os
import stat

from ansible_collections.midi.capacity.plugins.module_utils._thresholds.exposition import LAST_SNAPSHOT

_BEGIN = f"# HELP {LAST_SNAPSHOT} ".encode()


def is_left(path: str, uids: set) -> bool:
    """Whether an agent wrote it: a file that begins as ours do, and belongs to one of these accounts."""
    with _directory(path) as (directory, name):
        return directory is not None and _is_ours(directory, name, uids)


def remove_left(path: str, uids: set) -> None:
    """Nothing but what is_left() says yes to. Raises OSError."""
    with _directory(path) as (directory, name):
        # Looked at again by the same descriptor: its directory cannot be changed for another one in between.
        if directory is not None and _is_ours(directory, name, uids):
            os.unlink(name, dir_fd=directory)


@contextlib.contextmanager
def _directory(path: str):
    above, name = os.path.split(path)
    try:
        directory = os.open(above, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        yield None, name
        return
    try:
        yield directory, name
    finally:
        os.close(directory)


def _is_ours(directory: int, name: str, uids: set) -> bool:
    try:
        descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=directory)
    except OSError:
        return False
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_uid not in uids:
            return False
        return os.read(descriptor, len(_BEGIN)) == _BEGIN
    finally:
        os.close(descriptor)
