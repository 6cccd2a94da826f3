# SPDX-License-Identifier: GPL-3.0-or-later
"""_alerts: the channels that messages go out by, as people declare them, and what may be seen of them."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from ansible_collections.midi.capacity.plugins.module_utils._alerts import channels, log_lines, news
from ansible_collections.midi.capacity.plugins.module_utils._alerts.channel_model import (
    FORMATS,
    SMTP_PORTS,
    SMTP_TLS,
    Command,
    Sendmail,
    Smtp,
    Syslog,
    Webhook,
    hidden,
    secrets,
    server,
    shown,
)
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.alerts_example import CPU, DISK, PLACE, Agent
from tests.unit.collection import ROOT

MAIL = {"type": "mail", "to": ["dba@example.org"], "from": "capacity@example.org"}
SMTP = {**MAIL, "smtp_host": "mail.example.org"}
HOOK = {"type": "webhook", "url": "https://hooks.example.org/services/T0PSECRET"}
COMMAND = {"type": "command", "argv": ["/usr/local/bin/page", "--now"]}


def one(entry: dict[str, Any]) -> Any:
    found, problems = channels.read([entry])
    assert problems == []
    return found[0]


def problems(*entries: Any) -> list[str]:
    found, wrong = channels.read(list(entries))
    assert found == []
    return wrong


def test_defaults_of_each_type() -> None:
    common = {"timeout_seconds": 10, "attempts": 3}
    people = {"recipients": ("dba@example.org",), "sender": "capacity@example.org"}
    assert one({"type": "syslog"}) == Syslog("syslog", **common, facility="user")
    assert one(MAIL) == Sendmail("mail", **common, **people, program="/usr/sbin/sendmail")
    assert one(SMTP) == Smtp(
        "mail",
        **common,
        **people,
        host="mail.example.org",
        port=587,
        tls="starttls",
        user=None,
        password_file=None,
        ca_certs=None,
    )
    assert one(HOOK) == Webhook("webhook", **common, url=HOOK["url"], format="json", headers=(), ca_certs=None)
    assert one(COMMAND) == Command("command", **common, argv=("/usr/local/bin/page", "--now"))


def test_everything_can_be_said() -> None:
    found = one(
        {
            **SMTP,
            "name": "night",
            "timeout_seconds": "20",
            "attempts": 1,
            "smtp_port": "587",
            "smtp_tls": "tls",
            "smtp_user": "capacity",
            "smtp_password_file": "/etc/capacity/smtp",
            "ca_certs": "/etc/ssl/ca.pem",
        }
    )
    assert (found.name, found.timeout_seconds, found.attempts, found.port, found.tls) == ("night", 20.0, 1, 587, "tls")
    assert (found.user, found.password_file, found.ca_certs) == ("capacity", "/etc/capacity/smtp", "/etc/ssl/ca.pem")
    for tls, port in (("none", 25), ("starttls", 587), ("tls", 465)):
        assert one({**SMTP, "smtp_tls": tls}).port == port
    hook = one({**HOOK, "format": "alertmanager", "headers": {"Authorization": "Bearer T0KEN", "X-Team": "db"}})
    assert hook.headers == (("Authorization", "Bearer T0KEN"), ("X-Team", "db"))
    assert one({"type": "syslog", "facility": "local3"}).facility == "local3"
    assert one({**MAIL, "sendmail": "/opt/sendmail", "to": ["root", "root"]}) == one(MAIL)._replace(
        program="/opt/sendmail", recipients=("root",)
    )


def test_nothing_is_no_channel() -> None:
    assert channels.read() == channels.read(None) == channels.read([]) == ([], [])


def test_a_channel_without_a_name_is_called_as_its_type() -> None:
    named = {"type": "syslog", "name": "webhook 2"}
    found, wrong = channels.read([HOOK, named, HOOK, HOOK, MAIL, SMTP])
    assert wrong == []
    assert [channel.name for channel in found] == ["webhook", "webhook 2", "webhook 3", "webhook 4", "mail", "mail 2"]


def test_a_name_is_there_once() -> None:
    found, wrong = channels.read([{**HOOK, "name": "night"}, {**MAIL, "name": "night"}])
    assert [channel.name for channel in found] == ["night"]
    assert wrong == ["channel 2 (mail): channel 1 is called night already: write another name"]


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ("mail", "it is no mapping: write type and the fields of that type"),
        ({}, "it has no type: write one of syslog, mail, webhook, command"),
        ({"type": ["mail"]}, "it has no type: write one of syslog, mail, webhook, command"),
        ({"type": "webhok"}, "there is no type webhok: did you mean webhook?"),
        ({**HOOK, "timeout": 3}, "there is no field timeout: did you mean timeout_seconds?"),
        ({**HOOK, "smtp_port": 3}, "there is no field smtp_port"),
        ({"type": "mail\x1b[2J\n"}, "there is no type mail [2J: did you mean mail?"),
        ({**HOOK, "url\x1b[2J\n": 3}, "there is no field url [2J: did you mean url?"),
        ({**HOOK, "timeout_seconds": 0}, "timeout_seconds is 0: write 1 to 300 seconds"),
        ({**HOOK, "timeout_seconds": 301}, "timeout_seconds is 301: write 1 to 300 seconds"),
        ({**HOOK, "attempts": 0}, "attempts is no whole number from 1 to 10: write one"),
        ({**HOOK, "attempts": True}, "attempts is no whole number from 1 to 10: write one"),
        ({**HOOK, "name": "a\nb"}, "name is no name: write 60 letters and digits at most"),
        ({**HOOK, "name": "night "}, "name is no name"),
        ({"type": "syslog", "facility": "kern"}, "facility cannot be 'kern'"),
        ({"type": "webhook"}, "it has no url: write one"),
        ({**HOOK, "url": "ftp://example.org/"}, "url begins with neither https:// nor http://: write one of them"),
        ({**HOOK, "url": "file:///etc/passwd"}, "url begins with neither https:// nor http://: write one of them"),
        ({**HOOK, "url": "https://me:T0PSECRET@example.org/"}, "url has a user or a password in it: write them as"),
        ({**HOOK, "url": "https:///T0PSECRET"}, "url has no host that can be: write https://HOST/PATH"),
        ({**HOOK, "url": "https://example.org:x/T0PSECRET"}, "url is no address: write https://HOST:PORT/PATH"),
        ({**HOOK, "url": "https://example.org:70000/T0PSECRET"}, "url is no address: write https://HOST:PORT/PATH"),
        ({**HOOK, "url": "https://example.org/T0P SECRET"}, "url is no address: write https://HOST/PATH in ASCII"),
        ({**HOOK, "url": "https://example.org/T0PSECRET\r\nX: y"}, "url is no address"),
        ({**HOOK, "url": ["T0PSECRET"]}, "url is no address"),
        ({**HOOK, "format": "xml"}, "format cannot be 'xml': there are json, slack, alertmanager"),
        ({**HOOK, "headers": ["T0PSECRET"]}, "headers is no mapping: write each header as name: value"),
        ({**HOOK, "headers": {"X": "T0PSECRET\r\nY: z"}}, "headers cannot be taken: the value of X is no text of one"),
        ({**HOOK, "headers": {"X\n": "T0PSECRET"}}, "headers cannot be taken: one of them has a name that is none"),
        ({**HOOK, "headers": {"x": "a", "X": "b"}}, "headers cannot be taken: X stands there twice: write it once"),
        ({**HOOK, "headers": {"Content-Length": "3"}}, "headers cannot be taken: Content-Length is the agent's own"),
        ({**HOOK, "ca_certs": "ca.pem"}, "ca_certs is no absolute path: begin it with /"),
        ({**HOOK, "url": "http://example.org/x", "ca_certs": "/ca.pem"}, "it has ca_certs, but url is no https"),
        ({**HOOK, "url": "http://am:9093", "format": "alertmanager"}, "url has no path: Alertmanager takes alerts at"),
        ({"type": "mail", "from": "a@b"}, "it has no to: write one"),
        ({**MAIL, "to": []}, "to is no list of addresses: write at least one"),
        ({**MAIL, "to": "dba@example.org"}, "to is no list of addresses: write at least one"),
        ({**MAIL, "to": ["DBA <dba@example.org>"]}, "to cannot be taken: 'DBA <dba@example.org>' is no address"),
        ({**MAIL, "to": ["-oQ/tmp@x y"]}, "to cannot be taken"),
        ({**MAIL, "from": "a@b\nBcc: c@d"}, "from cannot be taken"),
        ({**MAIL, "sendmail": "sendmail"}, "sendmail is no absolute path: begin it with /"),
        ({**SMTP, "sendmail": "/usr/sbin/sendmail"}, "it has sendmail and smtp_host: write one of them"),
        ({**MAIL, "smtp_port": 25}, "smtp_port is there without smtp_host: write smtp_host, or leave it out"),
        ({**SMTP, "smtp_host": "mail:25"}, "smtp_host is no host: write its name or its address, without a port"),
        ({**SMTP, "smtp_host": "db:25"}, "smtp_host is no host: write its name or its address, without a port"),
        ({**SMTP, "smtp_host": ":"}, "smtp_host is no host: write its name or its address, without a port"),
        ({**SMTP, "smtp_port": 65536}, "smtp_port is no whole number from 1 to 65535: write one"),
        ({**SMTP, "smtp_user": "a"}, "it has one of smtp_user and smtp_password_file: write both, or neither"),
        (
            {**SMTP, "smtp_tls": "none", "smtp_user": "a", "smtp_password_file": "/p"},
            "it would send a password without TLS: write smtp_tls: starttls or tls, or leave smtp_user out",
        ),
        ({**SMTP, "smtp_tls": "none", "ca_certs": "/ca"}, "it has ca_certs without TLS"),
        ({"type": "command", "argv": []}, "argv is no list: write the program and its arguments"),
        ({"type": "command", "argv": "/bin/page now"}, "argv is no list: write the program and its arguments"),
        ({"type": "command", "argv": ["page"]}, "argv begins with no absolute path: write where the program is"),
        ({"type": "command", "argv": ["/bin/page", 3]}, "argv has a word that is no text: write each in quotes"),
        ({"type": "command", "argv": ["/bin/page", "a\0"]}, "argv has a word that is no text: write each in quotes"),
    ],
)
def test_what_is_wrong_is_said_without_the_secret(entry: Any, told: str) -> None:
    wrong = problems(entry)
    assert len(wrong) == 1
    assert wrong[0].partition(": ")[2].startswith(told)
    assert "T0P" not in wrong[0] and "\n" not in wrong[0]


def test_all_problems_come_at_once() -> None:
    found, wrong = channels.read([HOOK, {"type": "mail", "smtp_port": 0, "colour": 1}, 7, {"type": "command"}])
    assert [channel.name for channel in found] == ["webhook"]
    assert [problem.split(":", maxsplit=1)[0] for problem in wrong] == [
        *["channel 2 (mail)"] * 4,
        "channel 3",
        "channel 4 (command)",
    ]


@pytest.mark.parametrize("entries", ["mail", {"type": "mail"}, 3, True])
def test_what_is_no_list_is_one_problem(entries: Any) -> None:
    assert channels.read(entries) == ([], ["the channels are no list: write a list of mappings, each with a type"])


WORDS = st.sampled_from(
    ["mail", "webhook", "http://a/b", "https://[::1", "//", "/bin/x", "a@b", "root", "none", "tls", "slack", "é", "\n"]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3) | WORDS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(WORDS, inner, max_size=2),
    max_leaves=3,
)
NAMES = st.sampled_from(sorted({"name", "attempts", "x"}.union(*channels._TYPES.values())))
FIELDS = st.dictionaries(NAMES, VALUES, max_size=5)
ENTRIES = st.builds(
    lambda kind, fields: {"type": kind, **fields},
    st.sampled_from(channels.TYPES),
    st.dictionaries(NAMES, VALUES, max_size=5),
)


@given(VALUES | st.lists(VALUES | ENTRIES, max_size=3))
def test_any_json_is_channels_or_problems(entries: Any) -> None:
    found, wrong = channels.read(entries)
    assert all(isinstance(problem, str) and problem.isprintable() for problem in wrong)
    assert len({channel.name for channel in found}) == len(found)
    if isinstance(entries, list):
        assert wrong or len(found) == len(entries)
        assert all(shown(channel) for channel in found)
    else:
        assert wrong or entries is None


@pytest.mark.parametrize(
    ("entry", "seen"),
    [
        ({"type": "syslog"}, "syslog, facility user"),
        (MAIL, "mail to dba@example.org by /usr/sbin/sendmail"),
        ({**SMTP, "smtp_host": "::1"}, "mail to dba@example.org by [::1]:587"),
        (HOOK, "webhook (json) at hooks.example.org"),
        ({**HOOK, "url": "http://10.0.0.1:8065/hooks/T0PSECRET?key=T0PSECRET"}, "webhook (json) at 10.0.0.1:8065"),
        ({**COMMAND, "argv": ["/bin/page", "T0PSECRET"]}, "command /bin/page"),
    ],
)
def test_what_may_be_seen_of_a_channel(entry: dict[str, Any], seen: str) -> None:
    channel = one(entry)
    assert shown(channel) == seen
    assert "T0PSECRET" not in repr(channel)


def test_no_header_is_in_a_repr() -> None:
    channel = one({**HOOK, "headers": {"Authorization": "Bearer T0KEN"}})
    assert "T0KEN" not in f"{channel!r} {channel} {[channel]}"


@pytest.mark.parametrize(
    "said",
    [
        "no such hook: /services/T00/B%20b/aBcD?key=q1w2e3&team=x",
        "no such hook: \\/services\\/T00\\/B b\\/aBcD",
        "bad key q1w2e3",
        "Bearer T0KEN is over",
        "token T0KEN",
    ],
)
def test_what_a_server_says_again_is_hidden(said: str) -> None:
    hook = {**HOOK, "url": "https://hooks.example.org/services/T00/B%20b/aBcD?key=q1w2e3&team=x"}
    channel = one({**hook, "headers": {"Authorization": "Bearer T0KEN"}})
    told = hidden(said, secrets(channel))
    assert not any(secret in told for secret in ("aBcD", "q1w2e3", "T0KEN", "B%20b"))
    assert server(channel) == "hooks.example.org" and hidden(server(channel), secrets(channel)) == server(channel)


def test_lines_for_the_log() -> None:
    agent = Agent(DISK, CPU, digest_from=2)
    assert log_lines.lines(news.trial(agent.now), PLACE) == [(5, "[TEST] Alerts arrive (midi_library on db1)")]
    [digest] = agent.run(disk_used_percent=90, cpu_busy_percent=85)
    found = log_lines.lines(digest, PLACE)
    assert [severity for severity, _text in found] == [2, 2, 4]
    assert found[0][1].startswith("[CRITICAL] 2 alerts") and found[2][1].startswith("WARNING: CPU")
    [recovered] = agent.run(disk_used_percent=10, cpu_busy_percent=85)
    assert [severity for severity, _text in log_lines.lines(recovered, PLACE)] == [5]
    agent = Agent(CPU)
    unknown = [message for _run in range(3) for message in agent.run(cpu_busy_percent=None)]
    assert [line[0] for line in log_lines.lines(unknown[0], PLACE)] == [3]


def test_the_role_s_documentation_names_every_type_field_and_choice() -> None:
    spec = yaml.safe_load((ROOT / "roles/monitoring_cron/meta/argument_specs.yml").read_text())
    told = " ".join(spec["argument_specs"]["main"]["options"]["monitoring_cron_channels"]["description"])
    named = set(re.findall(r"[CV]\(([a-z_/]+)\)", told))
    fields = {name for kind in channels._TYPES.values() for name in kind}
    known = {"type", *channels.TYPES, *fields, *channels._COMMON, *FORMATS, *SMTP_TLS}
    assert known <= named
    # And its defaults.
    assert named - known == {"user", channels.SENDMAIL}
    assert all(str(port) in told for port in SMTP_PORTS.values())
