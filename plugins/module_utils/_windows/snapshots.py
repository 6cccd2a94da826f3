# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The window between two snapshots of a PostgreSQL server."""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Optional

from ansible_collections.midi.capacity.plugins.module_utils._windows import database, servers, statements
from ansible_collections.midi.capacity.plugins.module_utils._windows.errors import seconds_of
from ansible_collections.midi.capacity.plugins.module_utils._windows.reset import UnknownReset

Json = Dict[str, Any]


def window(earlier: Json, later: Json) -> Json:
    """See the package's docstring."""
    seconds = seconds_of(earlier["taken_at"], later["taken_at"])
    before, after = earlier["server"], later["server"]
    reasons = [{"part": "server", "reason": text} for text in servers.changes(earlier, later)]
    different = servers.obstacle(earlier, later)
    found: Json = {
        "from": earlier["taken_at"],
        "to": later["taken_at"],
        "seconds": seconds,
        "server": {
            "restarted_at": after["postmaster_start"] if servers.restarted(earlier, later) else None,
            "version": after["version"] if before and after and before["version"] == after["version"] else None,
        },
    }
    for name, difference, obstacle in (
        ("statements", statements.difference, different),
        ("database", database.difference, different or servers.other_database(earlier, later)),
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
