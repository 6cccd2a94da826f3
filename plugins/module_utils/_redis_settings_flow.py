# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The flow of module redis_settings: read -> plan -> compare -> apply -> read back, with and without check mode."""

from __future__ import annotations

import contextlib
from dataclasses import asdict

from ansible_collections.midi.capacity.plugins.module_utils._change import Change
from ansible_collections.midi.capacity.plugins.module_utils._errors import OperatorError
from ansible_collections.midi.capacity.plugins.module_utils._redis import Cache
from ansible_collections.midi.capacity.plugins.module_utils._redis_info.parse import role
from ansible_collections.midi.capacity.plugins.module_utils._redis_settings import plan, values
from ansible_collections.midi.capacity.plugins.module_utils._redis_settings_apply import apply
from ansible_collections.midi.capacity.plugins.module_utils._redis_settings_local import LocalServer
from ansible_collections.midi.capacity.plugins.module_utils._redis_settings_server import read_facts

APPLIED, LIVE_ONLY = "applied", "live_only"


def converge(options: dict, check_mode: bool, warn) -> dict:
    """Bring a cache's settings to what the options of module redis_settings say; gives the module's result.

    warn(text) is called before what it warns of happens, so that a failure does not swallow it.
    """
    _refuse_bad_options(options)
    cache = Cache.connect(options)
    try:
        info = cache.info()
        facts = read_facts(cache, info)
        plans = _plans(options, facts, cache)
        rewrite = bool(plans) and _can_rewrite(options["persist"], info, cache)
        # Whoever does not write the file has no say in what a restart makes of it.
        local = LocalServer.find(options, info) if rewrite else None
        overridden = local.overrides(plans, written=False) if local else []
        _refuse_overridden(overridden, options, cache)
        for text in [*plan.warnings(plans, facts), *_persist_warnings(plans, rewrite, info)]:
            warn(text)
        executed: list = []
        after = {found.name: found.desired for found in plans}
        if not check_mode:
            executed = _applied(cache, plans, rewrite, options, local, warn)
            after = cache.config_get(list(after))
            overridden = local.overrides(plans, written=True) if local else []
        for override in overridden:
            warn(f"a restart of the server undoes this: {override}")
        return {
            **_compared(plans, after, {found.name for found in overridden} if rewrite else set(after), cache),
            "persisted": rewrite,
            "overridden": [asdict(override) for override in overridden],
            "executed_commands": executed,
            "server": {
                "version": cache.version,
                "role": role(info),
                "config_file": info.get("config_file") or None,
                "where": cache.where,
            },
        }
    finally:
        cache.close()


def _applied(cache: Cache, plans: list, rewrite: bool, options: dict, local, warn) -> list:
    """The commands that were run. Also without a change: a value that is live is not yet in the file."""
    around_rewrite = local.keeping_mode if local else contextlib.nullcontext
    try:
        return apply(cache, plans, rewrite, options["aof_wait_seconds"], around_rewrite)
    finally:
        for text in local.complaints if local else []:
            warn(text)


def _refuse_bad_options(options: dict) -> None:
    if not 1 <= options["maxmemory_limit_percent"] <= 100:
        raise OperatorError("maxmemory_limit_percent must be 1 to 100")
    if options["aof_wait_seconds"] < 1:
        raise OperatorError("aof_wait_seconds must be 1 or more")


def _plans(options: dict, facts: plan.Facts, cache: Cache) -> list:
    plans, problems = plan.plan(options["settings"], facts, options["maxmemory_limit_percent"])
    if problems:
        raise OperatorError(
            f"{_count(problems)} cannot be taken; nothing was changed",
            cache.where,
            "correct them and run again",
            {"problems": problems},
            problems,
        )
    return plans


def _can_rewrite(persist: str, info: dict, cache: Cache) -> bool:
    if persist == "never":
        return False
    if info.get("config_file"):
        return True
    if persist == "always":
        raise OperatorError(
            "the server runs without a configuration file, so a restart would forget the settings; nothing was changed",
            cache.where,
            "start the server with a configuration file that it may write (redis-server /path/redis.conf),"
            " or set persist=if_possible",
        )
    return False


def _refuse_overridden(overridden: list, options: dict, cache: Cache) -> None:
    if not overridden or options["on_override"] != "fail":
        return
    raise OperatorError(
        f"{_count(overridden)} would not outlive a restart, because the server then reads another value after the one"
        " that CONFIG REWRITE writes; nothing was changed",
        cache.where,
        "do what stands beside each, or set on_override=warn to set and write the values all the same",
        {"overridden": [asdict(override) for override in overridden]},
        [str(override) for override in overridden],
    )


def _compared(plans: list, after: dict, forgotten: set, cache: Cache) -> dict:
    change = Change(f"settings of {cache.where}")
    settings = {}
    for found in plans:
        shown = {
            "name": found.name,
            "wanted": values.rendered(found.name, found.desired),
            "before": values.rendered(found.name, found.current),
            "live": values.rendered(found.name, after[found.name]),
            "state": LIVE_ONLY if found.name in forgotten else APPLIED,
        }
        settings[found.name] = shown
        change.add(found.name, shown["before"], shown["wanted"] if found.changes else shown["before"])
    return {"changed": change.changed, "diff": change.diff(), "settings": settings}


def _persist_warnings(plans: list, rewrite: bool, info: dict) -> list:
    if rewrite or not plans:
        return []
    names = ", ".join(found.name for found in plans)
    why = "persist is never" if info.get("config_file") else "it runs without a configuration file"
    return [f"a restart of the server may forget {names}, because {why}"]


def _count(found: list) -> str:
    return "1 setting" if len(found) == 1 else f"{len(found)} settings"
