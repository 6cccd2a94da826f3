# SPDX-License-Identifier: GPL-3.0-or-later
"""Specs of options: what they say is secret is so before the options are logged, which is while a module is made."""

from __future__ import annotations

import json

import pytest
from ansible.module_utils import basic
from ansible.module_utils.testing import patch_module_args
from ansible_collections.midi.capacity.plugins.module_utils._argspec import ArgumentSpec


def test_secrets_within_options_are_not_logged(monkeypatch: pytest.MonkeyPatch) -> None:
    logged: list[str] = []
    monkeypatch.setattr(
        basic.AnsibleModule, "log", lambda self, msg, **kwargs: logged.append(json.dumps([msg, kwargs]))
    )
    spec = ArgumentSpec({"config": {"type": "dict"}}, secrets=lambda options: [options["config"]["url"], None])
    with patch_module_args({"config": {"url": "https://hook/hunter2", "host": "db1"}}):
        module = spec.create_module()
    assert logged and "db1" in logged[0]
    assert "hunter2" not in "".join(logged)
    assert module.no_log_values == {"https://hook/hunter2"}
