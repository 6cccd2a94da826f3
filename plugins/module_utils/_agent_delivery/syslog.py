# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lines for the system's log.

syslog(3) does not say when nobody listens, and the message would count as told; so that is looked at first.
"""

from __future__ import annotations

import socket
import syslog
from typing import Sequence, Tuple

from ansible_collections.midi.capacity.plugins.module_utils._agent_delivery.attempt import Attempt, Failure
from ansible_collections.midi.capacity.plugins.module_utils._alerts.channel_model import FACILITIES, Syslog

SOCKET = "/dev/log"
IDENT = "capacity-agent"


def write(channel: Syslog, lines: Sequence[Tuple[int, str]], attempt: Attempt) -> None:
    """lines: severity and text. Raises Failure."""
    _listens(attempt)
    facility = FACILITIES[channel.facility] << 3
    syslog.openlog(IDENT, syslog.LOG_PID)
    for severity, text in lines:
        syslog.syslog(facility | severity, text)


def _listens(attempt: Attempt) -> None:
    """Raises Failure."""
    why = ""
    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
        with socket.socket(socket.AF_UNIX, kind) as connection:
            connection.settimeout(attempt.seconds + 1)
            try:
                connection.connect(SOCKET)
                return
            except OSError as error:
                why = error.strerror or "it does not answer"
    raise Failure(f"nothing takes lines at {SOCKET}: {why}; start syslog or journald")
