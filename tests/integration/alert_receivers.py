# SPDX-License-Identifier: GPL-3.0-or-later
"""What takes alerts, in threads of the test: webhooks, a mail server, and servers that misbehave."""

from __future__ import annotations

import asyncio
import contextlib
import email.policy
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

import aiosmtpd.smtp

_EXTENSIONS = """[ca]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign
subjectKeyIdentifier = hash
[server]
subjectAltName = DNS:localhost
authorityKeyIdentifier = keyid
[req]
distinguished_name = name
[name]
"""


class Authority:
    """A certificate authority of one's own, and a server's certificate for localhost."""

    def __init__(self, home: Path) -> None:
        self.path, self._certificate, self._key = home / "ca.pem", home / "server.pem", home / "server.key"
        config = home / "openssl.cnf"
        config.write_text(_EXTENSIONS)
        new_key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-config", config)
        ca_key, request = home / "ca.key", home / "server.csr"
        ca_name = ("-subj", "/CN=ca.test", "-days", "2", "-extensions", "ca")
        _openssl("req", "-x509", *new_key, *ca_name, "-keyout", ca_key, "-out", self.path)
        _openssl("req", *new_key, "-subj", "/CN=localhost", "-keyout", self._key, "-out", request)
        extensions = ("-days", "2", "-extfile", config, "-extensions", "server")
        signed_by = ("-CA", self.path, "-CAkey", ca_key, "-set_serial", "2")
        _openssl("x509", "-req", "-in", request, *signed_by, *extensions, "-out", self._certificate)

    def of_server(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self._certificate, self._key)
        return context


def _openssl(*words: Any) -> None:
    subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)


class Answer(NamedTuple):
    status: int
    body: str = ""
    headers: tuple[tuple[str, str], ...] = ()


class Request(NamedTuple):
    path: str
    headers: dict[str, str]
    body: bytes


class Webhooks:
    """Answers as it is told, the last answer for ever, and remembers what it got."""

    def __init__(self, *answers: Answer, tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[Request] = []
        left = list(answers)
        requests = self.requests

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                requests.append(Request(self.path, dict(self.headers), body))
                answer = left.pop(0) if len(left) > 1 else left[0]
                self.send_response(answer.status)
                for header in (*answer.headers, ("Content-Length", str(len(answer.body)))):
                    self.send_header(*header)
                self.end_headers()
                self.wfile.write(answer.body.encode())

            def log_message(self, *_words: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            def handle_error(self, *_words: Any) -> None:
                """A client that does not trust the certificate goes away."""

        self._server = Server(("127.0.0.1", 0), Handler)
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    def __enter__(self) -> Webhooks:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class Received(NamedTuple):
    sender: str
    recipients: list[str]
    mail: EmailMessage


class MailServer:
    """Takes mail, or refuses it as it is told.

    refusals: for each recipient the answers to it, one at a time; then it is taken.
    login: whether it says that there is one.
    """

    def __init__(
        self,
        refusals: dict[str, list[str]] | None = None,
        implicit_tls: ssl.SSLContext | None = None,
        login: bool = True,
        **options: Any,
    ) -> None:
        self.received: list[Received] = []
        self.greeted: list[str] = []
        self._refusals, self._login = refusals or {}, login
        self._loop = asyncio.new_event_loop()
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self._listener = listener.dup()
        self.port = self._listener.getsockname()[1]
        self._server = self._loop.run_until_complete(
            self._loop.create_server(
                lambda: aiosmtpd.smtp.SMTP(self, hostname="mail.test", loop=self._loop, **options),
                sock=self._listener,
                ssl=implicit_tls,
            )
        )
        self._thread = threading.Thread(target=self._loop.run_forever)

    async def handle_EHLO(self, _server: Any, session: Any, _envelope: Any, name: str, told: list[str]) -> list[str]:
        session.host_name = name
        self.greeted.append(name)
        return [line for line in told if self._login or "AUTH" not in line]

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:
        left = self._refusals.get(address)
        if left:
            return left.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        self.received.append(Received(envelope.mail_from, list(envelope.rcpt_tos), mail))
        return "250 OK"

    def __enter__(self) -> MailServer:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _end(self) -> None:
        self._server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)


Behaviour = Callable[[socket.socket, threading.Event], None]


@contextlib.contextmanager
def misbehaving(behave: Behaviour) -> Iterator[int]:
    """The port of a server that does as it is told with each connection; the event is set at the end."""
    over = threading.Event()
    threads = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve(connection: socket.socket) -> None:
            with connection, contextlib.suppress(OSError):
                behave(connection, over)

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection = listener.accept()[0]
                    threads.append(threading.Thread(target=serve, args=(connection,)))
                    threads[-1].start()

        acceptor = threading.Thread(target=accept)
        acceptor.start()
        try:
            yield listener.getsockname()[1]
        finally:
            over.set()
            listener.shutdown(socket.SHUT_RDWR)
            acceptor.join()
            for thread in threads:
                thread.join()


def silent(_connection: socket.socket, over: threading.Event) -> None:
    """Accepts, and says nothing."""
    over.wait()


def trickle(connection: socket.socket, over: threading.Event) -> None:
    """An answer that never ends, a byte at a time: each comes long before a time-out of a socket."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while not over.wait(0.02):
        connection.sendall(b"x")


def closing(connection: socket.socket, _over: threading.Event) -> None:
    """Reads the request and closes."""
    connection.recv(65536)


def babbling(connection: socket.socket, _over: threading.Event) -> None:
    """Answers with what is no HTTP."""
    connection.recv(65536)
    connection.sendall(b"220 mail.test ESMTP\r\n")


@contextlib.contextmanager
def closed_port() -> Iterator[int]:
    """A port that nobody listens on: it is bound all the while, so that nobody else gets it."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]
