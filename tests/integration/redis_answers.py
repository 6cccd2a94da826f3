# SPDX-License-Identifier: GPL-3.0-or-later
"""A server that speaks Redis' protocol and knows a few answers: for what a real one says only in other places."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator, Mapping
from typing import Any

# An error (-...), a text, a list of texts and lists; None closes the connection.
Answer = str | list[Any] | None


@contextlib.contextmanager
def answering(answers: Mapping[str, Answer]) -> Iterator[int]:
    """Its port on 127.0.0.1. answers: by the beginning of a command, the longest that fits; others are answered OK."""
    with socket.create_server(("127.0.0.1", 0)) as listening, contextlib.ExitStack() as connections:
        thread = threading.Thread(target=_accept, args=(listening, connections, answers))
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            # Wakes up the thread that waits for the next connection.
            listening.shutdown(socket.SHUT_RDWR)
            thread.join()


def _accept(listening: socket.socket, connections: contextlib.ExitStack, answers: Mapping[str, Answer]) -> None:
    """A thread for each connection: whoever has one that is silent must not keep another one waiting."""
    while True:
        try:
            connection, _address = listening.accept()
        except OSError:
            return
        thread = threading.Thread(target=_attend, args=(connection, answers))
        thread.start()
        connections.callback(_end, connection, thread)


def _end(connection: socket.socket, thread: threading.Thread) -> None:
    # Wakes up the thread that waits for the next command.
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    thread.join()


def _attend(connection: socket.socket, answers: Mapping[str, Answer]) -> None:
    with connection, connection.makefile("rb") as commands, contextlib.suppress(ConnectionError):
        _serve(connection, commands, answers)


def _serve(connection: socket.socket, commands, answers: Mapping[str, Answer]) -> None:
    while line := commands.readline():
        words = []
        for _word in range(int(line[1:])):
            size = int(commands.readline()[1:])
            words.append(commands.read(size + 2)[:-2].decode())
        answer = _answer(" ".join(words), answers)
        if answer is None:
            return
        connection.sendall(_encoded(answer))


def _answer(command: str, answers: Mapping[str, Answer]) -> Answer:
    fitting = [known for known in answers if command.upper().startswith(known)]
    return answers[max(fitting, key=len)] if fitting else "OK"


def _encoded(answer: str | list[Any]) -> bytes:
    if isinstance(answer, list):
        return f"*{len(answer)}\r\n".encode() + b"".join(_encoded(part) for part in answer)
    if answer.startswith("-"):
        return f"{answer}\r\n".encode()
    return f"${len(answer.encode())}\r\n{answer}\r\n".encode()
