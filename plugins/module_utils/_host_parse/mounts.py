# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mounts: /proc/PID/mountinfo, and which mount a path is on."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

_ESCAPED = re.compile(r"\\([0-3][0-7]{2})")


class Mount(NamedTuple):
    """One mount.

    device: major:minor. root: the directory of the file system that is mounted. source: as given to mount(8).
    options: those of the file system, where cgroup v1 names its controllers.
    """

    device: str
    root: str
    mount_point: str
    file_system_type: str
    source: str
    options: list[str]


def parse_mountinfo(text: str) -> list[Mount]:
    """All mounts in the order of the file; later ones lie over earlier ones."""
    # Not splitlines(): a path may hold other characters that Python takes for the end of a line.
    return [_mount(line) for line in text.split("\n") if line]


def mount_of(mounts: Sequence[Mount], path: str, device: str) -> Mount | None:
    """The mount that an absolute path without symbolic links is on; None when no mount covers it.

    device: major:minor of the path itself. It tells a mount from one that lies hidden under it. Where none agrees
    (btrfs gives every subvolume a number of its own) the nearest mount above the path is taken.
    """
    nearest_first = sorted(
        (mount for mount in reversed(mounts) if beneath(path, mount.mount_point) is not None),
        key=lambda mount: len(mount.mount_point),
        reverse=True,
    )
    agreeing = [mount for mount in nearest_first if mount.device == device]
    return next(iter(agreeing or nearest_first), None)


def beneath(path: str, directory: str) -> str | None:
    """The way from a directory down to a path, with a slash in front ("" for the directory itself), or None."""
    stem = directory.rstrip("/")
    if path in (stem, directory):
        return ""
    return path[len(stem) :].rstrip("/") if path.startswith(stem + "/") else None


def _mount(line: str) -> Mount:
    # Between the sixth field and the dash stands any number of optional ones.
    left, dash, right = line.partition(" - ")
    fields, rest = left.split(" "), right.split(" ")
    if not dash or len(fields) < 6 or len(rest) < 2:
        raise ValueError(f"a line of mountinfo is not understood: {line[:80]!r}")
    source, options = (rest[1:] + ["", ""])[:2]
    return Mount(fields[2], _plain(fields[3]), _plain(fields[4]), rest[0], _plain(source), options.split(","))


def _plain(text: str) -> str:
    return _ESCAPED.sub(lambda match: chr(int(match[1], 8)), text)
