# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""JSON to a webhook, by one POST.

http.client does what is wanted by what it does not: it asks no proxy, whatever the environment says, and follows no
redirect, which would take the message, and the headers, to another place.
"""

from __future__ import annotations

import http.client
import json
import socket
from typing import Any, Dict
from urllib.parse import urlsplit

from ansible_collections.midi.capacity.plugins.module_utils._agent_delivery.attempt import Attempt, Failure
from ansible_collections.midi.capacity.plugins.module_utils._agent_delivery.connection import (
    connected,
    failure,
    trusting,
)
from ansible_collections.midi.capacity.plugins.module_utils._alerts import plain
from ansible_collections.midi.capacity.plugins.module_utils._alerts.channel_model import (
    Webhook,
    hidden,
    secrets,
    server,
)

USER_AGENT = "capacity-agent"

# Besides 5xx: a time-out of the server, too early, and too many.
_AGAIN = (408, 425, 429)
_MOST_READ, _MOST_QUOTED = 2000, 150
# For what the server says about its refusal.
_WORDS_SECONDS = 1


def post(channel: Webhook, payload: Any, attempt: Attempt) -> None:
    """Raises Failure."""
    body = json.dumps(payload, allow_nan=False).encode()
    address = channel.address
    host = address.hostname or ""
    tls = trusting(channel.ca_certs) if address.scheme == "https" else None
    if tls is None:
        connection = http.client.HTTPConnection(host, address.port)
    else:
        connection = http.client.HTTPSConnection(host, address.port, context=tls)
    try:
        # Opened here, so that the attempt can end it.
        opened = connection.sock = connected(host, connection.port, tls, attempt)
        target = (address.path or "/") + (f"?{address.query}" if address.query else "")
        connection.request("POST", target, body, _headers(channel))
        with connection.getresponse() as response:
            if not 200 <= response.status < 300:
                raise _refusal(channel, response, opened)
    except http.client.RemoteDisconnected:
        raise Failure(f"{server(channel)} closed the connection without an answer") from None
    except http.client.HTTPException:
        raise Failure(f"{server(channel)} answered with what is no HTTP") from None
    except OSError as error:
        raise failure(error, server(channel), attempt) from None
    finally:
        connection.close()


def _headers(channel: Webhook) -> Dict[str, str]:
    given = dict(channel.headers)
    ours = {"User-Agent": USER_AGENT, "Content-Type": "application/json", "Connection": "close"}
    known = {name.lower() for name in given}
    return {**{name: value for name, value in ours.items() if name.lower() not in known}, **given}


def _refusal(channel: Webhook, response: http.client.HTTPResponse, opened: socket.socket) -> Failure:
    status = response.status
    said = f"{server(channel)} answered {status} {response.reason}".rstrip()
    if 300 <= status < 400:
        return Failure(f"{said}, a redirect{_leads_to(response)}: write the address that it leads to", again=False)
    words = _words(channel, response, opened)
    return Failure(said + (f": {words}" if words else ""), again=status >= 500 or status in _AGAIN)


def _leads_to(response: http.client.HTTPResponse) -> str:
    """Where to, as far as it may be shown."""
    try:
        host = urlsplit(response.headers.get("Location", "")).hostname
    except ValueError:
        host = None
    return f" to {host}" if host else ""


def _words(channel: Webhook, response: http.client.HTTPResponse, opened: socket.socket) -> str:
    """The first of what is meant for people; a page of HTML is not. Not cut before secrets are hidden."""
    if response.headers.get_content_type() not in ("text/plain", "application/json"):
        return ""
    try:
        opened.settimeout(_WORDS_SECONDS)
        told = response.read1(_MOST_READ).decode("utf-8", "replace")
        return plain.line(hidden(told, secrets(channel)), _MOST_QUOTED)
    except (OSError, http.client.HTTPException):
        return ""
