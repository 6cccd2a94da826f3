# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""In which order a primary and its standbys are restarted, so that no standby stops for want of a setting.

PostgreSQL manual 26.4.3 "Administrator's Overview" (hot standby): on a standby these settings have to be at least those
of its primary. So they are raised on the standbys first, and lowered on the primary first; a standby learns of a lower
value when it has replayed the primary's WAL up to there.
"""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional, Sequence

Json = Dict[str, Any]

AT_LEAST_ON_STANDBYS = (
    "max_connections",
    "max_locks_per_transaction",
    "max_prepared_transactions",
    "max_wal_senders",
    "max_worker_processes",
)


def turn_of(host: str, servers: Sequence[Json]) -> Json:
    """When a host has its turn: {turn, after, replay_of, problem, earlier_seconds}.

    servers: of all hosts of the run {host, system_identifier, in_recovery, due, required, standbys, seconds}: `due`
    says whether the host is to be restarted now, `required` has {live, next_start} for each of AT_LEAST_ON_STANDBYS,
    `standbys` is how many standbys stream from it, and `seconds` how long its own restart takes at most. Servers of one
    cluster have one system identifier.

    turn: 1, 2, or 0 for a host that is not restarted. after: hosts that have to be done before it. replay_of: the
    primary whose WAL has to be replayed before, or None. problem: why it must not be restarted, or "". earlier_seconds:
    how long the first turn takes at most, for a host of the second one.
    """
    known = {server["host"]: server for server in servers}
    own = known[host]
    if not own["due"]:
        return _turn(0)
    cluster = [server for server in servers if server["system_identifier"] == own["system_identifier"]]
    primaries = [server for server in cluster if not server["in_recovery"]]
    standbys = [server for server in cluster if server["in_recovery"]]
    if not standbys:
        # Copies of one cluster, such as hosts made from one image, have nothing to do with each other.
        primaries = [own]
    if len(primaries) != 1:
        return _without_primary(own, primaries, standbys)
    primary = primaries[0]
    problem = _problem(own, primary, standbys)
    if problem:
        return _turn(1, problem=problem)
    primary_first = any(
        _after(standby, name) < _live(primary, name) for standby in standbys for name in _names(primary)
    )
    is_second = primary_first == own["in_recovery"] and len(standbys) > 0
    if not is_second:
        return _turn(1)
    earlier = [primary] if own["in_recovery"] else standbys
    after = [server["host"] for server in earlier if server["due"]]
    replay_of = primary["host"] if own["in_recovery"] and primary["due"] else None
    # Hosts come to each task together, those of other clusters, too: so the slowest of them counts.
    others = [server["seconds"] for server in servers if server["due"] and server["host"] != host]
    return {**_turn(2, after=after, replay_of=replay_of), "earlier_seconds": max(others, default=0)}


def _turn(turn: int, after: Sequence[str] = (), replay_of: Optional[str] = None, problem: str = "") -> Json:
    return {"turn": turn, "after": list(after), "replay_of": replay_of, "problem": problem, "earlier_seconds": 0}


def _without_primary(own: Json, primaries: Sequence[Json], standbys: Sequence[Json]) -> Json:
    if primaries:
        names = ", ".join(server["host"] for server in primaries)
        return _turn(
            1,
            problem=f"{names} have the same system identifier, so it cannot be known whose standbys"
            f" {', '.join(server['host'] for server in standbys)} are. To mend it: run this for each primary with its"
            f" standbys alone (--limit)",
        )
    lowered = [name for name in _names(own) if _after(own, name) < _live(own, name)]
    if not lowered:
        return _turn(1)
    told = ", ".join(_change(own, name) for name in lowered)
    return _turn(
        1,
        problem=f"this standby would lower {told}, and its primary is not in this run: a standby with less than its"
        f" primary does not start. To mend it: run this for the primary and its standbys together",
    )


def _problem(own: Json, primary: Json, standbys: List[Json]) -> str:
    unknown = primary["standbys"] - len(standbys)
    raised = [name for name in _names(primary) if _after(primary, name) > _live(primary, name)]
    if own is primary and raised and unknown > 0:
        told = ", ".join(_change(primary, name) for name in raised)
        return (
            f"{unknown} of the standbys that stream from this server are not in this run, and it would raise {told}: a"
            f" standby with less than its primary stops. To mend it: run this for all of them together,"
            f" or raise the standbys first and set postgres_tuning_standbys_elsewhere=true"
        )
    for standby in standbys:
        for name in _names(primary):
            if _after(standby, name) < _after(primary, name):
                return (
                    f"{name} would be {_after(standby, name)} on the standby {standby['host']} and"
                    f" {_after(primary, name)} on the primary {primary['host']}: a standby with less than its primary"
                    f" does not start. To mend it: want at least as much for the standby"
                )
    lowers = [name for standby in standbys for name in _names(primary) if _after(standby, name) < _live(primary, name)]
    raises = [name for standby in standbys for name in _names(primary) if _after(primary, name) > _live(standby, name)]
    if lowers and raises:
        return (
            f"{_listed(raises)} would go up, which has to be done on the standbys first, and {_listed(lowers)} down,"
            f" which has to be done on the primary first. To mend it: raise in one run, and lower in another one"
        )
    return ""


def _names(server: Mapping[str, Any]) -> List[str]:
    return [name for name in AT_LEAST_ON_STANDBYS if name in server["required"]]


def _live(server: Mapping[str, Any], name: str) -> int:
    return int(server["required"][name]["live"])


def _after(server: Mapping[str, Any], name: str) -> int:
    """What it runs with when this run is over."""
    return int(server["required"][name]["next_start" if server["due"] else "live"])


def _change(server: Mapping[str, Any], name: str) -> str:
    return f"{name} from {_live(server, name)} to {_after(server, name)}"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(sorted(set(names)))
