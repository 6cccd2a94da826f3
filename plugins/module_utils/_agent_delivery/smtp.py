# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A mail to a server, by SMTP."""

from __future__ import annotations

import base64
import contextlib
import email.policy
import re
import smtplib
import socket
import ssl
from email.message import EmailMessage
from typing import Any, Dict, List, Optional, Tuple

from ansible_collections.midi.capacity.plugins.module_utils._agent_delivery.attempt import Attempt, Failure
from ansible_collections.midi.capacity.plugins.module_utils._agent_delivery.connection import (
    connected,
    failure,
    trusting,
)
from ansible_collections.midi.capacity.plugins.module_utils._alerts.channel_model import (
    NO_TLS,
    STARTTLS,
    TLS,
    Smtp,
    hidden,
    server,
)
from ansible_collections.midi.capacity.plugins.module_utils._errors import OperatorError
from ansible_collections.midi.capacity.plugins.module_utils._private_file import PrivateFile

_DOMAIN = re.compile(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+\Z")


class _Session(smtplib.SMTP):
    """As smtplib has it, on a connection that ends with the attempt."""

    def __init__(self, channel: Smtp, host_name: str, attempt: Attempt, tls: Optional[ssl.SSLContext]) -> None:
        self._attempt = attempt
        self._tls = tls
        self._address = ""
        # A name of any kind, so that smtplib does not ask the resolver for one.
        super().__init__(channel.host, channel.port, local_hostname="localhost")
        self.local_hostname = host_name if _DOMAIN.match(host_name) else self._address

    def _get_socket(self, host: str, port: int, _timeout: Any) -> socket.socket:
        connection = connected(host, port, self._tls, self._attempt)
        address = connection.getsockname()[0]
        self._address = f"[IPv6:{address}]" if ":" in address else f"[{address}]"
        return connection


def send(channel: Smtp, mail: EmailMessage, host_name: str, everyone: bool, attempt: Attempt) -> None:
    """host_name: this host. everyone: whether it has failed when a part of the recipients is refused.

    Raises Failure.
    """
    password = _password(channel)
    try:
        _send(channel, mail, host_name, everyone, password, attempt)
    except Failure as found:
        raise Failure(hidden(str(found), _spoken(channel, password)), found.again) from None


def _send(channel: Smtp, mail: EmailMessage, host_name: str, everyone: bool, password: str, attempt: Attempt) -> None:
    tls = None if channel.tls == NO_TLS else trusting(channel.ca_certs)
    content = mail.as_bytes(policy=email.policy.SMTP)
    session = None
    try:
        session = _Session(channel, host_name, attempt, tls if channel.tls == TLS else None)
        session.ehlo_or_helo_if_needed()
        if channel.tls == STARTTLS:
            if not session.has_extn("starttls"):
                raise Failure(f"{server(channel)} offers no STARTTLS: write smtp_tls: tls, or none", again=False)
            session.starttls(context=tls)
            session.ehlo()
        if channel.user:
            _log_in(session, channel, channel.user, password)
        refused = session.sendmail(channel.sender, channel.recipients, content)
        # It has the mail. Whether it also says goodbye is not waited for.
        with contextlib.suppress(OSError, smtplib.SMTPException):
            session.putcmd("quit")
    except smtplib.SMTPRecipientsRefused as error:
        raise _refused(channel, error.recipients) from None
    except smtplib.SMTPResponseException as error:
        raise Failure(f"{server(channel)} answered {_answer(error)}", again=error.smtp_code < 500) from None
    except smtplib.SMTPServerDisconnected:
        raise Failure(f"{server(channel)} closed the connection") from None
    except OSError as error:
        raise failure(error, server(channel), attempt) from None
    finally:
        if session is not None:
            session.close()
    # The others have it, and would get it again and again; a test is where it is seen.
    if refused and everyone:
        raise _refused(channel, refused)


def _log_in(session: _Session, channel: Smtp, user: str, password: str) -> None:
    try:
        session.login(user, password)
    except smtplib.SMTPAuthenticationError as error:
        why = f"{server(channel)} refuses the login of {user}: {_answer(error)}"
        raise Failure(why, again=error.smtp_code < 500) from None
    except smtplib.SMTPNotSupportedError:
        raise Failure(
            f"{server(channel)} offers no login: leave smtp_user out, or ask for another port", False
        ) from None
    except smtplib.SMTPResponseException:
        raise
    except smtplib.SMTPServerDisconnected:
        raise
    except smtplib.SMTPException:
        raise Failure(f"{server(channel)} offers no login that Python knows", again=False) from None


def _password(channel: Smtp) -> str:
    if not channel.password_file:
        return ""
    try:
        password = PrivateFile(channel.password_file).text().rstrip("\r\n")
    except OperatorError as error:
        raise Failure(f"smtp_password_file: {error.what} ({error.where})", again=False) from None
    if not password or not password.isascii() or "\n" in password:
        raise Failure(f"smtp_password_file, {channel.password_file}, has no password: write one line in ASCII", False)
    return password


def _spoken(channel: Smtp, password: str) -> List[str]:
    """The password as it goes over the line."""
    if not password:
        return []
    pair = f"\0{channel.user}\0{password}"
    return [password, *(base64.b64encode(text.encode()).decode() for text in (password, pair))]


def _refused(channel: Smtp, recipients: Dict[str, Tuple[int, bytes]]) -> Failure:
    told = ", ".join(f"{address} ({code} {_words(text)})" for address, (code, text) in recipients.items())
    return Failure(
        f"{server(channel)} refuses {told}", again=not all(code >= 500 for code, _text in recipients.values())
    )


def _answer(error: smtplib.SMTPResponseException) -> str:
    return f"{error.smtp_code} {_words(error.smtp_error)}".rstrip()


def _words(text: Any) -> str:
    """As a server says it, which in smtplib is bytes most of the time. Not cut before secrets are hidden."""
    return text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)
