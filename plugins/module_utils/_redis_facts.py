# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The facts of one cache, for modules redis_cache_info and pg_snapshot_info."""

from __future__ import annotations

from datetime import datetime, timezone

from ansible_collections.midi.capacity.plugins.module_utils._redis import Cache, CacheError, LoginRefused, Unreachable
from ansible_collections.midi.capacity.plugins.module_utils._redis_info.report import CONFIG, report


def read(options: dict) -> dict:
    """What _redis_info.report makes of a server; settings that cannot be read are missing there, with the reason.

    options: the connection options of the Redis modules. Raises CacheError when INFO cannot be read.
    """
    cache = Cache.connect(options)
    try:
        info = cache.info()
        config, reason = _config(cache)
    finally:
        cache.close()
    return report(info, config, datetime.now(timezone.utc), reason)


def _config(cache: Cache):
    try:
        return cache.config_get(list(CONFIG)), ""
    except (Unreachable, LoginRefused):
        raise
    except CacheError as error:
        # An ACL forbids it, or a managed server does not have it.
        return None, f"{error.what}: {error.remedy}" if error.remedy else error.what
