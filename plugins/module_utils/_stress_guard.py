# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a database may be stressed: it is marked for tests, or somebody allowed it."""

from __future__ import annotations

import os

from ansible_collections.midi.capacity.plugins.module_utils import _stress_sql as queries
from ansible_collections.midi.capacity.plugins.module_utils._errors import OperatorError
from ansible_collections.midi.capacity.plugins.module_utils._postgres import Server, sql
from ansible_collections.midi.capacity.plugins.module_utils._stress import schema
from ansible_collections.midi.capacity.plugins.module_utils._stress.command import databases
from ansible_collections.midi.capacity.plugins.module_utils._stress_directory import busy, held

_TRUE = ("on", "true", "yes", "1")


def guard(server: Server, options: dict) -> dict:
    """{database, marked, allowed_by, rows_inserted}. Raises OperatorError when it may not be stressed."""
    found = server.rows(queries.GUARD)[0]
    database = found["database"]
    if found["in_recovery"]:
        raise OperatorError(
            "this server is a standby, which takes no writes", server.where, "run the stress test on its primary"
        )
    marked = is_marked(found["settings"] or [])
    if not (marked or options["allow"]):
        mark = server.text(sql.SQL("ALTER DATABASE {} SET midi_capacity.test = on").format(sql.Identifier(database)))
        raise OperatorError(
            f'database "{database}" is not marked as one for tests, and a stress test writes to it and loads its'
            " server; nothing was touched",
            server.where,
            f"name a database for tests as login_db; if {database} is one, run {mark}; to stress it all the same, set"
            " capacity_allow_stress: true",
        )
    for other, where in databases(options["command"], options["environment"]).items():
        if other != database:
            raise OperatorError(
                f'database "{database}" is the one that may be stressed, and the command would go to "{other}",'
                f" as {where} says; nothing was touched",
                server.where,
                "name the same database in both: login_db of the connection, and where the command has it",
            )
    if options["importer"]:
        _require_schema(server, database)
    lock = os.path.join(options["directory"], "lock") if options["directory"] else ""
    if lock and held(lock):
        raise busy(lock)
    table = options["growth_table"]
    return {
        "database": database,
        "marked": marked,
        "allowed_by": "its mark" if marked else "capacity_allow_stress",
        "rows_inserted": server.value(queries.INSERTED, {"table": table}) if table else None,
    }


def is_marked(settings: list) -> bool:
    """settings: name=value, as pg_db_role_setting has them."""
    values = dict(entry.partition("=")[::2] for entry in settings)
    return values.get(queries.TEST_SETTING, "").lower() in _TRUE


def _require_schema(server: Server, database: str) -> None:
    found: dict = {}
    for name in (*schema.READ, *(table.name for table in schema.FILLED)):
        rows = server.rows(queries.COLUMNS, {"table": name})
        found[name] = {row["name"]: row["needed"] for row in rows} or None
    faults = schema.problems(found)
    if not faults and server.value(queries.IDS_OF_FILES) is None:
        faults = ["the ids of files come from no sequence"]
    if faults:
        raise OperatorError(
            f'the built-in importer fills the tables of the MIDI library, and database "{database}" has others',
            server.where,
            "name the import that fits it in capacity_baseline_stress_command, or check login_db",
            items=faults,
        )
