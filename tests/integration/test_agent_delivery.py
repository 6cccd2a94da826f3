# SPDX-License-Identifier: GPL-3.0-or-later
"""How alerts leave the host: webhooks, mail, commands and syslog, against servers and programs that run."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import select
import socket
import stat
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from aiosmtpd.smtp import AuthResult
from ansible_collections.midi.capacity.plugins.module_utils._agent_delivery import deliver as delivery
from ansible_collections.midi.capacity.plugins.module_utils._agent_delivery import syslog as delivery_syslog
from ansible_collections.midi.capacity.plugins.module_utils._alerts import channels, news, texts

from tests.integration.alert_receivers import (
    Answer,
    Authority,
    MailServer,
    Webhooks,
    babbling,
    closed_port,
    closing,
    misbehaving,
    silent,
    trickle,
)
from tests.unit.alerts_example import CPU, DISK, PLACE, Agent

Json = dict[str, Any]

# Every secret has it in it.
SECRET = "T0P"
PATH, QUERY, HEADER, PASSWORD = f"{SECRET}-path", f"{SECRET}-query", f"{SECRET}-header", f"{SECRET}-password"
SPOKEN = [base64.b64encode(text.encode()).decode() for text in (PASSWORD, f"\0capacity\0{PASSWORD}")]
VALID_SECONDS = 7200
# How long a time-out of 0.3 s may take at most on a machine that is busy.
BOUNDED_SECONDS = 5

OK = Answer(200, "ok")


def alert() -> Json:
    [message] = Agent(CPU).run(cpu_busy_percent=95)
    return message


class Clock:
    """Passes with pauses only."""

    def __init__(self) -> None:
        self.now, self.pauses = 0.0, []

    def pause(self, seconds: float) -> None:
        self.now += seconds
        self.pauses.append(seconds)

    def read(self) -> float:
        return self.now


def sent(*entries: Json, message: Json | None = None, seconds: float = 60, **changes: Any) -> dict[str, str | None]:
    """Outcomes; pauses take no time. No outcome has a secret in it."""
    found, problems = channels.read(list(entries))
    assert problems == []
    clock = Clock()
    begun = time.monotonic()
    outcomes = delivery.deliver(
        [channel._replace(**changes) for channel in found],
        message or alert(),
        PLACE,
        VALID_SECONDS,
        seconds,
        pause=clock.pause,
        clock=clock.read,
    )
    assert time.monotonic() - begun < BOUNDED_SECONDS
    for why in outcomes.values():
        assert why is None or not [secret for secret in (SECRET, *SPOKEN) if secret in why], why
    return outcomes


def why(entry: Json, **options: Any) -> str | None:
    [outcome] = sent(entry, **options).values()
    return outcome


def hook(port: int, **fields: Any) -> Json:
    url = f"http://127.0.0.1:{port}/services/{PATH}?key={QUERY}"
    return {"type": "webhook", "url": url, "headers": {"Authorization": f"Bearer {HEADER}"}, **fields}


def mail(port: int, **fields: Any) -> Json:
    server = {"smtp_host": "localhost", "smtp_port": port, "smtp_tls": "none"}
    return {"type": "mail", "to": ["dba@example.org"], "from": "capacity@example.org", **server, **fields}


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def password_file(tmp_path: Path) -> str:
    path = tmp_path / "smtp-password"
    path.write_text(PASSWORD + "\n")
    return str(path)


@pytest.fixture(autouse=True)
def _nothing_is_left() -> Iterator[None]:
    """An attempt that is over leaves no thread and no program of its own behind."""
    begun: list[Any] = []

    class Recorded(subprocess.Popen):
        def __init__(self, *words: Any, **options: Any) -> None:
            begun.append(self)
            super().__init__(*words, **options)

    with mock.patch.object(subprocess, "Popen", Recorded):
        yield
    for thread in threading.enumerate():
        if thread.name.startswith("deliver"):
            thread.join(BOUNDED_SECONDS)
            assert not thread.is_alive(), thread.name
    assert [process.args for process in begun if process.returncode is None] == []


Script = Callable[[str], str]


@pytest.fixture
def script(tmp_path: Path) -> Script:
    """The path of a program for sh. In it $HERE is the test's directory."""

    def write(text: str) -> str:
        path = tmp_path / "program"
        path.write_text(f"#!/bin/sh\nHERE='{tmp_path}'\n{text}\n")
        path.chmod(stat.S_IRWXU)
        return str(path)

    return write


# Webhooks


def test_a_webhook_gets_the_message_and_headers(monkeypatch: pytest.MonkeyPatch) -> None:
    with closed_port() as nobody, Webhooks(OK) as server:
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{nobody}")
        message = alert()
        assert why(hook(server.port), message=message) is None
        [request] = server.requests
    assert request.path == f"/services/{PATH}?key={QUERY}"
    assert request.headers["Authorization"] == f"Bearer {HEADER}"
    assert request.headers["Content-Type"] == "application/json"
    told = json.loads(request.body)
    assert (told["id"], told["state"], told["host"]) == (message["id"], "critical", "db1")


def test_slack_gets_a_text() -> None:
    with Webhooks(OK) as server:
        assert why(hook(server.port, format="slack")) is None
        [request] = server.requests
    assert json.loads(request.body)["text"].startswith("[CRITICAL] CPU")


@pytest.mark.parametrize("status", [500, 503, 408, 429])
def test_what_may_pass_is_tried_again(status: int) -> None:
    with Webhooks(Answer(status), OK) as server:
        assert why(hook(server.port)) is None
        assert len(server.requests) == 2


def test_attempts_are_used_up() -> None:
    with Webhooks(Answer(500)) as server:
        told = why(hook(server.port, attempts=3))
        assert told == f"127.0.0.1:{server.port} answered 500 Internal Server Error (3 attempts)"
        assert len(server.requests) == 3
        assert server.requests[0].body == server.requests[2].body


def test_no_secret_is_cut_in_two() -> None:
    words = "." * 145 + f"/{PATH} " + "." * 2000
    with Webhooks(Answer(404, words, (("Content-Type", "text/plain"),))) as server:
        assert why(hook(server.port)) is not None


@pytest.mark.parametrize("before", [140, 330, 345])
def test_no_password_is_cut_in_two(before: int, authority: Authority, password_file: str) -> None:
    options: Json = {"tls_context": authority.of_server(), "authenticator": _authenticated}
    with MailServer({"dba@example.org": ["550 " + "." * before + PASSWORD + "." * 90]}, **options) as server:
        told = why(login(server.port, password_file, authority))
        assert told is not None and told.startswith(f"localhost:{server.port} refuses dba@example.org (550 ...")


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 422])
def test_what_is_refused_for_good_is_not_tried_again(status: int) -> None:
    words = f"no hook /services/{PATH}?key={QUERY} for {HEADER}\r\n"
    with Webhooks(Answer(status, words, (("Content-Type", "text/plain"),))) as server:
        told = why(hook(server.port))
        assert told is not None and told.startswith(f"127.0.0.1:{server.port} answered {status} ")
        assert "no hook …" in told
        assert len(server.requests) == 1


def test_a_redirect_is_not_followed() -> None:
    with Webhooks(OK) as other:
        location = (("Location", f"http://127.0.0.1:{other.port}/{PATH}"),)
        with Webhooks(Answer(302, "", location)) as server:
            told = why(hook(server.port))
            where = f"127.0.0.1:{server.port} answered 302 Found, a redirect to 127.0.0.1"
            assert told == f"{where}: write the address that it leads to"
            assert len(server.requests) == 1
        assert other.requests == []


@pytest.mark.parametrize(
    ("behave", "told"),
    [
        (silent, "no answer within 0.3 s (2 attempts)"),
        (trickle, "no answer within 0.3 s (2 attempts)"),
        (closing, "127.0.0.1:{port} closed the connection without an answer (2 attempts)"),
        (babbling, "127.0.0.1:{port} answered with what is no HTTP (2 attempts)"),
    ],
)
def test_a_webhook_that_misbehaves(behave: Any, told: str) -> None:
    with misbehaving(behave) as port:
        assert why(hook(port, attempts=2), timeout_seconds=0.3) == told.format(port=port)


def test_nobody_listens() -> None:
    with closed_port() as port:
        refused = "refuses the connection: nothing listens there (3 attempts)"
        assert sent(hook(port), mail(port, smtp_host="127.0.0.1")) == {
            "webhook": f"127.0.0.1:{port} {refused}",
            "mail": f"127.0.0.1:{port} {refused}",
        }


def test_a_server_that_does_not_even_answer_a_connection() -> None:
    """A full queue of connections: the kernel drops what comes."""
    with contextlib.ExitStack() as opened:
        listener = opened.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        while True:
            waiting = opened.enter_context(socket.socket())
            waiting.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                waiting.connect(listener.getsockname())
            if not select.select([], [waiting], [], 0.5)[1]:
                break
        port = listener.getsockname()[1]
        late = "no answer within 0.3 s"
        assert sent(hook(port), mail(port, smtp_host="127.0.0.1"), timeout_seconds=0.3, attempts=1) == {
            "webhook": late,
            "mail": late,
        }


def test_a_name_that_there_is_not() -> None:
    told = why({"type": "webhook", "url": f"http://none.invalid/{PATH}", "attempts": 1})
    assert told is not None and told.startswith("the name of none.invalid cannot be resolved: ")


def test_a_webhook_by_tls(authority: Authority) -> None:
    with Webhooks(OK, tls=authority.of_server()) as server:
        url = f"https://localhost:{server.port}/{PATH}"
        trusting = {"type": "webhook", "url": url, "ca_certs": str(authority.path)}
        assert why(trusting) is None
        assert len(server.requests) == 1
        told = why({"type": "webhook", "url": url})
        assert told is not None
        assert told.startswith(f"the certificate of localhost:{server.port} is not trusted: ")
        assert told.endswith("; give its authority as ca_certs")
        told = why({**trusting, "url": url.replace("localhost", "127.0.0.1")})
        assert told is not None and "is not trusted: " in told and "127.0.0.1" in told
        assert len(server.requests) == 1


@pytest.mark.parametrize("content", [None, "", "no certificate"])
def test_authorities_that_cannot_be_read(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content)
    reason = "No such file or directory" if content is None else "it has no certificate"
    told = why({"type": "webhook", "url": f"https://localhost:9/{PATH}", "ca_certs": str(path)})
    assert told == f"ca_certs, {path}, cannot be read: {reason}"


def test_tls_with_a_server_that_has_none() -> None:
    with Webhooks(OK) as server:
        told = why({"type": "webhook", "url": f"https://localhost:{server.port}/{PATH}", "attempts": 1})
        assert told is not None and told.startswith(f"no TLS with localhost:{server.port}: ")


# Alertmanager


def alertmanager(port: int) -> Json:
    return {"type": "webhook", "format": "alertmanager", "url": f"http://127.0.0.1:{port}/api/v2/alerts"}


def test_alertmanager_gets_alerts_and_a_trial() -> None:
    with Webhooks(OK) as server:
        assert why(alertmanager(server.port)) is None
        assert why(alertmanager(server.port), message=news.trial("2026-11-24T00:10:00.000Z")) is None
        first, trial = (json.loads(request.body) for request in server.requests)
    assert [entry["labels"]["severity"] for entry in first] == ["critical"]
    assert trial[0]["labels"]["alertname"] == "MidiCapacityTest"
    assert trial[0]["endsAt"] == "2026-11-24T02:10:00.000Z"


def test_alertmanager_need_not_hear_the_end_of_what_it_never_heard_of() -> None:
    agent = Agent(CPU)
    agent.channel = lambda _message: {"mail": "connection refused"}
    agent.run(cpu_busy_percent=95)
    [over] = agent.run(cpu_busy_percent=1)
    with Webhooks(OK) as server:
        assert why(alertmanager(server.port), message=over) is None
        with closed_port() as nobody:
            # It does not make up for those who are to hear it.
            assert list(sent(alertmanager(server.port), hook(nobody, name="people"), message=over)) == ["people"]
        assert sent(alertmanager(server.port), {"type": "command", "argv": ["/bin/true"]}, message=over) == {
            "command": None
        }
        assert server.requests == []


def test_what_only_alertmanager_does_not_hear_is_told_again_to_the_others() -> None:
    """Over a whole outage of the mail, the end of which nobody else would ever be told."""
    agent = Agent(CPU)
    with Webhooks(OK) as server, closed_port() as nobody:
        found = channels.read([alertmanager(server.port), hook(nobody, name="people", attempts=1)])[0]
        agent.channel = lambda _message: {"people": "connection refused"}
        agent.run(cpu_busy_percent=95)
        agent.channel = lambda message: delivery.deliver(found, message, PLACE, VALID_SECONDS, 60)
        for _run in range(2):
            assert [message["kind"] for message in agent.run(cpu_busy_percent=1)] == ["recovery"]
        agent.channel = lambda _message: {"people": None}
        assert len(agent.run(cpu_busy_percent=1)) == 1 and agent.run(cpu_busy_percent=1) == []
        assert server.requests == []


def test_what_is_standing_goes_to_alertmanager_alone() -> None:
    agent = Agent(CPU, DISK)
    agent.run(cpu_busy_percent=95, disk_used_percent=90)
    with Webhooks(OK) as server, Webhooks(OK) as other:
        found = channels.read([hook(other.port), alertmanager(server.port), {"type": "command", "argv": ["/none"]}])[0]
        standing = news.standing(agent.document)
        assert delivery.refresh(found, standing, PLACE, agent.now, VALID_SECONDS, 60) == {"webhook 2": None}
        assert delivery.refresh(found, [], PLACE, agent.now, VALID_SECONDS, 60) == {}
        [request] = server.requests
        assert other.requests == []
    metrics = sorted(entry["labels"]["metric"] for entry in json.loads(request.body))
    assert metrics == ["cpu_busy_percent", "disk_used_percent"]


# Mail, by SMTP


def test_a_mail_in_clear() -> None:
    with MailServer() as server:
        assert why(mail(server.port, to=["dba@example.org", "root"])) is None
        [received] = server.received
    assert (received.sender, received.recipients) == ("capacity@example.org", ["dba@example.org", "root"])
    assert received.mail["Subject"].startswith("[CRITICAL] CPU")
    assert "What to do: " in received.mail.get_content()
    assert server.greeted[0] in ("[127.0.0.1]", "[IPv6:::1]")


def _authenticated(_server: Any, _session: Any, _envelope: Any, mechanism: str, data: Any) -> AuthResult:
    if (data.login, data.password) == (b"capacity", PASSWORD.encode()):
        return AuthResult(success=True)
    said = base64.b64encode(b"\0capacity\0" + data.password).decode()
    return AuthResult(success=False, handled=False, message=f"535 5.7.8 {mechanism}: wrong {said}")


def login(port: int, password_file: str, authority: Authority, **fields: Any) -> Json:
    trusting = {"smtp_tls": "starttls", "ca_certs": str(authority.path)}
    return mail(port, smtp_user="capacity", smtp_password_file=password_file, **{**trusting, **fields})


def test_a_mail_by_starttls_with_a_login(authority: Authority, password_file: str) -> None:
    options = {"tls_context": authority.of_server(), "authenticator": _authenticated, "auth_required": True}
    with MailServer(require_starttls=True, **options) as server:
        assert why(login(server.port, password_file, authority)) is None
        assert len(server.received) == 1
        told = why(login(server.port, password_file, authority, ca_certs=None))
        assert told is not None and told.startswith(f"the certificate of localhost:{server.port} is not trusted: ")
        assert len(server.received) == 1


def test_a_login_that_is_refused(authority: Authority, tmp_path: Path) -> None:
    path = tmp_path / "wrong"
    path.write_text(f"{SECRET}-wrong")
    spoken = base64.b64encode(f"\0capacity\0{SECRET}-wrong".encode()).decode()
    with MailServer(tls_context=authority.of_server(), authenticator=_authenticated) as server:
        told = why(login(server.port, str(path), authority))
    assert told is not None and spoken not in told
    assert told.startswith(f"localhost:{server.port} refuses the login of capacity: 535 5.7.8 ")
    assert told.endswith("wrong …")


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "has no password: write one line in ASCII"), ("", "has no password"), ("a\nb\n", "has no password")],
)
def test_a_password_file_that_has_none(authority: Authority, tmp_path: Path, content: str | None, said: str) -> None:
    path = tmp_path / "password"
    if content is not None:
        path.write_text(content)
    told = why(login(9, str(path), authority))
    assert told is not None and told.startswith(f"smtp_password_file, {path}, {said}")


def test_a_server_that_offers_no_starttls() -> None:
    with MailServer() as server:
        told = why(mail(server.port, smtp_tls="starttls"))
        assert told == f"localhost:{server.port} offers no STARTTLS: write smtp_tls: tls, or none"
        assert (len(server.greeted), server.received) == (1, [])


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"login": False}, "offers no login: leave smtp_user out, or ask for another port"),
        ({"auth_exclude_mechanism": ["LOGIN", "PLAIN"]}, "offers no login that Python knows"),
    ],
)
def test_a_server_that_offers_no_login(authority: Authority, password_file: str, options: Json, told: str) -> None:
    with MailServer(tls_context=authority.of_server(), **options) as server:
        assert why(login(server.port, password_file, authority)) == f"localhost:{server.port} {told}"
        assert server.received == []


def test_a_mail_by_tls(authority: Authority) -> None:
    with MailServer(implicit_tls=authority.of_server()) as server:
        assert why(mail(server.port, smtp_tls="tls", ca_certs=str(authority.path))) is None
        assert len(server.received) == 1


def test_a_recipient_that_is_refused_for_good() -> None:
    with MailServer({"dba@example.org": ["550 no such user"] * 9}) as server:
        told = why(mail(server.port))
        assert told == f"localhost:{server.port} refuses dba@example.org (550 no such user)"
        assert len(server.greeted) == 1


def test_a_greylisted_recipient_is_tried_again() -> None:
    with MailServer({"dba@example.org": ["451 later"]}) as server:
        assert why(mail(server.port)) is None
        assert (len(server.greeted), len(server.received)) == (2, 1)


def test_some_recipients_are_enough_but_for_a_test() -> None:
    entry = {"to": ["dba@example.org", "gone@example.org"]}
    with MailServer({"gone@example.org": ["550 no such user"] * 9}) as server:
        assert why(mail(server.port, **entry)) is None
        told = why(mail(server.port, **entry), message=news.trial("2026-11-24T00:10:00.000Z"))
        assert told == f"localhost:{server.port} refuses gone@example.org (550 no such user)"
        assert [received.recipients for received in server.received] == [["dba@example.org"]] * 2


@pytest.mark.parametrize(
    ("behave", "told"),
    [(silent, "no answer within 0.3 s (2 attempts)"), (closing, "localhost:{port} closed the connection (2 attempts)")],
)
def test_a_mail_server_that_misbehaves(behave: Any, told: str) -> None:
    def act(connection: socket.socket, over: Any) -> None:
        if behave is silent:
            silent(connection, over)

    with misbehaving(act) as port:
        assert why(mail(port, attempts=2), timeout_seconds=0.3) == told.format(port=port)


# Programs


def by_sendmail(program: str, **fields: Any) -> Json:
    return {"type": "mail", "to": ["root", "dba@example.org"], "from": "capacity@db1", "sendmail": program, **fields}


def test_a_mail_by_sendmail(script: Script, tmp_path: Path) -> None:
    program = script('printf "%s\\n" "$@" >"$HERE/words"; cat >"$HERE/mail"')
    assert why(by_sendmail(program)) is None
    words = ["-oi", "-f", "capacity@db1", "--", "root", "dba@example.org"]
    assert (tmp_path / "words").read_text().splitlines() == words
    told = (tmp_path / "mail").read_text()
    assert "\nTo: root, dba@example.org\n" in told and "What to do: " in told


def test_a_sendmail_that_hangs(script: Script) -> None:
    program = script("exec sleep 600")
    told = why(by_sendmail(program, attempts=2), timeout_seconds=0.3)
    assert told == f"{program} did not end within 0.3 s, and was killed (2 attempts)"


def test_a_command_gets_the_message_and_little_else(
    script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    program = script('cat >"$HERE/message"; cat /proc/$$/environ >"$HERE/environment"; echo "$1" >"$HERE/word"')
    message = alert()
    assert why({"type": "command", "argv": [program, "a; b"]}, message=message) is None
    told = json.loads((tmp_path / "message").read_text())
    assert told["id"] == message["id"] and (tmp_path / "word").read_text() == "a; b\n"
    environment = dict(line.split("=", 1) for line in (tmp_path / "environment").read_text().split("\0") if line)
    assert sorted(environment) == ["CAPACITY_HOST", "CAPACITY_STATE", "CAPACITY_SUBJECT", "LANG", "PATH"]
    assert environment["CAPACITY_STATE"] == "critical" and environment["CAPACITY_HOST"] == "db1"
    assert environment["CAPACITY_SUBJECT"] == texts.subject(message, PLACE)


def test_a_command_need_not_read() -> None:
    assert why({"type": "command", "argv": ["/bin/true"]}) is None


def test_a_command_that_fails_is_tried_again(script: Script, tmp_path: Path) -> None:
    program = script('echo x >>"$HERE/runs"; echo >&2; echo "no route" >&2; echo more >&2; exit 3')
    told = why({"type": "command", "argv": [program]})
    assert told == f"{program} ended with exit status 3: no route (3 attempts)"
    assert (tmp_path / "runs").read_text() == "x\n" * 3


def test_output_of_a_command_is_bounded(script: Script) -> None:
    program = script("yes | head -c 3000000; yes | tr -d '\\n' | head -c 3000000 >&2; exit 1")
    told = why({"type": "command", "argv": [program], "attempts": 1})
    assert told is not None and told.startswith(f"{program} ended with exit status 1: yyy") and len(told) <= 400


def test_what_a_command_says_is_shown_without_control_characters(script: Script) -> None:
    program = script(r"printf '\033[31mno\007 route\r\nmore\n' >&2; exit 3")
    told = why({"type": "command", "argv": [program], "attempts": 1})
    assert told == f"{program} ended with exit status 3: [31mno route"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([f"{SECRET}-token"], "no such token: …"),
        (["--key", f"--token={SECRET}-token"], "no such token: …"),
        (["-c", f"curl https://x/{SECRET}-token"], "no such token: …"),
        (["x" * 1900 + SECRET], "no such token: …"),
    ],
)
def test_no_argument_of_a_command_is_told(script: Script, arguments: list[str], said: str) -> None:
    """Neither whole nor cut in two, wherever it stands."""
    last = arguments[-1].rpartition("=")[2].rpartition(" ")[2]
    for before in ("", " " * 150, " " * 3990):
        program = script(f"printf '%s' '{before}no such token: {last}' >&2; exit 1")
        told = why({"type": "command", "argv": [program, *arguments], "attempts": 1})
        assert told is not None and told.startswith(f"{program} ended with exit status 1")
        if len(before) < 3990:
            assert told.endswith(said)


def test_a_command_that_reads_nothing_and_says_much_ends(script: Script) -> None:
    program = script("exec <&-; yes | head -c 300000 >&2; exit 1")
    message = {**alert(), "alerts": alert()["alerts"] * 400}
    told = why({"type": "command", "argv": [program], "attempts": 1}, message=message)
    assert told == f"{program} ended with exit status 1: y"


def test_a_command_reads_all_of_a_long_message(script: Script, tmp_path: Path) -> None:
    program = script('cat >"$HERE/message"')
    message = {**alert(), "alerts": alert()["alerts"] * 400}
    assert why({"type": "command", "argv": [program]}, message=message) is None
    assert len(json.loads((tmp_path / "message").read_text())["alerts"]) == 400


def test_a_command_that_is_ended_by_a_signal(script: Script) -> None:
    program = script("kill -TERM $$")
    assert why({"type": "command", "argv": [program], "attempts": 1}) == f"{program} was ended by SIGTERM"


def test_a_command_that_cannot_be_found_is_not_tried_again(script: Script, tmp_path: Path) -> None:
    nowhere = f"{tmp_path}/none"
    assert why({"type": "command", "argv": [nowhere]}) == f"{nowhere} cannot be run: No such file or directory"
    plain = tmp_path / "plain"
    plain.write_text("no program")
    assert why({"type": "command", "argv": [str(plain)]}) == f"{plain} cannot be run: Permission denied"
    program = script('echo x >>"$HERE/runs"; /none 2>/dev/null')
    assert why({"type": "command", "argv": [program]}) == f"{program} ended with exit status 127"
    assert (tmp_path / "runs").read_text() == "x\n"


def test_a_command_that_hangs_is_killed_with_its_children(script: Script, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "alive")
    alive = os.open(tmp_path / "alive", os.O_RDONLY | os.O_NONBLOCK)
    try:
        # All of them hold it open; so its end is the end of all of them.
        program = script('exec 9>"$HERE/alive"; trap "" TERM HUP; (trap "" TERM; sleep 600) & echo begun >&9; wait')
        told = why({"type": "command", "argv": [program], "attempts": 1}, timeout_seconds=1)
        assert told == f"{program} did not end within 1 s, and was killed"
        assert os.read(alive, 100) == b"begun\n"
        assert select.select([alive], [], [], BOUNDED_SECONDS)[0] and os.read(alive, 100) == b""
    finally:
        os.close(alive)


def test_what_a_command_leaves_running_is_not_waited_for(script: Script, tmp_path: Path) -> None:
    program = script('sleep 600 & echo $! >"$HERE/child"')
    before = threading.enumerate()
    try:
        assert why({"type": "command", "argv": [program]}) is None
        # Nor heard any more, though it has what the command spoke into.
        assert threading.enumerate() == before
    finally:
        os.kill(int((tmp_path / "child").read_text()), 9)


# Syslog


def test_syslog_gets_lines_by_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[tuple[int, str]] = []
    monkeypatch.setattr(delivery_syslog, "SOCKET", str(tmp_path / "log"))
    monkeypatch.setattr(delivery_syslog.syslog, "syslog", lambda priority, text: lines.append((priority, text)))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "log"))
        message = alert()
        assert why({"type": "syslog", "facility": "local3"}, message=message) is None
    syslog = delivery_syslog.syslog
    assert lines == [(syslog.LOG_LOCAL3 | syslog.LOG_CRIT, texts.subject(message, PLACE))]


def test_syslog_that_nobody_listens_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "log"
    monkeypatch.setattr(delivery_syslog, "SOCKET", str(path))
    remedy = "start syslog or journald (3 attempts)"
    assert why({"type": "syslog"}) == f"nothing takes lines at {path}: No such file or directory; {remedy}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(path))
    assert why({"type": "syslog"}) == f"nothing takes lines at {path}: Connection refused; {remedy}"


# Together


def test_no_channel_waits_for_another(script: Script) -> None:
    program = script("exec sleep 600")
    with Webhooks(OK) as server, misbehaving(silent) as port, MailServer() as mails:
        slow = [{"type": "command", "argv": [program]}, {**hook(port), "name": "silent"}, mail(port, name="deaf")]
        outcomes = sent(*slow, hook(server.port), mail(mails.port), timeout_seconds=0.5, attempts=1)
        assert [name for name, why in outcomes.items() if why is None] == ["webhook", "mail"]
        assert list(outcomes) == ["command", "silent", "deaf", "webhook", "mail"]
        assert (len(server.requests), len(mails.received)) == (1, 1)


def test_pauses_grow_and_end_with_the_time() -> None:
    with Webhooks(Answer(500)) as server:
        channel = channels.read([hook(server.port, attempts=4)])[0]
        answered = f"127.0.0.1:{server.port} answered 500 Internal Server Error"
        for seconds, pauses, told in (
            (60, [1, 2, 4], "(4 attempts)"),
            (4, [1, 2], "(no time left to try again)"),
            (1, [], "(no time left to try again)"),
        ):
            clock = Clock()
            found = delivery.deliver(channel, alert(), PLACE, VALID_SECONDS, seconds, clock.pause, clock.read)
            assert (clock.pauses, found) == (pauses, {"webhook": f"{answered} {told}"})


@pytest.mark.parametrize("seconds", [0, -5])
def test_without_time_nothing_is_tried(seconds: float, script: Script, tmp_path: Path) -> None:
    program = script('touch "$HERE/run"')
    with Webhooks(OK) as server:
        outcomes = sent(hook(server.port), {"type": "command", "argv": [program]}, seconds=seconds)
        assert outcomes == dict.fromkeys(("webhook", "command"), "not tried: no time left")
        assert server.requests == [] and not (tmp_path / "run").exists()


def test_an_attempt_ends_with_the_time_of_all() -> None:
    with misbehaving(silent) as port:
        assert why(hook(port), seconds=0.4) == "no answer within 0.4 s (no time left to try again)"


def test_an_error_of_ours_is_one_channels_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_words: Any) -> None:
        raise RuntimeError(PASSWORD)

    monkeypatch.setattr(delivery.command, "send", broken)
    with Webhooks(OK) as server:
        outcomes = sent({"type": "command", "argv": ["/bin/true"]}, hook(server.port))
    assert outcomes == {"command": "an error of the agent: RuntimeError", "webhook": None}


def test_a_host_that_starts_no_thread_more(monkeypatch: pytest.MonkeyPatch) -> None:
    start = delivery._Delivery.start

    def refused(thread: Any) -> None:
        if thread.channel.name == "webhook":
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(delivery._Delivery, "start", refused)
    outcomes = sent(hook(9), {"type": "command", "argv": ["/bin/true"]})
    assert outcomes == {"webhook": "not tried: the host starts no thread more", "command": None}


def test_no_command_runs_on_a_host_that_starts_no_thread_for_an_attempt(
    script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = threading.Thread.start

    def started(thread: Any) -> None:
        if thread.name == "deliver":
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", started)
    outcome = why({"type": "command", "argv": [script('touch "$HERE/run"')], "attempts": 2})
    assert outcome == "the host starts no thread more (2 attempts)" and not (tmp_path / "run").exists()


def test_without_channels_there_are_no_outcomes() -> None:
    assert sent() == {}


def test_an_interrupt_ends_what_was_started(script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(tmp_path / "alive")
    alive = os.open(tmp_path / "alive", os.O_RDONLY | os.O_NONBLOCK)
    program = script('exec 9>"$HERE/alive"; echo begun >&9; sleep 600')

    def interrupted(_self: Any, _timeout: Any = None) -> None:
        assert select.select([alive], [], [], BOUNDED_SECONDS)[0]
        raise KeyboardInterrupt

    monkeypatch.setattr(delivery._Delivery, "join", interrupted)
    try:
        with pytest.raises(KeyboardInterrupt):
            sent({"type": "command", "argv": [program], "attempts": 1})
        assert os.read(alive, 100) == b"begun\n"
        assert select.select([alive], [], [], BOUNDED_SECONDS)[0] and os.read(alive, 100) == b""
    finally:
        os.close(alive)
