# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""postgresql.auto.conf with the values that a server runs with, in case it does not start with the new ones."""

from __future__ import annotations

import re
from typing import Dict, List, Mapping, Optional

from ansible_collections.midi.capacity.plugins.module_utils._settings import overrides, values
from ansible_collections.midi.capacity.plugins.module_utils._settings.lists import is_list, split
from ansible_collections.midi.capacity.plugins.module_utils._settings.model import Definition
from ansible_collections.midi.capacity.plugins.module_utils._settings.plan import Facts

# As ALTER SYSTEM writes it: one setting a line.
_LINE = re.compile(r"\s*([A-Za-z_][\w.$]*)\s*(?:=|\s)")


def pins(facts: Facts) -> Dict[str, Optional[str]]:
    """For each setting that waits for a restart what its line has to say so that the next start takes the live value.

    None stands for no line, because the files below say it already.
    """
    waiting = [found for found in facts.definitions.values() if waits(facts, found)]
    return {found.name: _pin(facts, found) for found in waiting}


def waits(facts: Facts, definition: Definition) -> bool:
    """Whether the server would start with another value than it runs with."""
    if not definition.needs_restart or overrides.is_above_files(definition):
        return False
    if definition.pending_restart or definition.vartype == "string":
        return definition.pending_restart
    # The files may have been changed since the server read them. -1 and 0 stand for sizes that it computes.
    following = facts.at_next_start(definition)
    return following not in ("-1", "0") and not values.shows(definition, definition.setting, following)


def pinned(text: str, wanted: Mapping[str, Optional[str]]) -> str:
    """The text of postgresql.auto.conf with these values, each written as between quotes, instead of its own."""
    names = {name.lower() for name in wanted}
    kept = [line for line in text.splitlines() if _name(line) not in names]
    kept += [f"{name} = {_quoted(value)}" for name, value in sorted(wanted.items()) if value is not None]
    return "".join(f"{line}\n" for line in kept)


def lines(facts: Facts, names: List[str]) -> str:
    """A configuration file with what the server would start with next time, for these settings."""
    found = {name: facts.definitions[name] for name in names}
    return "".join(
        f"{name} = {_quoted(_literal(definition, facts.at_next_start(definition)))}\n"
        for name, definition in found.items()
    )


def _pin(facts: Facts, definition: Definition) -> Optional[str]:
    below = facts.below_alter_system(definition.name)
    try:
        default = (
            values.canonical(definition, below.value) if below and below.value is not None else definition.boot_val
        )
    except values.InvalidValue:
        default = None
    if default is not None and values.shows(definition, definition.setting, default):
        return None
    return _literal(definition, definition.setting)


def _literal(definition: Definition, value: str) -> str:
    if is_list(definition.name):
        # An element with quotes of its own where it needs them; "" would be a list with one empty name.
        return ", ".join(_element(element) for element in split(value))
    return values.written(definition, value)


def _element(element: str) -> str:
    return element if re.match(r"[a-z_$][a-z0-9_$/.-]*\Z", element) else '"' + element.replace('"', '""') + '"'


def _name(line: str) -> str:
    match = _LINE.match(line)
    return match[1].lower() if match else ""


def _quoted(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"
