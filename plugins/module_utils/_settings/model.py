# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rows that everything here works on, named after PostgreSQL's own views."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional, Tuple


@dataclass(frozen=True)
class Definition:
    """A row of pg_settings: `setting`, `boot_val` and `reset_val` are in `unit`, without it."""

    name: str
    setting: str
    unit: Optional[str]
    vartype: str
    context: str
    source: str
    min_val: Optional[str] = None
    max_val: Optional[str] = None
    enumvals: Tuple[str, ...] = ()
    boot_val: Optional[str] = None
    reset_val: Optional[str] = None
    sourcefile: Optional[str] = None
    sourceline: Optional[int] = None
    pending_restart: bool = False

    @property
    def needs_restart(self) -> bool:
        """A change of it takes effect only when the server is started again."""
        return self.context == "postmaster"


@dataclass(frozen=True)
class FileEntry:
    """A row of pg_file_settings, in the order in which the server reads them: the last one of a name wins.

    planned: ALTER SYSTEM is about to write it, so it has no place yet. Without a file and a name the row is about a
    setting that was taken out of the files.
    """

    file: Optional[str]
    line: Optional[int]
    name: Optional[str]
    value: Optional[str]
    error: Optional[str] = None
    planned: bool = False

    @property
    def by_alter_system(self) -> bool:
        return self.planned or (self.file or "").rsplit("/", 1)[-1] == "postgresql.auto.conf"

    @property
    def where(self) -> str:
        if self.planned:
            return "what is wanted here"
        return f"{self.file} line {self.line}" if self.file else "the configuration files"


@dataclass(frozen=True)
class RoleValue:
    """A value in pg_db_role_setting; None for role or database stands for all of them."""

    name: str
    value: str
    role: Optional[str] = None
    database: Optional[str] = None

    @property
    def owner(self) -> str:
        """Who carries the value, for people."""
        if self.role is not None and self.database is not None:
            return f'role "{self.role}" in database "{self.database}"'
        if self.role is not None:
            return f'role "{self.role}"'
        if self.database is not None:
            return f'database "{self.database}"'
        return "ALTER ROLE ALL"

    @property
    def reset_statement(self) -> str:
        """The statement that takes the value away."""
        if self.role is None and self.database is None:
            return f"ALTER ROLE ALL RESET {self.name}"
        if self.role is None:
            return f"ALTER DATABASE {_quoted(self.database)} RESET {self.name}"
        within = f" IN DATABASE {_quoted(self.database)}" if self.database is not None else ""
        return f"ALTER ROLE {_quoted(self.role)}{within} RESET {self.name}"


def _quoted(name: Optional[str]) -> str:
    return '"' + (name or "").replace('"', '""') + '"'
