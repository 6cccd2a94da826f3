# SPDX-License-Identifier: GPL-3.0-or-later
"""A host after a stress test by an account of its own, asked itself."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

STATE = "/var/lib/midi-capacity/stress"
SECRET = "correct-horse-battery"


def report(host: Any) -> dict[str, Any]:
    """The one on the host; the controller has the same."""
    (name,) = (line for line in host.check_output(f"ls {STATE}").splitlines() if line.endswith(".json"))
    content = host.file(f"{STATE}/{name}").content_string
    reports = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"]) / "reports" / host.backend.hostname
    assert (reports / f"stress-{name}").read_text() == content
    return json.loads(content)


def test_the_import_was_run_once_by_its_account(host: Any) -> None:
    with host.sudo("postgres"):
        rows = host.check_output("psql -XAt -d midi_library -c 'SELECT count(*) FROM files'")
    assert rows == "20000"
    found = report(host)
    assert found["verdict"]["passed"] and found["rate"]["files"] == 20000
    assert found["rate"]["method"].startswith("rows of public.files")
    assert found["log"]["unmatched_examples"] == ["importing as midi"] and found["log"]["warnings"] == 1
    assert found["connections"]["samples"] > 0 and found["connections"]["reasons"] == []


def test_what_is_left_is_for_those_whom_it_concerns(host: Any) -> None:
    found = report(host)
    log = host.file(found["log"]["path"])
    assert (log.user, log.mode) == ("midi", 0o600)
    for ending in (".json", ".md"):
        stored = host.file(f"{STATE}/{found['run']}{ending}")
        assert (stored.user, stored.mode) == ("root", 0o600)
    assert host.file(STATE).user == "root" and host.file(STATE).mode == 0o755
    # No job of Ansible's and no process is left, and the password is nowhere.
    assert host.run("ls -A /root/.ansible_async").stdout == ""
    assert host.run("pgrep -u midi").rc == 1
    assert (
        host.run(f"grep -rl {SECRET} {STATE} /srv/midi /var/lib/postgresql --include '*' --exclude '*.log'").stdout
        == ""
    )
