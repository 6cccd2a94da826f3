# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading and writing a server's settings; what is to be done is decided in the pure package _settings."""

from __future__ import annotations

import time

from ansible_collections.midi.capacity.plugins.module_utils._postgres import NotPermitted, PostgresError, Server, sql
from ansible_collections.midi.capacity.plugins.module_utils._settings import lists, values
from ansible_collections.midi.capacity.plugins.module_utils._settings.model import Definition, FileEntry, RoleValue
from ansible_collections.midi.capacity.plugins.module_utils._settings.plan import Facts, SettingPlan

RELOAD_SECONDS = 30
# From this version on single settings can be granted.
PARAMETER_PRIVILEGES_VERSION_NUM = 150000

_DEFINITIONS = """
SELECT name, setting, unit, vartype, context, source, min_val, max_val, enumvals,
       boot_val, reset_val, sourcefile, sourceline, pending_restart
FROM pg_settings
"""
_FILES = (
    "SELECT sourcefile AS file, sourceline AS line, name, setting AS value, error FROM pg_file_settings ORDER BY seqno"
)
_ROLE_VALUES = """
SELECT split_part(assignment, '=', 1) AS name, substr(assignment, strpos(assignment, '=') + 1) AS value,
       rolname AS role, datname AS database
FROM pg_db_role_setting CROSS JOIN LATERAL unnest(setconfig) AS assignment
     LEFT JOIN pg_roles ON pg_roles.oid = setrole LEFT JOIN pg_database ON pg_database.oid = setdatabase
ORDER BY role NULLS FIRST, database NULLS FIRST
"""


def read_facts(server: Server) -> Facts:
    """Definitions, configuration files and per-role values. Raises NotPermitted with the grants that are missing."""
    definitions = {}
    for row in server.rows(_DEFINITIONS):
        row["enumvals"] = tuple(row["enumvals"] or ())
        definitions[row["name"]] = values.as_read(Definition(**row))
    try:
        entries = [FileEntry(**row) for row in server.rows(_FILES)]
    except NotPermitted as error:
        raise NotPermitted(
            f'role "{server.user}" may not read the configuration files',
            server.where,
            "connect as a superuser, or as a superuser GRANT pg_read_all_settings and EXECUTE ON FUNCTION"
            f' pg_show_all_file_settings() to "{server.user}", and SELECT ON pg_file_settings',
            sqlstate=error.sqlstate,
        ) from None
    role_values = [RoleValue(**row) for row in server.rows(_ROLE_VALUES)]
    return Facts(definitions, entries, role_values)


def identity(server: Server, facts: Facts) -> dict:
    """Which server it is: {version, in_recovery, system_identifier, cluster_name, data_directory}."""
    return {
        "version": server.version,
        "in_recovery": server.in_recovery(),
        "system_identifier": server.system_identifier(),
        "cluster_name": facts.definitions["cluster_name"].setting,
        "data_directory": facts.definitions["data_directory"].setting,
    }


def apply(server: Server, plans: list, facts: Facts) -> list:
    """Write what the plans say by ALTER SYSTEM; gives the statements. If one fails, those before it are taken back."""
    done: list = []
    executed: list = []
    for plan in plans:
        if plan.action == "none":
            continue
        try:
            sent = server.execute(_statement(plan))
            executed.append(_hidden(plan) if values.is_secret(plan.name, plan.desired) else sent)
        except PostgresError as error:
            for finished in reversed(done):
                server.execute(_undo(finished, facts))
            raise _refused(error, plan, server) from None
        done.append(plan)
    return executed


def reload(server: Server) -> None:
    """Make the server read its files again, and wait until it has."""
    before = server.value("SELECT pg_conf_load_time()")
    server.value("SELECT pg_reload_conf()")
    deadline = time.monotonic() + RELOAD_SECONDS
    while server.value("SELECT pg_conf_load_time()") <= before:
        if time.monotonic() > deadline:
            raise PostgresError(
                f"the server has not read its configuration again within {RELOAD_SECONDS} s",
                server.where,
                "look into the server's log; the values are stored and count from the next reload on",
            )
        time.sleep(0.01)


def missing_grants(server: Server, names: list, reloads: bool) -> list:
    """The statements that would let the role write these settings and have them read; empty if it may."""
    if server.value("SELECT rolsuper FROM pg_roles WHERE rolname = current_user"):
        return []
    user, denied = sql.Identifier(server.user), names
    if server.version_num >= PARAMETER_PRIVILEGES_VERSION_NUM:
        statement = (
            "SELECT name FROM unnest(%s::text[]) AS name WHERE NOT has_parameter_privilege(name, 'ALTER SYSTEM')"
        )
        denied = [row["name"] for row in server.rows(statement, [names])]
    elif names:
        return [server.text(sql.SQL("ALTER ROLE {} SUPERUSER").format(user))]
    grants = [sql.SQL("GRANT ALTER SYSTEM ON PARAMETER {} TO {}").format(_identifier(name), user) for name in denied]
    if reloads and not server.value("SELECT has_function_privilege('pg_catalog.pg_reload_conf()', 'EXECUTE')"):
        grants.append(sql.SQL("GRANT EXECUTE ON FUNCTION pg_reload_conf() TO {}").format(user))
    return [server.text(grant) for grant in grants]


def absent_libraries(server: Server, plans: list) -> list:
    """A sentence for each library that would be loaded and is not installed; only superusers can look."""
    added = [(plan, _new_libraries(plan)) for plan in plans if plan.action == "set" and lists.is_merged(plan.name)]
    if not any(names for _plan, names in added):
        return []
    try:
        directory = server.value("SELECT setting FROM pg_config() WHERE name = 'PKGLIBDIR'")
        searched = server.value("SHOW dynamic_library_path")
        found = {name: _is_file(server, directory, name) for _plan, names in added for name in names}
    except NotPermitted:
        return []
    # Another path is searched by rules of its own.
    return [
        f"{plan.name} names {name}, which is not installed: there is no {_library_file(directory, name)}"
        for plan, names in added
        for name in names
        if searched == "$libdir" and not found[name]
    ]


def _new_libraries(plan: SettingPlan) -> list:
    loaded = lists.split(plan.definition.setting)
    return [name for name in lists.split(plan.desired) if name not in loaded]


def _is_file(server: Server, directory: str, name: str) -> bool:
    return server.value("SELECT (pg_stat_file(%s, true)).size IS NOT NULL", [_library_file(directory, name)])


def _library_file(directory: str, name: str) -> str:
    path = name.replace("$libdir", directory) if "/" in name else f"{directory}/{name}"
    return path if path.endswith(".so") else f"{path}.so"


def _hidden(plan: SettingPlan) -> str:
    return f"ALTER SYSTEM SET {plan.name} = {values.HIDDEN}"


def _statement(plan: SettingPlan):
    if plan.action == "reset":
        return _reset(plan.name)
    return _set(plan.name, values.written(plan.definition, plan.desired))


def _undo(plan: SettingPlan, facts: Facts):
    entry = facts.by_alter_system(plan.name)
    return _reset(plan.name) if entry is None else _set(plan.name, entry.value or "")


def _set(name: str, value: str):
    # Each element of a list is a literal of its own: one pair of quotes around all of them would be one element.
    elements = lists.split(value) if lists.is_list(name) else [value]
    literals = sql.SQL(", ").join(sql.Literal(element) for element in elements or [""])
    return sql.SQL("ALTER SYSTEM SET {} = {}").format(_identifier(name), literals)


def _reset(name: str):
    return sql.SQL("ALTER SYSTEM RESET {}").format(_identifier(name))


def _identifier(name: str):
    return sql.Identifier(*name.split("."))


def _refused(error: PostgresError, plan: SettingPlan, server: Server) -> PostgresError:
    if isinstance(error, NotPermitted):
        return NotPermitted(
            f'role "{server.user}" may not run ALTER SYSTEM for {plan.name}; nothing was changed',
            server.where,
            f'connect as a superuser, or GRANT ALTER SYSTEM ON PARAMETER {plan.name} TO "{server.user}" (15 and later)',
            sqlstate=error.sqlstate,
        )
    return PostgresError(
        f"the server refused {plan.name}: {error.what}; nothing was changed", server.where, sqlstate=error.sqlstate
    )
