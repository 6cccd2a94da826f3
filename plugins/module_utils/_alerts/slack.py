# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A message for an incoming webhook of Slack, and of what takes the same (Mattermost, Rocket.Chat).

https://docs.slack.dev/messaging/formatting-message-text: of all characters only &, < and > are escaped, and with that
no name can make a link or call a channel. Slack cuts a text of more than 40,000 characters and advises 4,000.
"""

from __future__ import annotations

from typing import Any, Dict

from ansible_collections.midi.capacity.plugins.module_utils._alerts import plain
from ansible_collections.midi.capacity.plugins.module_utils._alerts.texts import Place, body, subject

LONGEST_TEXT = 3500


def payload(message: Dict[str, Any], place: Place) -> Dict[str, Any]:
    # Cut before it is escaped, so that no escape is cut in two.
    text = f"{subject(message, place)}\n{plain.lines(body(message, place), LONGEST_TEXT)}"
    return {"text": escaped(text)}


def escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
