# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a server may use of the machine that it runs on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, List, Mapping, Optional

from ansible_collections.midi.capacity.plugins.module_utils._settings import values
from ansible_collections.midi.capacity.plugins.module_utils._settings.model import Definition
from ansible_collections.midi.capacity.plugins.module_utils._sizing.errors import SizingError

DISKS = ("ssd", "hdd", "san", "network")
# A memory size is written like a setting in bytes.
_MEMORY = Definition("memory", "0", "B", "real", "", "default", min_val="1", max_val=str(2**60))


@dataclass(frozen=True)
class Machine:
    """cpus: whole ones. disk: one of DISKS. shm_bytes: /dev/shm. disk_bytes: the file system of the data directory.

    None stands for what is not known. platform: as sys.platform has it.
    """

    memory_bytes: int
    cpus: int
    version_num: int
    disk: str = "ssd"
    shm_bytes: Optional[int] = None
    disk_bytes: Optional[int] = None
    platform: str = "linux"


def machine(
    host: Mapping[str, Any], version_num: int, disk: str = "ssd", memory: Any = None, cpus: Optional[float] = None
) -> Machine:
    """host: `host` in the RETURN of host_capacity_info, empty for a server that runs elsewhere.

    memory, cpus: what counts in place of what was measured. Raises SizingError for what is neither measured nor given.
    """
    if disk not in DISKS:
        raise SizingError(f"disk is one of {', '.join(DISKS)}, not {disk!r}")
    memory_bytes = usable_memory_bytes(host, memory)
    found_cpus = cpus or _part(host, "cpu").get("usable_cpus")
    unknown = [name for name, value in (("memory", memory_bytes), ("CPUs", found_cpus)) if not value]
    if memory_bytes is None or not found_cpus:
        raise SizingError(f"the machine's {' and '.join(unknown)} could not be measured and have to be given")
    disks: List[Mapping[str, Any]] = host.get("disks") or []
    return Machine(
        memory_bytes=memory_bytes,
        # A quota of 1.5 CPUs cannot run two processes at full speed.
        cpus=max(1, int(found_cpus)),
        version_num=version_num,
        disk=disk,
        shm_bytes=_part(host, "shm").get("size_bytes"),
        disk_bytes=disks[0].get("size_bytes") if disks else None,
    )


def usable_memory_bytes(host: Mapping[str, Any], memory: Any = None) -> Optional[int]:
    """`memory` (48GB, or a number of bytes) if given, else what was measured; None if that is not known either."""
    if memory:
        try:
            return int(float(values.canonical(_MEMORY, memory)))
        except values.InvalidValue as problem:
            raise SizingError(f"memory {problem}") from None
    found = _part(host, "memory").get("usable_bytes")
    return int(found) if found else None


def _part(host: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    return host.get(name) or {}
