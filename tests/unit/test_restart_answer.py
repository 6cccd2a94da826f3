# SPDX-License-Identifier: GPL-3.0-or-later
"""_restart.answer: which server is down, and which only lets nobody in."""

from __future__ import annotations

import pytest
from ansible_collections.midi.capacity.plugins.module_utils._restart.answer import (
    Knock,
    Postmaster,
    first_sqlstate,
    parse_pid_file,
    state_of,
)

NOBODY, NOTHING = Knock(None, True), Knock(None, False)
GONE, READY = Postmaster(None, ""), Postmaster(7, "ready")


@pytest.mark.parametrize(
    ("knock", "postmaster", "state"),
    [
        # It spoke, so it runs, whatever else is known.
        (Knock("28P01", False), None, "rejects"),
        (Knock("28000", False), GONE, "rejects"),
        (Knock("3D000", False), READY, "rejects"),
        (Knock("53300", False), READY, "rejects"),
        (Knock("", False), None, "rejects"),
        (Knock("57P03", False), None, "starting"),
        (Knock("57P01", False), READY, "starting"),
        # Its process runs: the connection leads elsewhere, or it is on its way.
        (NOBODY, READY, "silent"),
        (NOTHING, Postmaster(7, "standby"), "silent"),
        (NOBODY, Postmaster(7, ""), "silent"),
        (NOBODY, Postmaster(7, "starting"), "starting"),
        (NOBODY, Postmaster(7, "stopping"), "starting"),
        # Nobody listens, or there is no process.
        (NOBODY, None, "down"),
        (NOBODY, GONE, "down"),
        (NOTHING, GONE, "down"),
        # A wrong name, a firewall, an option that libpq does not like.
        (NOTHING, None, "silent"),
    ],
)
def test_the_state(knock: Knock, postmaster: Postmaster | None, state: str) -> None:
    assert state_of(knock, postmaster) == state


@pytest.mark.parametrize(
    ("message", "sqlstate"),
    [
        (b"E\0\0\0\x60SFATAL\0VFATAL\0C28P01\0Mpassword authentication failed\0Fauth.c\0\0", "28P01"),
        # The severity in another language, and a message that begins as a code would.
        ("E\0\0\0\x60SВАЖНО\0VFATAL\0C57P03\0MCпускается\0\0".encode(), "57P03"),
        (b"E\0\0\0\x10SFATAL\0", ""),
        (b"R\0\0\0\x08\0\0\0\0", ""),
        (b"HTTP/1.1 400 Bad Request", ""),
    ],
)
def test_the_code_of_a_refusal(message: bytes, sqlstate: str) -> None:
    assert first_sqlstate(message) == sqlstate


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("4711\n/data\n1764329604\n5432\n/run\nlocalhost\n  524 1\nready   \n", Postmaster(4711, "ready")),
        ("4711\n/data\n1764329604\n5432\n", Postmaster(4711, "")),
        ("-4711\n/data\n", Postmaster(4711, "")),
    ],
)
def test_the_file_of_the_process(text: str, found: Postmaster) -> None:
    assert parse_pid_file(text) == found


@pytest.mark.parametrize("text", ["", "\n", "x\n"])
def test_a_half_written_file_tells_nothing(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_pid_file(text)
