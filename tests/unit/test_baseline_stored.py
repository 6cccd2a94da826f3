# SPDX-License-Identifier: GPL-3.0-or-later
"""Baselines that were stored before."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.midi.capacity.plugins.filter import has_more_than, lacks_some, stored_baseline

from tests.unit.baseline_example import CACHE, baseline, begun, missing

GAP = missing("statements")[0]


def read(document: Any, *server: dict[str, Any]) -> Any:
    """What the filter reads from a file with this."""
    text = document if isinstance(document, bytes) else json.dumps(document).encode()
    function = stored_baseline.FilterModule().filters()["stored_baseline"]
    return function(base64.b64encode(text).decode(), "/s/x.json", "move it", *server)


def lacks(document: dict[str, Any], **asked: Any) -> bool:
    return lacks_some.FilterModule().filters()["lacks_some"](document, asked)


def has_more(new: dict[str, Any], old: dict[str, Any]) -> bool:
    return has_more_than.FilterModule().filters()["has_more_than"](new, old)


def test_what_can_be_used_is_read() -> None:
    assert read(baseline()) == baseline()


@pytest.mark.parametrize(
    ("document", "complaint"),
    [
        (b"{", "it is damaged: "),
        (b"\xff", "it is damaged: "),
        ([], "it is damaged, or not of this collection: it says no schema version"),
        ({"schema_version": 2}, "it has schema version 2, and this collection knows 1"),
        ({"schema_version": 1, "taken_at": "now", "missing": ["statements"]}, "it is no "),
        ({"schema_version": 1}, "it is no "),
        ({"schema_version": 1, "snapshot": None}, "it is no "),
    ],
)
def test_what_cannot_be_used_is_named(document: Any, complaint: str) -> None:
    with pytest.raises(AnsibleFilterError) as raised:
        read(document)
    assert str(raised.value).startswith(f"The stored baseline /s/x.json cannot be used: {complaint}")
    assert str(raised.value).endswith(". To mend it: move it.")


def test_a_baseline_with_a_snapshot_of_another_version_is_named() -> None:
    with pytest.raises(AnsibleFilterError, match="the snapshot has schema version 2, not 1"):
        read(baseline(schema_version=2))


@pytest.mark.parametrize(("name", "called"), [("database", "database"), ("system_identifier", "server")])
def test_what_is_of_another_server_or_database_is_named(name: str, called: str) -> None:
    of = baseline()["snapshot"]["server"]
    assert read(baseline(), of) == baseline()
    with pytest.raises(AnsibleFilterError, match=f"it is of {called} {of[name]}, and this is {called} other"):
        read(baseline(), {**of, name: "other"})


def test_it_lacks_what_could_not_be_read_and_what_is_now_asked_for() -> None:
    snapshot = baseline()["snapshot"]
    assert not lacks(snapshot, growth="files", redis={})
    assert lacks(snapshot, redis={"login_host": "cache1"})
    assert lacks({**snapshot, "missing": [GAP]})
    assert not lacks({**snapshot, "growth": None}, growth="")
    assert lacks({**snapshot, "growth": None}, growth="files")
    assert not lacks(baseline(), cache="")
    assert lacks(baseline(), cache="cache1")
    assert not lacks({**baseline(), "cache": CACHE}, cache="cache1")
    assert lacks(baseline(missing=[GAP]))
    # One of before windows has none, as one that was taken without.
    for without in (baseline(), {**baseline(), "begin": None}):
        assert not lacks(without, window=0)
        assert lacks(without, window=10)
    assert not lacks({**baseline(), "begin": begun()}, window=10)
    assert not lacks(snapshot, window=10)


def test_it_has_more_if_it_lacks_less_and_nothing_else() -> None:
    whole, gap, other = baseline(), baseline(missing=[GAP]), baseline(missing=missing("host"))
    assert has_more(whole, gap)
    assert has_more(whole["snapshot"], gap["snapshot"])
    assert has_more({**whole, "cache": CACHE}, whole)
    assert has_more(whole, baseline(growth=None))
    assert has_more({**whole, "begin": begun()}, whole)
    for new, old in ((whole, whole), (gap, gap), (gap, whole), (other, gap)):
        assert not has_more(new, old)
    # The cache was there and is away: what it had is worth more.
    assert not has_more(whole, {**gap, "cache": CACHE})


def test_what_is_no_document_is_told() -> None:
    with pytest.raises(AnsibleFilterError, match="lacks_some: this is no snapshot or baseline"):
        lacks({})
    with pytest.raises(AnsibleFilterError, match="has_more_than: these are no snapshots or baselines"):
        has_more({}, {})
