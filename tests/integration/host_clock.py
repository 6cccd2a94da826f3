# SPDX-License-Identifier: GPL-3.0-or-later
"""A host whose clocks a test sets: the one that people set, by libfaketime, and how long the host has run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from demo.servers import EmbeddedPostgres
from tests.integration.agent_runs import Agent

_LIBRARY = "*/faketime/libfaketime.so.1"
# Nobody sets CLOCK_BOOTTIME, and no test waits for hours. And libfaketime takes sleep() of Python for an alarm clock.
_CLOCKS = """
import os, select, time
def _sleep(seconds):
    select.select((), (), (), seconds)
time.sleep = _sleep
_of_the_kernel = time.clock_gettime
def _clock_gettime(clock):
    return _of_the_kernel(clock) + (float(os.environ["PASSED_SECONDS"]) if clock == time.CLOCK_BOOTTIME else 0.0)
time.clock_gettime = _clock_gettime
"""


class HostClock:
    """Of the servers and agents that have it. Both begin at the time that it is."""

    def __init__(self, home: Path) -> None:
        found = sorted(map(str, Path("/usr/lib").glob(_LIBRARY)))
        assert found, f"there is no /usr/lib/{_LIBRARY}: install libfaketime (tests/tools does, as root on Debian)"
        self._offset = 0.0
        self._passed = 0.0
        self._file = home / "clock"
        self._agents: list[Agent] = []
        # PostgreSQL and the agent measure how long something takes by a clock that nobody sets.
        self.environment = {
            "LD_PRELOAD": found[0],
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }
        self._set()

    def given_to(self, agent: Agent) -> Agent:
        agent.preamble = _CLOCKS
        self._agents.append(agent)
        self._set()
        return agent

    def passes(self, seconds: float) -> None:
        """So much time goes by."""
        self._offset += seconds
        self._passed += seconds
        self._set()

    def is_set(self, seconds: float) -> None:
        """Somebody sets the clock, forward or back."""
        self._offset += seconds
        self._set()

    def _set(self) -> None:
        new = self._file.with_suffix(".new")
        new.write_text(f"{self._offset:+f}\n")
        new.chmod(0o644)
        new.replace(self._file)
        for agent in self._agents:
            agent.environment.update(self.environment, PASSED_SECONDS=str(self._passed))


class PostgresOfHost(EmbeddedPostgres):
    """A PostgreSQL by such a clock."""

    def __init__(self, home: Path, clock: HostClock, settings: Mapping[str, str] | None = None) -> None:
        super().__init__(home, settings)
        self.clock = clock

    @property
    def _prefix(self) -> list[str]:  # type: ignore[override]
        # Not for the command that changes the account: what libfaketime shares would be the other account's.
        return [*super()._prefix, "env", *(f"{name}={value}" for name, value in self.clock.environment.items())]
