# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans that take back the dangerous values which somebody left behind by ALTER SYSTEM."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Dict, Iterator, List, Sequence

from ansible_collections.midi.capacity.plugins.module_utils._settings import overrides, safety, values
from ansible_collections.midi.capacity.plugins.module_utils._settings.plan import (
    Facts,
    SettingPlan,
    facts_after,
    plan_absent,
    plan_present,
)

# What is set where the files below ALTER SYSTEM say something dangerous as well.
_SAFE: Dict[str, Any] = {**dict.fromkeys(safety.WHEN_OFF, "on"), "wal_level": "replica"}
_LIBRARIES = "shared_preload_libraries"


def plan_restored(facts: Facts, plans: Sequence[SettingPlan]) -> List[SettingPlan]:
    """Plans beside `plans`, for what would still be dangerous after them and a reload or ALTER SYSTEM can mend.

    What stands elsewhere stays, and so does what `plans` want. Among them is wal_level as long as the server, which was
    started with minimal, waits for the restart that ends it.
    """
    spoken = {plan.name for plan in plans}
    found: List[SettingPlan] = []
    for danger in safety.dangers(facts_after(facts, plans)):
        names = [name for name in danger.involved if name not in spoken]
        # A role or database that carries a dangerous value is a danger of its own, and overrides nothing wanted here.
        candidates = (replace(plan, overrides=()) for name in names for plan in _candidates(name, facts))
        mends = (plan for plan in candidates if not _remains(danger, facts_after(facts, [*plans, *found, plan])))
        found += [plan for plan in [next(mends, None)] if plan is not None]
    mended = {plan.name for plan in found}
    return found + [plan for plan in _waiting(facts) if plan.name not in spoken | mended]


def _candidates(name: str, facts: Facts) -> Iterator[SettingPlan]:
    """Ways to mend a setting, the best first. What the files below say is what its owner meant, so that is a reset."""
    if facts.by_alter_system(name) is None:
        # The files may be mended already, and wait to be read.
        yield from _absent(name, facts)
        return
    if name == _LIBRARIES:
        # "a,b" as one name was meant as two.
        yield from plan_present({name: []}, facts)[0]
    yield from _absent(name, facts)
    if name in _SAFE:
        yield from plan_present({name: _SAFE[name]}, facts)[0]


def _absent(name: str, facts: Facts) -> List[SettingPlan]:
    return plan_absent([name], facts)[0]


def _remains(danger: safety.Danger, after: Facts) -> bool:
    return danger.name in [found.name for found in safety.dangers(after) if not found.carried_reset]


def _waiting(facts: Facts) -> List[SettingPlan]:
    level = facts.definitions.get("wal_level")
    if level is None or overrides.is_above_files(level) or level.setting != "minimal":
        return []
    desired = facts.at_next_start(level)
    return [] if values.same(level, desired, "minimal") else [SettingPlan(level, desired, desired, "none")]
