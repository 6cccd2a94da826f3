# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the agent gets to PostgreSQL and Redis: the connection options of the modules, checked, with their defaults.

Whoever connects takes them as Ansible hands them to a module, and Ansible is not there to check and to fill them in,
nor to make a number of a text, which is what Jinja hands over.
test_agent_config.py holds the names, the defaults and the choices to those of the modules.
"""

from __future__ import annotations

from typing import Any, Dict, List, NamedTuple, Tuple

from ansible_collections.midi.capacity.plugins.module_utils._agent import config_fields as fields
from ansible_collections.midi.capacity.plugins.module_utils._alerts import plain
from ansible_collections.midi.capacity.plugins.module_utils._thresholds.fields import Fault, switch
from ansible_collections.midi.capacity.plugins.module_utils._thresholds.table import nearest

Json = Dict[str, Any]

SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")


class Option(NamedTuple):
    """One of them; nothing is as if it were left out."""

    read: fields.Reader
    default: Any = None


_whole_port = fields.whole(1, 65535)


def _port(value: Any) -> int:
    return _whole_port(int(value) if isinstance(value, str) and value.isdecimal() else value)


POSTGRES: Dict[str, Option] = {
    "login_host": Option(fields.any_text, ""),
    "login_port": Option(_port, 5432),
    "login_user": Option(fields.text, "postgres"),
    "login_password": Option(fields.secret),
    "login_db": Option(fields.text, "postgres"),
    "login_unix_socket": Option(fields.path),
    "ssl_mode": Option(fields.one_of(SSL_MODES), "prefer"),
    "ca_cert": Option(fields.path),
    "service": Option(fields.text),
    "connect_params": Option(fields.mapping, {}),
}
REDIS: Dict[str, Option] = {
    "login_host": Option(fields.text, "127.0.0.1"),
    "login_port": Option(_port, 6379),
    "login_user": Option(fields.text),
    "login_password": Option(fields.secret),
    "login_password_file": Option(fields.path),
    "login_unix_socket": Option(fields.path),
    "tls": Option(switch, False),
    "validate_certs": Option(switch, True),
    "ca_certs": Option(fields.path),
}


def read(options: Dict[str, Option], value: Any) -> Tuple[Json, List[str]]:
    """All options with their values, and everything that is wrong, each to follow the name of the whole."""
    try:
        given = fields.mapping(value)
    except Fault as fault:
        return {}, [f" {fault}"]
    unknown = [plain.line(str(name), 40) for name in given if name not in options]
    problems = [f": there is no {name}{nearest(name, options)}" for name in unknown]
    found: Json = {}
    for name, option in options.items():
        found[name] = option.default
        if given.get(name) is None:
            continue
        try:
            found[name] = option.read(given[name])
        except Fault as fault:
            problems.append(f": {name} {fault}")
    return found, problems
