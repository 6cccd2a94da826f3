# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The figures that a reader wants first, each with how it was got."""

from __future__ import annotations

from typing import List, Tuple

from ansible_collections.midi.capacity.plugins.module_utils._baseline.view import MISSING, Json, View, listed, over
from ansible_collections.midi.capacity.plugins.module_utils._report import human
from ansible_collections.midi.capacity.plugins.module_utils._report.document import LEFT, RIGHT, Section, Table, section

Figure = Tuple[str, str, str]

# PostgreSQL stops taking transactions three million short of this age.
WRAPAROUND_AGE = 2**31


def glance(view: View) -> Section:
    figures = [
        _database_size(view),
        _growth(view),
        *_counts(view),
        _connections(view),
        *_window(view),
        *_counters(view),
        _oldest_transaction(view),
        _oldest_xid(view),
        *_replication(view),
    ]
    return section("At a glance", Table([("Figure", LEFT), ("Value", RIGHT), ("How it was got", LEFT)], figures))


def _database_size(view: View) -> Figure:
    number = view.snapshot["sizes"]["database_bytes"]
    return (
        "Database size",
        MISSING if number is None else human.size(number),
        view.how("sizes.database_bytes", "measured"),
    )


def _growth(view: View) -> Figure:
    growth = view.snapshot["growth"]
    if growth is None:
        return ("Rows of the growing table", MISSING, view.how("growth", "not asked for: no table was named"))
    name = f"Rows of {growth['table']}"
    if growth["method"] == "exact":
        return (name, human.count(growth["rows"]), f"counted, in {human.milliseconds(growth['seconds'] * 1000)}")
    how = "estimated from the planner's statistics"
    return (name, "~ " + human.count(growth["rows"]), f"{how}; {growth['note']}" if growth["note"] else how)


def _counts(view: View) -> List[Figure]:
    counts = view.snapshot["sizes"]["counts"]
    if counts is None:
        return [(name, MISSING, view.how("sizes.counts", "")) for name in ("Tables", "Indexes")]
    partitions = f"; {human.count(counts['partitions'])} partitions besides" if counts["partitions"] else ""
    return [
        ("Tables", human.count(counts["tables"]), f"counted{partitions}"),
        ("Indexes", human.count(counts["indexes"]), f"counted; {_invalid(view)}"),
    ]


def _invalid(view: View) -> str:
    found = view.snapshot["health"]["invalid_indexes"]
    if found is None:
        return "whether all are valid is unknown"
    names = [f"{index['schema']}.{index['name']}" for index in found if not index["building"]]
    return f"{len(names)} invalid: {listed(names)}" if names else "all valid"


def _connections(view: View) -> Figure:
    connections = view.snapshot["connections"]
    if connections is None:
        return ("Connections used", MISSING, view.how("connections", ""))
    usable = connections["usable_maximum"]
    if connections["total"] is None:
        return ("Connections used", f"? of {usable}", view.how("connections", ""))
    states = listed([f"{number} {state}" for state, number in connections["by_state"].items() if number], 9)
    return (
        "Connections used",
        f"{connections['total']} of {usable} ({human.percent(connections['total'], usable)})",
        "counted at that moment, without the snapshot's own" + (f": {states}" if states else ""),
    )


def _window(view: View) -> List[Figure]:
    found = view.window and view.window["database"]
    if not found:
        return []
    commits = found.get("xact_commit")
    ratio = found["hit_ratio_percent"]
    rate = f"; {human.significant(commits / found['seconds'])} a second" if commits is not None else ""
    return [
        (
            "Blocks found in shared buffers, in the window",
            "n/a" if ratio is None else human.percent(ratio, 100),
            over(found) if ratio is not None else f"{over(found)}: no block was asked for",
        ),
        (
            "Transactions committed, in the window",
            MISSING if commits is None else human.count(commits),
            over(found) + rate,
        ),
        ("Temporary files written, in the window", human.size(found["temp_bytes"]), over(found)),
        ("Deadlocks, in the window", human.count(found["deadlocks"]), over(found)),
    ]


def _counters(view: View) -> List[Figure]:
    row = view.snapshot["database"]
    if row is None:
        return [("Counters of the database", MISSING, view.how("database", ""))]
    reset = row["stats_reset"]
    since = f"cumulative, since {human.moment(reset) if reset else 'the statistics began'}; not a window"
    blocks = row["blks_hit"] + row["blks_read"]
    return [
        ("Blocks found in shared buffers", human.percent(row["blks_hit"], blocks), since),
        ("Temporary files written", human.size(row["temp_bytes"]), since),
        ("Deadlocks", human.count(row["deadlocks"]), since),
    ]


def _oldest_transaction(view: View) -> Figure:
    age = view.snapshot["health"]["oldest_transaction_seconds"]
    name = "Oldest transaction"
    if age is None:
        return (name, MISSING, view.how("health.oldest_transaction_seconds", ""))
    return (name, human.seconds(age) if age else "none open", "measured at that moment")


def _oldest_xid(view: View) -> Figure:
    age = view.snapshot["health"]["oldest_xid_age"]
    name = "Oldest transaction id, age"
    if age is None:
        return (name, MISSING, view.how("health.oldest_xid_age", ""))
    return (name, human.count(age), f"measured; {human.percent(age, WRAPAROUND_AGE)} of the way to wraparound")


def _replication(view: View) -> List[Figure]:
    """Nothing where there is no replication: most databases have none."""
    health = view.snapshot["health"]
    figures = []
    replication: Json = health["replication"] or {"standbys": [], "receiver": None}
    if replication["standbys"]:
        lags = [standby["lag_bytes"] for standby in replication["standbys"] if standby["lag_bytes"] is not None]
        behind = f"measured; the last one is {human.size(max(lags))} behind" if lags else "measured; lag unknown"
        figures.append(("Standbys", str(len(replication["standbys"])), view.how("health.replication", behind)))
    if replication["receiver"]:
        lag = replication["receiver"]["lag_seconds"]
        figures.append(("Behind its primary", human.seconds(lag) if lag is not None else "unknown", "measured"))
    for slot in health["inactive_slots"] or []:
        held = slot["retained_bytes"]
        figures.append(
            (
                f"WAL held for inactive slot {slot['name']}",
                human.size(held) if held is not None else "unknown",
                "measured",
            )
        )
    return figures
