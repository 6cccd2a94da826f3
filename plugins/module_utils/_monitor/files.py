# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""libpq's service file and password file (PostgreSQL manual, 32.16 and 32.17), as text and as data."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Dict, List, Mapping, Optional

LOOPBACK = "127.0.0.1"
_HEADER = "# Written by midi.capacity, and written again when it differs.\n"
_KEYS = ("host", "port", "dbname", "user", "sslmode", "sslrootcert", "passfile")


@dataclass(frozen=True)
class Place:
    """Where to log in, and as whom. host: a name, the directory of a socket, or empty for libpq's default socket."""

    host: str
    port: int
    dbname: str
    user: str
    sslmode: str = "prefer"
    sslrootcert: str = ""

    @property
    def is_socket(self) -> bool:
        return not self.host or self.host.startswith("/")

    def section(self, passfile: str = "") -> Dict[str, str]:
        """The parameters of the service. passfile: where the password is; empty for a login without one."""
        found = {name: str(getattr(self, name, "")) for name in _KEYS}
        return {name: value for name, value in {**found, "passfile": passfile}.items() if value}

    def __str__(self) -> str:
        return f"{self.host or 'the default Unix socket'} port {self.port}"


def places(options: Mapping[str, Any], role: str) -> List[Place]:
    """Where a role can try to log in, from the connection options of the modules, the best first.

    Over a Unix socket it may be let in without a password; where that is for others only, the same server commonly
    listens on loopback and takes a password there.
    """
    hosts = [options["login_host"]] if options["login_host"] else [options["login_unix_socket"] or "", LOOPBACK]
    return [
        Place(host, options["login_port"], options["login_db"], role, options["ssl_mode"], options["ca_cert"] or "")
        for host in hosts
    ]


def service_text(name: str, section: Mapping[str, str]) -> str:
    """A service file with one service."""
    lines = "".join(f"{key}={value}\n" for key, value in section.items())
    return f"{_HEADER}[{name}]\n{lines}"


def section_of(text: str, name: str) -> Dict[str, str]:
    """The parameters of a service; empty where there is no such."""
    found = re.search(rf"^\[{re.escape(name)}\]\n((?:[^\[\n].*\n|\n)*)", text, re.MULTILINE)
    lines = found.group(1).splitlines() if found else []
    return dict((line.partition("=")[0], line.partition("=")[2]) for line in lines if "=" in line)


def password_text(role: str, password: str) -> str:
    """A password file for one role. Only the service points to it, so it need not say for which server it is."""
    return f"{_HEADER}*:*:*:{_escaped(role)}:{_escaped(password)}\n"


def password_of(text: str, role: str) -> Optional[str]:
    """The password of a role in a file that `password_text` made, or None."""
    start = f"*:*:*:{_escaped(role)}:"
    for line in text.splitlines():
        if line.startswith(start):
            return re.sub(r"\\(.)", r"\1", line[len(start) :])
    return None


def pg_hba_line(place: Place, local_user: str) -> str:
    """The line of pg_hba.conf that lets the role in; a bare ADDRESS is the client's as the server sees it."""
    names = f"{_quoted(place.dbname)} {_quoted(place.user)}"
    if place.is_socket:
        return f"local {names} {'peer' if local_user == place.user else 'scram-sha-256'}"
    return f"host {names} {'127.0.0.1/32' if place.host == LOOPBACK else 'ADDRESS/32'} scram-sha-256"


def _escaped(text: str) -> str:
    return re.sub(r"([:\\])", r"\\\1", text)


def _quoted(name: str) -> str:
    """As pg_hba.conf takes names: in quotes if they are anything but plain, or a word that means something there."""
    plain = re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) and name not in ("all", "replication", "sameuser", "samerole")
    return name if plain else f'"{name}"'
