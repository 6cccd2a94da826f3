# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the modules that look for keys have in common: the strategy from their options, and servers that they refuse."""

from __future__ import annotations

from ansible_collections.midi.capacity.plugins.module_utils._errors import OperatorError
from ansible_collections.midi.capacity.plugins.module_utils._redis import Cache, CacheError
from ansible_collections.midi.capacity.plugins.module_utils._redis_info.parse import parse_keyspace
from ansible_collections.midi.capacity.plugins.module_utils._redis_keys.model import Strategy, read

# The one that a connection begins with, and that the modules look at.
DATABASE = "db0"


def strategy_of(options: dict, events: tuple = ()) -> Strategy:
    """From the option `keys`. Raises OperatorError with everything that is wrong."""
    strategy, problems = read(options["keys"], events)
    if strategy is None:
        raise refusal("the keys", problems)
    return strategy


def refusal(of_what: str, problems: list) -> OperatorError:
    number = "1 fault" if len(problems) == 1 else f"{len(problems)} faults"
    remedy = "correct it and run again" if len(problems) == 1 else "correct them and run again"
    what = f"{number} in {of_what}; nothing was touched"
    return OperatorError(what, "", remedy, {"problems": problems}, problems)


def refuse_out_of_range(options: dict, ranges: dict) -> None:
    """ranges: by the name of an option, its least and its greatest value."""
    wrong = [
        f"{name} must be {least} to {greatest}, and not {options[name]}"
        for name, (least, greatest) in ranges.items()
        if not least <= options[name] <= greatest
    ]
    if wrong:
        raise refusal("the options", wrong)


def refuse_parts_of_a_whole(cache: Cache, info: dict) -> None:
    """Raises CacheError for a server whose keys are elsewhere, so that an answer of its own would mislead."""
    if info.get("redis_mode") == "cluster" or info.get("cluster_enabled") == "1":
        raise CacheError(
            "this is a node of a Redis Cluster, which has only a part of the keys",
            cache.where,
            "use a cache that is one server: this collection does not look for keys in a cluster",
        )
    if info.get("redis_mode") == "sentinel":
        raise CacheError("this is a Sentinel, which has no keys", cache.where, "connect to the server that it watches")


def keys_in_database(info: dict) -> int:
    return parse_keyspace(info).get(DATABASE, {}).get("keys", 0)


def warnings(info: dict) -> list:
    """What the operator should know about where was not looked."""
    others = {name: found["keys"] for name, found in parse_keyspace(info).items() if name != DATABASE and found["keys"]}
    if not others:
        return []
    listed = ", ".join(f"{name} ({number})" for name, number in sorted(others.items()))
    return [f"keys are looked for in database 0 only; this server has keys in others, too: {listed}"]
