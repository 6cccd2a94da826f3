# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A message to a command of one's own: as JSON on its standard input, and in short in its environment."""

from __future__ import annotations

import json
from typing import Any, Dict

from ansible_collections.midi.capacity.plugins.module_utils._agent_delivery.attempt import Attempt
from ansible_collections.midi.capacity.plugins.module_utils._agent_delivery.program import ENVIRONMENT, run
from ansible_collections.midi.capacity.plugins.module_utils._alerts import plain, texts, webhook
from ansible_collections.midi.capacity.plugins.module_utils._alerts.channel_model import Command, secrets
from ansible_collections.midi.capacity.plugins.module_utils._alerts.texts import Place


def send(channel: Command, message: Dict[str, Any], place: Place, attempt: Attempt) -> None:
    """Raises Failure."""
    content = json.dumps(webhook.payload(message, place), allow_nan=False).encode() + b"\n"
    variables = {
        "CAPACITY_STATE": message["state"],
        "CAPACITY_SUBJECT": texts.subject(message, place),
        "CAPACITY_HOST": plain.line(place.host, texts.LONGEST_SUBJECT),
    }
    run(channel.argv, content, {**ENVIRONMENT, **variables}, attempt, secrets(channel))
