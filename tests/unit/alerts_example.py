# SPDX-License-Identifier: GPL-3.0-or-later
"""An agent that only alerts: it reads what a test gives it, and writes down what it would send."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from ansible_collections.midi.capacity.plugins.module_utils import _moments
from ansible_collections.midi.capacity.plugins.module_utils._alerts import delivery, memory, news, silences
from ansible_collections.midi.capacity.plugins.module_utils._alerts.texts import Place
from ansible_collections.midi.capacity.plugins.module_utils._thresholds.evaluate import evaluate_all
from ansible_collections.midi.capacity.plugins.module_utils._thresholds.model import Reading, Threshold

from tests.unit.thresholds_example import only, threshold

Json = dict[str, Any]

BEGIN = "2026-11-24T00:10:00.000Z"
HOUR = 3600
PLACE = Place("db1", "midi_library")
DISK = threshold("disk_used_percent", warn=50, critical=80, hysteresis=2)
CPU = threshold("cpu_busy_percent", warn=80, critical=90, hysteresis=5, samples=1)


def arrived(_message: Json) -> dict[str, str | None]:
    return {"log": None}


def lost(_message: Json) -> dict[str, str | None]:
    return {"mail": "connection refused"}


class Agent:
    """The clock is `now`; every run is `step` seconds later."""

    def __init__(self, *thresholds: Threshold, step: float = HOUR, **options: Any) -> None:
        self.thresholds = only(*thresholds)
        self.step, self.options = step, options
        self.now = BEGIN
        self.document = memory.empty()
        self.channel: Callable[[Json], dict[str, str | None]] = arrived

    def run(self, **values: float | None | Sequence[Reading]) -> list[Json]:
        """One sample by metric; gives the messages."""
        readings = {
            name: [Reading(value, reason="it failed")] if value is None or isinstance(value, (int, float)) else value
            for name, value in values.items()
        }
        evaluations, checks = evaluate_all(self.thresholds, readings, self.document["checks"])
        self.document, messages = news.advance(
            self.document, self.thresholds, evaluations, checks, self.now, **self.options
        )
        self._stored()
        for message in messages:
            self.document = delivery.delivered(self.document, message, self.channel(message), self.now)
        self._stored()
        self.pass_time(self.step)
        return messages

    def cpu(self, *values: float | None) -> list[str]:
        """The news of each sample in short: kind and state, several with a comma."""
        return [gist(self.run(cpu_busy_percent=value)) for value in values]

    def pass_time(self, seconds: float) -> None:
        self.now = _moments.after(self.now, seconds)

    def silence(self, seconds: float, metric: str | None = None) -> None:
        self.document = silences.added(self.document, self.now, seconds, "tests", metric)
        self._stored()

    def _stored(self) -> None:
        found, complaint = memory.opened(json.loads(json.dumps(self.document, allow_nan=False)))
        assert complaint is None and found == self.document


def gist(messages: list[Json]) -> str:
    return ", ".join(f"{message['kind']} {message['state']}" for message in messages)
