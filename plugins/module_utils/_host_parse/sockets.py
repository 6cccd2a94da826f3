# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sockets that are listened on, from /proc/net/tcp and /proc/net/tcp6."""

from __future__ import annotations

import ipaddress
from typing import Iterable, List, NamedTuple

_LISTENING = "0A"
_WILDCARDS = ("0.0.0.0", "::")


class Listening(NamedTuple):
    """A socket. inode: its number, by which the process that has it is found."""

    address: str
    port: int
    inode: int


def parse_listening(text: str) -> List[Listening]:
    """The sockets of one of the files; its first line is a heading."""
    found = []
    for line in text.splitlines()[1:]:
        fields = line.split()
        if len(fields) < 10:
            raise ValueError("a line of it is too short")
        if fields[3] == _LISTENING:
            address, _colon, port = fields[1].partition(":")
            found.append(Listening(_address(address), int(port, 16), int(fields[9])))
    return found


def in_the_way(found: Iterable[Listening], port: int, addresses: Iterable[str]) -> List[Listening]:
    """Those that keep others from listening on the port at one of the addresses."""
    wanted = {str(ipaddress.ip_address(address)) for address in addresses}
    everywhere = bool(wanted.intersection(_WILDCARDS))
    return [
        listening
        for listening in found
        if listening.port == port and (everywhere or listening.address in (*wanted, *_WILDCARDS))
    ]


def _address(digits: str) -> str:
    """Words of 32 bits, each with its lowest byte first."""
    words = [bytes.fromhex(digits[at : at + 8])[::-1] for at in range(0, len(digits), 8)]
    return str(ipaddress.ip_address(b"".join(words)))
