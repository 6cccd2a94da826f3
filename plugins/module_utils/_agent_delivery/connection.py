# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Connections to servers that take messages: opened, verified, and what goes wrong with them in words."""

from __future__ import annotations

import socket
import ssl
from typing import Optional

from ansible_collections.midi.capacity.plugins.module_utils._agent_delivery.attempt import Attempt, Failure

# The attempt is what ends a connection; this is for one that it could not reach.
_LONGEST_SECONDS = 60


def connected(host: str, port: int, tls: Optional[ssl.SSLContext], attempt: Attempt) -> socket.socket:
    """A socket that ends with the attempt. Raises OSError, Failure."""
    connection = _opened(host, port, attempt)
    try:
        if tls is not None:
            connection = tls.wrap_socket(connection, server_hostname=host)
    except BaseException:
        connection.close()
        raise
    return connection


def _opened(host: str, port: int, attempt: Attempt) -> socket.socket:
    """As socket.create_connection, by the first address that answers; and the attempt ends also who waits for that.

    Raises OSError, Failure.
    """
    why = OSError("it has no address")
    for family, kind, protocol, _name, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        connection = socket.socket(family, kind, protocol)
        try:
            connection.settimeout(_LONGEST_SECONDS)
            attempt.holds(connection)
            connection.connect(address)
            return connection
        except OSError as error:
            why = error
            connection.close()
        except BaseException:
            connection.close()
            raise
    raise why


def trusting(ca_certs: Optional[str]) -> ssl.SSLContext:
    """The authorities of the host, or those of a file instead. Raises Failure."""
    try:
        return ssl.create_default_context(cafile=ca_certs)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and not isinstance(error, ssl.SSLError) else None
        raise Failure(
            f"ca_certs, {ca_certs}, cannot be read: {reason or 'it has no certificate'}", again=False
        ) from None


def failure(error: OSError, server: str, attempt: Attempt) -> Failure:
    """What an error of a connection means. server: as people may see it."""
    if isinstance(error, ssl.SSLCertVerificationError):
        why = f"the certificate of {server} is not trusted: {error.verify_message}; give its authority as ca_certs"
        return Failure(why, again=False)
    if isinstance(error, ssl.SSLError):
        return Failure(f"no TLS with {server}: {error.reason or 'the connection was closed'}")
    if isinstance(error, socket.timeout):
        return Failure(attempt.late)
    if isinstance(error, socket.gaierror):
        return Failure(f"the name of {server} cannot be resolved: {error.strerror}")
    if isinstance(error, ConnectionRefusedError):
        return Failure(f"{server} refuses the connection: nothing listens there")
    return Failure(f"the connection to {server} failed: {error.strerror or 'it was closed'}")
