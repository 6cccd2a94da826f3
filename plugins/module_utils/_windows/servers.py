# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether two snapshots are of one server, and what became of it between them."""

from __future__ import annotations

from typing import Any, Dict, List, Optional

from ansible_collections.midi.capacity.plugins.module_utils._report.human import moment

Json = Dict[str, Any]


def obstacle(earlier: Json, later: Json) -> Optional[str]:
    """Why no counter of the two snapshots can be compared at all; None where they can."""
    before, after = earlier["server"], later["server"]
    if before is None or after is None:
        return "which server it was could not be read at one of the two ends"
    if before["system_identifier"] != after["system_identifier"]:
        return f"another server: system identifier {before['system_identifier']}, then {after['system_identifier']}"
    if before["version_num"] // 10000 != after["version_num"] // 10000:
        return f"another major version: PostgreSQL {before['version']}, then {after['version']}"
    # A primary and its standbys share their identifier, and each has counters of its own.
    if before["postmaster_start"] != after["postmaster_start"] and after["postmaster_start"] <= earlier["taken_at"]:
        return (
            f"another server of the same origin, or the clock was set: it has run since"
            f" {moment(after['postmaster_start'])}, and the one at the beginning since"
            f" {moment(before['postmaster_start'])}"
        )
    return None


def restarted(earlier: Json, later: Json) -> bool:
    if obstacle(earlier, later):
        return False
    return bool(earlier["server"]["postmaster_start"] != later["server"]["postmaster_start"])


def changes(earlier: Json, later: Json) -> List[str]:
    """What changed about a server that is still the same."""
    if obstacle(earlier, later):
        return []
    before, after = earlier["server"], later["server"]
    told = []
    if restarted(earlier, later):
        told.append(
            f"it was started again at {moment(after['postmaster_start'])}; counters outlive a stop, not a crash,"
            " and what the stop itself cost is in no counter"
        )
    if before["version"] != after["version"]:
        told.append(f"its version was {before['version']}, then {after['version']}")
    if before["in_recovery"] != after["in_recovery"]:
        told.append("it was promoted, or this is another server of the same origin: one end was a standby, one was not")
    return told


def other_database(earlier: Json, later: Json) -> Optional[str]:
    """Why counters of the database cannot be compared, though those of the server can."""
    before, after = earlier["server"], later["server"]
    if before is None or after is None or before["database"] == after["database"]:
        return None
    return f"another database: {before['database']}, then {after['database']}"
