# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A channel that messages go out by, and what people may see of it.

Of a webhook the path and the query may be the secret (they are Slack's), and headers may be; of a command its
arguments. So those stand in no repr either, which is what ends up in a traceback.
"""

from __future__ import annotations

import re
from typing import List, NamedTuple, Optional, Set, Tuple, Union
from urllib.parse import SplitResult, unquote, urlsplit

JSON, SLACK, ALERTMANAGER = FORMATS = ("json", "slack", "alertmanager")
NO_TLS, STARTTLS, TLS = SMTP_TLS = ("none", "starttls", "tls")
# Where a server takes mail in clear (RFC 5321), as submission with STARTTLS (RFC 6409) and with TLS (RFC 8314).
SMTP_PORTS = {NO_TLS: 25, STARTTLS: 587, TLS: 465}
# RFC 5424, 6.2.1; without those that are the kernel's and the daemon's own.
FACILITIES = {
    "user": 1,
    "mail": 2,
    "daemon": 3,
    "auth": 4,
    "cron": 9,
    "authpriv": 10,
    **{f"local{number}": 16 + number for number in range(8)},
}

# Shorter ones are words that any text has.
_LEAST_SECRET = 4
# In a script of the shell also these are words that errors have.
_LEAST_PART = 8
_BETWEEN = re.compile(r"""[\s"'=]+""")


class Syslog(NamedTuple):
    """A line for each alert."""

    name: str
    timeout_seconds: float
    attempts: int
    facility: str


class Sendmail(NamedTuple):
    """A mail, by the program of the host."""

    name: str
    timeout_seconds: float
    attempts: int
    recipients: Tuple[str, ...]
    sender: str
    program: str


class Smtp(NamedTuple):
    """A mail, by a server. tls: one of SMTP_TLS, port: that of SMTP_PORTS by default.

    The password is read when it is needed.
    """

    name: str
    timeout_seconds: float
    attempts: int
    recipients: Tuple[str, ...]
    sender: str
    host: str
    port: int
    tls: str
    user: Optional[str]
    password_file: Optional[str]
    ca_certs: Optional[str]


class Webhook(NamedTuple):
    """A POST. format: one of FORMATS."""

    name: str
    timeout_seconds: float
    attempts: int
    url: str
    format: str
    headers: Tuple[Tuple[str, str], ...]
    ca_certs: Optional[str]

    def __repr__(self) -> str:
        return f"Webhook({self.name!r}, {shown(self)!r})"

    @property
    def address(self) -> SplitResult:
        return urlsplit(self.url)


class Command(NamedTuple):
    """A program of one's own, with the message on its standard input."""

    name: str
    timeout_seconds: float
    attempts: int
    argv: Tuple[str, ...]

    def __repr__(self) -> str:
        return f"Command({self.name!r}, {shown(self)!r})"


Channel = Union[Syslog, Sendmail, Smtp, Webhook, Command]


def shown(channel: Channel) -> str:
    """What it is and where it leads to, without a secret: for status, doctor and messages."""
    if isinstance(channel, Syslog):
        return f"syslog, facility {channel.facility}"
    if isinstance(channel, Sendmail):
        return f"mail to {', '.join(channel.recipients)} by {channel.program}"
    if isinstance(channel, Smtp):
        return f"mail to {', '.join(channel.recipients)} by {server(channel)}"
    if isinstance(channel, Webhook):
        return f"webhook ({channel.format}) at {server(channel)}"
    return f"command {channel.argv[0]}"


def server(channel: Union[Smtp, Webhook]) -> str:
    """host:port; of a webhook's port only what its address has."""
    if isinstance(channel, Smtp):
        return f"{_bracketed(channel.host)}:{channel.port}"
    address = channel.address
    host = _bracketed(address.hostname or "")
    return host if address.port is None else f"{host}:{address.port}"


def secrets(channel: Channel) -> List[str]:
    """What no text about the channel may have, the longest first; the password of a mail server apart."""
    if isinstance(channel, Webhook):
        found = _of_webhook(channel)
    elif isinstance(channel, Command):
        found = _of_command(channel)
    else:
        return []
    return sorted((secret for secret in found if len(secret) >= _LEAST_SECRET), key=len, reverse=True)


def _of_webhook(channel: Webhook) -> Set[str]:
    address = channel.address
    found = {address.path, address.query, *address.path.split("/")}
    for field in address.query.split("&"):
        found.update(field.split("=", 1))
    for _name, value in channel.headers:
        # "Bearer TOKEN"
        found.update((value, *value.split()))
    return {*found, *map(unquote, found)}


def _of_command(channel: Command) -> Set[str]:
    """Its arguments, and of one that is a script or an option what may be a secret in it."""
    words = set(channel.argv[1:])
    parts = {part for word in words for part in _BETWEEN.split(word)}
    return {*words, *(part for part in parts if len(part) >= _LEAST_PART)}


def hidden(text: str, found: List[str]) -> str:
    """The text without them. A server may say again what it was sent."""
    for secret in sorted(found, key=len, reverse=True):
        text = text.replace(secret, "…")
    return text


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
