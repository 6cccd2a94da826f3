# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A message as a mail."""

from __future__ import annotations

import re
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Any, Dict, List, Sequence

from ansible_collections.midi.capacity.plugins.module_utils import _moments
from ansible_collections.midi.capacity.plugins.module_utils._alerts.texts import Place, body, subject

# Bare addresses, and names of local users as sendmail takes them.
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+(@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?)?\Z")
_NOT_IN_A_HOST = re.compile(r"[^A-Za-z0-9.-]+")


class MailError(ValueError):
    """Such a mail cannot be; the message says why, and what to write."""


def wrong(addresses: Sequence[str]) -> List[str]:
    """What is wrong with them, a sentence each."""
    return [
        f"{address!r} is no address: write one as dba@example.org, without a name before it"
        for address in addresses
        if not isinstance(address, str) or not _ADDRESS.match(address)
    ]


def mail(message: Dict[str, Any], place: Place, sender: str, recipients: Sequence[str]) -> EmailMessage:
    """Raises MailError for addresses; no other text can make it fail, or become a header."""
    faults = wrong([sender, *recipients]) + ([] if recipients else ["there is no recipient: write one"])
    if faults:
        raise MailError("; ".join(faults))
    found = EmailMessage()
    found["From"] = sender
    found["To"] = ", ".join(recipients)
    found["Subject"] = subject(message, place)
    found["Date"] = format_datetime(_moments.parsed(message["at"]))
    found["Message-ID"] = f"<{message['id']}@{_NOT_IN_A_HOST.sub('-', place.host).strip('.-') or 'localhost'}>"
    # RFC 3834: no answer, please.
    found["Auto-Submitted"] = "auto-generated"
    found["X-Capacity-State"] = message["state"]
    found.set_content(body(message, place), charset="utf-8", cte="quoted-printable")
    return found
