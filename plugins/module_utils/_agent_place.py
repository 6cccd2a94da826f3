# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files and directories of the agent's installation: what is there, and how it gets there, whole or not at all."""

from __future__ import annotations

import contextlib
import glob
import grp
import os
import pwd
import stat
from dataclasses import dataclass

from ansible_collections.midi.capacity.plugins.module_utils._private_file import sync, write_new

ABOVE_MODE = 0o755


@dataclass(frozen=True)
class Owner:
    """Whose something is."""

    uid: int
    gid: int

    @property
    def account(self) -> str:
        return _name(pwd.getpwuid, self.uid)

    @property
    def group(self) -> str:
        return _name(grp.getgrgid, self.gid)

    def __str__(self) -> str:
        return f"{self.account}:{self.group}"


@dataclass(frozen=True)
class File:
    """A file as it is, or as it is wanted."""

    text: str
    mode: int
    owner: Owner

    def described(self, with_text: bool = True) -> str:
        """One line, and its text below where that may be seen."""
        lines = "".join(f"\n    {line}" for line in self.text.splitlines()) if with_text else ""
        return f"mode {self.mode:04o}, {self.owner}{lines}"


class InTheWay(Exception):
    """There is something, and not what is wanted."""


def file_at(path: str) -> File | None:
    """The file; None where there is none. Raises InTheWay, and OSError where it cannot be read."""
    try:
        status = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    if not stat.S_ISREG(status.st_mode):
        raise InTheWay("a file is wanted, and there is something else")
    with open(path, encoding="utf-8", errors="replace") as file:
        return File(file.read(), stat.S_IMODE(status.st_mode), Owner(status.st_uid, status.st_gid))


def directory_at(path: str, follow: bool) -> str | None:
    """The directory, described; None where there is none. Raises InTheWay."""
    try:
        status = os.stat(path) if follow else os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    if not stat.S_ISDIR(status.st_mode):
        raise InTheWay("a directory is wanted, and there is something else")
    return described_directory(stat.S_IMODE(status.st_mode), Owner(status.st_uid, status.st_gid))


def described_directory(mode: int, owner: Owner) -> str:
    return f"directory, mode {mode:04o}, {owner}"


def write_file(path: str, file: File, proof=None) -> None:
    """Raises OSError. The name of what is not finished is one that cron, logrotate and systemd pass over.

    proof(path) is called with the file before it has its name; what it raises leaves the old one.
    """
    directory, name = os.path.split(path)
    for left in glob.glob(os.path.join(glob.escape(directory), f".{glob.escape(name)}.*~")):
        os.unlink(left)
    unfinished = os.path.join(directory, f".{name}.{os.getpid()}~")
    try:
        write_new(unfinished, file.text.encode())
        _own(unfinished, file.mode, file.owner)
        if proof:
            proof(unfinished)
        os.rename(unfinished, path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(unfinished)
    sync(directory)


def have_directory(path: str, mode: int, owner: Owner) -> None:
    """A directory with this mode and owner, which it has from the moment on that it has its name. Raises OSError."""
    if os.path.isdir(path):
        _own(path, mode, owner)
        return
    above, name = os.path.split(path)
    make_directories(above)
    unfinished = os.path.join(above, f".{name}.{os.getpid()}~")
    with contextlib.suppress(FileNotFoundError):
        os.rmdir(unfinished)
    os.mkdir(unfinished, 0o700)
    try:
        _own(unfinished, mode, owner)
        os.rename(unfinished, path)
    except OSError:
        os.rmdir(unfinished)
        raise
    sync(above)


def owner_at(path: str) -> Owner | None:
    """Whose a file is; None where there is none, or something else."""
    try:
        status = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    return Owner(status.st_uid, status.st_gid) if stat.S_ISREG(status.st_mode) else None


def give(path: str, owner: Owner) -> None:
    """A file to another owner; its mode stays. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        os.fchown(descriptor, owner.uid, owner.gid)
    finally:
        os.close(descriptor)


def make_directories(path: str) -> None:
    """The directory and those above it, as far as they are not there, readable for all whatever the umask."""
    if os.path.isdir(path):
        return
    make_directories(os.path.dirname(path))
    os.mkdir(path)
    os.chmod(path, ABOVE_MODE)


def remove_file(path: str) -> None:
    """Raises OSError."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)


def _own(path: str, mode: int, owner: Owner) -> None:
    """Through a descriptor and never through a link, because what is above may be another account's."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        status = os.fstat(descriptor)
        if (status.st_uid, status.st_gid) != (owner.uid, owner.gid):
            os.fchown(descriptor, owner.uid, owner.gid)
        os.fchmod(descriptor, mode)
    finally:
        os.close(descriptor)


def _name(find, number: int) -> str:
    try:
        return find(number)[0]
    except KeyError:
        return str(number)
