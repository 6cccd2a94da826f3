# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From what is wanted and what the server says to what has to be done, per setting and before anything is touched."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, replace
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.midi.capacity.plugins.module_utils._settings import lists, overrides, values
from ansible_collections.midi.capacity.plugins.module_utils._settings.model import Definition, FileEntry, RoleValue

# Fixed when the server starts, from the command line only: ALTER SYSTEM refuses them.
_NOT_IN_AUTO_FILE = ("allow_alter_system", "config_file", "data_directory")

APPLIED, PENDING_RESTART, OVERRIDDEN = "applied", "pending_restart", "overridden"


@dataclass(frozen=True)
class Facts:
    """What the server said, read in one go."""

    definitions: Mapping[str, Definition]
    entries: Sequence[FileEntry]
    role_values: Sequence[RoleValue]

    def definition(self, name: str) -> Optional[Definition]:
        """The definition of a name in any case."""
        lowered = name.lower()
        return next((found for known, found in self.definitions.items() if known.lower() == lowered), None)

    def winner(self, name: str) -> Optional[FileEntry]:
        """The file entry that the server uses."""
        return next(iter(self._entries_of(name)[::-1]), None)

    def by_alter_system(self, name: str) -> Optional[FileEntry]:
        return next((entry for entry in self._entries_of(name)[::-1] if entry.by_alter_system), None)

    def below_alter_system(self, name: str) -> Optional[FileEntry]:
        """The file entry that counts once ALTER SYSTEM RESET has taken its own away."""
        return next((entry for entry in self._entries_of(name)[::-1] if not entry.by_alter_system), None)

    def carried(self, name: str) -> List[RoleValue]:
        return [value for value in self.role_values if value.name.lower() == name.lower()]

    def at_next_start(self, definition: Definition) -> str:
        """The canonical value that the server would start with."""
        entry = self.winner(definition.name)
        if overrides.is_above_files(definition):
            return definition.setting
        if entry is None or entry.value is None:
            return definition.boot_val or definition.setting
        try:
            return values.canonical(definition, entry.value)
        except values.InvalidValue:
            return entry.value

    def _entries_of(self, name: str) -> List[FileEntry]:
        return [entry for entry in self.entries if entry.name is not None and entry.name.lower() == name.lower()]


@dataclass(frozen=True)
class SettingPlan:
    """One setting: what the files say now, what they shall say, and what has to be done for it.

    configured, desired: canonical values. action: set, reset or none.
    """

    definition: Definition
    configured: str
    desired: str
    action: str
    overrides: Tuple[overrides.Override, ...] = ()

    @property
    def name(self) -> str:
        return self.definition.name

    @property
    def unread(self) -> bool:
        """The files already say it and the server does not: it has not read them since, so a reload is due."""
        found = self.definition
        if (
            self.action != "none"
            or self.overrides
            or overrides.is_above_files(found)
            or overrides.is_per_session(found)
        ):
            return False
        # The server may show a text in its own spelling; a difference there proves nothing.
        return found.vartype != "string" and not values.shows(found, found.setting, self.desired)

    @property
    def changes(self) -> bool:
        """Something will be different afterwards: a file, or the value that the server uses."""
        return self.action != "none" or (self.unread and not self.definition.needs_restart)


def plan_present(
    wanted: Mapping[str, Any], facts: Facts, merge_lists: bool = True
) -> Tuple[List[SettingPlan], List[str]]:
    """Plans in the order of `wanted`, and everything that is wrong with it, a sentence each."""
    plans: List[SettingPlan] = []
    problems: List[str] = []
    for name, definition in _definitions(wanted, facts, problems):
        try:
            plans.append(_plan_one(definition, wanted[name], facts, merge_lists))
        except values.InvalidValue as problem:
            problems.append(f"{definition.name} {problem}")
    return plans, problems


def plan_absent(names: Sequence[str], facts: Facts) -> Tuple[List[SettingPlan], List[str]]:
    """Plans that take ALTER SYSTEM's entries away, and everything that is wrong with the names."""
    problems: List[str] = []
    plans = [_plan_reset(definition, facts) for _name, definition in _definitions(names, facts, problems)]
    return plans, problems


def state(plan: SettingPlan, after: Definition) -> str:
    """Where a setting stands: applied, pending_restart or overridden.

    after: the definition as read back, or as `predicted` in check mode.
    """
    if plan.overrides:
        return OVERRIDDEN
    if overrides.is_per_session(after) or values.shows(after, after.setting, plan.desired):
        return APPLIED
    if after.needs_restart and after.pending_restart:
        return PENDING_RESTART
    if _reads_differently(after, plan.desired):
        return APPLIED
    return PENDING_RESTART if after.needs_restart else OVERRIDDEN


def predicted(plan: SettingPlan) -> Definition:
    """The definition as it will read once the plan has been applied, for check mode."""
    found = plan.definition
    differs = not values.shows(found, found.setting, plan.desired)
    if plan.overrides or _not_from_files(found):
        return found
    if found.needs_restart:
        return replace(found, pending_restart=differs and (plan.action != "none" or found.pending_restart))
    return replace(found, setting=plan.desired, source="configuration file") if plan.changes else found


def facts_after(facts: Facts, plans: Sequence[SettingPlan]) -> Facts:
    """What the server will say once the plans have been applied, for check mode and to judge them beforehand."""
    written = {plan.name.lower() for plan in plans if plan.action != "none"}
    entries = [
        entry for entry in facts.entries if not (entry.by_alter_system and (entry.name or "").lower() in written)
    ]
    entries += [
        FileEntry("", 0, plan.name, values.written(plan.definition, plan.desired), planned=True)
        for plan in plans
        if plan.action == "set"
    ]
    definitions = {**facts.definitions, **{plan.name: predicted(plan) for plan in plans}}
    return Facts(definitions, entries, facts.role_values)


def file_problems(facts: Facts) -> List[str]:
    """Lines of the configuration files that the server cannot use; with one of them a reload or a start fails."""
    return [
        f"{entry.where}: {entry.name or 'syntax'}: {entry.error}"
        for entry in facts.entries
        if entry.error is not None and not _only_waits_for_restart(entry, facts)
    ]


def _definitions(wanted: Any, facts: Facts, problems: List[str]) -> List[Tuple[str, Definition]]:
    found: List[Tuple[str, Definition]] = []
    seen: Dict[str, str] = {}
    for name in wanted:
        definition = facts.definition(name)
        if name.lower() in seen:
            problems.append(f"{name} is given twice, also as {seen[name.lower()]}")
        elif definition is None:
            problems.append(f"{name} is not a setting of this server{_hint(name, facts)}")
        elif definition.context == "internal" or definition.name in _NOT_IN_AUTO_FILE:
            problems.append(f"{name} cannot be changed by ALTER SYSTEM")
        else:
            found.append((name, definition))
        seen.setdefault(name.lower(), name)
    return found


def _hint(name: str, facts: Facts) -> str:
    prefix = name.split(".", 1)[0]
    placeholder = facts.winner(name)
    if placeholder is not None:
        return f": it is an application's own, which the server does not show; it stands in {placeholder.where}"
    if "." in name and not any(known.startswith(prefix + ".") for known in facts.definitions):
        return f": load the library {prefix} first (shared_preload_libraries), then set it in a second run"
    close = difflib.get_close_matches(name.lower(), list(facts.definitions), n=1)
    return f": did you mean {close[0]}?" if close else ""


def _plan_one(definition: Definition, wanted: Any, facts: Facts, merge_lists: bool) -> SettingPlan:
    configured = _configured(definition, facts.winner(definition.name))
    if merge_lists and lists.is_merged(definition.name):
        values.canonical(definition, wanted)
        existing = definition.setting if overrides.is_above_files(definition) else configured
        desired = lists.merged(existing, wanted)
    else:
        desired = values.canonical(definition, wanted)
    found = tuple(overrides.overrides(definition, desired, facts.carried(definition.name)))
    if _proven(definition, desired) or values.same(definition, configured, desired):
        return SettingPlan(definition, configured, desired, "none", found)
    return SettingPlan(definition, configured, desired, _write(definition, desired, facts), found)


def _write(definition: Definition, desired: str, facts: Facts) -> str:
    if not lists.is_list(definition.name) or lists.split(desired):
        return "set"
    # ALTER SYSTEM SET x = '' stores a list with one empty name in it, which no server starts with.
    below = facts.below_alter_system(definition.name)
    if values.same(definition, _configured(definition, below), desired):
        return "reset"
    place = below.where if below else "the server's default"
    raise values.InvalidValue(f"cannot be emptied by ALTER SYSTEM: take the elements out where they stand, {place}")


def _plan_reset(definition: Definition, facts: Facts) -> SettingPlan:
    configured = _configured(definition, facts.winner(definition.name))
    desired = _configured(definition, facts.below_alter_system(definition.name))
    action = "reset" if facts.by_alter_system(definition.name) else "none"
    found = tuple(overrides.overrides(definition, desired, facts.carried(definition.name)))
    return SettingPlan(definition, configured, desired, action, found)


def _not_from_files(definition: Definition) -> bool:
    return overrides.is_above_files(definition) or overrides.is_per_session(definition)


def _reads_differently(definition: Definition, desired: str) -> bool:
    """The server may show something else and still obey: a size it computes for -1 or 0, a text in its own spelling."""
    return definition.vartype == "string" or desired in ("-1", "0")


def _proven(definition: Definition, desired: str) -> bool:
    """The server was started with the wanted value: no file needs to say it."""
    return overrides.is_above_files(definition) and values.shows(definition, definition.setting, desired)


def _configured(definition: Definition, entry: Optional[FileEntry]) -> str:
    if entry is None or entry.value is None:
        return definition.boot_val or ""
    try:
        return values.canonical(definition, entry.value)
    except values.InvalidValue:
        return entry.value


def _was_taken_out(definition: Definition, facts: Facts) -> bool:
    """The server runs with a value from a file that no file has any more, until it is started again."""
    return (
        definition.needs_restart and definition.source == "configuration file" and facts.winner(definition.name) is None
    )


def _only_waits_for_restart(entry: FileEntry, facts: Facts) -> bool:
    """The server also files "cannot be changed without a restart" under errors; the value itself is fine then."""
    if entry.file is None:
        # The row names nothing but in its text, which may be in any language.
        return any(_was_taken_out(definition, facts) for definition in facts.definitions.values())
    definition = facts.definition(entry.name) if entry.name else None
    if definition is None or not definition.needs_restart or entry.value is None:
        return False
    try:
        values.canonical(definition, entry.value)
    except values.InvalidValue:
        return False
    return True
