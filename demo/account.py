# SPDX-License-Identifier: GPL-3.0-or-later
"""Which account the servers run as: one's own, or `nobody` when that is root, because PostgreSQL refuses root."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from pathlib import Path

from demo.errors import ServerError

UNPRIVILEGED = "nobody"


def server_account() -> str:
    """Name of the account that the servers run as. Raises ServerError for an account that has no name."""
    if os.geteuid() == 0:
        return UNPRIVILEGED
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        raise ServerError(
            f"the account with id {os.geteuid()} has no name, and PostgreSQL needs one",
            remedy="run it as an account that /etc/passwd knows",
        ) from None


def server_account_id() -> int:
    """Its number."""
    return pwd.getpwnam(server_account()).pw_uid


def as_server_account(*needed: Path) -> list[str]:
    """The argv prefix that runs a command as the server account; empty when that is one's own.

    needed: paths that the servers must reach. Root's home is commonly closed to others; then the command keeps the one
    capability that lets it pass through closed directories and read there, but write nothing, and still nothing that
    lets PostgreSQL take it for root.
    """
    if os.geteuid() != 0:
        return []
    account = pwd.getpwnam(UNPRIVILEGED)
    prefix = [
        shutil.which("setpriv") or "setpriv",
        f"--reuid={account.pw_uid}",
        f"--regid={account.pw_gid}",
        "--clear-groups",
    ]
    if all(_reachable(prefix, path) for path in needed):
        return prefix
    # Without the securebit, access(2) does not count the capability, and initdb asks that way for its programs.
    return [
        *prefix,
        "--inh-caps=+dac_read_search",
        "--ambient-caps=+dac_read_search",
        "--securebits=+no_setuid_fixup",
    ]


def give_to_server_account(path: Path) -> None:
    """Make the server account the owner of a file or directory (nothing to do unless root)."""
    if os.geteuid() == 0:
        account = pwd.getpwnam(UNPRIVILEGED)
        os.chown(path, account.pw_uid, account.pw_gid)


def _reachable(prefix: list[str], path: Path) -> bool:
    return subprocess.run([*prefix, "test", "-x", str(path)], check=False).returncode == 0
