# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes mail on port 2525 and webhooks on port 8025 of this host, and keeps what it got, a line of JSON each."""

from __future__ import annotations

import email
import email.policy
import json
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller

KEPT = Path("/var/log/alert-sink.jsonl")


def keep(**entry: Any) -> None:
    with KEPT.open("a", encoding="utf-8") as file:
        file.write(json.dumps(entry) + "\n")


class Mail:
    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        found = email.message_from_bytes(envelope.content, policy=email.policy.default)
        body = found.get_body(("plain",))
        keep(by="mail", to=envelope.rcpt_tos, subject=str(found["subject"]), text=body.get_content() if body else "")
        return "250 OK"


class Webhook(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        keep(by="webhook", path=self.path, body=json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()


if __name__ == "__main__":
    Controller(Mail(), hostname="127.0.0.1", port=2525).start()
    HTTPServer(("127.0.0.1", 8025), Webhook).serve_forever()
