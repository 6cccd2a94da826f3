# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From what is wanted and what the server says to what has to be done, per setting and before anything is touched."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.midi.capacity.plugins.module_utils._redis_settings import catalog, headroom, values

# What makes the server evict keys, which nothing brings back. A limit that falls comes after the policy that is wanted.
_EVICTING = ("maxmemory-policy", "replica-ignore-maxmemory", "slave-ignore-maxmemory", "maxmemory")


@dataclass(frozen=True)
class Facts:
    """What the server said. config: every setting by its name; secrets without their values."""

    config: Mapping[str, str]
    version: Tuple[int, ...]
    used_bytes: Optional[int] = None
    total_bytes: Optional[int] = None

    @property
    def words_known(self) -> bool:
        """Whether the catalog has all words that this version takes."""
        return self.version[:2] <= catalog.NEWEST_KNOWN_VERSION


@dataclass(frozen=True)
class SettingPlan:
    """One setting: the value that it has and the one that it shall have, as CONFIG GET shows them."""

    name: str
    current: str
    desired: str

    @property
    def changes(self) -> bool:
        return not values.same(self.name, self.current, self.desired)


def plan(wanted: Mapping[str, Any], facts: Facts, limit_percent: int) -> Tuple[List[SettingPlan], List[str]]:
    """Plans in the order of `wanted`, and everything that is wrong with it, a sentence each.

    limit_percent: the largest share of the host's RAM that maxmemory may be.
    """
    plans: List[SettingPlan] = []
    problems: List[str] = []
    seen: Dict[str, str] = {}
    for given, value in wanted.items():
        name = str(given).lower()
        twin = seen.setdefault(catalog.one_name(name), given)
        problem = _name_problem(name, facts) if twin == given else f"is given twice, also as {twin}"
        if problem is None:
            try:
                plans.append(_plan_one(name, value, facts, limit_percent))
            except values.InvalidValue as error:
                problem = str(error)
        if problem is not None:
            problems.append(f"{given} {problem}")
    return plans, problems


def in_steps(plans: Sequence[SettingPlan]) -> Tuple[List[SettingPlan], List[SettingPlan]]:
    """Those that change something, in the order in which to set them: what can be taken back whole, and then what
    evicts keys, for when all the rest is proven."""
    changing = [found for found in plans if found.changes]
    first = sorted((found for found in changing if found.name not in _EVICTING), key=lambda f: f.name == "appendonly")
    last = sorted((found for found in changing if found.name in _EVICTING), key=lambda f: _EVICTING.index(f.name))
    # Otherwise a new policy would evict down to the limit that was.
    return first, last[::-1] if any(_lifts_limit(found) for found in last) else last


def warnings(plans: Sequence[SettingPlan], facts: Facts) -> List[str]:
    """What the operator should know before it happens."""
    by_name = {found.name: found for found in plans}
    limit = by_name.get("maxmemory")
    if limit is None:
        return []
    found: List[str] = []
    if facts.total_bytes is None:
        found.append("the server does not say how much RAM its host has, so maxmemory was not compared with it")
    policy = by_name.get("maxmemory-policy")
    desired_policy = policy.desired if policy else facts.config.get("maxmemory-policy", "noeviction")
    consequence = headroom.consequence(int(limit.desired), facts.used_bytes, desired_policy) if limit.changes else None
    return [*found, consequence] if consequence else found


def unlike(plans: Sequence[SettingPlan], live: Mapping[str, str]) -> List[str]:
    """The settings that read back as something else than what was set, a sentence each."""
    return [
        f"{found.name} was set to {values.rendered(found.name, found.desired)} and reads back as"
        f" {values.rendered(found.name, live.get(found.name, ''))}"
        for found in plans
        if not values.same(found.name, live.get(found.name, ""), found.desired)
    ]


def _lifts_limit(found: SettingPlan) -> bool:
    if found.name != "maxmemory":
        return False
    current, desired = int(found.current), int(found.desired)
    return desired == 0 or 0 < current < desired


def _name_problem(name: str, facts: Facts) -> Optional[str]:
    if name in catalog.SECRET:
        return "holds a secret, which a task would show: set it in the configuration file, or use ACL users"
    if name not in facts.config:
        close = difflib.get_close_matches(name.replace("_", "-"), list(facts.config), n=1)
        return "is not a setting of this server" + (f": did you mean {close[0]}?" if close else "")
    return catalog.why_fixed(name, facts.version, facts.config)


def _plan_one(name: str, wanted: Any, facts: Facts, limit_percent: int) -> SettingPlan:
    current = facts.config[name]
    desired = values.canonical(name, wanted, current, facts.words_known)
    if name == "maxmemory":
        problem = headroom.problem(int(desired), facts.total_bytes, limit_percent)
        if problem:
            raise values.InvalidValue(problem)
    return SettingPlan(name, current, desired)
