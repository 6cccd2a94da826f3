# SPDX-License-Identifier: GPL-3.0-or-later
"""_restart.order: a primary and its standbys, and what would stop a standby."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.midi.capacity.plugins.filter.restart_turn import restart_turn
from ansible_collections.midi.capacity.plugins.module_utils._restart.order import turn_of
from hypothesis import given
from hypothesis import strategies as st


def server(host: str, live: int, after: int, workers: tuple[int, int] = (8, 8), **more: Any) -> dict[str, Any]:
    required = {
        "max_connections": {"live": str(live), "next_start": str(after)},
        "max_worker_processes": {"live": str(workers[0]), "next_start": str(workers[1])},
    }
    known = {"host": host, "system_identifier": "7", "in_recovery": host.startswith("s"), "due": True, "standbys": 0}
    return {**known, "required": required, "seconds": 100, **more}


def turns(*servers: dict[str, Any]) -> dict[str, int]:
    return {found["host"]: turn_of(found["host"], servers)["turn"] for found in servers}


def test_raised_on_the_standbys_first() -> None:
    servers = [server("p", 100, 200, standbys=2), server("s1", 100, 200), server("s2", 100, 200)]
    assert turns(*servers) == {"p": 2, "s1": 1, "s2": 1}
    assert turn_of("p", servers)["after"] == ["s1", "s2"]


def test_lowered_on_the_primary_first_and_seen_by_the_standby() -> None:
    servers = [server("p", 200, 100), server("s1", 200, 100)]
    assert turns(*servers) == {"p": 1, "s1": 2}
    expected = {"turn": 2, "after": ["p"], "replay_of": "p", "problem": "", "earlier_seconds": 100}
    assert turn_of("s1", servers) == expected


def test_the_second_turn_waits_for_the_slowest_of_the_first() -> None:
    servers = [
        server("p", 100, 200, standbys=2),
        server("s1", 100, 200, seconds=300),
        server("s2", 100, 200),
        server("q", 100, 200, system_identifier="8", seconds=500),
        server("s9", 300, 300, system_identifier="9", due=False, seconds=900),
    ]
    assert {found["host"]: turn_of(found["host"], servers)["earlier_seconds"] for found in servers} == {
        "p": 500, "s1": 0, "s2": 0, "q": 0, "s9": 0
    }  # fmt: skip


def test_other_settings_are_changed_on_the_standbys_first() -> None:
    assert turns(server("p", 100, 100), server("s1", 100, 100)) == {"p": 2, "s1": 1}


def test_a_server_alone_has_its_turn_at_once() -> None:
    assert turns(server("p", 100, 200)) == {"p": 1}
    assert turns(server("s1", 100, 200)) == {"s1": 1}
    assert turns(server("p", 200, 100, standbys=1)) == {"p": 1}


def test_a_server_that_is_not_due_has_no_turn_and_is_waited_for_by_nobody() -> None:
    servers = [server("p", 100, 200), server("s1", 300, 300, due=False)]
    assert turns(*servers) == {"p": 2, "s1": 0}
    assert turn_of("p", servers)["after"] == []


def test_copies_of_one_cluster_are_none_of_each_others_business() -> None:
    assert turns(server("p", 100, 200), server("q", 200, 100)) == {"p": 1, "q": 1}


def test_servers_of_other_clusters_are_none_of_its_business() -> None:
    assert turns(server("p", 100, 200), server("s1", 200, 100, system_identifier="8", due=False)) == {"p": 1, "s1": 0}


@pytest.mark.parametrize(
    ("servers", "host", "problem"),
    [
        (
            [server("p", 100, 200, standbys=1)],
            "p",
            "1 of the standbys that stream from this server are not in this run",
        ),
        ([server("p", 100, 200, standbys=2), server("s1", 100, 200)], "p", "1 of the standbys that stream"),
        (
            [server("s1", 200, 100)],
            "s1",
            "this standby would lower max_connections from 200 to 100, and its primary is",
        ),
        (
            [server("p", 100, 200), server("s1", 100, 200, due=False)],
            "p",
            "max_connections would be 100 on the standby s1 and 200 on the primary p",
        ),
        (
            [server("p", 200, 200, due=False), server("s1", 200, 100)],
            "s1",
            "max_connections would be 100 on the standby s1 and 200 on the primary p",
        ),
        (
            [server("p", 100, 200, (16, 8)), server("s1", 100, 200, (16, 8))],
            "p",
            "max_connections would go up, which has to be done on the standbys first, and max_worker_processes down",
        ),
        (
            [server("p", 1, 1), server("q", 1, 1), server("s1", 1, 1)],
            "p",
            "p, q have the same system identifier, so it cannot be known whose standbys s1 are",
        ),
    ],
)
def test_what_would_stop_a_standby_is_refused(servers: list[dict[str, Any]], host: str, problem: str) -> None:
    assert restart_turn(servers, host)["problem"].startswith(problem)


@given(st.data())
def test_no_standby_ever_runs_with_less_than_its_primary(data: st.DataObject) -> None:
    number = st.integers(1, 4)
    live = data.draw(number), data.draw(number)
    servers = [server("p", live[0], data.draw(number), (live[1], data.draw(number)), due=data.draw(st.booleans()))]
    for name in ("s1", "s2"):
        own = data.draw(st.integers(live[0], 5)), data.draw(st.integers(live[1], 5))
        after = data.draw(number), data.draw(number)
        servers.append(server(name, own[0], after[0], (own[1], after[1]), due=data.draw(st.booleans())))
    found = {known["host"]: turn_of(known["host"], servers) for known in servers}
    if any(turn["problem"] for turn in found.values()):
        return
    running = {
        known["host"]: {name: int(value["live"]) for name, value in known["required"].items()} for known in servers
    }
    for turn in (1, 2):
        for known in servers:
            if found[known["host"]]["turn"] == turn:
                after = {name: int(value["next_start"]) for name, value in known["required"].items()}
                running[known["host"]] = after
        for standby in ("s1", "s2"):
            assert all(running[standby][name] >= running["p"][name] for name in running["p"])
