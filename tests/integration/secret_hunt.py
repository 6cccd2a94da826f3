# SPDX-License-Identifier: GPL-3.0-or-later
"""A hunt for secrets: command lines and environments of all processes meanwhile, and files that are left behind."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from pathlib import Path

# Between two looks at all processes; a module lives much longer.
PAUSE_SECONDS = 0.005
CRONTABS = tuple(Path(path) for path in ("/etc/crontab", "/etc/cron.d", "/var/spool/cron"))


class ProcessHunt:
    """Remembers what all processes show of themselves, as long as the context lasts."""

    def __init__(self) -> None:
        self._seen: set[bytes] = set()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> ProcessHunt:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._over.set()
        self._thread.join()

    def shown(self, secret: str) -> list[str]:
        """Command lines and environments that had it."""
        return [text.decode(errors="replace") for text in list(self._seen) if secret.encode() in text]

    def _watch(self) -> None:
        while not self._over.wait(PAUSE_SECONDS):
            for process in Path("/proc").glob("[0-9]*"):
                for name in ("cmdline", "environ"):
                    try:
                        self._seen.add((process / name).read_bytes())
                    except OSError:
                        # It has ended.
                        continue


def files_with(secret: str, places: Iterable[Path], but: Iterable[Path] = ()) -> list[str]:
    """Files in these directories, or these files, that have it; `but` are those that may."""
    allowed, found = set(but), []
    for place in places:
        for path in sorted(place.rglob("*")) if place.is_dir() else [place]:
            if path.is_file() and path not in allowed and secret.encode() in path.read_bytes():
                found.append(str(path))
    return found
