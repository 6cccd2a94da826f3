# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The flow of module pg_settings_info: settings as they are, and as they would be after the next start."""

from __future__ import annotations

from ansible_collections.midi.capacity.plugins.module_utils import _postmaster
from ansible_collections.midi.capacity.plugins.module_utils._errors import OperatorError
from ansible_collections.midi.capacity.plugins.module_utils._host import Host
from ansible_collections.midi.capacity.plugins.module_utils._postgres import Server
from ansible_collections.midi.capacity.plugins.module_utils._settings import overrides, values
from ansible_collections.midi.capacity.plugins.module_utils._settings.model import Definition
from ansible_collections.midi.capacity.plugins.module_utils._settings.plan import Facts, facts_after
from ansible_collections.midi.capacity.plugins.module_utils._settings_flow import planned
from ansible_collections.midi.capacity.plugins.module_utils._settings_server import identity, read_facts


def read(options: dict) -> dict:
    """What module pg_settings_info returns for its options. Raises OperatorError as pg_settings does."""
    server = Server.connect(options)
    try:
        facts = read_facts(server)
        extensions = _extensions(server, options["extensions"])
        plans, _restored = planned(
            {**options, "state": "present", "lists": "merge", "restore_safety": False}, facts, server
        )
        after = facts_after(facts, plans)
        known = {name: facts.definition(name) for name in options["names"]}
        found = {definition.name: definition for definition in known.values() if definition is not None}
        next_start = {name: after.at_next_start(after.definitions[name]) for name in found}
        settings = {name: _setting(definition, next_start[name]) for name, definition in found.items()}
        return {
            "settings": settings,
            "unknown": [name for name, definition in known.items() if definition is None],
            "next_start": {name: setting["next_start"] for name, setting in settings.items()},
            "fixed": {name: setting["live"] for name, setting in settings.items() if setting["fixed"]},
            "extensions": extensions,
            "server": _server(server, facts, options),
        }
    finally:
        server.close()


def _setting(definition: Definition, next_start: str) -> dict:
    return {
        "live": values.shown(definition, definition.setting),
        "next_start": values.shown(definition, next_start),
        "fixed": overrides.is_above_files(definition),
        "source": definition.source,
        "sourcefile": definition.sourcefile,
        "sourceline": definition.sourceline,
        "context": definition.context,
        "pending_restart": definition.pending_restart,
    }


def _extensions(server: Server, names: list) -> dict:
    rows = server.rows(
        "SELECT name, extversion AS version, nspname AS schema FROM pg_available_extensions"
        " LEFT JOIN pg_extension ON extname = name LEFT JOIN pg_namespace ON pg_namespace.oid = extnamespace"
        " WHERE name = ANY (%s)",
        [names],
    )
    known = {row["name"]: {"version": row["version"], "schema": row["schema"]} for row in rows}
    absent = [name for name in names if name not in known]
    if absent:
        major = server.version_num // 10000
        raise OperatorError(
            f"{', '.join(absent)} {'is' if len(absent) == 1 else 'are'} not installed on the server's host, and"
            " a server that is to load a library which is not there would not start again; nothing was changed",
            server.where,
            f"install the package with PostgreSQL's additional modules (on Debian postgresql-{major}, elsewhere mostly"
            f" postgresql-contrib, in the version {major} of the server), or do without"
            " (role postgres_tuning: postgres_tuning_statement_statistics=false)",
        )
    return known


def _server(server: Server, facts: Facts, options: dict) -> dict:
    return {
        **identity(server, facts),
        "version_num": server.version_num,
        "postmaster_pid": _postmaster.find_pid(server, options["login_host"], Host()),
    }
