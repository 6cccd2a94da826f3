# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The flow of module redis_shrink: a running server holds less, in memory and in its files, before it is given less."""

from __future__ import annotations

import time

from ansible_collections.midi.capacity.plugins.module_utils._errors import OperatorError
from ansible_collections.midi.capacity.plugins.module_utils._redis import Cache
from ansible_collections.midi.capacity.plugins.module_utils._redis_settings.headroom import UNCHECKED_PERCENT
from ansible_collections.midi.capacity.plugins.module_utils._redis_settings.values import (
    InvalidValue,
    memory_bytes,
    memory_text,
)
from ansible_collections.midi.capacity.plugins.module_utils._redis_settings_flow import converge
from ansible_collections.midi.capacity.plugins.module_utils._redis_settings_server import number
from ansible_collections.midi.capacity.plugins.module_utils._report import human

_POLL_SECONDS = 0.05


def shrink(options: dict, check_mode: bool, warn) -> dict:
    """What module redis_shrink returns for its options. Raises OperatorError as converge does, and where it cannot be.

    warn(text) is called as by converge.
    """
    limit = _limit_bytes(options)
    cache = Cache.connect(options)
    try:
        _refuse_what_may_not_evict(cache, limit)
        set_result = converge(_settings(options), check_mode, warn)
        # Also where it was set before: that run may have been cut off.
        if not check_mode:
            deadline = time.monotonic() + options["timeout_seconds"]
            _wait(cache, deadline, options, "to evict", lambda: _counted(cache) <= limit)
            cache.purge_memory()
            _write_anew(cache, deadline, options)
            cache.purge_memory()
        return {"changed": set_result["changed"], "diff": set_result["diff"], "used_bytes": _counted(cache)}
    finally:
        cache.close()


def _limit_bytes(options: dict) -> int:
    try:
        limit = memory_bytes(options["maxmemory"])
    except InvalidValue as error:
        raise OperatorError(f"maxmemory {error}") from None
    if limit == 0:
        raise OperatorError("maxmemory is 0, which is no limit", remedy="say how much its data may take")
    if options["timeout_seconds"] < 1:
        raise OperatorError("timeout_seconds must be 1 or more")
    return limit


def _settings(options: dict) -> dict:
    # That the host bears less than it does now need not be checked.
    rest = {"maxmemory_limit_percent": UNCHECKED_PERCENT, "aof_wait_seconds": options["timeout_seconds"]}
    settings = {"maxmemory": options["maxmemory"]}
    return {**options, "settings": settings, "persist": "if_possible", "on_override": "warn", **rest}


def _counted(cache: Cache) -> int:
    """The memory that counts towards maxmemory; buffers of replicas and of the append-only file do not."""
    memory = cache.info("memory")
    return (number(memory, "used_memory") or 0) - (number(memory, "mem_not_counted_for_evict") or 0)


def _refuse_what_may_not_evict(cache: Cache, limit: int) -> None:
    used, policy = _counted(cache), cache.config_get(["maxmemory-policy"])["maxmemory-policy"]
    if policy == "noeviction" and used > limit:
        raise OperatorError(
            f"the server holds {human.size(used)} and must not evict (maxmemory-policy noeviction), so it cannot be"
            f" made to hold no more than {memory_text(limit)}; nothing was changed",
            cache.where,
            "let it be emptied first, or give it more",
        )


def _write_anew(cache: Cache, deadline: float, options: dict) -> None:
    """What a start reads: the append-only file where there is one, else the snapshot."""
    persistence = cache.info("persistence")
    if persistence.get("aof_enabled") == "1":
        # One that runs began before, and has what is evicted by now.
        _wait(
            cache, deadline, options, "to end writing its append-only file", lambda: not _is_busy(cache, "aof_rewrite")
        )
        cache.rewrite_aof()
        _wait(
            cache, deadline, options, "to write its append-only file anew", lambda: not _is_busy(cache, "aof_rewrite")
        )
        _check(cache, "aof_last_bgrewrite_status", "append-only file")
    elif cache.config_get(["save"])["save"]:
        _wait(cache, deadline, options, "to end saving", lambda: not _is_busy(cache, "rdb_bgsave"))
        cache.save()
        _wait(cache, deadline, options, "to save", lambda: not _is_busy(cache, "rdb_bgsave"))
        _check(cache, "rdb_last_bgsave_status", "snapshot")


def _is_busy(cache: Cache, what: str) -> bool:
    persistence = cache.info("persistence")
    return "1" in (persistence.get(f"{what}_in_progress"), persistence.get(f"{what}_scheduled"))


def _check(cache: Cache, status: str, name: str) -> None:
    if cache.info("persistence").get(status) != "ok":
        raise OperatorError(
            f"the server could not write its {name} anew, so a start may read what it holds no more",
            cache.where,
            "look into its log; commonly its disk is full, or it may not write into its directory (dir)",
        )


def _wait(cache: Cache, deadline: float, options: dict, what: str, is_done) -> None:
    while not is_done():
        if time.monotonic() > deadline:
            raise OperatorError(
                f"the server had no time {what} within {options['timeout_seconds']} s; it holds"
                f" {human.size(_counted(cache))} and shall hold {options['maxmemory']}",
                cache.where,
                "see what maxmemory-policy lets it evict, then run again; or give it more",
            )
        time.sleep(_POLL_SECONDS)
