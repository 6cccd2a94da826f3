# SPDX-License-Identifier: GPL-3.0-or-later
"""A headless Chromium that is talked to through pipes, in its own words (the DevTools protocol)."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import select
import subprocess
import time
from pathlib import Path
from typing import Any

ANSWER_SECONDS = 60
# Above what a program is started with, so that none is in the way of 3 and 4, which Chromium reads and writes.
_FREE = 10


class Chromium:
    """One browser with one page; its own directory, and no network that a page could reach."""

    def __init__(self, home: Path) -> None:
        from_us, self._to = os.pipe()
        self._from, to_us = os.pipe()
        ends = [fcntl.fcntl(end, fcntl.F_DUPFD, _FREE) for end in (from_us, to_us)]
        command = [
            "chromium",
            "--headless",
            "--remote-debugging-pipe",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--hide-scrollbars",
            "--no-first-run",
            f"--user-data-dir={home / 'profile'}",
            # For root there is no sandbox; the page is our own.
            *(["--no-sandbox"] if os.geteuid() == 0 else []),
        ]
        self._log = home / "chromium.log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                ["bash", "-c", f'exec "$@" 3<&{ends[0]} 4>&{ends[1]}', "bash", *command],
                pass_fds=ends,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, "HOME": str(home)},
            )
        for end in (from_us, to_us, *ends):
            os.close(end)
        self._buffer = b""
        self._number = 0
        self._session: str | None = None
        self.events: list[dict[str, Any]] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def close(self) -> None:
        self._session = None
        self.call("Browser.close")
        self._process.wait(ANSWER_SECONDS)
        os.close(self._to)
        os.close(self._from)

    def call(self, method: str, **parameters: Any) -> Any:
        """What a method of the protocol answers."""
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._number:
                assert "error" not in answer, (method, answer)
                return answer["result"]
            self.events.append(answer)

    def open(self, page: Path, width: int, scheme: str = "light", media: str = "screen") -> None:
        """Shows a page, to the end of its loading; events begins anew."""
        self.events.clear()
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.call("Emulation.setEmulatedMedia", media=media, features=features)
        self.call("Page.navigate", url=page.as_uri())
        while not any(event.get("method") == "Page.loadEventFired" for event in self.events):
            self.events.append(self._next())

    def run(self, script: str) -> Any:
        """What a script in the page returns, which is a function's body."""
        found = self.call("Runtime.evaluate", expression=f"(() => {{ {script} }})()", returnByValue=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def complaints(self) -> list[dict[str, Any]]:
        """What stands in the console, and what was thrown or refused."""
        names = (
            "Runtime.consoleAPICalled",
            "Runtime.exceptionThrown",
            "Log.entryAdded",
            "Page.javascriptDialogOpening",
        )
        return [event for event in self.events if event.get("method") in names]

    def requests(self) -> list[str]:
        """All addresses that were asked for."""
        return [
            event["params"]["request"]["url"]
            for event in self.events
            if event.get("method") == "Network.requestWillBeSent"
        ]

    def screenshot(self, path: Path) -> None:
        """The page in its full length."""
        shot = self.call("Page.captureScreenshot", captureBeyondViewport=True, format="png")
        path.write_bytes(base64.b64decode(shot["data"]))

    def paper(self) -> bytes:
        """The page as a PDF."""
        return base64.b64decode(self.call("Page.printToPDF", printBackground=False)["data"])

    def _next(self) -> dict[str, Any]:
        until = time.monotonic() + ANSWER_SECONDS
        while b"\0" not in self._buffer:
            ready = select.select([self._from], [], [], max(0, until - time.monotonic()))[0]
            got = os.read(self._from, 2**20) if ready else b""
            assert got, f"Chromium does not answer:\n{self._log.read_text(errors='replace')}"
            self._buffer += got
        message, _nul, self._buffer = self._buffer.partition(b"\0")
        return json.loads(message)
