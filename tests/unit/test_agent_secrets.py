# SPDX-License-Identifier: GPL-3.0-or-later
"""What of the agent's configuration is in no output, even where it is written in the wrong place."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.midi.capacity.plugins.module_utils import _agent_install_config as agent_config

URL = "https://hooks.example.org/services/T00000000/B00000000/SECRETSECRETSECRET"


@pytest.mark.parametrize(
    ("config", "hidden"),
    [
        (None, []),
        ("a text", []),
        ({"channels": [{"type": "syslog", "facility": "user", "name": "log"}]}, []),
        ({"channels": [{"type": "webhook", "url": "x", "headers": {"X-Key": 12345678, "Y": "abc"}}]},
         ["12345678", "abc"]),
        ({"channels": [{"type": "webhook", "uri": URL, "format": "slack"}]}, [URL]),
        ({"channels": [{"type": URL}]}, [URL]),
        ({"channels": [{"type": "hooks.example.org/SECRET"}]}, ["hooks.example.org/SECRET"]),
        ({"channels": [{"type": "mail", "to": URL, "name": "x"}]}, [URL]),
        ({"channels": [{"type": "webhook", "token": {"value": ["hunter2"]}, "on": "no"}]}, ["hunter2"]),
        ({"channels": [{URL: None}]}, [URL]),
        ({"channels": {"type": "webhook", "urls": [URL]}}, [URL]),
        ({"channels": [["hunter2"]]}, ["hunter2"]),
        ({"chanels": [{"url": URL}]}, [URL]),
        ({"channels": [{"type": "command", "argv": ["/bin/tell", "-q", "--key=hunter2", "hunter3"]}]},
         ["--key=hunter2", "hunter3"]),
        ({"channels": [{"type": "mail", "smtp_password": 4711, "smtp_password_file": "/etc/pw"}]}, ["4711"]),
        ({"postgres": {"login_password": 12345, "login_port": 5432}}, ["12345"]),
        ({"postgres": "host=x password=hunter2", "redis": {"login_password": 1.5}}, ["host=x password=hunter2", "1.5"]),
        ({"redis": ["redis://:hunter2@x"]}, ["redis://:hunter2@x"]),
    ],
)  # fmt: skip
def test_secrets_are_found_wherever_they_are(config: Any, hidden: list[str]) -> None:
    assert sorted(agent_config.secrets({"config": config})) == sorted(hidden)


@pytest.mark.parametrize("channel", [{"type": URL}, {"type": "webhook", "url": "https://x/y", URL: 1}])
def test_a_message_that_cuts_a_value_off_has_no_beginning_of_it(channel: dict[str, Any]) -> None:
    options = {"config": {"host": "db1", "database": "midi", "channels": [channel]}}
    said = agent_config.problems({**options, "interval_minutes": 60, "capture_minutes": 5})
    assert len(said) == 1 and "hidden" in said[0] and "channels: channel 1" in said[0]
    assert "hooks" not in said[0] and "SECRET" not in said[0]
