# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Delivers alerts: by every channel, each for itself and at the same time, in bounded time.

A channel that fails is tried again, with growing pauses, unless it was refused for good: by HTTP with 4xx (but 408, 425
and 429) or a redirect, by SMTP with 5xx, by a certificate, by a program that is not there. No outcome has a secret of
the channel in it.
"""

from __future__ import annotations

import functools
import threading
import time
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence

from ansible_collections.midi.capacity.plugins.module_utils._agent_delivery import command, http, sendmail, smtp, syslog
from ansible_collections.midi.capacity.plugins.module_utils._agent_delivery.attempt import NO_THREAD, Attempt, Failure
from ansible_collections.midi.capacity.plugins.module_utils._alerts import (
    alertmanager,
    log_lines,
    plain,
    slack,
    webhook,
)
from ansible_collections.midi.capacity.plugins.module_utils._alerts.channel_model import (
    ALERTMANAGER,
    SLACK,
    Channel,
    Command,
    Sendmail,
    Smtp,
    Syslog,
    Webhook,
    hidden,
    secrets,
)
from ansible_collections.midi.capacity.plugins.module_utils._alerts.mail import MailError, mail
from ansible_collections.midi.capacity.plugins.module_utils._alerts.news import TEST
from ansible_collections.midi.capacity.plugins.module_utils._alerts.texts import Place

Json = Dict[str, Any]
Outcomes = Dict[str, Optional[str]]
Work = Callable[[Attempt], None]

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 1, 30
# With less nothing is begun.
LEAST_SECONDS = 0.1
NO_TIME = "not tried: no time left"

_LONGEST_OUTCOME = 400


def deliver(
    channels: Sequence[Channel],
    message: Json,
    place: Place,
    valid_seconds: float,
    seconds_left: float,
    pause: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> Outcomes:
    """For each channel by its name None, or why the message did not arrive.

    A channel that has nothing to say about it is left out, for it could not make up for one that fails; unless no other
    is concerned. valid_seconds: how long Alertmanager takes for true what is bad; longer than until the next refresh.
    seconds_left: for all of it, pauses too.
    """
    concerned = [channel for channel in channels if not _is_silent(channel, message, place, valid_seconds)]
    if not concerned:
        return {channel.name: None for channel in channels}
    works: Dict[Channel, Work] = {
        channel: functools.partial(_send, channel, message, place, valid_seconds) for channel in concerned
    }
    return _all(works, clock() + seconds_left, clock, pause)


def refresh(
    channels: Sequence[Channel],
    standing: Sequence[Json],
    place: Place,
    now: str,
    valid_seconds: float,
    seconds_left: float,
    pause: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> Outcomes:
    """Tells Alertmanager again what is still bad (news.standing), or it takes it for resolved. Others hear nothing."""
    payload = alertmanager.payload(standing, place, now, valid_seconds)
    works: Dict[Channel, Work] = {
        channel: functools.partial(http.post, channel, payload)
        for channel in channels
        if isinstance(channel, Webhook) and channel.format == ALERTMANAGER and payload
    }
    return _all(works, clock() + seconds_left, clock, pause)


def _is_silent(channel: Channel, message: Json, place: Place, valid_seconds: float) -> bool:
    """Alertmanager need not hear that something is over that it never heard of."""
    return (
        isinstance(channel, Webhook)
        and channel.format == ALERTMANAGER
        and not _payload(channel, message, place, valid_seconds)
    )


def _send(channel: Channel, message: Json, place: Place, valid_seconds: float, attempt: Attempt) -> None:
    """Raises Failure."""
    if isinstance(channel, Syslog):
        syslog.write(channel, log_lines.lines(message, place), attempt)
    elif isinstance(channel, (Sendmail, Smtp)):
        _send_mail(channel, message, place, attempt)
    elif isinstance(channel, Webhook):
        http.post(channel, _payload(channel, message, place, valid_seconds), attempt)
    elif isinstance(channel, Command):
        command.send(channel, message, place, attempt)


def _send_mail(channel: Any, message: Json, place: Place, attempt: Attempt) -> None:
    try:
        found = mail(message, place, channel.sender, channel.recipients)
    except MailError as error:
        raise Failure(str(error), again=False) from None
    if isinstance(channel, Sendmail):
        sendmail.send(channel, found, attempt)
    else:
        smtp.send(channel, found, place.host, message["kind"] == TEST, attempt)


def _payload(channel: Webhook, message: Json, place: Place, valid_seconds: float) -> Any:
    if channel.format == SLACK:
        return slack.payload(message, place)
    if channel.format != ALERTMANAGER:
        return webhook.payload(message, place)
    if message["kind"] == TEST:
        return alertmanager.trial(place, message["at"], valid_seconds)
    return alertmanager.payload(message["alerts"], place, message["at"], valid_seconds)


def _all(
    works: Mapping[Channel, Work],
    end: float,
    clock: Callable[[], float],
    pause: Callable[[float], None],
) -> Outcomes:
    deliveries = [_Delivery(channel, work, end, clock, pause) for channel, work in works.items()]
    try:
        for delivery in deliveries:
            delivery.begin()
        for delivery in deliveries:
            if delivery.ident is not None:
                delivery.join()
    except BaseException:
        # Whoever ends the agent ends the programs that it started.
        for delivery in deliveries:
            delivery.stop()
        raise
    return {delivery.channel.name: delivery.outcome for delivery in deliveries}


class _Delivery(threading.Thread):
    """One message by one channel, until it arrived, was refused for good, or attempts or time are used up."""

    def __init__(
        self,
        channel: Channel,
        work: Work,
        end: float,
        clock: Callable[[], float],
        pause: Callable[[float], None],
    ) -> None:
        super().__init__(name=f"deliver {channel.name}", daemon=True)
        self.channel = channel
        self.outcome: Optional[str] = "an error of the agent"
        self._work, self._end, self._clock, self._pause = work, end, clock, pause
        self._attempts: List[Attempt] = []
        self._stopped = False

    def begin(self) -> None:
        try:
            self.start()
        except RuntimeError:
            self.outcome = f"not tried: {NO_THREAD}"

    def run(self) -> None:
        outcome = self._tried()
        if outcome is not None:
            outcome = plain.line(hidden(outcome, secrets(self.channel)), _LONGEST_OUTCOME)
        self.outcome = outcome

    def stop(self) -> None:
        self._stopped = True
        for attempt in self._attempts:
            attempt.end()

    def _tried(self) -> Optional[str]:
        why = NO_TIME
        for number in range(self.channel.attempts):
            left = self._end - self._clock()
            if left < LEAST_SECONDS or self._stopped:
                return why if number == 0 else f"{why} (no time left to try again)"
            attempt = Attempt(min(self.channel.timeout_seconds, left))
            self._attempts.append(attempt)
            if self._stopped:
                attempt.end()
            try:
                attempt.run(self._work)
                return None
            except Failure as failure:
                why = str(failure)
                if not failure.again:
                    return why
            if number + 1 < self.channel.attempts:
                seconds = min(FIRST_PAUSE_SECONDS * 2**number, LONGEST_PAUSE_SECONDS)
                if self._clock() + seconds + LEAST_SECONDS > self._end:
                    return f"{why} (no time left to try again)"
                self._pause(seconds)
        return why if self.channel.attempts == 1 else f"{why} ({self.channel.attempts} attempts)"
