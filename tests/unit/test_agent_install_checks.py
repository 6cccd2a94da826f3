# SPDX-License-Identifier: GPL-3.0-or-later
"""Which timers are taken and which refused, on a host where systemd runs and on one where it does not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.midi.capacity.plugins.module_utils import _agent_timers
from ansible_collections.midi.capacity.plugins.module_utils._agent_install_checks import prepared
from ansible_collections.midi.capacity.plugins.module_utils._errors import OperatorError
from ansible_collections.midi.capacity.plugins.modules.capacity_agent import SPEC


class Host:
    """One whose systemd runs or does not, and reads its units from a directory of the test's own."""

    def __init__(self, home: Path, runs: bool, monkeypatch: pytest.MonkeyPatch) -> None:
        self.runs, self.home = runs, home
        for name in ("bin", "lib", "cron", "units", "run", "systemctl"):
            (home / name).mkdir()
        program = home / "systemctl/systemctl"
        program.write_text("#!/bin/sh\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
        monkeypatch.setattr(_agent_timers, "RUNS", str(home / "run") if runs else "/nowhere")
        monkeypatch.setattr(_agent_timers, "_READ_BY_SYSTEMD", (str(home / "units"),))

    def prepared(self, **changes: Any) -> tuple[str, str]:
        """Who runs the schedule, and who the dead man."""
        options = {name: option.get("default") for name, option in SPEC.options.items()}
        options |= {"prefix": f"{self.home}/lib/agent", "command": f"{self.home}/bin/capacity-agent"}
        options |= {"cron_dir": f"{self.home}/cron", "units_dir": f"{self.home}/units", "tmpfiles_dir": ""}
        options["config"] = {"host": "db1", "database": "midi", "state_dir": f"{self.home}/state"}
        options |= changes
        found, _config, _owner = prepared(options, _agent_timers.Timers(options["units_dir"], "capacity-agent"))
        return found.schedule_by, found.deadman_by


@pytest.fixture(params=[True, False], ids=["systemd", "no systemd"])
def host(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    return Host(tmp_path, request.param, monkeypatch)


@pytest.mark.parametrize("wanted", [{"schedule": "timer"}, {"deadman": "timer"}])
def test_timers_are_taken_where_systemd_runs_and_refused_elsewhere(host: Host, wanted: dict[str, str]) -> None:
    if host.runs:
        assert "timer" in host.prepared(**wanted)
        return
    with pytest.raises(OperatorError, match="systemd does not run here .* choose cron for schedule and deadman"):
        host.prepared(**wanted)


def test_the_dead_man_is_cron_s_too_where_there_is_nothing_else(host: Host) -> None:
    assert host.prepared(schedule="cron") == ("cron", "timer" if host.runs else "cron")


def test_of_a_directory_that_systemd_does_not_read_nobody_knows_better(host: Host) -> None:
    (host.home / "image").mkdir()
    assert host.prepared(schedule="timer", units_dir=f"{host.home}/image") == ("timer", "cron")
