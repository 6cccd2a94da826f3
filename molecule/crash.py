# SPDX-License-Identifier: GPL-3.0-or-later
"""crash.py PORT PASSWORD_FILE PID: writes keys, kills Redis meanwhile, and says which acknowledged ones are lost.

Prints JSON: written, how many keys were acknowledged; lost, of each that is gone how many seconds before the kill Redis
had acknowledged it. Redis has to be started again by whoever sees to it.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import threading
import time
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

WRITE_SECONDS, LONGEST_SECONDS = 3.0, 60.0


def main() -> None:
    port, password_file, pid = sys.argv[1:]
    password = Path(password_file).read_text(encoding="utf-8").strip()
    # A client that tries again by itself would not notice the kill.
    client = redis.Redis(port=int(port), password=password, socket_timeout=5, retry=Retry(NoBackoff(), 0))
    killed: list[float] = []
    acknowledged: list[float] = []

    def kill() -> None:
        killed.append(time.monotonic())
        os.kill(int(pid), signal.SIGKILL)

    timer = threading.Timer(WRITE_SECONDS, kill)
    timer.start()
    with contextlib.suppress(redis.RedisError):
        while True:
            client.set(f"crash:{len(acknowledged)}", "x")
            acknowledged.append(time.monotonic())
    timer.join()
    deadline = time.monotonic() + LONGEST_SECONDS
    while True:
        try:
            there = client.mget([f"crash:{number}" for number in range(len(acknowledged))])
            break
        except redis.RedisError:
            if time.monotonic() > deadline:
                raise
    lost = [killed[0] - at for at, value in zip(acknowledged, there, strict=True) if value is None]
    for number in range(0, len(acknowledged), 1000):
        client.unlink(*[f"crash:{key}" for key in range(number, number + 1000)])
    print(json.dumps({"written": len(acknowledged), "lost": lost}))


main()
