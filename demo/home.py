# SPDX-License-Identifier: GPL-3.0-or-later
"""The directory that holds all of the demo, and what tells it from any other directory."""

from __future__ import annotations

import errno
import json
import os
import pwd
import shutil
from pathlib import Path
from typing import Any

from demo.errors import DemoError
from demo.processes import until

MARK = "made-by-make-demo"
# pg_ctl hands paths to a shell between double quotes; PostgreSQL's and Redis's files end a value at a line's end.
_PATIENCE_SECONDS = 10
UNSAFE = '"$`\\\n\r'


class Home:
    """The paths in it; nothing is made or changed before `prepare`."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.postgres = directory / "postgres"
        self.redis = directory / "redis"
        self.servers = directory / "servers.json"
        self.pgpass = directory / "pgpass"
        self.state = directory / "state"
        self.reports = directory / "reports"
        self.lock = directory / "lock"
        self._mark = directory / MARK

    def exists(self) -> bool:
        """Whether a demo is here. Raises DemoError if it is another account's."""
        if not self._mark.exists():
            return False
        owner = self._mark.stat().st_uid
        if owner != os.geteuid():
            raise DemoError(
                f"this demo belongs to {_account(owner)} and you are {_account(os.geteuid())}",
                str(self.directory),
                f"run it as {_account(owner)}, or set DEMO_HOME to a directory of your own",
            )
        return True

    def prepare(self) -> None:
        """Make the directory. Raises DemoError where it cannot be, or would mix with somebody's files."""
        try:
            str(self.directory).encode()
        except UnicodeEncodeError:
            raise DemoError(
                "the path of the demo is not UTF-8, which servers.json and Ansible need",
                os.fsencode(self.directory).decode(errors="backslashreplace"),
                "move the checkout, or set DEMO_HOME to another directory",
            ) from None
        if any(character in str(self.directory) for character in UNSAFE):
            raise DemoError(
                f"the path of the demo has one of the characters {' '.join(UNSAFE.strip())} or a line break",
                str(self.directory),
                "move the checkout, or set DEMO_HOME to another directory",
            )
        if self.exists():
            self._must_be_writable()
            return
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            if any(self.directory.iterdir()):
                raise DemoError(
                    "the directory is not empty, and what is in it is not the demo's",
                    str(self.directory),
                    "set DEMO_HOME to a new or empty directory",
                )
            self._mark.write_text("`make demo-clean` removes all of this directory.\n")
        except OSError as error:
            raise self._not_writable(error.strerror or str(error)) from None

    def write_servers(self, facts: dict[str, Any]) -> None:
        """servers.json, whole or not at all: inventories/demo reads it."""
        write_whole(self.servers, json.dumps(facts, indent=2) + "\n")

    def read_servers(self) -> dict[str, Any]:
        """What write_servers wrote; {} before that."""
        return json.loads(self.servers.read_text()) if self.servers.exists() else {}

    def remove(self) -> None:
        """Remove everything, the mark last, so that a removal that was cut off can be done again."""
        for path in sorted(self.directory.iterdir()):
            if path != self._mark:
                _remove_patiently(path)
        remove(self._mark)
        # A file system of its own stays, empty.
        if not self.directory.is_mount():
            self.directory.rmdir()

    def _must_be_writable(self) -> None:
        if not os.access(self.directory, os.W_OK | os.X_OK):
            raise self._not_writable("Permission denied")

    def _not_writable(self, reason: str) -> DemoError:
        return DemoError(
            f"the demo's directory cannot be written: {reason}",
            str(self.directory),
            "make it writable for your account, or set DEMO_HOME to a directory of your own",
        )


def write_whole(path: Path, text: str, mode: int = 0o644) -> None:
    """Write a file so that a reader sees the old text or the new one, never a part."""
    unfinished = path.with_name(path.name + ".new")
    remove(unfinished)
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    unfinished.rename(path)


def remove(path: Path) -> None:
    """Remove a file or a directory with all that is in it; nothing to do where there is none."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _remove_patiently(path: Path) -> None:
    """Remove, although a process that is about to end may still put files there."""
    for _attempt in until(_PATIENCE_SECONDS):
        try:
            return remove(path)
        except OSError as error:
            if error.errno != errno.ENOTEMPTY:
                raise
    return remove(path)


def _account(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"the account with id {uid}"
