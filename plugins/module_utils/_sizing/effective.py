# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings that sizing works on, in bytes and numbers; what nobody says has PostgreSQL's default."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Union

from ansible_collections.midi.capacity.plugins.module_utils._settings import values
from ansible_collections.midi.capacity.plugins.module_utils._sizing.amounts import KB, MB
from ansible_collections.midi.capacity.plugins.module_utils._sizing.catalog import DEFINITIONS
from ansible_collections.midi.capacity.plugins.module_utils._sizing.errors import SizingError

_UNIT_BYTES = {"kB": KB, "8kB": 8 * KB, "MB": MB}
_COMPUTED_BY_SERVER = -1


class Effective:
    """Settings by name, which is taken in any case; later ones win, and what sizing has no use for is left out.

    settings: values as people write them (`15GB`, 256) or as pg_settings and SHOW print them.
    Raises SizingError with every value that the setting of that name cannot take.
    """

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self._canonical: Dict[str, str] = {}
        problems: List[str] = []
        for given, value in settings.items():
            definition = DEFINITIONS.get(given.lower())
            if definition is None:
                continue
            try:
                self._canonical[definition.name] = values.canonical(definition, value)
            except values.InvalidValue as problem:
                problems.append(f"{definition.name} {problem}")
        if problems:
            raise SizingError("; ".join(problems))

    def __contains__(self, name: str) -> bool:
        return name in self._canonical

    def word(self, name: str) -> str:
        return self._canonical.get(name, DEFINITIONS[name].boot_val or "")

    def number(self, name: str) -> int:
        return int(self.word(name))

    def real(self, name: str) -> float:
        return float(self.word(name))

    def size(self, name: str) -> int:
        """Bytes; what the server computes itself is computed here as it does."""
        amount = self.number(name)
        if amount == _COMPUTED_BY_SERVER:
            return self._computed(name)
        return amount * _UNIT_BYTES[DEFINITIONS[name].unit or ""]

    def text(self, name: str) -> str:
        """As SHOW prints it."""
        return values.rendered(DEFINITIONS[name], self.word(name))

    def _computed(self, name: str) -> int:
        if name == "autovacuum_work_mem":
            return self.size("maintenance_work_mem")
        return wal_buffers_bytes(self.size("shared_buffers"))


def greatest_value(name: str) -> int:
    """The most that a setting takes: bytes for a size, else the number."""
    definition = DEFINITIONS[name]
    return int(definition.max_val or "0") * _UNIT_BYTES.get(definition.unit or "", 1)


def rendered_bytes(name: str, number_bytes: int) -> str:
    """A size as the text of a setting, rounded down to its unit: `15GB`."""
    definition = DEFINITIONS[name]
    return values.rendered(definition, str(number_bytes // _UNIT_BYTES[definition.unit or ""]))


def rendered(name: str, value: Union[int, float, str, bool]) -> str:
    """Anything else as the text of a setting."""
    definition = DEFINITIONS[name]
    return values.rendered(definition, values.canonical(definition, value))


def wal_buffers_bytes(shared_buffers_bytes: int) -> int:
    """What wal_buffers = -1 comes to: a 32nd of shared_buffers, 64 kB to one WAL segment of 16 MB (manual 19.5)."""
    return max(64 * KB, min(16 * MB, shared_buffers_bytes // 32 // (8 * KB) * (8 * KB)))
