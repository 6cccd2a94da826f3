# SPDX-License-Identifier: GPL-3.0-or-later
"""How the monitoring role logs in: libpq's files, the hash of a password, and the line for pg_hba.conf."""

from __future__ import annotations

import base64
import string

import pytest
from ansible_collections.midi.capacity.plugins.module_utils._monitor import files, scram
from ansible_collections.midi.capacity.plugins.module_utils._monitor.files import Place
from hypothesis import given
from hypothesis import strategies as st

CONNECTION = {
    "login_host": "",
    "login_port": 5432,
    "login_unix_socket": None,
    "login_db": "midi",
    "ssl_mode": "prefer",
    "ca_cert": None,
}
PRINTABLE = st.text(string.ascii_letters + string.digits + string.punctuation + " ", min_size=1)


def test_a_verifier_is_that_of_rfc_7677() -> None:
    """Its example: the password "pencil", and the keys that its messages prove."""
    made = scram.verifier("pencil", base64.b64decode("W22ZaJ0SNY7soEsUEjb6gQ=="))
    assert made == (
        "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:"
        "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
    )


@pytest.mark.parametrize(("password", "fits"), [("pa ss:w\\ord", True), ("", False), ("naïve", False), ("a\nb", False)])
def test_which_passwords_can_be_hashed(password: str, fits: bool) -> None:
    assert scram.can_be_hashed(password) == fits


@given(PRINTABLE, PRINTABLE)
def test_a_password_file_gives_back_what_was_put_in(role: str, password: str) -> None:
    text = files.password_text(role, password)
    assert files.password_of(text, role) == password
    assert files.password_of(text, role + "x") is None


def test_a_password_file_is_written_as_libpq_reads_it() -> None:
    assert files.password_text("midi", "a:b\\c").splitlines()[-1] == "*:*:*:midi:a\\:b\\\\c"


def test_a_service_gives_back_what_was_put_in() -> None:
    section = Place("/run/pg", 5433, "midi", "midi_monitor", "verify-full", "/ca.pem").section("/conf/pgpass")
    assert section == {
        "host": "/run/pg",
        "port": "5433",
        "dbname": "midi",
        "user": "midi_monitor",
        "sslmode": "verify-full",
        "sslrootcert": "/ca.pem",
        "passfile": "/conf/pgpass",
    }
    text = files.service_text("midi", section) + "[other]\nhost=elsewhere\n"
    assert files.section_of(text, "midi") == section
    assert files.section_of(text, "mid") == {}


def test_the_default_socket_is_not_named() -> None:
    assert "host" not in Place("", 5432, "midi", "midi_monitor").section()


@pytest.mark.parametrize(
    ("options", "hosts"),
    [
        ({}, ["", "127.0.0.1"]),
        ({"login_unix_socket": "/run/pg"}, ["/run/pg", "127.0.0.1"]),
        ({"login_host": "db1", "login_unix_socket": "/run/pg"}, ["db1"]),
    ],
)
def test_places_are_those_of_the_same_server(options: dict[str, str], hosts: list[str]) -> None:
    assert [place.host for place in files.places({**CONNECTION, **options}, "midi_monitor")] == hosts


@pytest.mark.parametrize(
    ("host", "account", "dbname", "line"),
    [
        ("127.0.0.1", "root", "midi", "host midi midi_monitor 127.0.0.1/32 scram-sha-256"),
        ("db1", "root", "midi", "host midi midi_monitor ADDRESS/32 scram-sha-256"),
        ("", "root", "midi", "local midi midi_monitor scram-sha-256"),
        ("/run/pg", "midi_monitor", "midi", "local midi midi_monitor peer"),
        ("127.0.0.1", "root", "all", 'host "all" midi_monitor 127.0.0.1/32 scram-sha-256'),
        ("127.0.0.1", "root", "my-db", 'host "my-db" midi_monitor 127.0.0.1/32 scram-sha-256'),
    ],
)
def test_the_line_for_pg_hba(host: str, account: str, dbname: str, line: str) -> None:
    assert files.pg_hba_line(Place(host, 5432, dbname, "midi_monitor"), account) == line
