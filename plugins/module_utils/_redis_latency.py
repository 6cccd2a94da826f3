# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long Redis takes to answer, measured from a process of its own while this one works."""

from __future__ import annotations

import contextlib
import multiprocessing
import time

from ansible_collections.midi.capacity.plugins.module_utils._redis import Cache, CacheError
from ansible_collections.midi.capacity.plugins.module_utils._redis_keys.latency import summary

INTERVAL_SECONDS = 0.005
SAMPLES_BEFORE = 100
# For one round trip, or for the connection to fail.
PATIENCE_SECONDS = 60

_READY, _STOP = "ready", "stop"


class LatencyProbe:
    """Measures from `with` on: some round trips of PING before the block begins, and one every 5 ms while it lasts.

    A thread would wait for this process' own work and take that for the server's; so it is a forked process. Nothing
    that goes wrong with it stops the work: `result` then has a reason instead of figures.
    """

    def __init__(self, options: dict) -> None:
        self._options = options
        self._before: list = []
        self._during: list = []
        self._reason = ""

    def __enter__(self) -> LatencyProbe:
        # A module has no file of its own that another way of starting could import.
        context = multiprocessing.get_context("fork")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_measure, args=(self._options, self._pipe, theirs), daemon=True)
        self._process.start()
        theirs.close()
        self._receive(_READY)
        return self

    def __exit__(self, *_exception) -> None:
        # Where it has ended already, what it said before is still to be read.
        with contextlib.suppress(OSError):
            self._pipe.send(_STOP)
        self._receive(_STOP)
        self._pipe.close()
        self._process.join(PATIENCE_SECONDS)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()

    def result(self) -> dict:
        """before and during, each as latency.summary makes it, or None with a reason."""
        return {
            "before": summary(self._before),
            "during": summary(self._during),
            "reason": self._reason or None,
        }

    def _receive(self, what: str) -> None:
        if self._reason:
            return
        try:
            answered = self._pipe.poll(PATIENCE_SECONDS)
            samples, self._reason = self._pipe.recv() if answered else ([], "the process that measures does not answer")
        except (EOFError, OSError):
            samples, self._reason = [], "the process that measures has ended"
        if what == _READY:
            self._before = samples
        else:
            self._during = samples


def _measure(options: dict, parents, pipe) -> None:
    """The process: measures, says that it is ready, and measures until it is told to stop, or is left alone."""
    # Otherwise it would hold its own pipe open, and not see that the other side has gone.
    parents.close()
    samples: list = []
    try:
        cache = Cache.connect(options)
        while len(samples) < SAMPLES_BEFORE:
            samples.append(_round_trip(cache))
            pipe.poll(INTERVAL_SECONDS)
        pipe.send((samples, ""))
        samples = [_round_trip(cache)]
        while not pipe.poll(INTERVAL_SECONDS):
            samples.append(_round_trip(cache))
        pipe.recv()
        pipe.send((samples, ""))
    except CacheError as error:
        pipe.send((samples, str(error)))
    except (EOFError, OSError):
        # The module was interrupted.
        return


def _round_trip(cache: Cache) -> float:
    begun = time.perf_counter()
    cache.ping()
    return time.perf_counter() - begun
