# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The window between two snapshots of a PostgreSQL server."""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Optional

from ansible_collections.midi.capacity.plugins.module_utils._report.human import moment
from ansible_collections.midi.capacity.plugins.module_utils._windows import database, statements
from ansible_collections.midi.capacity.plugins.module_utils._windows.errors import seconds_of
from ansible_collections.midi.capacity.plugins.module_utils._windows.reset import UnknownReset

Json = Dict[str, Any]


def window(earlier: Json, later: Json) -> Json:
    """See the package's docstring."""
    seconds = seconds_of(earlier["taken_at"], later["taken_at"])
    before, after = earlier["server"], later["server"]
    reasons = [{"part": "server", "reason": text} for text in _changes(before, after)]
    different = _bar(before, after)
    found: Json = {
        "from": earlier["taken_at"],
        "to": later["taken_at"],
        "seconds": seconds,
        "server": {
            "restarted_at": after["postmaster_start"] if _restarted(before, after) else None,
            "version": after["version"] if before and after and before["version"] == after["version"] else None,
        },
    }
    other_database = _other_database(before, after)
    for name, difference, obstacle in (
        ("statements", statements.difference, different),
        ("database", database.difference, different or other_database),
    ):
        found[name], told = _part(name, difference, obstacle, earlier, later)
        reasons += [{"part": name, "reason": text} for text in told]
    found["reasons"] = reasons
    return found


def _part(
    name: str, difference: Callable[[Json, Json], Any], obstacle: Optional[str], earlier: Json, later: Json
) -> Any:
    told = _gaps(name, earlier, later)
    if obstacle is None and earlier[name] is not None and later[name] is not None:
        try:
            found, more = difference(earlier, later)
            return found, [*told, *more]
        except UnknownReset as error:
            obstacle = str(error)
    return None, [*told, *([obstacle] if obstacle else [])]


def _gaps(name: str, earlier: Json, later: Json) -> List[str]:
    """Why a part, or some of it, could not be read at one of the two ends."""
    return [
        f"at the {end}: {entry['reason']}"
        for end, snapshot in (("beginning", earlier), ("end", later))
        for entry in snapshot["missing"]
        if entry["part"] == name
    ]


def _bar(before: Optional[Json], after: Optional[Json]) -> Optional[str]:
    """Why no counter of the two can be compared at all."""
    if before is None or after is None:
        return "which server it was could not be read at one of the two ends"
    if before["system_identifier"] != after["system_identifier"]:
        return f"another server: system identifier {before['system_identifier']}, then {after['system_identifier']}"
    if before["version_num"] // 10000 != after["version_num"] // 10000:
        return f"another major version: PostgreSQL {before['version']}, then {after['version']}"
    return None


def _changes(before: Optional[Json], after: Optional[Json]) -> List[str]:
    """What changed about a server that is still the same."""
    if before is None or after is None or _bar(before, after):
        return []
    told = []
    if _restarted(before, after):
        told.append(
            f"it was started again at {moment(after['postmaster_start'])}; counters outlive a stop, not a crash,"
            " and what the stop itself cost is in no counter"
        )
    if before["version"] != after["version"]:
        told.append(f"its version was {before['version']}, then {after['version']}")
    if before["in_recovery"] != after["in_recovery"]:
        told.append("it was promoted, or this is another server of the same origin: one end was a standby, one was not")
    return told


def _restarted(before: Optional[Json], after: Optional[Json]) -> bool:
    return bool(
        before and after and before["postmaster_start"] != after["postmaster_start"] and not _bar(before, after)
    )


def _other_database(before: Optional[Json], after: Optional[Json]) -> Optional[str]:
    if before is None or after is None or before["database"] == after["database"]:
        return None
    return f"another database: {before['database']}, then {after['database']}"
