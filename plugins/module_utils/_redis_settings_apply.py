# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writing a cache's settings, and taking them back; what is to be done decides the pure package _redis_settings."""

from __future__ import annotations

import contextlib
import json
import time

from ansible_collections.midi.capacity.plugins.module_utils._redis import Cache, CacheError, Unreachable
from ansible_collections.midi.capacity.plugins.module_utils._redis_settings import aof, values
from ansible_collections.midi.capacity.plugins.module_utils._redis_settings.plan import in_steps, unlike
from ansible_collections.midi.capacity.plugins.module_utils._redis_settings_server import number

_POLL_SECONDS = 0.05


def apply(
    cache: Cache, plans: list, rewrite: bool, aof_wait_seconds: int, around_rewrite=contextlib.nullcontext
) -> list:
    """Set what the plans say, prove it, write it into the configuration file; gives the commands.

    What evicts keys comes when all the rest is done and in the file, because of all that it alone cannot be taken back.
    If anything fails, everything else is. around_rewrite: gives a context for each CONFIG REWRITE. Raises CacheError.
    """
    attempt = _Attempt(cache, around_rewrite if rewrite else None)
    first, last = in_steps(plans)
    persistence = cache.info("persistence")
    try:
        attempt.set(first)
        if aof.has_to_be_awaited(plans, persistence):
            _wait_for_aof(cache, persistence.get("aof_last_bgrewrite_status", ""), aof_wait_seconds)
        attempt.prove_and_keep(first)
        if last:
            attempt.set_evicting(last)
            attempt.prove_and_keep(last)
    except Unreachable as error:
        raise attempt.lost(error, [*first, *last]) from None
    except CacheError as error:
        raise attempt.taken_back(error) from None
    return attempt.executed


class _Attempt:
    """What has been done so far, and how to take it back."""

    def __init__(self, cache: Cache, around_rewrite) -> None:
        self._cache, self._around_rewrite = cache, around_rewrite
        self._done: list = []
        self._in_file: list = []
        self._evicts = False
        self._evicted_before = None
        self.executed: list = []

    def set(self, plans: list) -> None:
        whole = [plans] if plans else []
        for batch in whole if self._cache.sets_atomically else [[plan] for plan in plans]:
            self._cache.config_set({plan.name: plan.desired for plan in batch})
            self._done += batch
            self.executed.append(command_text(batch))

    def set_evicting(self, plans: list) -> None:
        self._evicted_before = self._evicted()
        self._evicts = True
        self.set(plans)

    def prove_and_keep(self, plans: list) -> None:
        wrong = unlike(plans, self._cache.config_get([plan.name for plan in plans]))
        if wrong:
            raise CacheError(
                "the server made something else of what was set",
                self._cache.where,
                "write the value as the server reads it back, if that is what you mean",
                items=wrong,
            )
        if self._around_rewrite:
            self._rewrite()
            self._in_file += plans
            self.executed.append("CONFIG REWRITE")

    def taken_back(self, error: CacheError) -> CacheError:
        """The error that tells of it, when all that can be has its old value again."""
        left = [plan for plan in reversed(self._done) if not self._restored(plan)]
        outcomes = []
        if left:
            outcomes.append(f"this could not be taken back and counts until the server is restarted: {_pairs(left)}")
        if self._in_file and not self._file_restored():
            outcomes.append(f"the configuration file keeps this for the next start: {_pairs(self._in_file)}")
        if self._evicts:
            outcomes += self._eviction(bool(outcomes))
        return type(error)(
            f"{error.what}; {'; '.join(outcomes) or 'nothing was changed'}",
            error.where,
            error.remedy,
            error.details,
            error.items,
        )

    def lost(self, error: Unreachable, plans: list) -> Unreachable:
        names = ", ".join(plan.name for plan in plans)
        evicted = "; keys may have been evicted" if self._evicts else ""
        what = (
            f"the connection was lost while settings were being changed ({error.what});"
            f" some of these may have their new value, until the server is restarted: {names}{evicted}"
        )
        return Unreachable(
            what if plans else f"the connection was lost ({error.what}); no setting was to be changed",
            error.where,
            "see that the server runs, then run again",
        )

    def _rewrite(self) -> None:
        try:
            with self._around_rewrite():
                self._cache.config_rewrite()
        except Unreachable:
            raise
        except CacheError as error:
            raise type(error)(
                f"the configuration file could not be written: {error.what}",
                error.where,
                error.remedy or "let the server's user write the file and its directory, or set persist=never",
            ) from None

    def _restored(self, plan) -> bool:
        with contextlib.suppress(CacheError):
            self._cache.config_set({plan.name: plan.current})
            return True
        return False

    def _file_restored(self) -> bool:
        with contextlib.suppress(CacheError):
            self._rewrite()
            return True
        return False

    def _evicted(self):
        with contextlib.suppress(CacheError):
            return number(self._cache.info("stats"), "evicted_keys")
        return None

    def _eviction(self, some_left: bool) -> list:
        now = self._evicted()
        if now is None or self._evicted_before is None:
            return ["keys may have been evicted meanwhile, and nothing brings them back"]
        lost = now - self._evicted_before
        if lost == 0:
            return []
        rest = "" if some_left else "all settings have their old values, but "
        keys = "1 key was" if lost == 1 else f"{lost:,} keys were"
        return [f"{rest}{keys} evicted meanwhile, and nothing brings them back"]


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
                "the append-only file is not there: writing it in the background failed",
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


def _pairs(plans: list) -> str:
    return ", ".join(f"{plan.name} = {values.rendered(plan.name, plan.desired)}" for plan in plans)
