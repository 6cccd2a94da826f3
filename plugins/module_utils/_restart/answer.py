# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What it means that a server let nobody in: only one that is not there is down, and may be started.

No message is read for that, because servers and libraries say them in many languages.
"""

from __future__ import annotations

from typing import NamedTuple, Optional

ANSWERS, REJECTS, STARTING, SILENT, DOWN = "answers", "rejects", "starting", "silent", "down"
STATES = (ANSWERS, REJECTS, STARTING, SILENT, DOWN)

# PostgreSQL manual, appendix A: operator intervention, such as cannot_connect_now and admin_shutdown.
_OPERATOR_INTERVENTION = "57P"
_ERROR, _SQLSTATE = b"E", b"C"
_HEAD_BYTES = 5
# Of postmaster.pid: the server's number stands in the first line, and what it is at in the eighth.
_PID_LINE, _STATUS_LINE = 0, 7
_ON_ITS_WAY = ("starting", "stopping")


class Knock(NamedTuple):
    """How a server took the beginning of a login.

    sqlstate: of its refusal; "" when it said anything else, which may be a question for a password; None for no word.
    refused: whether nobody listens there, which is more than that nothing was heard.
    """

    sqlstate: Optional[str]
    refused: bool


class Postmaster(NamedTuple):
    """The server's process, as its data directory tells it. pid: None is certain that there is none."""

    pid: Optional[int]
    status: str


def first_sqlstate(message: bytes) -> str:
    """The SQLSTATE in the first message of a server; "" when it is no refusal.

    PostgreSQL manual 53.7 "Message Formats", ErrorResponse: E, the length, and fields of a letter and a text each.
    """
    if not message.startswith(_ERROR):
        return ""
    fields = message[_HEAD_BYTES:].split(b"\0")
    found = next((field[1:] for field in fields if field.startswith(_SQLSTATE)), b"")
    return found.decode("ascii", "replace")


def parse_pid_file(text: str) -> Postmaster:
    """postmaster.pid. Raises ValueError for one that is half written."""
    lines = [line.strip() for line in text.splitlines()]
    pid = int(lines[_PID_LINE]) if lines else 0
    if pid == 0:
        raise ValueError("postmaster.pid names no process")
    # A standalone backend has a negative number.
    return Postmaster(abs(pid), lines[_STATUS_LINE] if len(lines) > _STATUS_LINE else "")


def state_of(knock: Knock, postmaster: Optional[Postmaster]) -> str:
    """The state of a server that let nobody in. postmaster: None where nothing is known of it."""
    if knock.sqlstate is not None:
        return STARTING if knock.sqlstate.startswith(_OPERATOR_INTERVENTION) else REJECTS
    if postmaster is not None and postmaster.pid is not None:
        return STARTING if postmaster.status in _ON_ITS_WAY else SILENT
    if postmaster is not None or knock.refused:
        return DOWN
    return SILENT
