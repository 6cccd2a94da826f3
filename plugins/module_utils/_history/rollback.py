# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings of before, from the entries of the history.

An entry is {schema_version, id, reason, undoes, server, stored: {name: {before, after}}, restored}: what
ALTER SYSTEM had stored for a setting before and after a run, as the file has it; null stands for nothing. What is in
`restored`, of the same form, was dangerous and stays taken back.
"""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional, Sequence

Json = Dict[str, Any]

SCHEMA_VERSION = 1
HIDDEN = "(hidden)"


class HistoryError(ValueError):
    """The history has no way back; the message says why."""


def way_back(entries: Sequence[Mapping[str, Any]], server: Mapping[str, Any], to: str = "") -> Json:
    """What has to be stored so that it is as before an entry, the newest change if `to` is empty.

    server: {system_identifier, data_directory}; entries of other servers, which may share the directory, do not count.

    Gives {settings, reset, undoes, ids}: values to store, names whose stored value is to be taken away, the id of the
    entry whose "before" that is, and those of all that are undone, newest first. When the newest entry is a way back
    itself, its own target is taken again, so a second run finds nothing to do. Raises HistoryError.
    """
    for entry in entries:
        if entry.get("schema_version") != SCHEMA_VERSION:
            found = entry.get("schema_version")
            raise HistoryError(f"entry {entry['id']} has schema version {found}, and only {SCHEMA_VERSION} is known")
    known = sorted((entry for entry in entries if _is_of(entry, server)), key=lambda entry: str(entry["id"]))
    if not known:
        others = "the history has runs of other servers only" if entries else "no run of before is in the history"
        raise HistoryError(f"{others}, so there is nothing to go back to")
    target = to or _newest(known)
    ids = [str(entry["id"]) for entry in known]
    if target not in ids:
        raise HistoryError(f"there is no entry {target} in the history; it has {', '.join(ids)}")
    undone = known[ids.index(target) :][::-1]
    before: Dict[str, Optional[str]] = {}
    for entry in undone:
        before.update({name: stored["before"] for name, stored in entry["stored"].items()})
    hidden = sorted(name for name, value in before.items() if value == HIDDEN)
    if hidden:
        raise HistoryError(f"{', '.join(hidden)} may hold a password, whose value is in no history: set it yourself")
    return {
        "settings": {name: value for name, value in before.items() if value is not None},
        "reset": sorted(name for name, value in before.items() if value is None),
        "undoes": target,
        "ids": _ids(undone),
    }


def _is_of(entry: Mapping[str, Any], server: Mapping[str, Any]) -> bool:
    # A primary and its standby have the same identifier; two containers may have the same directory.
    return all(entry["server"][name] == server[name] for name in ("system_identifier", "data_directory"))


def _newest(known: Sequence[Mapping[str, Any]]) -> str:
    changes = [entry for entry in known if entry["stored"]]
    if not changes:
        raise HistoryError("no run of before has changed a setting that may be put back")
    return str(changes[-1].get("undoes") or changes[-1]["id"])


def _ids(entries: Sequence[Mapping[str, Any]]) -> List[str]:
    return [str(entry["id"]) for entry in entries]
