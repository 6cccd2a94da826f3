# SPDX-License-Identifier: GPL-3.0-or-later
"""When a check of a host fails, its report shows what the host's services said."""

from __future__ import annotations

from collections.abc import Generator

import pytest

# Debian's PostgreSQL and Redis write to files, everything else to the journal, where --unit omits Ansible and sudo.
SAID = {
    "units that failed": "systemctl list-units --failed --plain --no-legend --no-pager",
    "journal": "journalctl --boot --no-pager --unit '*.service' --unit '*.timer' --lines 40",
    "PostgreSQL's log": "tail --quiet --lines 20 /var/log/postgresql/*.log",
    "Redis's log": "tail --quiet --lines 20 /var/log/redis/*.log",
}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add what the services said to the report of a failure."""
    report = yield
    host = getattr(item, "funcargs", {}).get("host")
    if report.failed and host is not None:
        for title, command in SAID.items():
            done = host.run(command)
            report.sections.append((f"{title} on {host.backend.hostname}", done.stdout + done.stderr))
    return report
