# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The list of channels as people declare it: read and checked as a whole."""

from __future__ import annotations

from typing import Any, Dict, Iterable, List, Mapping, NamedTuple, Optional, Set, Tuple
from urllib.parse import urlsplit

from ansible_collections.midi.capacity.plugins.module_utils._alerts import channel_fields as fields
from ansible_collections.midi.capacity.plugins.module_utils._alerts import plain
from ansible_collections.midi.capacity.plugins.module_utils._alerts.channel_model import (
    ALERTMANAGER,
    FACILITIES,
    FORMATS,
    JSON,
    NO_TLS,
    SMTP_PORTS,
    SMTP_TLS,
    STARTTLS,
    Channel,
    Command,
    Sendmail,
    Smtp,
    Syslog,
    Webhook,
)
from ansible_collections.midi.capacity.plugins.module_utils._thresholds.fields import Fault
from ansible_collections.midi.capacity.plugins.module_utils._thresholds.table import nearest

Json = Dict[str, Any]

TIMEOUT_SECONDS = 10
ATTEMPTS = 3
SENDMAIL = "/usr/sbin/sendmail"

_REQUIRED = object()


class _Field(NamedTuple):
    read: fields.Reader
    default: Any = None


_COMMON = {
    "name": _Field(fields.name),
    "timeout_seconds": _Field(fields.seconds, TIMEOUT_SECONDS),
    "attempts": _Field(fields.attempts, ATTEMPTS),
}
_OF_SERVER = {
    "smtp_port": _Field(fields.port),
    "smtp_tls": _Field(fields.one_of(SMTP_TLS)),
    "smtp_user": _Field(fields.line),
    "smtp_password_file": _Field(fields.path),
    "ca_certs": _Field(fields.path),
}
_TYPES: Dict[str, Dict[str, _Field]] = {
    "syslog": {"facility": _Field(fields.one_of(FACILITIES), "user")},
    "mail": {
        "to": _Field(fields.recipients, _REQUIRED),
        "from": _Field(fields.sender, _REQUIRED),
        "sendmail": _Field(fields.path),
        "smtp_host": _Field(fields.host),
        **_OF_SERVER,
    },
    "webhook": {
        "url": _Field(fields.url, _REQUIRED),
        "format": _Field(fields.one_of(FORMATS), JSON),
        "headers": _Field(fields.headers, {}),
        "ca_certs": _Field(fields.path),
    },
    "command": {"argv": _Field(fields.argv, _REQUIRED)},
}
TYPES = tuple(_TYPES)


def read(entries: Any = ()) -> Tuple[List[Channel], List[str]]:
    """The channels that can be used, in their order, and everything that is wrong, a sentence each.

    entries: a list of mappings, each with a type and its fields; null is as if it were left out. A channel without a
    name is called as its type, from the second of a type on with a number.
    """
    if entries is None:
        entries = ()
    if not isinstance(entries, (list, tuple)):
        return [], ["the channels are no list: write a list of mappings, each with a type"]
    channels: List[Channel] = []
    problems: List[str] = []
    names = _Names(entries)
    for position, entry in enumerate(entries, 1):
        kind, faults = _kind(entry)
        if kind is not None:
            known, faults = _known(kind, entry)
            faults += names.faults(position, known.get("name"))
            faults += _RULES[kind](known) if kind in _RULES else []
            if not faults:
                channels.append(_made(kind, {**known, "name": known["name"] or names.default(kind)}))
        label = f"channel {position} ({kind})" if kind else f"channel {position}"
        problems += [f"{label}: {fault}" for fault in faults]
    return channels, problems


class _Names:
    """Each channel has a name of its own."""

    def __init__(self, entries: Any) -> None:
        self._taken: Set[Any] = {
            entry["name"] for entry in entries if isinstance(entry, Mapping) and isinstance(entry.get("name"), str)
        }
        self._places: Dict[str, int] = {}

    def faults(self, position: int, name: Optional[str]) -> List[str]:
        if name is None:
            return []
        if name in self._places:
            return [f"channel {self._places[name]} is called {name} already: write another name"]
        self._places[name] = position
        return []

    def default(self, kind: str) -> str:
        name, number = kind, 1
        while name in self._taken:
            number += 1
            name = f"{kind} {number}"
        self._taken.add(name)
        return name


def _kind(entry: Any) -> Tuple[Optional[str], List[str]]:
    if not isinstance(entry, Mapping):
        return None, ["it is no mapping: write type and the fields of that type"]
    kind = entry.get("type")
    if not isinstance(kind, str):
        return None, ["it has no type: write one of " + ", ".join(TYPES)]
    if kind not in _TYPES:
        return None, [_no("type", kind, TYPES)]
    return kind, []


def _known(kind: str, entry: Mapping[Any, Any]) -> Tuple[Json, List[str]]:
    """The fields that could be read, and what is wrong with the others."""
    of_kind = {**_TYPES[kind], **_COMMON}
    known: Json = {}
    faults = []
    for name in entry:
        if name != "type" and name not in of_kind:
            faults.append(_no("field", name, of_kind))
    for name, field in of_kind.items():
        value = entry.get(name)
        if value is None:
            if field.default is _REQUIRED:
                faults.append(f"it has no {name}: write one")
                continue
            value = field.default
        try:
            known[name] = None if value is None else field.read(value)
        except Fault as fault:
            faults.append(f"{name} {fault}")
    return known, faults


def _no(what: str, name: Any, names: Iterable[str]) -> str:
    shown = plain.line(str(name), 40)
    return f"there is no {what} {shown}{nearest(shown, names)}"


def _mail_faults(known: Json) -> List[str]:
    given = [name for name in _OF_SERVER if known.get(name) is not None]
    if "smtp_host" not in known:
        return []
    if known["smtp_host"] is None:
        return [f"{name} is there without smtp_host: write smtp_host, or leave it out" for name in given]
    faults = []
    if known.get("sendmail"):
        faults.append("it has sendmail and smtp_host: write one of them")
    tls = known.get("smtp_tls", STARTTLS)
    if tls == NO_TLS and known.get("ca_certs"):
        faults.append("it has ca_certs without TLS: write smtp_tls: starttls or tls, or leave ca_certs out")
    if tls == NO_TLS and known.get("smtp_user"):
        faults.append("it would send a password without TLS: write smtp_tls: starttls or tls, or leave smtp_user out")
    pair = ("smtp_user", "smtp_password_file")
    if all(name in known for name in pair) and (known[pair[0]] is None) != (known[pair[1]] is None):
        faults.append("it has one of smtp_user and smtp_password_file: write both, or neither")
    return faults


def _webhook_faults(known: Json) -> List[str]:
    url = known.get("url")
    if url is None:
        return []
    address = urlsplit(url)
    faults = []
    if address.scheme == "http" and known.get("ca_certs"):
        faults.append("it has ca_certs, but url is no https: write https, or leave ca_certs out")
    if known.get("format") == ALERTMANAGER and address.path in ("", "/"):
        faults.append("url has no path: Alertmanager takes alerts at http://HOST:9093/api/v2/alerts")
    return faults


# Of fields that do not go together.
_RULES = {"mail": _mail_faults, "webhook": _webhook_faults}


def _made(kind: str, known: Json) -> Channel:
    common = {name: known[name] for name in _COMMON}
    if kind == "syslog":
        return Syslog(**common, facility=known["facility"])
    if kind == "webhook":
        return Webhook(**common, **{name: known[name] for name in _TYPES["webhook"]})
    if kind == "command":
        return Command(**common, argv=known["argv"])
    common.update(recipients=known["to"], sender=known["from"])
    if known["smtp_host"] is None:
        return Sendmail(**common, program=known["sendmail"] or SENDMAIL)
    # A password that goes out in clear by mistake is worse than a mail that does not.
    tls = known["smtp_tls"] or STARTTLS
    return Smtp(
        **common,
        host=known["smtp_host"],
        port=known["smtp_port"] or SMTP_PORTS[tls],
        tls=tls,
        user=known["smtp_user"],
        password_file=known["smtp_password_file"],
        ca_certs=known["ca_certs"],
    )
