# SPDX-License-Identifier: GPL-3.0-or-later
"""A small server's worth of settings for the tests of the pure package, with the values of PostgreSQL 16."""

from __future__ import annotations

from typing import Any

from ansible_collections.midi.capacity.plugins.module_utils._settings.model import Definition, FileEntry, RoleValue
from ansible_collections.midi.capacity.plugins.module_utils._settings.plan import Facts

AUTO = "/data/postgresql.auto.conf"
CONF = "/etc/postgresql.conf"

# name: vartype, context, unit, boot_val, min_val, max_val
_NUMBERS: dict[str, tuple[str, str, str | None, str, str, str]] = {
    "max_connections": ("integer", "postmaster", None, "100", "1", "262143"),
    "max_wal_senders": ("integer", "postmaster", None, "10", "0", "262143"),
    "superuser_reserved_connections": ("integer", "postmaster", None, "3", "0", "262143"),
    "shared_buffers": ("integer", "postmaster", "8kB", "16384", "16", "1073741823"),
    "wal_buffers": ("integer", "postmaster", "8kB", "-1", "-1", "262143"),
    "work_mem": ("integer", "user", "kB", "4096", "64", "2147483647"),
    "min_wal_size": ("integer", "sighup", "MB", "80", "2", "2147483647"),
    "statement_timeout": ("integer", "user", "ms", "0", "0", "2147483647"),
    "checkpoint_timeout": ("integer", "sighup", "s", "300", "30", "86400"),
    "log_rotation_age": ("integer", "sighup", "min", "1440", "0", "35791394"),
    "random_page_cost": ("real", "user", None, "4", "0", "1.79769e+308"),
    "vacuum_cost_delay": ("real", "user", "ms", "0", "0", "100"),
    "block_size": ("integer", "internal", None, "8192", "8192", "8192"),
}
# name: vartype, context, boot_val, enumvals
_WORDS: dict[str, tuple[str, str, str | None, tuple[str, ...]]] = {
    "fsync": ("bool", "sighup", "on", ()),
    "autovacuum": ("bool", "sighup", "on", ()),
    "track_counts": ("bool", "superuser", "on", ()),
    "wal_level": ("enum", "postmaster", "replica", ("minimal", "replica", "logical")),
    "wal_compression": ("enum", "superuser", "off", ("pglz", "lz4", "zstd", "on", "off")),
    "synchronous_commit": ("enum", "user", "on", ("local", "remote_write", "remote_apply", "on", "off")),
    "shared_preload_libraries": ("string", "postmaster", "", ()),
    "listen_addresses": ("string", "postmaster", "localhost", ()),
    "log_line_prefix": ("string", "sighup", "%m [%p] ", ()),
    "TimeZone": ("string", "user", "GMT", ()),
    "data_directory": ("string", "postmaster", None, ()),
}
_ROWS: dict[str, dict[str, Any]] = {
    name: dict(zip(("vartype", "context", "unit", "boot_val", "min_val", "max_val"), row, strict=True))
    for name, row in _NUMBERS.items()
} | {name: dict(zip(("vartype", "context", "boot_val", "enumvals"), row, strict=True)) for name, row in _WORDS.items()}


def definition(name: str, **changes: Any) -> Definition:
    """One of the definitions, at its default unless changed."""
    row = {"unit": None, "setting": _ROWS[name]["boot_val"] or "", "source": "default", **_ROWS[name], **changes}
    return Definition(name=name, **row)


def facts(
    entries: list[tuple[str, str, str]] | None = None, roles: list[RoleValue] | None = None, **live: dict[str, Any]
) -> Facts:
    """entries: (file, name, value) in reading order. live: what differs from the default, per setting."""
    definitions = {name: definition(name, **live.get(name, {})) for name in _ROWS}
    lines = [FileEntry(file, number, name, value) for number, (file, name, value) in enumerate(entries or [], 1)]
    return Facts(definitions, lines, roles or [])
