# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What keeps a wanted value from taking effect, and what to change so that it does.

Precedence, PostgreSQL manual 19.1: command line > postgresql.auto.conf > included files and postgresql.conf;
on top of the server's value come ALTER DATABASE SET, ALTER ROLE SET and the session's own SET.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Dict, Iterable, List, Optional

from ansible_collections.midi.capacity.plugins.module_utils._settings import values
from ansible_collections.midi.capacity.plugins.module_utils._settings.model import Definition, RoleValue

_ABOVE_FILES = ("command line", "environment variable")
_PER_SESSION = ("database", "user", "database user", "client", "session", "global", "interactive", "test")


@dataclass(frozen=True)
class Override:
    """One value that wins over the wanted one."""

    name: str
    by: str
    value: str
    wanted: str
    remedy: str

    def as_dict(self) -> Dict[str, Any]:
        return {"name": self.name, "by": self.by, "value": self.value, "wanted": self.wanted, "remedy": self.remedy}

    def __str__(self) -> str:
        return f"{self.name} is {self.value} by {self.by}, wanted {self.wanted}: {self.remedy}"


def is_above_files(definition: Definition) -> bool:
    """The server was started with a value that no file can change."""
    return definition.source in _ABOVE_FILES


def is_per_session(definition: Definition) -> bool:
    """The value seen is that of the session that looked, not the server's."""
    return definition.source in _PER_SESSION


def overrides(definition: Definition, desired: str, role_values: Iterable[RoleValue]) -> List[Override]:
    """Everything that beats `desired`, a canonical value, for all sessions or for those of a role or database."""
    found = [_started_with(definition, desired), *(_carried(definition, desired, entry) for entry in role_values)]
    return [override for override in found if override is not None]


def _started_with(definition: Definition, desired: str) -> Optional[Override]:
    if not is_above_files(definition) or values.shows(definition, definition.setting, desired):
        return None
    live, wanted = values.shown(definition, definition.setting), values.shown(definition, desired)
    if definition.source == "command line":
        remedy = f"{command_line_remedy(definition.name, live)}; or set {wanted} there"
    else:
        remedy = "unset the variable in the environment that starts the server, then start it again"
    return Override(definition.name, f"the {definition.source}", live, wanted, remedy)


def command_line_remedy(name: str, value: str) -> str:
    """How a value is taken out of the command that starts the server."""
    return (
        f'take "-c {name}={value}" (or its short option) out of the command that starts the server (systemd: ExecStart;'
        " Debian: pg_ctl.conf; Docker: the container's command, in its compose file), then start it again"
    )


def unexplained(definition: Definition, desired: str) -> Override:
    """The files say `desired`, they have been read, and the server still says otherwise."""
    place = f" ({definition.sourcefile} line {definition.sourceline})" if definition.sourcefile else ""
    return Override(
        definition.name,
        f"the {definition.source}{place}",
        values.shown(definition, definition.setting),
        values.shown(definition, desired),
        "look into the server's log for the reason",
    )


def _carried(definition: Definition, desired: str, entry: RoleValue) -> Optional[Override]:
    try:
        value = values.canonical(definition, entry.value)
    except values.InvalidValue:
        value = entry.value
    if value == entry.value and value == desired:
        return None
    try:
        if values.same(definition, value, desired):
            return None
        shown = values.shown(definition, value)
    except ValueError:
        shown = value
    return Override(
        definition.name, entry.owner, shown, values.shown(definition, desired), f"run {entry.reset_statement}"
    )
