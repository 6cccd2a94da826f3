# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the pools of the applications find enough connections."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, List, Mapping, Optional, Sequence

from ansible_collections.midi.capacity.plugins.module_utils._sizing.effective import Effective
from ansible_collections.midi.capacity.plugins.module_utils._sizing.errors import SizingError

_KEYS = {"name", "size", "instances"}


@dataclass(frozen=True)
class Pool:
    """size: the most connections that one instance of the application opens."""

    name: str
    size: int
    instances: int = 1

    @property
    def connections(self) -> int:
        return self.size * self.instances

    def __str__(self) -> str:
        times = "" if self.instances == 1 else f"{self.instances} x {self.size} = "
        return f"{self.name} {times}{self.connections}"


def pools(given: Sequence[Mapping[str, Any]]) -> List[Pool]:
    """From {name, size, instances}, instances 1 if left out. Raises SizingError with everything wrong with them."""
    found: List[Pool] = []
    problems: List[str] = []
    for place, entry in enumerate(given, 1):
        if not isinstance(entry, Mapping) or not {"name", "size"} <= set(entry) or set(entry) - _KEYS:
            problems.append(f"pool {place} takes name, size and perhaps instances, not {entry!r}")
            continue
        size, instances = _whole(entry["size"]), _whole(entry.get("instances", 1))
        if size is None or instances is None:
            problems.append(f"size and instances of pool {entry['name']} are whole numbers from 1 on")
            continue
        found.append(Pool(str(entry["name"]), size, instances))
    if problems:
        raise SizingError("; ".join(problems))
    return found


def usable(settings: Effective) -> int:
    """Connections for roles that are no superusers (manual 19.3): those that are kept for others are taken off."""
    kept = settings.number("superuser_reserved_connections") + settings.number("reserved_connections")
    return settings.number("max_connections") - kept


def too_few(settings: Effective, wanted: Sequence[Pool]) -> Optional[str]:
    """What is wrong when the pools together want more than is usable; None when nothing is."""
    sum_wanted, found = sum(pool.connections for pool in wanted), usable(settings)
    if sum_wanted <= found:
        return None
    least = settings.number("max_connections") + sum_wanted - found
    return (
        f"the applications' pools want {sum_wanted} connections ({', '.join(str(pool) for pool in wanted)}), and"
        f" {found} are usable: {_subtraction(settings)}. To mend it: max_connections at least {least}, or smaller pools"
    )


def _subtraction(settings: Effective) -> str:
    text = f"max_connections {settings.number('max_connections')}"
    for name in ("superuser_reserved_connections", "reserved_connections"):
        if settings.number(name):
            text += f" - {name} {settings.number(name)}"
    return text


def _whole(value: Any) -> Optional[int]:
    """A whole number from 1 on, which Jinja may have made a text of."""
    if isinstance(value, bool) or not isinstance(value, (int, str)) or not str(value).strip().isdigit():
        return None
    return int(value) or None
