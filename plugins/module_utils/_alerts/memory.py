# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The document that alerts are remembered in, from one run to the next: JSON."""

from __future__ import annotations

import copy
from typing import Any, Dict, Optional, Tuple

from ansible_collections.midi.capacity.plugins.module_utils import _moments

Json = Dict[str, Any]

SCHEMA_VERSION = 1


def empty() -> Json:
    """at: the clock at the last change; checks: memories of evaluate_all; alerts: by key; delivery: the last one."""
    return {"schema_version": SCHEMA_VERSION, "at": None, "checks": {}, "alerts": {}, "silences": [], "delivery": None}


def opened(found: Any) -> Tuple[Json, Optional[str]]:
    """The document that was stored, or an empty one and why: what cannot be read must not keep alerts from going out.

    found: what json.load gave, None where nothing is stored.
    """
    if found is None:
        return empty(), None
    if not isinstance(found, dict) or found.get("schema_version") != SCHEMA_VERSION:
        version = found.get("schema_version") if isinstance(found, dict) else None
        return empty(), f"the memory of alerts has schema version {version}, not {SCHEMA_VERSION}; it begins anew"
    wrong = [
        name for name, value in empty().items() if value is not None and not isinstance(found.get(name), type(value))
    ]
    if wrong:
        return empty(), f"the memory of alerts has no {', '.join(wrong)}; it begins anew"
    return {**empty(), **found}, None


def settled(document: Json, now: str) -> Json:
    """A copy of which nothing lies in the future, because the clock may have been set back since the last change.

    What had passed until then since an alert was told stays passed, and of a silence what was left stays left. So a
    step neither repeats at once nor silences for ever. Moments that people read are now at the latest.
    """
    document = copy.deepcopy(document)
    before, document["at"] = document["at"], now
    if before is None or _moments.elapsed(before, now) >= 0:
        return document
    for alert in document["alerts"].values():
        for name in ("since", "bad_since"):
            alert[name] = _moments.earliest(alert[name], now)
        if alert["told_at"] is not None:
            alert["told_at"] = _moments.after(now, -max(0.0, _moments.elapsed(alert["told_at"], before)))
    for silence in document["silences"]:
        silence["from"] = _moments.earliest(silence["from"], now)
        silence["until"] = _moments.after(now, _moments.elapsed(before, silence["until"]))
    return document
