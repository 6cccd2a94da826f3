# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From readings to messages that arrive, and what became of them."""

from __future__ import annotations

from ansible_collections.midi.capacity.plugins.module_utils._agent.config import Config
from ansible_collections.midi.capacity.plugins.module_utils._agent_clock import now
from ansible_collections.midi.capacity.plugins.module_utils._agent_delivery.deliver import deliver, refresh
from ansible_collections.midi.capacity.plugins.module_utils._agent_memory import AlertMemory
from ansible_collections.midi.capacity.plugins.module_utils._alerts import delivery, news, texts
from ansible_collections.midi.capacity.plugins.module_utils._thresholds import evaluate

# What is bad holds that long for Alertmanager without being said again.
VALID_INTERVALS = 2.5


def tell(config: Config, memory: AlertMemory, readings: dict, only, seconds_left, log) -> list:
    """Evaluates, sends what there is to say, remembers; gives the evaluations.

    only: names of the metrics that were read, None for all. seconds_left(): of the run. log(text).
    """
    thresholds = config.thresholds
    looked_at = [entry for entry in thresholds if only is None or entry.metric.name in only]
    document, complaint = memory.load()
    if complaint:
        log(complaint)
    evaluations, checks = evaluate.evaluate_all(looked_at, readings, document["checks"])
    document, messages = news.advance(
        document, thresholds, evaluations, checks, now(), config.repeat_seconds, config.digest_from
    )
    _save(memory, document, log)
    for message in messages:
        document = _send(config, memory, document, message, seconds_left, log)
    _refresh(config, document, seconds_left, log)
    return evaluations


def test(config: Config, memory: AlertMemory, seconds_left, log) -> dict:
    """Sends a test by every channel; gives {channel: None or why it failed}."""
    document, complaint = memory.load()
    if complaint:
        log(complaint)
    message = news.trial(now())
    outcomes = _deliver(config, message, seconds_left)
    _save(memory, delivery.delivered(document, message, outcomes, now()), log)
    return outcomes


def place(config: Config) -> texts.Place:
    return texts.Place(config.host, config.database)


def _send(config: Config, memory: AlertMemory, document: dict, message: dict, seconds_left, log) -> dict:
    log(f"alert: {texts.subject(message, place(config))}")
    outcomes = _deliver(config, message, seconds_left)
    for channel, error in outcomes.items():
        log(f"alert by {channel}: {'arrived' if error is None else error}")
    document = delivery.delivered(document, message, outcomes or delivery.ONLY_LOGGED, now())
    _save(memory, document, log)
    return document


def _deliver(config: Config, message: dict, seconds_left) -> dict:
    valid = VALID_INTERVALS * config.interval_seconds
    return deliver(config.channels, message, place(config), valid, seconds_left())


def _refresh(config: Config, document: dict, seconds_left, log) -> None:
    standing = news.standing(document)
    valid = VALID_INTERVALS * config.interval_seconds
    outcomes = refresh(config.channels, standing, place(config), now(), valid, seconds_left())
    for channel, error in outcomes.items():
        if error is not None:
            log(f"alerts that stand, by {channel}: {error}")


def _save(memory: AlertMemory, document: dict, log) -> None:
    complaint = memory.save(document)
    if complaint:
        log(f"alerts cannot be remembered and may come again: {complaint}")
