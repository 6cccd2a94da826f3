# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Baselines that were stored before: whether they can be used, and whether a new one has more."""

from __future__ import annotations

import base64
import json
from typing import Any, Mapping, Set

from ansible_collections.midi.capacity.plugins.module_utils._baseline.report import SCHEMA_VERSION, markdown
from ansible_collections.midi.capacity.plugins.module_utils._baseline.view import Json

# Parts of a baseline that are only there when somebody asks for them.
_OPTIONAL = ("growth", "redis", "cache", "window")


class Unusable(ValueError):
    """What is stored is damaged, or of another version."""


def baseline(content: str, server: Mapping[str, Any] | None = None) -> Json:
    """A stored baseline from the base64 of its file; that it can be reported on is tried.

    server: {system_identifier, database} of the one that is meant, or None if it may be any.
    Raises Unusable, also where it is of another server or database.
    """
    found = _document(content)
    try:
        markdown(found)
    except ValueError as error:
        raise Unusable(str(error)) from error
    except (AttributeError, LookupError, TypeError) as error:
        raise Unusable(f"it is no baseline: {error!r}") from error
    _check_server(found["snapshot"], server)
    return found


def lacks_some(document: Json, asked: Mapping[str, Any]) -> bool:
    """Whether it lacks something that it could have. asked: parts that are not always asked for; empty where not."""
    optional = set(_OPTIONAL) - {part for part, wanted in asked.items() if wanted}
    return bool(_missing(document) or _absent(document) - optional)


def has_more(new: Json, old: Json) -> bool:
    """Whether a new baseline lacks less than the old one, and nothing that the old one has."""
    return _lacks(new) < _lacks(old)


def _lacks(document: Json) -> Set[str]:
    return _missing(document) | _absent(document)


def _missing(document: Json) -> Set[str]:
    return {entry["part"] for entry in document.get("snapshot", document)["missing"]}


def _absent(document: Json) -> Set[str]:
    """Parts that are not there, whether for a reason that `missing` has or because nobody asked for them."""
    everything = {**document.get("snapshot", document), **document}
    absent = {part for part in _OPTIONAL if part in everything and everything[part] is None}
    # Baselines of before windows have no beginning of one.
    return absent | {"window"} if "snapshot" in document and document.get("begin") is None else absent


def _check_server(found: Json, server: Mapping[str, Any] | None) -> None:
    # What could not be read is null.
    known = found.get("server") or {}
    for name, called in (("database", "database"), ("system_identifier", "server")):
        stored = known.get(name)
        if server and stored is not None and stored != server[name]:
            raise Unusable(f"it is of {called} {stored}, and this is {called} {server[name]}")


def _document(content: str) -> Json:
    """What is in the file, if it is of the version that is known here."""
    try:
        found = json.loads(base64.b64decode(content, validate=True).decode("utf-8"))
    except ValueError as error:
        raise Unusable(f"it is damaged: {error}") from error
    if not isinstance(found, dict) or "schema_version" not in found:
        raise Unusable("it is damaged, or not of this collection: it says no schema version")
    if found["schema_version"] != SCHEMA_VERSION:
        raise Unusable(f"it has schema version {found['schema_version']}, and this collection knows {SCHEMA_VERSION}")
    return found
