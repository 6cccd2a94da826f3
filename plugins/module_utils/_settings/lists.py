# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings that are lists: comma-separated, elements quoted with double quotes where they need it."""

from __future__ import annotations

import re
from typing import Any, List

# Libraries are added to what others need; the other lists say exactly what is wanted.
MERGED = ("local_preload_libraries", "session_preload_libraries", "shared_preload_libraries")
# GUC_LIST_INPUT in the server's source, as far as ALTER SYSTEM takes them.
_LISTS = MERGED + (
    "createrole_self_grant",
    "debug_io_direct",
    "listen_addresses",
    "log_destination",
    "oauth_validator_libraries",
    "restrict_nonsystem_relation_kind",
    "search_path",
    "synchronized_standby_slots",
    "temp_tablespaces",
    "unix_socket_directories",
    "wal_consistency_checking",
)
_PLAIN = re.compile(r"[A-Za-z0-9_$./*:-]+\Z")
_ELEMENT = re.compile(r'\s*(?:"((?:[^"]|"")*)"|([^,"]*))\s*(?:,|\Z)')


def is_list(name: str) -> bool:
    return name in _LISTS


def is_merged(name: str) -> bool:
    """Whether wanted elements are added to those that are there, rather than put in their place."""
    return name in MERGED


def split(text: str) -> List[str]:
    """The elements of a list as pg_settings or a configuration file shows it; empty ones are dropped."""
    found: List[str] = []
    position = 0
    while position < len(text):
        match = _ELEMENT.match(text, position)
        if not match:
            # An unbalanced quote: the server would refuse it; keep the rest as one element so that it stays visible.
            found.append(text[position:].strip())
            break
        quoted, plain = match.groups()
        found.append(quoted.replace('""', '"') if quoted is not None else plain.strip())
        position = match.end()
    return [element for element in found if element]


def elements(wanted: Any) -> List[str]:
    """What an operator wrote, a list or a comma-separated text, as elements without duplicates."""
    given = [str(item).strip() for item in wanted] if isinstance(wanted, (list, tuple)) else split(str(wanted))
    return _unique(given)


def joined(items: List[str]) -> str:
    """The canonical text of a list."""
    return ", ".join(item if _PLAIN.match(item) else '"' + item.replace('"', '""') + '"' for item in items)


def merged(existing: str, wanted: Any) -> str:
    """The existing elements, then the wanted ones that are missing.

    An element with a comma in it is the trace of a list that was stored as one name (ALTER SYSTEM SET x = 'a,b');
    no library has such a name and the server would not start with it, so it is taken apart.
    """
    present = [part.strip() for element in split(existing) for part in element.split(",")]
    return joined(_unique(present + elements(wanted)))


def _unique(items: List[str]) -> List[str]:
    return list(dict.fromkeys(item for item in items if item))
