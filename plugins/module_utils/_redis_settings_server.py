# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a server says before its settings are planned."""

from __future__ import annotations

from ansible_collections.midi.capacity.plugins.module_utils._redis import Cache, CacheError, Loading, version_tuple
from ansible_collections.midi.capacity.plugins.module_utils._redis_settings import catalog
from ansible_collections.midi.capacity.plugins.module_utils._redis_settings.plan import Facts


def read_facts(cache: Cache, info: dict) -> Facts:
    """info: the fields of INFO. Raises Loading, NotPermitted with the grant that is missing, and CacheError."""
    if info.get("redis_mode") == "sentinel":
        raise CacheError(
            "this is a Sentinel, which watches servers and holds no data, so these are no settings of it",
            cache.where,
            "connect to the server that it watches, commonly on port 6379",
        )
    if info.get("loading") == "1":
        raise Loading("Redis is loading its data from disk", cache.where, "wait until the server is up, then run again")
    config = cache.config_get(["*"])
    return Facts(
        # Passwords go no further than this.
        {name: "" if name in catalog.SECRET else value for name, value in config.items()},
        version_tuple(cache.version),
        number(info, "used_memory"),
        number(info, "total_system_memory"),
    )


def number(info: dict, name: str):
    """A field of INFO as a number, or None."""
    text = info.get(name, "")
    return int(text) if text.isascii() and text.isdigit() else None
