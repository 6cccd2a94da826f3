# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The flow of module redis_settings: read -> plan -> compare -> apply -> read back, with and without check mode."""

from __future__ import annotations

from ansible_collections.midi.capacity.plugins.module_utils._change import Change
from ansible_collections.midi.capacity.plugins.module_utils._errors import OperatorError
from ansible_collections.midi.capacity.plugins.module_utils._redis import Cache
from ansible_collections.midi.capacity.plugins.module_utils._redis_info.parse import role
from ansible_collections.midi.capacity.plugins.module_utils._redis_settings import catalog, plan, values
from ansible_collections.midi.capacity.plugins.module_utils._redis_settings_server import apply, read_facts

APPLIED, LIVE_ONLY = "applied", "live_only"


def converge(options: dict, check_mode: bool) -> dict:
    """Bring a cache's settings to what the options of module redis_settings say; gives the module's result."""
    _refuse_bad_options(options)
    cache = Cache.connect(options)
    try:
        info = cache.info()
        facts = read_facts(cache, info)
        plans = _plans(options, facts, cache)
        changes = plan.changes_in_order(plans)
        rewrite = bool(changes) and _can_rewrite(options["persist"], info, cache)
        executed: list = []
        after = {found.name: found.desired for found in plans}
        if not check_mode:
            if changes:
                executed = apply(cache, changes, rewrite, options["aof_wait_seconds"])
            after = cache.config_get(list(after))
        return {
            **_compared(plans, after, rewrite, cache),
            "persisted": rewrite,
            "executed_commands": executed,
            "warnings": [*plan.warnings(plans, facts), *_persist_warnings(changes, rewrite, info)],
            "server": {
                "version": cache.version,
                "role": role(info),
                "config_file": info.get("config_file") or None,
                "where": cache.where,
            },
        }
    finally:
        cache.close()


def secrets(settings: dict) -> list:
    """The values that must be masked, because somebody gave them for settings that hold secrets."""
    return [str(value) for name, value in settings.items() if str(name).lower() in catalog.SECRET and value]


def _refuse_bad_options(options: dict) -> None:
    if not 1 <= options["maxmemory_limit_percent"] <= 100:
        raise OperatorError("maxmemory_limit_percent must be 1 to 100")
    if options["aof_wait_seconds"] < 1:
        raise OperatorError("aof_wait_seconds must be 1 or more")


def _plans(options: dict, facts: plan.Facts, cache: Cache) -> list:
    plans, problems = plan.plan(options["settings"], facts, options["maxmemory_limit_percent"])
    if problems:
        number = "1 setting" if len(problems) == 1 else f"{len(problems)} settings"
        raise OperatorError(
            f"{number} cannot be taken; nothing was changed",
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


def _compared(plans: list, after: dict, rewrite: bool, cache: Cache) -> dict:
    change = Change(f"settings of {cache.where}")
    settings = {}
    for found in plans:
        shown = {
            "name": found.name,
            "wanted": values.rendered(found.name, found.desired),
            "before": values.rendered(found.name, found.current),
            "live": values.rendered(found.name, after[found.name]),
            "state": LIVE_ONLY if found.changes and not rewrite else APPLIED,
        }
        settings[found.name] = shown
        change.add(found.name, shown["before"], shown["wanted"] if found.changes else shown["before"])
    return {"changed": change.changed, "diff": change.diff(), "settings": settings}


def _persist_warnings(changes: list, rewrite: bool, info: dict) -> list:
    if rewrite or not changes:
        return []
    names = ", ".join(found.name for found in changes)
    why = "persist is never" if info.get("config_file") else "it runs without a configuration file"
    return [f"a restart of the server forgets the change of {names}, because {why}"]
