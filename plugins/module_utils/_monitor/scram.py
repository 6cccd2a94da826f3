# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SCRAM-SHA-256: what PostgreSQL stores instead of a password, so that it never sees the password itself."""

from __future__ import annotations

import base64
import hashlib
import hmac
import string

# As the server has them by default (scram_iterations since 16, fixed before).
ITERATIONS = 4096
SALT_BYTES = 16
_PRINTABLE = frozenset(string.ascii_letters + string.digits + string.punctuation + " ")


def can_be_hashed(password: str) -> bool:
    """Whether client and server are sure to prepare it in the same way: of others RFC 4013 makes different bytes."""
    return bool(password) and set(password) <= _PRINTABLE


def verifier(password: str, salt: bytes) -> str:
    """RFC 5802, section 3, in the writing of pg_authid.rolpassword."""
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, ITERATIONS)
    stored = hashlib.sha256(_keyed(salted, b"Client Key")).digest()
    return f"SCRAM-SHA-256${ITERATIONS}:{_text(salt)}${_text(stored)}:{_text(_keyed(salted, b'Server Key'))}"


def _keyed(key: bytes, message: bytes) -> bytes:
    return hmac.new(key, message, hashlib.sha256).digest()


def _text(value: bytes) -> str:
    return base64.b64encode(value).decode()
