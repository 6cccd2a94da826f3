# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The agent's configuration, a JSON document: read as a whole, with everything that is wrong at once."""

from __future__ import annotations

import re
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Tuple

from ansible_collections.midi.capacity.plugins.module_utils._agent import config_fields as fields
from ansible_collections.midi.capacity.plugins.module_utils._agent import connections
from ansible_collections.midi.capacity.plugins.module_utils._alerts import channels, plain
from ansible_collections.midi.capacity.plugins.module_utils._alerts.channel_model import Channel
from ansible_collections.midi.capacity.plugins.module_utils._thresholds import table
from ansible_collections.midi.capacity.plugins.module_utils._thresholds.fields import Fault, shown
from ansible_collections.midi.capacity.plugins.module_utils._thresholds.model import Threshold
from ansible_collections.midi.capacity.plugins.module_utils._thresholds.table import nearest

Json = Dict[str, Any]

SCHEMA_VERSION = 1
COUNTS = ("estimate", "exact")
_PROBE_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}\Z", re.ASCII)
MOST_RUNS = 100


class Probe(NamedTuple):
    """A query that is measured: `runs` times at each snapshot, in a read-only transaction."""

    name: str
    sql: str
    runs: int


class Config(NamedTuple):
    """host, database: names for messages. state_dir, runtime_dir, log_file, textfile, pgservicefile: paths.

    postgres, redis: connection options of the modules, redis None where there is no cache. Times are seconds, 0 for
    capture_seconds is none and for repeat_seconds never. keep_*: days. channels: as _alerts.channels reads them.
    backup_files: a glob; the newest of these files is as old as the last backup. minmax_reset: whether captures reset
    the shortest and longest call (PostgreSQL 17).
    """

    host: str
    database: str
    state_dir: str
    runtime_dir: str
    log_file: Optional[str]
    textfile: Optional[str]
    postgres: Json
    pgservicefile: Optional[str]
    redis: Optional[Json]
    interval_seconds: int
    capture_seconds: int
    deadline_seconds: int
    growth_table: str
    growth_count: str
    growth_timeout_seconds: int
    statements_limit: int
    keep_days: int
    keep_captures_days: int
    max_bytes: int
    thresholds: List[Threshold]
    repeat_seconds: int
    digest_from: int
    channels: List[Channel]
    probes: List[Probe]
    backup_files: str
    minmax_reset: bool

    @property
    def history(self) -> str:
        return f"{self.directory}/history.db"

    @property
    def directory(self) -> str:
        """Where the agent keeps what it remembers."""
        return f"{self.state_dir}/agent"


class _Faults(ValueError):
    """Several; each follows the field's name."""


def read(document: Any) -> Tuple[Optional[Config], List[str]]:
    """The configuration, or None and everything that is wrong with it, a sentence each. Never raises."""
    if not isinstance(document, Mapping):
        return None, ["the configuration is no mapping: write each field by its name"]
    unknown = [plain.line(str(name), 40) for name in document if name not in (*_FIELDS, "schema_version")]
    problems = [f"there is no {name}{nearest(name, _FIELDS)}" for name in unknown]
    if document.get("schema_version", SCHEMA_VERSION) != SCHEMA_VERSION:
        problems.append(
            f"schema_version is {shown(document['schema_version'])}: this version of the agent knows {SCHEMA_VERSION}"
        )
    found: Json = {}
    for name, (reader, default) in _FIELDS.items():
        if name not in document and isinstance(default, _Required):
            problems.append(f"{name} is missing: {default.remedy}")
            continue
        try:
            found[name] = reader(document.get(name, default))
        except Fault as fault:
            problems.append(f"{name} {fault}")
        except _Faults as faults:
            problems += [f"{name}{fault}" for fault in faults.args[0]]
    if not problems:
        problems += _contradictions(found)
    return (None, problems) if problems else (Config(**found), [])


def _contradictions(found: Json) -> List[str]:
    problems = []
    interval, capture, deadline = (found[f"{name}_seconds"] for name in ("interval", "capture", "deadline"))
    if capture > interval:
        problems.append(
            f"capture_seconds is {capture}, longer than interval_seconds, {interval}: captures are between snapshots,"
            " so write less, or 0 for none"
        )
    if deadline >= interval:
        problems.append(
            f"deadline_seconds is {deadline}, not below interval_seconds, {interval}: a run has to be over before the"
            " next begins, so write less"
        )
    return problems


def _connection(options: Dict[str, connections.Option]) -> fields.Reader:
    def read_connection(value: Any) -> Json:
        found, problems = connections.read(options, value)
        if problems:
            raise _Faults(problems)
        return found

    return read_connection


def _thresholds(value: Any) -> List[Threshold]:
    found, problems = table.read(value)
    if problems:
        raise _Faults([f": {problem}" for problem in problems])
    return found


def _channels(value: Any) -> List[Channel]:
    found, problems = channels.read(value)
    if problems:
        raise _Faults([f": {problem}" for problem in problems])
    return list(found)


def _probes(value: Any) -> List[Probe]:
    if not isinstance(value, list):
        raise Fault("is no list: write a list of mappings with name, sql and runs")
    problems: List[str] = []
    found: List[Probe] = []
    for position, entry in enumerate(value, 1):
        probe, faults = _probe(entry, {other.name for other in found})
        problems += [f": entry {position} {fault}" for fault in faults]
        if probe:
            found.append(probe)
    if problems:
        raise _Faults(problems)
    return found


def _probe(entry: Any, taken: Any) -> Tuple[Optional[Probe], List[str]]:
    if not isinstance(entry, Mapping):
        return None, ["is no mapping: write name, sql and runs"]
    faults = [
        f"has {plain.line(str(name), 40)}, which a probe has not: write name, sql and runs"
        for name in entry
        if name not in Probe._fields
    ]
    name, sql, runs = entry.get("name"), entry.get("sql"), entry.get("runs", 3)
    if not isinstance(name, str) or not _PROBE_NAME.match(name):
        faults.append(f"has the name {shown(name)}: write small letters, digits and underscores, 40 at most")
    elif name in taken:
        faults.append(f"has the name {name}, which another one has: give each its own")
    if not isinstance(sql, str) or not sql.strip():
        faults.append("has no sql: write the query")
    if isinstance(runs, bool) or not isinstance(runs, int) or not 1 <= runs <= MOST_RUNS:
        faults.append(f"has runs {shown(runs)}: write a whole number from 1 to {MOST_RUNS}")
    return (None, faults) if faults else (Probe(str(name), str(sql), int(runs)), [])


class _Required(NamedTuple):
    """There is no default. remedy: what is to be written."""

    remedy: str


_DAY_SECONDS = 86400
# In the order of Config, which is that of the messages.
_FIELDS: Dict[str, Tuple[fields.Reader, Any]] = {
    "host": (fields.text, _Required("write what messages are to call the host")),
    "database": (fields.text, _Required("write what messages are to call the database")),
    "state_dir": (fields.path, "/var/lib/midi-capacity"),
    "runtime_dir": (fields.path, "/run/midi-capacity"),
    "log_file": (fields.or_none(fields.path), None),
    "textfile": (fields.or_none(fields.path), None),
    "postgres": (_connection(connections.POSTGRES), {}),
    "pgservicefile": (fields.or_none(fields.path), None),
    "redis": (fields.or_none(_connection(connections.REDIS)), None),
    "interval_seconds": (fields.whole(60, _DAY_SECONDS), 3600),
    "capture_seconds": (fields.whole(0, 3600), 300),
    "deadline_seconds": (fields.whole(5, 3600), 120),
    "growth_table": (fields.any_text, ""),
    "growth_count": (fields.one_of(COUNTS), "estimate"),
    "growth_timeout_seconds": (fields.whole(1, 3600), 30),
    "statements_limit": (fields.whole(1, 5000), 100),
    "keep_days": (fields.whole(1, 36500), 800),
    "keep_captures_days": (fields.whole(1, 60), 2),
    "max_bytes": (fields.whole(1 << 20, 1 << 50), 1_000_000_000),
    "thresholds": (_thresholds, []),
    "repeat_seconds": (fields.whole(0, 366 * _DAY_SECONDS), _DAY_SECONDS),
    "digest_from": (fields.whole(2, 1000), 4),
    "channels": (_channels, []),
    "probes": (_probes, []),
    "backup_files": (fields.glob, ""),
    "minmax_reset": (fields.switch, False),
}
DEFAULTS: Json = {name: default for name, (_reader, default) in _FIELDS.items() if not isinstance(default, _Required)}
