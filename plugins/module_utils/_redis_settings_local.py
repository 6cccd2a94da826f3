# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A server's files and command line, where the module runs on the server's host and may look at them."""

from __future__ import annotations

import contextlib
import glob
import os
import stat

from ansible_collections.midi.capacity.plugins.module_utils._redis_settings import startup

_PROGRAMS = (b"redis", b"valkey", b"keydb")
_LOOPBACK = ("localhost", "::1", "")
_MOST_BYTES = 1 << 20


class LocalServer:
    """The process of a server on this host. Its files are seen as it sees them, which may have other mounts."""

    def __init__(self, process_id: int, config_file: str) -> None:
        self._proc = f"/proc/{process_id}"
        self._config_file = config_file
        # What CONFIG REWRITE changed in the file besides its text, and could not be put right.
        self.complaints: list = []

    @classmethod
    def find(cls, options: dict, info: dict):
        """None where the server is elsewhere, in a container, or not to be looked at by this account.

        options: of the connection. info: the fields of INFO.
        """
        process_id, config_file = info.get("process_id", ""), info.get("config_file", "")
        if not (_leads_to_this_host(options) and process_id.isdigit() and config_file.startswith("/")):
            return None
        found = cls(int(process_id), config_file)
        is_server = found._proc_file("comm").startswith(_PROGRAMS)
        return found if is_server and os.access(found._seen(config_file), os.R_OK) else None

    def overrides(self, plans: list, written: bool) -> list:
        """What will count instead of the wanted values when the server is started again."""
        arguments = [os.fsdecode(word) for word in self._arguments()]
        return startup.overrides(plans, startup.lines(self._config_file, arguments, self._read), written)

    @contextlib.contextmanager
    def keeping_mode(self):
        """CONFIG REWRITE makes the file anew, as the server's umask says: others could read a password in it."""
        path = self._seen(self._config_file)
        try:
            before = os.stat(path)
        except OSError:
            before = None
        try:
            yield
        finally:
            if before:
                self._restore(path, before)

    def _restore(self, path: str, before: os.stat_result) -> None:
        try:
            # The server's account may own the directory: a link that it puts there must not lead root to another file.
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            try:
                _restore(descriptor, before, os.stat(self._proc).st_uid)
            finally:
                os.close(descriptor)
        except OSError as error:
            self.complaints.append(
                f"CONFIG REWRITE made {self._config_file} anew, and its mode and owner could not be restored"
                f" ({error.strerror}): see who may read it now"
            )

    def _arguments(self) -> list:
        return self._proc_file("cmdline").split(b"\0")[:-1]

    def _proc_file(self, name: str) -> bytes:
        with contextlib.suppress(OSError), open(f"{self._proc}/{name}", "rb") as file:
            return file.read()
        return b""

    def _seen(self, path: str) -> str:
        return f"{self._proc}/root{path}"

    def _read(self, pattern: str) -> list:
        # A relative path is relative to a directory that nobody knows any more.
        if not pattern.startswith("/"):
            return []
        exact = self._seen(pattern)
        found = [exact] if os.path.exists(exact) else sorted(glob.glob(exact))
        texts = []
        for path in found:
            with contextlib.suppress(OSError), open(path, "rb") as file:
                text = file.read(_MOST_BYTES).decode("utf-8", "replace")
                texts.append((path[len(self._seen("")) :], text))
        return texts


def _leads_to_this_host(options: dict) -> bool:
    host = options.get("login_host") or ""
    return bool(options.get("login_unix_socket")) or host in _LOOPBACK or host.startswith("127.")


def _restore(descriptor: int, before: os.stat_result, server_account: int) -> None:
    now = os.fstat(descriptor)
    if not (stat.S_ISREG(now.st_mode) and now.st_nlink == 1 and now.st_uid == server_account):
        return
    if _mode(now) != _mode(before):
        os.fchmod(descriptor, _mode(before))
    if (now.st_uid, now.st_gid) != (before.st_uid, before.st_gid):
        os.fchown(descriptor, before.st_uid, before.st_gid)


def _mode(facts: os.stat_result) -> int:
    return facts.st_mode & 0o777
