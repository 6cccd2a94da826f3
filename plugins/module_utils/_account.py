# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whom a module runs as. With async Ansible itself can become root on any host, another account only on some."""

from __future__ import annotations

import contextlib
import os
import pwd

from ansible_collections.midi.capacity.plugins.module_utils._errors import OperatorError


class Account:
    """An account of this host; without a name that of the process, of which nothing has to be changed."""

    def __init__(self, name: str | None) -> None:
        """Raises OperatorError where there is no such account, or it takes root to become it."""
        self._entry = None
        if not name:
            return
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            raise OperatorError(
                f"there is no account {name} on this host", "", "correct the name, or make it"
            ) from None
        if entry.pw_uid == os.geteuid():
            return
        if os.geteuid() != 0:
            raise OperatorError(f"only root can run something as {name}", "", "leave account out, or become root")
        self._entry = entry

    @property
    def home(self) -> str | None:
        """Where it begins; None is where the process is."""
        if self._entry is None:
            return None
        return self._entry.pw_dir if os.path.isdir(self._entry.pw_dir) else "/"

    @property
    def environment(self) -> dict:
        """What of the environment is another one for it."""
        if self._entry is None:
            return {}
        return {"HOME": self._entry.pw_dir, "USER": self._entry.pw_name, "LOGNAME": self._entry.pw_name}

    def own(self, descriptor: int) -> None:
        """Make it the owner of an open file."""
        if self._entry is not None:
            os.fchown(descriptor, self._entry.pw_uid, self._entry.pw_gid)

    @contextlib.contextmanager
    def effective(self):
        """Be it for as long as this lasts, for what the kernel asks of a process, such as who opens a socket."""
        if self._entry is None:
            yield
            return
        with as_ids(self._entry.pw_uid, self._entry.pw_gid):
            yield

    def become(self) -> None:
        """Be it from now on; for a process that has just begun."""
        if self._entry is not None:
            os.initgroups(self._entry.pw_name, self._entry.pw_gid)
            os.setgid(self._entry.pw_gid)
            os.setuid(self._entry.pw_uid)


@contextlib.contextmanager
def as_ids(uid: int, gid: int):
    """Be an account by its numbers for as long as this lasts; it may have no name. Only root can."""
    before = os.getegid(), os.geteuid()
    os.setegid(gid)
    os.seteuid(uid)
    try:
        yield
    finally:
        os.seteuid(before[1])
        os.setegid(before[0])
