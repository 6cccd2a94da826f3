# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The flow of module pg_monitor_service: try the ways to log in, write the files of the one that works, prove it."""

from __future__ import annotations

import os
import pwd
import secrets

from ansible_collections.midi.capacity.plugins.module_utils._change import Change
from ansible_collections.midi.capacity.plugins.module_utils._errors import OperatorError
from ansible_collections.midi.capacity.plugins.module_utils._monitor import files, scram
from ansible_collections.midi.capacity.plugins.module_utils._postgres import NotPermitted, PostgresError, Server, sql
from ansible_collections.midi.capacity.plugins.module_utils._private_file import PrivateFile

HIDDEN = "(hidden)"
PASSWORD_BYTES = 32
# What the views of all members of pg_monitor need: one that is granted to it alone, and a setting that it may read.
_AS_MONITOR = "SELECT count(*), current_setting('data_directory') FROM pg_ls_waldir()"
# own: its owner, or granted to it by name; extensions' tables are what they gave away.
_TABLES = """
SELECT nspname AS schema, relname AS name,
       has_table_privilege(pg_class.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE')
       OR has_any_column_privilege(pg_class.oid, 'SELECT, INSERT, UPDATE') AS open,
       EXISTS (SELECT FROM aclexplode(relacl) WHERE grantee = 0) AS public,
       relowner = me.oid OR EXISTS (SELECT FROM aclexplode(relacl) WHERE grantee = me.oid) AS own
FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
     JOIN pg_roles AS me ON me.rolname = current_user
WHERE relkind IN ('r', 'p', 'm', 'f') AND nspname !~ '^pg_' AND nspname <> 'information_schema'
      AND NOT EXISTS (SELECT FROM pg_depend
                      WHERE classid = 'pg_class'::regclass AND objid = pg_class.oid AND deptype = 'e')
ORDER BY schema, name
"""


def converge(options: dict, check_mode: bool) -> dict:
    """What the options of module pg_monitor_service say; gives the module's result."""
    login = _Login(options, check_mode)
    return login.with_a_password() if options["prepare_password"] else login.by_the_way_that_works()


class _Login:
    def __init__(self, options: dict, check_mode: bool) -> None:
        self._options = options
        self._check_mode = check_mode
        self._role = options["role"]
        self._service_file = PrivateFile(os.path.join(options["directory"], "pg_service.conf"))
        self._password_file = PrivateFile(os.path.join(options["directory"], "pgpass"))
        self._change = Change(f'login of role "{self._role}" in {options["directory"]}')
        self._places = files.places(options, self._role)
        self._stored = files.password_of(self._password_file.text(), self._role)

    def with_a_password(self) -> dict:
        """Have a password in its file: the given one, else the stored one, else a new one. Gives its hash as well."""
        password = self._options["password"] or self._stored or secrets.token_urlsafe(PASSWORD_BYTES)
        if not scram.can_be_hashed(password):
            raise OperatorError(
                f'the password of role "{self._role}" has other characters than printable ones of ASCII',
                remedy="give another one, or none, so that one is made up",
            )
        self._have(self._password_file, files.password_text(self._role, password))
        return {**self._outcome(), "hash": scram.verifier(password, secrets.token_bytes(scram.SALT_BYTES))}

    def by_the_way_that_works(self) -> dict:
        """Log in, write the service that does it, and prove by it what the role can do and what not."""
        found, attempts = self._first_way()
        if found is None:
            if self._options["must_log_in"]:
                raise self._locked_out(attempts)
            return {**self._outcome(), "logs_in": False, "attempts": attempts, "host": None, "proof": None}
        section, server = found
        try:
            self._have_section(section)
            if "passfile" not in section and self._stored is not None:
                self._lose_password()
            if not self._check_mode:
                server.close()
                server = self._by_service()
            proof = _proof(server, self._role)
        finally:
            server.close()
        host = section.get("host", "")
        return {
            **self._outcome("passfile" in section),
            "logs_in": True,
            "attempts": attempts,
            "host": host,
            "proof": proof,
        }

    def _first_way(self) -> tuple:
        """(section, connection) of the first way that works, or None, and why those before it do not."""
        attempts = []
        for section in self._ways():
            try:
                return (section, self._connected(section)), attempts
            except PostgresError as error:
                how = "with its password" if "passfile" in section else "without a password"
                place = section.get("host", "the default Unix socket")
                attempts.append(f"{place} port {section['port']}, {how}: {error.what.split(': ', 1)[-1]}")
        return None, attempts

    def _ways(self) -> list:
        """The one that is stored first, so that a second run is done with one connection."""
        ways = [place.section() for place in self._places]
        if self._stored is not None and self._options["password"] in (None, "", self._stored):
            ways += [place.section(self._password_file.path) for place in self._places]
        present = files.section_of(self._service_file.text(), self._options["name"])
        return sorted(ways, key=lambda way: way != present)

    def _connected(self, section: dict) -> Server:
        # Neither the account's own files nor its environment have a say.
        nowhere = os.path.join(self._options["directory"], "none")
        os.environ.pop("PGPASSWORD", None)
        own = {
            name: value for name, value in section.items() if name not in ("host", "port", "user", "dbname", "sslmode")
        }
        return Server.connect(
            {
                "login_host": section.get("host"),
                "login_port": section["port"],
                "login_user": section["user"],
                "login_db": section["dbname"],
                "ssl_mode": section["sslmode"],
                "connect_params": {"passfile": nowhere, **own},
            }
        )

    def _by_service(self) -> Server:
        """As the agent does it: nothing but the service's name and where the file is."""
        os.environ["PGSERVICEFILE"] = self._service_file.path
        return Server.connect({"service": self._options["name"]})

    def _have_section(self, section: dict) -> None:
        present = files.section_of(self._service_file.text(), self._options["name"])
        before, after = present.get("dbname"), section["dbname"]
        if before not in (None, after):
            # Several databases may be meant to share a directory by mistake.
            raise OperatorError(
                f'the service "{self._options["name"]}" is of database {before}, and this one would be of {after}',
                self._service_file.path,
                "give each database a directory of its own (monitoring_cron_state_dir); or, if it is the same one under"
                f" another name, remove {self._service_file.path} and run this again",
            )
        for key in sorted({*present, *section}):
            self._change.add(key, present.get(key), section.get(key))
        self._have(self._service_file, files.service_text(self._options["name"], section), shown=True)

    def _have(self, file: PrivateFile, text: str, shown: bool = False) -> None:
        """shown: what differs in it stands in the diff already, if it is anything that counts."""
        name = os.path.basename(file.path)
        differs = file.text() != text
        if differs and not (shown and self._change.changed):
            self._change.add(name, HIDDEN if file.text() else None, f"{HIDDEN}, another one" if file.text() else HIDDEN)
        if not file.is_private():
            self._change.add(f"mode of {name}", file.mode(), "0600")
        if (differs or not file.is_private()) and not self._check_mode:
            file.write(text)

    def _lose_password(self) -> None:
        """Nothing needs it any more."""
        self._change.add(os.path.basename(self._password_file.path), HIDDEN, None)
        if not self._check_mode:
            self._password_file.remove()

    def _outcome(self, with_password: bool = True) -> dict:
        return {
            "changed": self._change.changed,
            "diff": self._change.diff(),
            "service_file": self._service_file.path,
            "password_file": self._password_file.path if with_password else None,
        }

    def _locked_out(self, attempts: list) -> OperatorError:
        account = pwd.getpwuid(os.geteuid()).pw_name
        line = files.pg_hba_line(self._places[-1], account)
        return OperatorError(
            f'role "{self._role}" cannot log in as the account {account}',
            remedy=f"add the line `{line}` to the server's pg_hba.conf, above those that match it, and reload it",
            details={"attempts": attempts},
            items=attempts,
        )


def _proof(server: Server, role: str) -> dict:
    """What the role may do, tried. Raises OperatorError if it is less than pg_monitor, or more."""
    try:
        server.rows(_AS_MONITOR)
    except NotPermitted as error:
        raise OperatorError(
            f'role "{role}" may not read what members of pg_monitor may: {error.what}',
            server.where,
            f"GRANT pg_monitor TO {server.text(sql.Identifier(role))}",
        ) from None
    tables = server.rows(_TABLES)
    opened = [table for table in tables if table["own"] or (table["open"] and not table["public"])]
    if opened:
        raise OperatorError(
            f'role "{role}" shall see how the database works and not what is in it, and has rights on'
            f" {', '.join(_name(table) for table in opened[:5])}{' and others' if len(opened) > 5 else ''}",
            server.where,
            "revoke them, or name another role",
        )
    closed = next((table for table in tables if not table["open"]), None)
    if closed:
        _must_be_refused(server, role, closed)
    return {
        "refused_table": _name(closed) if closed else None,
        "public_tables": [_name(table) for table in tables if table["open"]],
    }


def _must_be_refused(server: Server, role: str, table: dict) -> None:
    try:
        server.rows(sql.SQL("SELECT 1 FROM {} LIMIT 1").format(sql.Identifier(table["schema"], table["name"])))
    except NotPermitted:
        return
    raise OperatorError(
        f'role "{role}" can read {_name(table)}', server.where, "take away what lets it, or name another role"
    )


def _name(table: dict) -> str:
    return f"{table['schema']}.{table['name']}"
