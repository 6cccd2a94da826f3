# SPDX-License-Identifier: GPL-3.0-or-later
"""_agent_command: what the agent calls itself."""

from __future__ import annotations

import sys

import pytest
from ansible_collections.midi.capacity.plugins.module_utils import _agent_command


@pytest.mark.parametrize(
    ("called", "name"),
    [
        (["/usr/local/bin/capacity-agent", "status"], "capacity-agent"),
        (["/usr/local/bin/second-agent", "status"], "second-agent"),
        (["second-agent"], "second-agent"),
        (["/tmp/ansible/AnsiballZ_capacity_agent.py"], "capacity-agent"),
        (["-c"], "capacity-agent"),
        (["-m"], "capacity-agent"),
        ([""], "capacity-agent"),
        ([], "capacity-agent"),
    ],
)
def test_the_name_is_that_of_the_command(monkeypatch: pytest.MonkeyPatch, called: list[str], name: str) -> None:
    monkeypatch.setattr(sys, "argv", called)
    assert _agent_command.name() == name
