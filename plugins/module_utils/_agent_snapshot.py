# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands that write the history: snapshot, capture; and the dead man, who notices when nobody writes it."""

from __future__ import annotations

import contextlib
import glob
import os
import time

from ansible_collections.midi.capacity.plugins.module_utils import _agent_alerts, _agent_clock, _agent_take, _moments
from ansible_collections.midi.capacity.plugins.module_utils._agent import counters, readings, standing
from ansible_collections.midi.capacity.plugins.module_utils._agent.age import age_intervals
from ansible_collections.midi.capacity.plugins.module_utils._agent.latency import latency
from ansible_collections.midi.capacity.plugins.module_utils._agent.window import Window, between
from ansible_collections.midi.capacity.plugins.module_utils._agent_extremes import reset_extremes
from ansible_collections.midi.capacity.plugins.module_utils._agent_run import DONE, FAILURES, Run
from ansible_collections.midi.capacity.plugins.module_utils._agent_store import FULL, STATEMENTS, StoreError
from ansible_collections.midi.capacity.plugins.module_utils._errors import OperatorError
from ansible_collections.midi.capacity.plugins.module_utils._postgres import Server, Unreachable
from ansible_collections.midi.capacity.plugins.module_utils._private_file import write_whole
from ansible_collections.midi.capacity.plugins.module_utils._thresholds import textfile
from ansible_collections.midi.capacity.plugins.module_utils._thresholds.catalog import ABOVE, BY_NAME, POSTGRES_DOWN
from ansible_collections.midi.capacity.plugins.module_utils._thresholds.model import Reading

LAST_READINGS = "readings"
BACKUP_REMEDY = "correct monitoring_cron_backup_files, or let the agent's account look"
_AGE = "snapshot_age_intervals"
_PRUNED = "pruned"
_PLACE = "place"
PRUNE_SECONDS = 20 * 3600
_DAY_SECONDS = 86400
# By so much what is too old moves on at a time: a clock that is years ahead for an hour costs days, not the history.
PRUNED_SECONDS = 2 * _DAY_SECONDS
# Snapshots that are looked at for one that has a server.
_LOOKED_AT = 50


def snapshot(run: Run) -> None:
    """Takes one, keeps it, and tells what is to be told."""
    config = run.config
    head = _agent_clock.head()
    taken = _agent_take.full(config, run.store.memory(_PLACE), _untold(run, FULL, STATEMENTS))
    head["taken_at"] = taken.document["taken_at"] or head["taken_at"]
    with run.store.transaction():
        if taken.place is not None:
            run.store.remember(_PLACE, taken.place)
        before = _before(run, taken)
        number = run.store.add(FULL, taken.document, head, taken.rows, config.statements_limit)
        if config.capture_seconds:
            run.store.add(STATEMENTS, _light(taken.document), head, taken.rows, config.statements_limit)
        found, figures, window = _looked_at(run, before, number, head)
        found.update({_AGE: [Reading(0.0)], FAILURES: [Reading(0.0)]})
        run.store.add_readings(number, _kept(found, figures))
        run.store.remember(LAST_READINGS, _remembered(found, head, window))
        run.end(DONE, "", number)
    run.log(_line(taken.document, figures, window))
    _write_textfile(run, found, head)
    _agent_alerts.tell(config, run.memory(), found, None, run.seconds_left, run.log)
    prune_if_due(run)


def capture(run: Run) -> None:
    """Reads the statements alone, for the percentiles of the next snapshot; a server that is down is told at once."""
    config = run.config
    try:
        server = _agent_take.connect(config)
    except OperatorError as error:
        _not_captured(run, error)
        return
    try:
        number = _captured(run, server)
        if config.minmax_reset:
            reset_extremes(server)
            # Calls between the reading and the reset would be seen by nobody, so it is read on both sides.
            number = _captured(run, server)
    except Unreachable as error:
        _not_captured(run, error)
        return
    finally:
        server.close()
    run.end(DONE, "", number)
    _see(run, Reading(0.0))


def deadman(run: Run) -> None:
    """Whether there are snapshots, and whether they succeed: by another schedule than theirs."""
    found = of_the_agent(run)
    run.end(DONE)
    _agent_alerts.tell(run.config, run.memory(), found, set(found), run.seconds_left, run.log)


def of_the_agent(run: Run) -> dict:
    """The readings that are about the agent itself, now."""
    return {_AGE: [_age(run)], FAILURES: [Reading(float(run.failures()))]}


def tell_trouble(run: Run, error: OperatorError) -> None:
    """A run that failed, or has no history to write to, still says so."""
    try:
        before = run.failures()
    except StoreError:
        before = run.failures_told()
    # Captures are many between two snapshots, and cost a percentile at most.
    failures = before + 1 if run.command == "snapshot" else max(before, 1)
    found = {FAILURES: [Reading(float(failures), detail=error.what)]}
    if run.command == "deadman" and run.store is not None:
        with contextlib.suppress(StoreError):
            found[_AGE] = [_age(run)]
    _agent_alerts.tell(run.config, run.memory(), found, set(found), run.seconds_left, run.log)


def prune_if_due(run: Run) -> None:
    last = run.store.memory(_PRUNED)
    if (
        last is None
        or run.store.bytes() > run.config.max_bytes
        or abs(_moments.elapsed(last["at"], _agent_clock.now())) > PRUNE_SECONDS
    ):
        prune(run)


def prune(run: Run) -> int:
    """Removes what is too old or too much; gives how many snapshots went."""
    config = run.config
    at = _agent_clock.now()
    last = run.store.memory(_PRUNED)
    old = at if last is None else min(at, _moments.after(last["old"], PRUNED_SECONDS))
    before = {
        FULL: _moments.after(old, -config.keep_days * _DAY_SECONDS),
        STATEMENTS: _moments.after(old, -config.keep_captures_days * _DAY_SECONDS),
    }
    gone = run.store.prune(before, config.max_bytes)
    run.store.remember(_PRUNED, {"at": at, "old": old, "snapshots": gone})
    return gone


def _captured(run: Run, server: Server) -> int:
    head = _agent_clock.head()
    taken = _agent_take.statements_only(server, _untold(run, STATEMENTS))
    head["taken_at"] = taken.document["taken_at"] or head["taken_at"]
    return run.store.add(STATEMENTS, taken.document, head, taken.rows, run.config.statements_limit)


def _untold(run: Run, *kinds: str):
    """Of statements that will have rows in snapshots of these kinds, those whose text is not stored yet."""

    def wanted(system_identifier: str, rows: dict) -> set:
        limit = run.config.statements_limit
        newest = [run.store.newest(kind, system_identifier) for kind in kinds]
        kept = {name for before in newest for name in counters.kept(before, rows, limit)}
        return run.store.without_text(system_identifier, kept)

    return wanted


def _before(run: Run, taken: _agent_take.Taken) -> dict | None:
    """Where its window begins: at the last snapshot that has statements, or, where this one has none, a server.

    So windows of statements join, whatever could not be read in between; and the others need none.
    """
    with_statements = _last(run, FULL, with_statements=True)
    if taken.document["server"] is None or (taken.rows is not None and with_statements is not None):
        return with_statements
    heads = reversed(run.store.heads(FULL)[-_LOOKED_AT:])
    return next((head for head in heads if run.store.document(head["id"])["server"]), with_statements)


def _looked_at(run: Run, before: dict | None, number: int, head: dict) -> tuple:
    """(readings, figures, window) of the snapshot that was just added."""
    store, config = run.store, run.config
    document = store.document(number)
    window: Window | None = None
    if before is not None:
        window = between(store.document(before["id"]), before, document, head, config.interval_seconds)
    found_latency = latency(_captures(run, before), config.statements_limit) if before is not None else None
    found = readings.read(document, window, found_latency, _backup(config.backup_files))
    return found, readings.figures(document, window, found_latency), window


def _captures(run: Run, before: dict) -> list:
    """The documents of the captures from that snapshot on, in their order, with their heads."""
    heads = [head for head in run.store.heads(STATEMENTS) if head["id"] >= before["id"]]
    return [(head, run.store.document(head["id"])) for head in heads]


def _age(run: Run) -> Reading:
    return age_intervals(_last(run, FULL), _agent_clock.head(), run.config.interval_seconds)


def _last(run: Run, kind: str, with_statements: bool = False) -> dict | None:
    return run.store.last_head(kind, with_statements)


def _light(document: dict) -> dict:
    names = ("schema_version", "taken_at", "server", "statements")
    return {**{name: document[name] for name in names}, "missing": []}


def _backup(pattern: str) -> Reading:
    """How old the newest file is; none at all is not old but unknown."""
    if not pattern:
        return Reading(None, reason="no backup is looked at", applicable=False)
    ages = []
    for path in glob.glob(pattern):
        try:
            ages.append((time.time() - os.stat(path).st_mtime, path))
        except OSError:
            continue
    if not ages:
        return Reading(None, reason=f"there is no file {pattern}, or it may not be looked at", remedy=BACKUP_REMEDY)
    age, path = min(ages)
    return Reading(max(0.0, age), detail=path)


def _kept(found: dict, figures: dict) -> dict:
    """As the history has readings: one of each metric."""
    kept = {}
    for name, entries in found.items():
        reading = readings.worst(entries, BY_NAME[name].worse == ABOVE)
        if reading is not None:
            kept[name] = {"value": reading.value, "subject": reading.subject, "reason": reading.reason}
    for name, value in figures.items():
        if value is not None:
            kept[name] = {"value": value, "subject": None, "reason": None}
    return kept


def _remembered(found: dict, head: dict, window: Window | None) -> dict:
    entries = {name: [reading._asdict() for reading in several] for name, several in found.items()}
    return {**head, "readings": entries, "reasons": window.reasons if window else []}


def _line(document: dict, figures: dict, window: Window | None) -> str:
    if document["server"] is None:
        return f"snapshot: PostgreSQL could not be read: {document['reach']['postgres']['reason']}"
    parts = [f"{name}={value:g}" for name, value in figures.items() if value is not None]
    parts += [f"missing={','.join(entry['part'] for entry in document['missing'])}"] if document["missing"] else []
    told = [f"{entry['part']}: {entry['reason']}" for entry in window.reasons] if window else []
    return "snapshot: " + " ".join(parts) + (f" ({'; '.join(told)})" if told else "")


def _write_textfile(run: Run, found: dict, head: dict) -> None:
    path = run.config.textfile
    if path is None:
        return
    text = textfile.text(run.config.thresholds, found, head["taken_at"], run.config.database)
    try:
        # node_exporter runs as another account.
        write_whole(path, text.encode(), 0o644)
    except OSError as error:
        run.log(f"the textfile cannot be written: {path}: {error.strerror}")


def _not_captured(run: Run, error: OperatorError) -> None:
    reach = _agent_take.not_reached(run.config, error)
    told = f"PostgreSQL {'is down' if reach['down'] else 'could not be read'}: {reach['reason']}"
    run.log(f"capture: {told}")
    run.end(DONE, told)
    _see(run, readings.down(reach))


def _see(run: Run, reading: Reading) -> None:
    """Whether PostgreSQL is down, as a capture found it: told, and kept beside what the last snapshot read."""
    last = run.store.memory(LAST_READINGS) or {"readings": {}, "reasons": []}
    entries = [reading._asdict()]
    if last["readings"].get(POSTGRES_DOWN) != entries:
        last["readings"][POSTGRES_DOWN] = entries
        run.store.remember(LAST_READINGS, last)
        if "taken_at" in last:
            _write_textfile(run, standing.readings(last), last)
    found = {POSTGRES_DOWN: [reading]}
    _agent_alerts.tell(run.config, run.memory(), found, set(found), run.seconds_left, run.log)
