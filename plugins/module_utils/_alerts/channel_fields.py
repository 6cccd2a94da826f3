# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One value of a channel as people write it: read, or refused with what to write instead. All raise Fault.

No message says again what may be a secret: an address, a header, an argument.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Any, Callable, Iterable, List, Mapping, Tuple
from urllib.parse import urlsplit

from ansible_collections.midi.capacity.plugins.module_utils._alerts import mail
from ansible_collections.midi.capacity.plugins.module_utils._thresholds.fields import Fault, number
from ansible_collections.midi.capacity.plugins.module_utils._thresholds.table import nearest

LONGEST = 2000
LONGEST_SECONDS, MOST_ATTEMPTS, MOST_PORT = 300, 10, 65535

_NAME = re.compile(r"\w[\w .@-]{0,59}\Z")
_WHOLE = re.compile(r"\d{1,9}\Z", re.ASCII)
_HOST = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,252}\Z")
# RFC 9110, 5.6.2 and 5.5.
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+\Z")
_HEADER_VALUE = re.compile(r"[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?\Z")
_VISIBLE = re.compile(r"[\x21-\x7e]+\Z")
# They say how the body is sent, which is not for people to say.
_OURS = ("connection", "content-encoding", "content-length", "content-type", "expect", "te", "transfer-encoding")

Reader = Callable[[Any], Any]


def name(value: Any) -> str:
    if not isinstance(value, str) or not _NAME.match(value) or value != value.strip():
        raise Fault("is no name: write 60 letters and digits at most, with spaces, dots and hyphens between them")
    return value


def seconds(value: Any) -> float:
    found = number(_scalar(value))
    if not 1 <= found <= LONGEST_SECONDS:
        raise Fault(f"is {found:g}: write 1 to {LONGEST_SECONDS} seconds")
    return found


def attempts(value: Any) -> int:
    return _whole(value, MOST_ATTEMPTS)


def port(value: Any) -> int:
    return _whole(value, MOST_PORT)


def one_of(choices: Iterable[str]) -> Reader:
    known = tuple(choices)

    def read(value: Any) -> str:
        if not isinstance(value, str):
            raise Fault("is no text: write " + " or ".join(known))
        if value not in known:
            raise Fault(f"cannot be {value[:40]!r}{nearest(value[:40], known)}")
        return value

    return read


def host(value: Any) -> str:
    if not isinstance(value, str) or not _is_host(value):
        raise Fault("is no host: write its name or its address, without a port")
    return value


def path(value: Any) -> str:
    if not isinstance(value, str) or not value.startswith("/") or not value.isprintable() or len(value) > LONGEST:
        raise Fault("is no absolute path: begin it with /")
    return value


def line(value: Any) -> str:
    if not isinstance(value, str) or not value or not value.isprintable() or len(value) > LONGEST:
        raise Fault("is no text of one line: write one")
    return value


def sender(value: Any) -> str:
    _addresses([value])
    return str(value)


def recipients(value: Any) -> Tuple[str, ...]:
    if not isinstance(value, (list, tuple)) or not value:
        raise Fault("is no list of addresses: write at least one, as [dba@example.org]")
    _addresses(value)
    return tuple(dict.fromkeys(value))


def url(value: Any) -> str:
    if not isinstance(value, str) or not _VISIBLE.match(value) or len(value) > LONGEST:
        raise Fault("is no address: write https://HOST/PATH in ASCII, without spaces")
    try:
        found = urlsplit(value)
        known_host, known_port, with_user = found.hostname, found.port, "@" in found.netloc
    except ValueError:
        raise Fault("is no address: write https://HOST:PORT/PATH") from None
    if found.scheme not in ("http", "https"):
        raise Fault("begins with neither https:// nor http://: write one of them")
    if with_user:
        raise Fault("has a user or a password in it: write them as a header instead, Authorization")
    if not known_host or not _is_host(known_host) or known_port == 0:
        raise Fault("has no host that can be: write https://HOST/PATH")
    return value


def headers(value: Any) -> Tuple[Tuple[str, str], ...]:
    if not isinstance(value, Mapping):
        raise Fault("is no mapping: write each header as name: value")
    faults = []
    seen = set()
    for header, content in value.items():
        if not isinstance(header, str) or not _HEADER_NAME.match(header):
            faults.append("one of them has a name that is none: write letters, digits and hyphens")
            continue
        if header.lower() in _OURS:
            faults.append(f"{header} is the agent's own: leave it out")
        if header.lower() in seen:
            faults.append(f"{header} stands there twice: write it once")
        if not isinstance(content, str) or not _HEADER_VALUE.match(content) or len(content) > LONGEST:
            faults.append(f"the value of {header} is no text of one line in ASCII: write one, in quotes")
        seen.add(header.lower())
    _raise(faults)
    return tuple(value.items())


def argv(value: Any) -> Tuple[str, ...]:
    if not isinstance(value, (list, tuple)) or not value:
        raise Fault("is no list: write the program and its arguments, as [/usr/local/bin/page, --now]")
    if not all(isinstance(word, str) and "\0" not in word and len(word) <= LONGEST for word in value):
        raise Fault("has a word that is no text: write each in quotes")
    if not value[0].startswith("/") or not value[0].isprintable():
        raise Fault("begins with no absolute path: write where the program is, from / on")
    return tuple(value)


def _is_host(text: str) -> bool:
    if ":" not in text:
        return bool(_HOST.match(text))
    # "db:25" has only digits and letters that an address of IPv6 may have.
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return True


def _whole(value: Any, most: int) -> int:
    if isinstance(value, str) and _WHOLE.match(value.strip()):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
        raise Fault(f"is no whole number from 1 to {most}: write one")
    return value


def _addresses(value: Iterable[Any]) -> None:
    _raise(mail.wrong([_short(one) if isinstance(one, str) else "" for one in value]))


def _raise(faults: List[str]) -> None:
    if faults:
        raise Fault("cannot be taken: " + "; ".join(faults))


def _scalar(value: Any) -> Any:
    """So that no message has all of a long list."""
    return "" if isinstance(value, (list, tuple, Mapping)) else value


def _short(text: str) -> str:
    return text if len(text) <= 254 else text[:40] + "…"
