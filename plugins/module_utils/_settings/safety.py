# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings that lose data, blind the planner, or keep the server from starting again, wherever they were set."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Dict, List, Tuple

from ansible_collections.midi.capacity.plugins.module_utils._settings import lists, overrides, values
from ansible_collections.midi.capacity.plugins.module_utils._settings.model import Definition
from ansible_collections.midi.capacity.plugins.module_utils._settings.plan import Facts

# What each costs: PostgreSQL manual 19.5 (fsync, full_page_writes), 19.10 (autovacuum), 19.9 (track_*).
WHEN_OFF = {
    "fsync": "a crash of the host can corrupt the whole cluster",
    "full_page_writes": "a crash of the host can corrupt pages beyond repair",
    "autovacuum": "dead rows and transaction ids pile up until the server stops taking writes",
    "track_counts": "autovacuum and every statistic of tables and indexes are blind",
    "track_activities": "sessions and their states cannot be seen",
}
# What together may not eat up max_connections.
_RESERVED = ("superuser_reserved_connections", "reserved_connections")
_COMMAND_LINE = "the command line"


@dataclass(frozen=True)
class Danger:
    """One dangerous value: live, or waiting in a file for the next start.

    involved: the settings that can be to blame. carried_reset: what takes it away from a role or a database.
    """

    name: str
    value: str
    consequence: str
    where: str
    by_alter_system: bool
    prevents_start: bool = False
    planned: bool = False
    involved: Tuple[str, ...] = ()
    carried_reset: str = ""

    def as_dict(self) -> Dict[str, Any]:
        return {
            "name": self.name,
            "value": self.value,
            "consequence": self.consequence,
            "where": self.where,
            "remedy": self.remedy,
            "prevents_start": self.prevents_start,
        }

    @property
    def remedy(self) -> str:
        if self.planned:
            return "want another value"
        if self.carried_reset:
            return self.carried_reset
        if self.where == _COMMAND_LINE:
            return overrides.command_line_remedy(self.name, self.value)
        if self.by_alter_system:
            return f"ALTER SYSTEM RESET {self.name}"
        return f"change {self.name} in {self.where}"

    def __str__(self) -> str:
        return f"{self.name} = {self.value} in {self.where}: {self.consequence}; {self.remedy}"


def dangers(facts: Facts) -> List[Danger]:
    """Everything dangerous in what the server runs with or will start with next time."""
    found: List[Danger] = []
    for name, consequence in WHEN_OFF.items():
        if name in facts.definitions:
            if "off" in _live_and_next(facts, facts.definitions[name]):
                found.append(_danger(facts, facts.definitions[name], "off", consequence))
            found += _carried(facts, facts.definitions[name], consequence)
    return found + _wal_level(facts) + _reserved_connections(facts) + _libraries(facts)


def _carried(facts: Facts, definition: Definition, consequence: str) -> List[Danger]:
    """What a role or a database switches off for its own sessions."""
    return [
        Danger(definition.name, "off", consequence, value.owner, False, carried_reset=value.reset_statement)
        for value in facts.carried(definition.name)
        if values.canonical(definition, value.value) == "off"
    ]


def _wal_level(facts: Facts) -> List[Danger]:
    """PostmasterMain in the server's source refuses to start with wal_level minimal beside something that needs WAL."""
    level = facts.definitions.get("wal_level")
    if level is None or facts.at_next_start(level) != "minimal":
        return []
    uses = {"max_wal_senders": ("0",), "archive_mode": ("off",), "summarize_wal": ("off",)}
    known = {name: facts.at_next_start(facts.definitions[name]) for name in uses if name in facts.definitions}
    wanted = [f"{name} = {value}" for name, value in known.items() if value not in uses[name]]
    if not wanted:
        return []
    text = f"with {' and '.join(wanted)} the server will not start again"
    return [_danger(facts, level, "minimal", text, prevents_start=True)]


def _reserved_connections(facts: Facts) -> List[Danger]:
    """Also PostmasterMain: connections that are reserved must be fewer than all."""
    maximum = facts.definitions.get("max_connections")
    reserved = [int(facts.at_next_start(facts.definitions[name])) for name in _RESERVED if name in facts.definitions]
    if maximum is None or sum(reserved) < int(facts.at_next_start(maximum)):
        return []
    text = f"with {sum(reserved)} connections reserved the server will not start again"
    found = _danger(facts, maximum, facts.at_next_start(maximum), text, prevents_start=True)
    return [replace(found, involved=(maximum.name, *_RESERVED))]


def _libraries(facts: Facts) -> List[Danger]:
    definition = facts.definitions.get("shared_preload_libraries")
    if definition is not None and overrides.is_above_files(definition):
        return []
    entry = facts.winner("shared_preload_libraries")
    if definition is None or entry is None or entry.value is None:
        return []
    if '""' in entry.value or any("," in element for element in lists.split(entry.value)):
        text = "it names a library that cannot exist, so the server will not start again"
        return [_danger(facts, definition, entry.value, text, prevents_start=True)]
    return []


def _danger(facts: Facts, definition: Definition, value: str, consequence: str, prevents_start: bool = False) -> Danger:
    entry = None if overrides.is_above_files(definition) else facts.winner(definition.name)
    where = entry.where if entry else f"the {definition.source}"
    return Danger(
        definition.name,
        value,
        consequence,
        where,
        by_alter_system=bool(entry and entry.by_alter_system),
        prevents_start=prevents_start,
        planned=bool(entry and entry.planned),
        involved=(definition.name,),
    )


def _live_and_next(facts: Facts, definition: Definition) -> List[str]:
    """What the server uses and will use; what only the session sees that looked is not the server's."""
    live = [] if overrides.is_per_session(definition) else [definition.setting]
    return [*live, facts.at_next_start(definition)]
