# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that nobody but their owner may read, and files that are whole or not there at all."""

from __future__ import annotations

import contextlib
import os
import stat

from ansible_collections.midi.capacity.plugins.module_utils._errors import OperatorError

MODE = 0o600


class PrivateFile:
    """One file: its text and mode, and a way to have them as wanted, whole or not at all."""

    def __init__(self, path: str) -> None:
        self.path = path

    def text(self) -> str:
        """What it holds; empty where there is none. Raises OperatorError where it cannot be read."""
        try:
            with open(self.path, encoding="utf-8") as file:
                return file.read()
        except FileNotFoundError:
            return ""
        except (OSError, UnicodeDecodeError) as error:
            raise _unusable(self.path, "read", error) from None

    def mode(self) -> str:
        """As chmod takes it; empty where there is no file."""
        try:
            return f"{stat.S_IMODE(os.stat(self.path).st_mode):04o}"
        except FileNotFoundError:
            return ""
        except OSError as error:
            raise _unusable(self.path, "looked at", error) from None

    def is_private(self) -> bool:
        return self.mode() in ("", f"{MODE:04o}")

    def write(self, text: str) -> None:
        """Replace it. The new one is private from its first moment on."""
        try:
            write_whole(self.path, text.encode(), MODE)
        except OSError as error:
            raise _unusable(self.path, "written", error) from None

    def remove(self) -> None:
        try:
            os.unlink(self.path)
        except OSError as error:
            raise _unusable(self.path, "removed", error) from None


def write_whole(path: str, content: bytes, mode: int) -> None:
    """Replace a file, whole or not at all. Private until it is in its place. Raises OSError."""
    unfinished = f"{path}.new"
    try:
        write_new(unfinished, content, mode)
        os.rename(unfinished, path)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(unfinished)
        raise


def write_new(path: str, content: bytes, mode: int = MODE, owner: tuple[int, int] | None = None) -> None:
    """A file for its owner alone until it is whole; what a run that was cut off left there goes. Raises OSError.

    mode, and owner as (uid, gid), are set before it is closed: by its name, whoever may write to the directory could
    have them set to another file.
    """
    if os.path.lexists(path):
        os.unlink(path)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, MODE), "wb") as file:
        os.fchmod(file.fileno(), MODE)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
        status = os.fstat(file.fileno())
        if owner is not None and (status.st_uid, status.st_gid) != owner:
            os.fchown(file.fileno(), *owner)
        os.fchmod(file.fileno(), mode)


def sync(path: str) -> None:
    """Has what a directory lists, or a file that somebody else wrote, be on disk. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _unusable(path: str, verb: str, error: Exception) -> OperatorError:
    reason = getattr(error, "strerror", None) or "it is not text"
    return OperatorError(
        f"the file cannot be {verb}: {reason}", path, "give it to the account that the agent runs as, or remove it"
    )
