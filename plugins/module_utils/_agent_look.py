# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands that only look: check, status, history. None of them connects to a server."""

from __future__ import annotations

import csv
import json
import sys

from ansible_collections.midi.capacity.plugins.module_utils import (
    _agent_clock,
    _agent_command,
    _agent_snapshot,
    _moments,
)
from ansible_collections.midi.capacity.plugins.module_utils._agent import shown, standing
from ansible_collections.midi.capacity.plugins.module_utils._agent.config import Config
from ansible_collections.midi.capacity.plugins.module_utils._agent_memory import AlertMemory
from ansible_collections.midi.capacity.plugins.module_utils._agent_run import Run
from ansible_collections.midi.capacity.plugins.module_utils._agent_store import FULL, STATEMENTS, Store
from ansible_collections.midi.capacity.plugins.module_utils._alerts import memory as documents
from ansible_collections.midi.capacity.plugins.module_utils._alerts import plugin_output, silences
from ansible_collections.midi.capacity.plugins.module_utils._errors import OperatorError

_RUNS_SHOWN = 5


def check(config: Config, _options) -> int:
    """The states of the last snapshot and, as they are now, of the agent itself. Nothing is remembered or sent."""
    with Store.open(config.history, create=False) as store:
        evaluations = _evaluations(config, store)
        document, _complaint = AlertMemory(store, config.runtime_dir).load()
    at = _agent_clock.now()
    status, text = plugin_output.report(evaluations, silences.active(documents.settled(document, at), at))
    sys.stdout.write(text)
    return status


def status(config: Config, options) -> int:
    """For people, or as JSON; the exit status is 0 however it stands."""
    found = _status(config)
    if options.json:
        sys.stdout.write(json.dumps(found, indent=2, sort_keys=True) + "\n")
    else:
        sys.stdout.write(shown.status(found, _agent_command.name()))
    return 0


def history(config: Config, options) -> int:
    """A line for each snapshot; the gaps between them are named."""
    since = _since(options.since)
    with Store.open(config.history, create=False) as store:
        found = store.readings(since)
        heads = {head["id"]: head for head in store.heads(FULL)}
        runs = store.runs(100000, "snapshot") if not (options.json or options.csv) else []
    if options.json:
        # A line each: with indentation a year of them takes seconds.
        lines = ",\n".join(json.dumps(entry, sort_keys=True) for entry in found)
        sys.stdout.write(f"[\n{lines}\n]\n" if found else "[]\n")
    elif options.csv:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(shown.CSV_COLUMNS)
        writer.writerows(shown.csv_rows(found))
    elif found or not heads:
        sys.stdout.write(shown.history(found, heads, runs, config.interval_seconds, _agent_command.name()))
    else:
        sys.stdout.write(shown.none_since(since, heads[max(heads)]))
    return 0


def _since(text: str) -> str:
    """ISO 8601, of a day, a moment, or so long before now. Raises OperatorError."""
    if not text:
        return ""
    try:
        return _moments.after(_agent_clock.now(), -silences.seconds(text))
    except silences.SilenceError:
        pass
    for form in (text, f"{text}T00:00:00Z", f"{text}Z"):
        try:
            return _moments.written(_moments.parsed(form))
        except ValueError:
            continue
    raise OperatorError(
        f'"{text}" is no time', remedy="write 2026-11-24, 2026-11-24T12:00:00Z, or 7d or 12h for so long ago"
    )


def _evaluations(config: Config, store: Store) -> list:
    run = Run(config, "check")
    run.store = store
    document, _complaint = AlertMemory(store, config.runtime_dir).load()
    last = store.memory(_agent_snapshot.LAST_READINGS)
    now = _agent_snapshot.of_the_agent(run)
    return standing.evaluations(config.thresholds, document["checks"], last, now)


def _status(config: Config) -> dict:
    with Store.open(config.history, create=False) as store:
        run = Run(config, "status")
        run.store = store
        at = _agent_clock.now()
        document, complaint = AlertMemory(store, config.runtime_dir).load()
        document = documents.settled(document, at)
        heads = store.heads(FULL)
        last = store.memory(_agent_snapshot.LAST_READINGS)
        newest = store.document(heads[-1]["id"]) if heads else {"missing": []}
        return {
            "at": at,
            "host": config.host,
            "database": config.database,
            "last_snapshot": {**heads[-1], "reasons": last["reasons"] if last else []} if heads else None,
            "missing": newest["missing"],
            "probes": newest.get("probes", []),
            "history": {
                "path": config.history,
                "snapshots": len(heads),
                "captures": len(store.heads(STATEMENTS)),
                "first": heads[0]["taken_at"] if heads else None,
                "bytes": store.bytes(),
            },
            "failures_in_a_row": run.failures(),
            "interval_seconds": config.interval_seconds,
            "runs": store.runs(_RUNS_SHOWN),
            "states": standing.described_all(_evaluations(config, store)),
            "alerts": sorted(document["alerts"].values(), key=lambda alert: alert["key"]),
            "silences": silences.active(document, at),
            "delivery": document["delivery"],
            "complaint": complaint,
        }
