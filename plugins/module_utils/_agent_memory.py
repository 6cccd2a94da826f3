# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where alerts are remembered: in the history, and in a file of its own while that cannot be written (a full disk)."""

from __future__ import annotations

import contextlib
import json
import os

from ansible_collections.midi.capacity.plugins.module_utils._agent_store import Store, StoreError
from ansible_collections.midi.capacity.plugins.module_utils._alerts import memory
from ansible_collections.midi.capacity.plugins.module_utils._private_file import MODE, write_whole

NAME = "alerts"
_FILE = "alerts.json"


class AlertMemory:
    """The document of _alerts.memory, wherever it is. store None: the history cannot be opened."""

    def __init__(self, store: Store | None, runtime_dir: str) -> None:
        self._store = store
        self._file = os.path.join(runtime_dir, _FILE)

    def load(self) -> tuple:
        """(document, complaint or None). The later one counts, where there are two."""
        found = [entry for entry in (self._stored(), self._kept_aside()) if isinstance(entry, dict)]
        found.sort(key=lambda entry: str(entry.get("at") or ""))
        return memory.opened(found[-1] if found else None)

    def save(self, document: dict) -> str | None:
        """Gives why it could not be kept anywhere; then messages may come again."""
        try:
            if self._store is not None:
                self._store.remember(NAME, document)
                self._forget_file()
                return None
            reason = "the history cannot be opened"
        except StoreError as error:
            reason = error.what
        try:
            write_whole(self._file, json.dumps(document, sort_keys=True).encode(), MODE)
        except OSError as error:
            return f"{reason}; {self._file}: {error.strerror}"
        return None

    def _stored(self):
        try:
            return self._store.memory(NAME) if self._store is not None else None
        except (StoreError, ValueError):
            return None

    def _kept_aside(self):
        try:
            with open(self._file, encoding="utf-8") as file:
                return json.load(file)
        except (OSError, ValueError):
            return None

    def _forget_file(self) -> None:
        with contextlib.suppress(OSError):
            os.unlink(self._file)
