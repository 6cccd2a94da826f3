# SPDX-License-Identifier: GPL-3.0-or-later
"""Values that must not show: of settings that hold secrets, and of names that somebody meant to be one."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.midi.capacity.plugins.module_utils._redis_settings.secret import is_secret, secrets


@pytest.mark.parametrize(
    "name",
    ["requirepass", "MasterAuth", "tls-key-file-pass", "requirepass ", "require_pass", "requirepas", "Require-Pass"]
    + ["master_auth", "mastreauth", "password", "client-secret", "auth"],
)
def test_what_looks_like_a_secret_is_one(name: str) -> None:
    assert is_secret(name)


@pytest.mark.parametrize(
    "name", ["timeout", "maxmemory", "masteruser", "tls-auth-clients", "tls-key-file", "tls-client-key-file", "save"]
)
def test_other_settings_stay_readable(name: str) -> None:
    assert not is_secret(name)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("s3cr3t", ["s3cr3t"]),
        (42, ["42"]),
        (["a", ["b", 3]], ["a", "b", "3"]),
        ({"old": "a", "new": ["b"]}, ["a", "b"]),
        # Masked, these would make everything else unreadable.
        (True, []),
        ("", []),
        (None, []),
        ([], []),
    ],
)
def test_values_to_mask(value: Any, expected: list[str]) -> None:
    assert secrets({"timeout": 5, "require_pass": value}) == expected
