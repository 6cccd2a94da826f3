# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The text of INFO."""

from __future__ import annotations

import re
from typing import Dict, Mapping, Optional

# Redis still calls a replica by its old name.
_ROLES = {"slave": "replica"}


def parse_info(text: str) -> Dict[str, str]:
    """The fields of all sections, name to text."""
    lines = (line.partition(":") for line in text.splitlines() if not line.startswith("#"))
    return {name: value.strip() for name, separator, value in lines if separator}


def parse_keyspace(info: Mapping[str, str]) -> Dict[str, Dict[str, int]]:
    """Per database that holds keys: keys, expires (keys with a time to live), avg_ttl_ms."""
    return {name: _database(value) for name, value in info.items() if re.match(r"db[0-9]+\Z", name)}


def role(info: Mapping[str, str]) -> Optional[str]:
    """master or replica; None where INFO does not say it."""
    found = info.get("role")
    return None if found is None else _ROLES.get(found, found)


def _database(text: str) -> Dict[str, int]:
    counts = dict(part.partition("=")[::2] for part in text.split(","))
    return {
        "keys": int(counts.get("keys", 0)),
        "expires": int(counts.get("expires", 0)),
        "avg_ttl_ms": int(counts.get("avg_ttl", 0)),
    }
