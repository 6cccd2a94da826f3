# SPDX-License-Identifier: GPL-3.0-or-later
"""Role redis_cache and the keys that are declared: the strategy document, on the host and on the controller."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from demo.servers import EmbeddedRedis
from tests.integration.cache_keys import KEYS
from tests.integration.conftest import ROOT
from tests.integration.test_redis_role import Playbook, live

EXAMPLE = yaml.safe_load((ROOT / "inventories/example/group_vars/redis.yml").read_text("utf-8"))


class Documents:
    """Where the role writes, and the role with some keys."""

    def __init__(self, server: EmbeddedRedis, directory: Path) -> None:
        self._playbook = Playbook(server, directory)
        self._state, self._reports = directory / "state", directory / "reports"
        self.files = [self._state / "cache-strategy.md", self._reports / "cache" / "cache-strategy.md"]

    def run(self, keys: Any, *arguments: str, **options: Any) -> str:
        where = {"redis_cache_state_dir": str(self._state), "redis_cache_report_dir": str(self._reports)}
        return self._playbook.run(*arguments, redis_cache_keys=keys, **{**where, **options})

    def there(self) -> list[bool]:
        return [file.exists() for file in self.files]


@pytest.fixture
def documents(redis_server: EmbeddedRedis, tmp_path: Path) -> Documents:
    return Documents(redis_server, tmp_path)


def test_check_run_second_run_and_no_keys_any_more(documents: Documents) -> None:
    keys, events = EXAMPLE["redis_cache_keys"], EXAMPLE["redis_cache_events"]
    checked = documents.run(keys, "--check", "--diff", redis_cache_events=events)
    assert "+| `tag:{tag_id}` " in checked and not any(documents.there())
    assert not documents.files[0].parent.exists() and not documents.files[1].parent.exists()

    documents.run(keys, redis_cache_events=events)
    texts = [file.read_text() for file in documents.files]
    assert texts[0] == texts[1] and texts[0].startswith("# Cache strategy\n")
    for pattern in ("tag:{tag_id}", "instrument:{name}", "bpm_range:{min}:{max}", "key_signature:{key}"):
        assert f"| `{pattern}` " in texts[0]
    assert "-e event=import_completed\n" in texts[0]
    assert [file.stat().st_mode & 0o777 for file in documents.files] == [0o644, 0o644]

    assert "changed=0 " in documents.run(keys, redis_cache_events=events)
    assert "changed=2 " in documents.run([])
    assert not any(documents.there())
    assert "changed=0 " in documents.run([])


def test_all_faults_are_told_and_nothing_is_changed(redis_server: EmbeddedRedis, documents: Documents) -> None:
    keys = [
        {**KEYS[0], "ttl_seconds": 0},
        {**KEYS[1], "pattern": "tag:all"},
        {**KEYS[2], "invalidated_by": ["import_complete"]},
    ]
    events = ["import_completed", "analysis_completed"]
    text = " ".join(documents.run(keys, fails=True, redis_cache_events=events).split())
    assert "redis_cache_keys cannot be taken; nothing was changed" in text
    assert "pattern tag:{tag_id}: ttl_seconds is 0" in text
    assert "patterns tag:{tag_id} and tag:all overlap, both mean the key tag:all" in text
    assert "invalidated_by has import_complete, which is no event: did you mean import_completed?" in text
    assert not any(documents.there()) and live(redis_server, "maxmemory") == "0"


def test_directories_are_absolute(documents: Documents) -> None:
    text = documents.run(KEYS, fails=True, redis_cache_state_dir="state")
    assert "redis_cache_state_dir must be an absolute path" in text and not any(documents.there())
