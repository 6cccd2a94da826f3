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
# No link is followed, and nobody waits for who writes to a pipe.
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


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


def file_at(path: str, directory: int | None = None) -> File | None:
    """The file; None where there is none. Raises InTheWay, and OSError where it cannot be read.

    directory: the descriptor of what is another account's, where path is a name.
    """
    try:
        status = os.stat(path, dir_fd=directory, follow_symlinks=False)
        _refuse_other_kinds(status)
        descriptor = os.open(path, _READ, dir_fd=directory)
    except (FileNotFoundError, NotADirectoryError):
        return None
    try:
        # It may be another one by now.
        status = os.fstat(descriptor)
        _refuse_other_kinds(status)
        if directory is not None:
            _refuse_more_names(status)
        with open(descriptor, encoding="utf-8", errors="replace", closefd=False) as file:
            return File(file.read(), stat.S_IMODE(status.st_mode), Owner(status.st_uid, status.st_gid))
    finally:
        os.close(descriptor)


def file_of_account(path: str) -> File | None:
    """As file_at, for one whose directory is another account's."""
    with opened(os.path.dirname(path)) as directory:
        return None if directory is None else file_at(os.path.basename(path), directory)


@contextlib.contextmanager
def opened(path: str):
    """Yields the descriptor of a directory, None where there is none. Raises InTheWay for a link too.

    What is done by it happens in that directory, whatever somebody puts in its place meanwhile.
    """
    try:
        descriptor = os.open(path, _READ | os.O_DIRECTORY)
    except FileNotFoundError:
        descriptor = None
    except NotADirectoryError:
        if os.path.lexists(path):
            raise InTheWay("a directory is wanted, and there is something else") from None
        descriptor = None
    try:
        yield descriptor
    finally:
        if descriptor is not None:
            os.close(descriptor)


def names_in(path: str) -> list:
    """What a directory lists, sorted; nothing where there is none. Raises InTheWay and OSError."""
    with opened(path) as directory:
        return [] if directory is None else sorted(os.listdir(directory))


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
        write_new(unfinished, file.text.encode(), file.mode, (file.owner.uid, file.owner.gid))
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
        _own_directory(path, mode, owner)
        return
    above, name = os.path.split(path)
    make_directories(above)
    unfinished = os.path.join(above, f".{name}.{os.getpid()}~")
    with contextlib.suppress(FileNotFoundError):
        os.rmdir(unfinished)
    os.mkdir(unfinished, 0o700)
    try:
        _own_directory(unfinished, mode, owner)
        os.rename(unfinished, path)
    except OSError:
        os.rmdir(unfinished)
        raise
    sync(above)


def owner_at(path: str) -> Owner | None:
    """Whose a file is; None where there is none, or something else. Raises InTheWay for its directory."""
    status = _status(path)
    return Owner(status.st_uid, status.st_gid) if status else None


def foreign_at(path: str, owner: Owner) -> Owner | None:
    """Whose a file is, if not this one's. Raises InTheWay where giving it away would give away another file too."""
    status = _status(path)
    if not status or status.st_uid == owner.uid:
        return None
    _refuse_more_names(status)
    return Owner(status.st_uid, status.st_gid)


def give(path: str, before: Owner, owner: Owner) -> None:
    """A file to another owner, if it is as foreign_at() told; its mode stays. Raises OSError and InTheWay."""
    with opened(os.path.dirname(path)) as directory:
        descriptor = os.open(os.path.basename(path), _READ, dir_fd=directory)
        try:
            status = os.fstat(descriptor)
            _refuse_other_kinds(status)
            _refuse_more_names(status)
            if status.st_uid != before.uid:
                raise InTheWay("it is another file by now")
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


def remove_file_of_account(path: str) -> None:
    """As remove_file, for one whose directory is another account's. Raises OSError and InTheWay."""
    with opened(os.path.dirname(path)) as directory, contextlib.suppress(FileNotFoundError):
        if directory is not None:
            os.unlink(os.path.basename(path), dir_fd=directory)


def _status(path: str):
    """Of a file; None where there is none, or something else."""
    with opened(os.path.dirname(path)) as directory:
        if directory is None:
            return None
        try:
            status = os.stat(os.path.basename(path), dir_fd=directory, follow_symlinks=False)
        except FileNotFoundError:
            return None
        return status if stat.S_ISREG(status.st_mode) else None


def _refuse_other_kinds(status) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise InTheWay("a file is wanted, and there is something else")


def _refuse_more_names(status) -> None:
    """A hard link may be made to a file that its maker may neither read nor own."""
    if status.st_nlink != 1:
        raise InTheWay("the file has another name elsewhere (a hard link)")


def _own_directory(path: str, mode: int, owner: Owner) -> None:
    """Through a descriptor and never through a link, because what is above may be another account's."""
    descriptor = os.open(path, _READ | os.O_DIRECTORY)
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
