# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One try to deliver a message, which is over when its time is, whatever the other side does.

The work runs in a thread of its own: neither the resolver nor a write to a full pipe can be told how long it may take,
and a time-out of a socket counts anew with each byte. At the end of the time sockets are shut and programs killed,
which wakes the work; a thread that does not even then end is left behind, and goes with the process.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import Callable, List

# For the work to notice that it was ended.
GRACE_SECONDS = 0.5
# What an alert may well be about.
NO_THREAD = "the host starts no thread more"


class Failure(Exception):
    """It did not arrive. The text says why, without a full stop; again: whether another try may help."""

    def __init__(self, why: str, again: bool = True) -> None:
        super().__init__(why)
        self.again = again


class Attempt:
    """One try. The work gets it, to say by what it can be ended."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        # What is said when the time is up.
        self.late = f"no answer within {seconds:.3g} s"
        self._lock = threading.Lock()
        self._over = False
        self._enders: List[Callable[[], object]] = []
        self._sockets: List[socket.socket] = []

    def run(self, work: Callable[[Attempt], None]) -> None:
        """Returns when it arrived. Raises Failure."""
        failures: List[Failure] = []
        arrived = threading.Event()

        def body() -> None:
            try:
                work(self)
                arrived.set()
            except Failure as failure:
                failures.append(failure)
            except Exception as error:
                # One channel's fault is no reason for the others to be silent. Its text may have anything in it.
                failures.append(Failure(f"an error of the agent: {type(error).__name__}", again=False))
            finally:
                self._close()

        thread = threading.Thread(target=body, name="deliver", daemon=True)
        try:
            thread.start()
        except RuntimeError:
            raise Failure(NO_THREAD) from None
        thread.join(self.seconds)
        if arrived.is_set():
            return
        if not thread.is_alive():
            raise failures[0]
        self.end()
        thread.join(GRACE_SECONDS)
        # Whatever it says now: to who reads, a socket that was shut looks like an answer that ended well.
        raise Failure(self.late)

    def ends_by(self, ender: Callable[[], object]) -> None:
        """Have it called when the time is up. Raises Failure when it is already."""
        with self._lock:
            self._enders.append(ender)
            over = self._over
        if over:
            self.end()
            raise Failure(self.late)

    def holds(self, connection: socket.socket) -> None:
        """Have the connection shut when the time is up, also when TLS has taken the socket over. Raises Failure."""
        other = connection.dup()
        self._sockets.append(other)
        self.ends_by(lambda: other.shutdown(socket.SHUT_RDWR))

    def end(self) -> None:
        with self._lock:
            self._over = True
            enders = list(self._enders)
        for ender in enders:
            with contextlib.suppress(OSError):
                ender()

    def _close(self) -> None:
        for held in self._sockets:
            held.close()
