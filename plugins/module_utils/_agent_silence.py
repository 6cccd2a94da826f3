# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands about what is sent: silence, test-alert."""

from __future__ import annotations

import contextlib
import os
import sys
import time

from ansible_collections.midi.capacity.plugins.module_utils import (
    _agent_alerts,
    _agent_command,
    _agent_lock,
    _postgres,
)
from ansible_collections.midi.capacity.plugins.module_utils._agent.config import Config
from ansible_collections.midi.capacity.plugins.module_utils._agent_clock import now
from ansible_collections.midi.capacity.plugins.module_utils._agent_memory import AlertMemory
from ansible_collections.midi.capacity.plugins.module_utils._agent_run import Run
from ansible_collections.midi.capacity.plugins.module_utils._agent_store import Store, StoreError
from ansible_collections.midi.capacity.plugins.module_utils._alerts import memory as documents
from ansible_collections.midi.capacity.plugins.module_utils._alerts import silences
from ansible_collections.midi.capacity.plugins.module_utils._errors import OperatorError
from ansible_collections.midi.capacity.plugins.module_utils._report import human


def silence(config: Config, options) -> int:
    """Adds one, lifts them, or shows those that hold."""
    _refuse_half(options)
    with _alone(config), Store.open(config.history, create=False) as store:
        at = now()
        memory = AlertMemory(store, config.runtime_dir)
        document, _complaint = memory.load()
        try:
            if options.lift:
                document = silences.lifted(document, at, options.metric)
            elif options.duration is not None:
                seconds = silences.seconds(options.duration)
                document = silences.added(document, at, seconds, options.reason or "", options.metric)
            else:
                document = documents.settled(document, at)
        except silences.SilenceError as error:
            raise OperatorError(str(error)) from None
        if options.lift or options.duration is not None:
            complaint = memory.save(document)
            if complaint:
                raise OperatorError(f"the silence cannot be kept: {complaint}")
    active = silences.active(document, at)
    if not active:
        sys.stdout.write("nothing is silenced\n")
    for entry in active:
        what = entry["metric"] or "everything"
        sys.stdout.write(f"{what} is silenced until {human.moment(entry['until'])}: {entry['reason']}\n")
    return 0


def _refuse_half(options) -> None:
    """Raises OperatorError for options that would be without effect."""
    if options.reason is not None and options.duration is None:
        raise OperatorError("--reason is that of a silence from now on", remedy="give --for as well, or leave it out")
    if options.metric is not None and options.duration is None and not options.lift:
        raise OperatorError("--metric does not say what is to be done with it", remedy="give --for or --lift as well")


def test_alert(config: Config, _options) -> int:
    """0 when it arrived by every channel."""
    if not config.channels:
        raise OperatorError(
            "there is no channel that an alert could go by",
            remedy="set monitoring_cron_channels; until then alerts stand in its log only",
        )
    _postgres.give_up_at(time.monotonic() + config.deadline_seconds)
    run = Run(config, "test-alert")
    with _alone(config), contextlib.ExitStack() as held:
        try:
            run.store = held.enter_context(Store.open(config.history, create=False))
        except StoreError as error:
            # That alerts arrive is to be known before the first of them.
            sys.stderr.write(f"{_agent_command.name()}: {error}\n")
        outcomes = _agent_alerts.test(config, run.memory(), run.seconds_left, run.log)
    width = max(len(name) for name in outcomes)
    for name, error in outcomes.items():
        sys.stdout.write(f"{name.ljust(width)}  {'arrived' if error is None else error}\n")
    return 0 if all(error is None for error in outcomes.values()) else 2


@contextlib.contextmanager
def _alone(config: Config):
    """A run that goes on would write over what is remembered, so its end is waited for."""
    with _agent_lock.held(os.path.join(config.directory, "lock"), config.deadline_seconds) as free:
        if not free:
            raise OperatorError("another run of the agent does not end", remedy="try again when it is done")
        yield
