# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What makes the comparison of two baselines uncertain."""

from __future__ import annotations

from typing import Any, List, Optional

from ansible_collections.midi.capacity.plugins.module_utils._baseline.view import View, sentence
from ansible_collections.midi.capacity.plugins.module_utils._report import human

# Windows whose lengths differ by more than this factor are unequal.
UNEQUAL = 1.5
# Load follows the day: hours further apart than this are another time of it.
HOURS = 2


def cautions(old: View, new: View) -> List[str]:
    """As sentences; none where the two differ in nothing but what they measured."""
    return [sentence(text) for text in (*_order(old, new), *_servers(old, new), *_hosts(old, new), *_windows(old, new))]


def same_server(old: View, new: View) -> bool:
    """Whether both are of one server and major version, whose counters and numbers can be held against each other."""
    before, after = old.snapshot["server"], new.snapshot["server"]
    return bool(
        before
        and after
        and before["system_identifier"] == after["system_identifier"]
        and before["version_num"] // 10000 == after["version_num"] // 10000
    )


def _order(old: View, new: View) -> List[str]:
    if new.baseline["taken_at"] >= old.baseline["taken_at"]:
        return []
    return ["the second baseline was taken before the first: what is called worse here is what got better since"]


def _servers(old: View, new: View) -> List[str]:
    told = _differ("host of the inventory", old.baseline["inventory_hostname"], new.baseline["inventory_hostname"])
    before, after = old.snapshot["server"], new.snapshot["server"]
    if before is None or after is None:
        return [*told, "which server it was could not be read for both; statements are matched by their text"]
    told += _differ("server, by its system identifier", before["system_identifier"], after["system_identifier"])
    told += _differ("version of PostgreSQL", before["version"], after["version"])
    told += _differ("database", before["database"], after["database"])
    roles = [("a standby" if server["in_recovery"] else "a primary") for server in (before, after)]
    told += _differ("role", *roles)
    if not same_server(old, new):
        told.append("statements are matched by their text, because numbers of one server say nothing of another")
    growth = [view.snapshot["growth"] for view in (old, new)]
    if growth[0] and growth[1]:
        told += _differ("growing table", growth[0]["table"], growth[1]["table"])
        told += _differ("way to count its rows", growth[0]["method"], growth[1]["method"])
    return told


def _hosts(old: View, new: View) -> List[str]:
    hosts = [view.snapshot["host"] for view in (old, new)]
    told = []
    if hosts[0] and hosts[1]:
        told += _differ("number of CPUs", *[host["cpu"]["usable_cpus"] for host in hosts])
        memory = [host["memory"]["total_bytes"] for host in hosts]
        # The kernel's own share of the memory changes a little with every update.
        if None not in memory and abs(memory[1] - memory[0]) > memory[0] / 50:
            told += _differ("memory of the host", human.size(memory[0]), human.size(memory[1]))
    caches = [view.baseline["cache"] for view in (old, new)]
    if caches[0] and caches[1]:
        told += _differ("version of Redis", caches[0]["version"], caches[1]["version"])
        told += _differ("memory limit of the cache", *[_limit(found["memory"]["maxmemory_bytes"]) for found in caches])
    return told


def _limit(number: Optional[int]) -> str:
    return "unknown" if number is None else human.size(number) if number else "none"


def _windows(old: View, new: View) -> List[str]:
    ends = (("first", old), ("second", new))
    without = [name for name, view in ends if view.window is None]
    if without:
        lacking = "neither baseline has a" if len(without) == 2 else f"the {without[0]} baseline has no"
        return [f"{lacking} window, so only what was measured at a moment can be compared"]
    told = []
    lengths = [view.window["seconds"] for _name, view in ends if view.window]
    if max(lengths) > UNEQUAL * min(lengths):
        both = " and ".join(human.seconds(length) for length in lengths)
        told.append(f"their windows are of {both}: in the shorter one a single slow query weighs more")
    hours = [int(view.baseline["taken_at"][11:13]) for _name, view in ends]
    apart = abs(hours[0] - hours[1])
    if min(apart, 24 - apart) > HOURS:
        times = " and ".join(view.baseline["taken_at"][11:16] for _name, view in ends)
        told.append(f"they were taken at {times} UTC: the load of another time of day is another one")
    for name, view in ends:
        weak = [*(view.window or {}).get("reasons", []), *(view.cache_window or {}).get("reasons", [])]
        told += [f"in the window of the {name}, {entry['part']}: {entry['reason']}" for entry in weak]
    return told


def _differ(what: str, before: Any, after: Any) -> List[str]:
    return [f"another {what}: {before}, then {after}"] if before != after else []
