# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading and writing a cache's settings; what is to be done is decided in the pure package _redis_settings."""

from __future__ import annotations

import json
import time

from ansible_collections.midi.capacity.plugins.module_utils._redis import (
    Cache,
    CacheError,
    Loading,
    Unreachable,
    version_tuple,
)
from ansible_collections.midi.capacity.plugins.module_utils._redis_settings import aof, catalog, values
from ansible_collections.midi.capacity.plugins.module_utils._redis_settings.plan import Facts, unlike

_POLL_SECONDS = 0.05


def read_facts(cache: Cache, info: dict) -> Facts:
    """info: the fields of INFO. Raises Loading, and NotPermitted with the grant that is missing."""
    if info.get("loading") == "1":
        raise Loading("Redis is loading its data from disk", cache.where, "wait until the server is up, then run again")
    config = cache.config_get(["*"])
    return Facts(
        # Passwords go no further than this.
        {name: "" if name in catalog.SECRET else value for name, value in config.items()},
        version_tuple(cache.version),
        _number(info, "used_memory"),
        _number(info, "total_system_memory"),
    )


def apply(cache: Cache, plans: list, rewrite: bool, aof_wait_seconds: int) -> list:
    """Set what the plans say, prove it, write it into the configuration file; gives the commands.

    If anything fails, all of it is taken back. Raises CacheError.
    """
    done: list = []
    executed: list = []
    status_before = cache.info("persistence").get("aof_last_bgrewrite_status", "")
    try:
        for batch in [plans] if cache.sets_atomically else [[plan] for plan in plans]:
            cache.config_set({plan.name: plan.desired for plan in batch})
            done += batch
            executed.append(command_text(batch))
        if aof.is_switched_on(plans):
            _wait_for_aof(cache, status_before, aof_wait_seconds)
        _prove(cache, plans)
        if rewrite:
            _rewrite(cache)
            executed.append("CONFIG REWRITE")
    except Unreachable as error:
        raise _lost(error, plans) from None
    except CacheError as error:
        raise _ended(error, _take_back(cache, done)) from None
    return executed


def command_text(plans: list) -> str:
    """CONFIG SET as redis-cli takes it."""
    pairs = [f"{plan.name} {json.dumps(plan.desired, ensure_ascii=False)}" for plan in plans]
    return " ".join(["CONFIG SET", *pairs])


def _wait_for_aof(cache: Cache, status_before: str, seconds: int) -> None:
    deadline = time.monotonic() + seconds
    while True:
        progress = aof.progress(cache.info("persistence"), status_before)
        if progress == aof.ON:
            return
        if progress == aof.FAILED:
            raise CacheError(
                "the append-only file cannot be switched on: writing it in the background failed",
                cache.where,
                "look into the server's log; commonly its disk is full, or it may not write into its directory (dir)",
            )
        if time.monotonic() > deadline:
            raise CacheError(
                f"the append-only file was not written within {seconds} s",
                cache.where,
                "raise aof_wait_seconds if there is much data; else look into the server's log",
            )
        time.sleep(_POLL_SECONDS)


def _prove(cache: Cache, plans: list) -> None:
    wrong = unlike(plans, cache.config_get([plan.name for plan in plans]))
    if wrong:
        raise CacheError(
            "the server made something else of what was set",
            cache.where,
            "write the value as the server reads it back, if that is what you mean",
            items=wrong,
        )


def _rewrite(cache: Cache) -> None:
    try:
        cache.config_rewrite()
    except Unreachable:
        raise
    except CacheError as error:
        raise type(error)(
            f"the configuration file could not be written: {error.what}",
            error.where,
            error.remedy or "let the server's user write the file and its directory, or set persist=never",
        ) from None


def _take_back(cache: Cache, done: list) -> list:
    """Give the settings their values back, the last one first; gives those for which that failed."""
    left = []
    for plan in reversed(done):
        try:
            cache.config_set({plan.name: plan.current})
        except CacheError:
            left.append(plan)
    return left


def _ended(error: CacheError, left: list) -> CacheError:
    outcome = "nothing was changed"
    if left:
        kept = ", ".join(f"{plan.name} = {values.rendered(plan.name, plan.desired)}" for plan in left)
        outcome = f"this could not be taken back and counts until the server is restarted: {kept}"
    return type(error)(f"{error.what}; {outcome}", error.where, error.remedy, error.details, error.items)


def _lost(error: Unreachable, plans: list) -> Unreachable:
    names = ", ".join(plan.name for plan in plans)
    return Unreachable(
        f"the connection was lost while settings were being changed ({error.what});"
        f" some of these may have their new value, until the server is restarted: {names}",
        error.where,
        "see that the server runs, then run again",
    )


def _number(info: dict, name: str):
    text = info.get(name, "")
    return int(text) if text.isdigit() else None
