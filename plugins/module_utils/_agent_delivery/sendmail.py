# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A mail by the sendmail of the host."""

from __future__ import annotations

import os
from email.message import EmailMessage

from ansible_collections.midi.capacity.plugins.module_utils._agent_delivery.attempt import Attempt
from ansible_collections.midi.capacity.plugins.module_utils._agent_delivery.program import ENVIRONMENT, run
from ansible_collections.midi.capacity.plugins.module_utils._alerts.channel_model import Sendmail

# Whose settings a sendmail reads.
_OF_ACCOUNT = ("HOME", "LOGNAME", "USER")


def send(channel: Sendmail, mail: EmailMessage, attempt: Attempt) -> None:
    """Raises Failure."""
    words = [channel.program, "-oi", "-f", channel.sender, "--", *channel.recipients]
    of_account = {name: os.environ[name] for name in _OF_ACCOUNT if name in os.environ}
    run(words, mail.as_bytes(), {**ENVIRONMENT, **of_account}, attempt)
