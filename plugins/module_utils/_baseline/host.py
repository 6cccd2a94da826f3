# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The host: CPU, memory, disk."""

from __future__ import annotations

from typing import List, Optional

from ansible_collections.midi.capacity.plugins.module_utils._baseline.view import (
    MISSING,
    Json,
    View,
    sentence,
    within,
)
from ansible_collections.midi.capacity.plugins.module_utils._report import human
from ansible_collections.midi.capacity.plugins.module_utils._report.document import (
    LEFT,
    RIGHT,
    Section,
    Table,
    items,
    section,
)


def host(view: View) -> Section:
    found = view.snapshot["host"]
    if found is None:
        return section("Host", sentence(view.how("host", "not asked for")))
    rows = [*_cpu(found["cpu"]), *_memory(found["memory"], found["shm"])]
    for disk in found["disks"]:
        rows.append(_disk(disk))
    gaps = [f"{entry['part']}: {entry['reason']}" for entry in view.missing if within(entry["part"], "host")]
    return section(
        "Host",
        sentence(f"Its CPU is {found['cpu']['model']}") if found["cpu"]["model"] else "",
        Table([("Figure", LEFT), ("Value", RIGHT), ("How it was got", LEFT)], rows),
        "Not all of it:" if gaps else "",
        items(gaps),
    )


def _cpu(cpu: Json) -> List[List[str]]:
    rows = [["CPUs that PostgreSQL may use", _or_missing(cpu["usable_cpus"]), "measured"]]
    busy = cpu["busy_percent"]
    over = f"measured over {human.seconds(cpu['sample_seconds'])}" if cpu["sample_seconds"] else MISSING
    rows.append(["CPU busy", MISSING if busy is None else human.percent(busy, 100), over])
    return rows


def _memory(memory: Json, shm: Json) -> List[List[str]]:
    rows = [
        ["Memory", _size(memory["total_bytes"]), "measured"],
        ["Memory available", _size(memory["available_bytes"]), "measured at that moment"],
    ]
    group = memory["cgroup"]
    if group["limit_bytes"] is not None:
        rows.append(["Memory limit of the control group", _size(group["limit_bytes"]), group["source"]])
        rows.append(["Memory used below that limit", _size(group["limit_used_bytes"]), "measured at that moment"])
    if memory["swap_total_bytes"]:
        used = memory["swap_total_bytes"] - (memory["swap_free_bytes"] or 0)
        rows.append(["Swap used", human.size(used), f"measured; of {human.size(memory['swap_total_bytes'])}"])
    rows.append(["Shared memory, /dev/shm", _size(shm["size_bytes"]), "measured"])
    return rows


def _disk(disk: Json) -> List[str]:
    if disk["size_bytes"] is None:
        return ["Disk of the data directory", MISSING, disk["path"]]
    what = f"measured; {human.percent(disk['used_percent'], 100)} of {human.size(disk['size_bytes'])} used"
    return ["Disk of the data directory, free", human.size(disk["free_bytes"]), f"{what}; {disk['mount_point']}"]


def _size(number: Optional[int]) -> str:
    return MISSING if number is None else human.size(number)


def _or_missing(number: Optional[float]) -> str:
    return MISSING if number is None else human.significant(number)
