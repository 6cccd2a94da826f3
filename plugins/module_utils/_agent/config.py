# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The agent's configuration, a JSON document: read as a whole, with everything that is wrong at once."""

from __future__ import annotations

import re
from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Optional, Tuple

from ansible_collections.midi.capacity.plugins.module_utils._alerts import channels
from ansible_collections.midi.capacity.plugins.module_utils._alerts.channel_model import Channel
from ansible_collections.midi.capacity.plugins.module_utils._thresholds import table
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


class _Fault(ValueError):
    """The value is none that the field takes; the message follows the field's name."""


def read(document: Any) -> Tuple[Optional[Config], List[str]]:
    """The configuration, or None and everything that is wrong with it, a sentence each. Never raises."""
    if not isinstance(document, Mapping):
        return None, ["the configuration is no mapping"]
    problems = [
        f"there is no {name}{nearest(str(name), _FIELDS)}"
        for name in document
        if name not in _FIELDS and name != "schema_version"
    ]
    if document.get("schema_version", SCHEMA_VERSION) != SCHEMA_VERSION:
        problems.append(
            f"schema_version is {document['schema_version']!r}: this version of the agent knows {SCHEMA_VERSION}"
        )
    found: Json = {}
    for name, (reader, default) in _FIELDS.items():
        if name not in document and default is _REQUIRED:
            problems.append(f"{name} is missing: it has to be there")
            continue
        try:
            found[name] = reader(document.get(name, default))
        except _Fault as fault:
            problems.append(f"{name} {fault}")
        except _Faults as faults:
            problems += [f"{name}: {fault}" for fault in faults.args[0]]
    if not problems:
        problems += _contradictions(found)
    return (None, problems) if problems else (Config(**found), [])


class _Faults(ValueError):
    """Several, each a sentence of its own."""


def _contradictions(found: Json) -> List[str]:
    problems = []
    if found["capture_seconds"] and found["capture_seconds"] > found["interval_seconds"]:
        problems.append(
            "capture_seconds is longer than interval_seconds: a capture is between snapshots, or 0 for none"
        )
    if found["deadline_seconds"] >= found["interval_seconds"]:
        problems.append("deadline_seconds is not below interval_seconds: a run has to be over before the next begins")
    return problems


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise _Fault(f"is {value!r}: write a text")
    return value


def _any_text(value: Any) -> str:
    if not isinstance(value, str):
        raise _Fault(f"is {value!r}: write a text, or nothing")
    return value


def _path(value: Any) -> str:
    if not isinstance(value, str) or not value.startswith("/") or "\0" in value:
        raise _Fault(f"is {value!r}: write an absolute path")
    return value.rstrip("/") or "/"


def _glob(value: Any) -> str:
    return _path(value) if _any_text(value) else ""


def _or_none(reader: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: None if value in (None, "") else reader(value)


def _mapping(value: Any) -> Json:
    if not isinstance(value, Mapping):
        # A connection string may have a password in it.
        raise _Fault("is no mapping: write options of the connection by their names, or nothing")
    return dict(value)


def _whole(least: int, most: int) -> Callable[[Any], int]:
    def reader(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise _Fault(f"is {value!r}: write a whole number from {least} to {most}")
        return value

    return reader


def _switch(value: Any) -> bool:
    if not isinstance(value, bool):
        raise _Fault(f"is {value!r}: write true or false")
    return value


def _count(value: Any) -> str:
    if value not in COUNTS:
        raise _Fault(f"is {value!r}: write one of {', '.join(COUNTS)}")
    return str(value)


def _thresholds(value: Any) -> List[Threshold]:
    found, problems = table.read(value)
    if problems:
        raise _Faults(problems)
    return found


def _channels(value: Any) -> List[Channel]:
    found, problems = channels.read(value)
    if problems:
        raise _Faults(problems)
    return list(found)


def _probes(value: Any) -> List[Probe]:
    if not isinstance(value, list):
        raise _Fault("is no list: write a list of mappings with name, sql and runs")
    problems: List[str] = []
    found: List[Probe] = []
    for position, entry in enumerate(value, 1):
        probe, faults = _probe(entry, {other.name for other in found})
        problems += [f"entry {position} {fault}" for fault in faults]
        if probe:
            found.append(probe)
    if problems:
        raise _Faults(problems)
    return found


def _probe(entry: Any, taken: Any) -> Tuple[Optional[Probe], List[str]]:
    if not isinstance(entry, Mapping):
        return None, ["is no mapping: write name, sql and runs"]
    faults = [f"has {name}, which a probe has not" for name in entry if name not in Probe._fields]
    name, sql, runs = entry.get("name"), entry.get("sql"), entry.get("runs", 3)
    if not isinstance(name, str) or not _PROBE_NAME.match(name):
        faults.append(f"has the name {name!r}: write small letters, digits and underscores, 40 at most")
    elif name in taken:
        faults.append(f"has the name {name}, which another one has: give each its own")
    if not isinstance(sql, str) or not sql.strip():
        faults.append("has no sql: write the query")
    if isinstance(runs, bool) or not isinstance(runs, int) or not 1 <= runs <= MOST_RUNS:
        faults.append(f"has runs {runs!r}: write a whole number from 1 to {MOST_RUNS}")
    return (None, faults) if faults else (Probe(str(name), str(sql), int(runs)), [])


_REQUIRED = object()
_DAY_SECONDS = 86400
_FIELDS: Dict[str, Tuple[Callable[[Any], Any], Any]] = {
    "host": (_text, _REQUIRED),
    "database": (_text, _REQUIRED),
    "state_dir": (_path, "/var/lib/midi-capacity"),
    "runtime_dir": (_path, "/run/midi-capacity"),
    "log_file": (_or_none(_path), None),
    "textfile": (_or_none(_path), None),
    "postgres": (_mapping, {}),
    "pgservicefile": (_or_none(_path), None),
    "redis": (_or_none(_mapping), None),
    "interval_seconds": (_whole(60, _DAY_SECONDS), 3600),
    "capture_seconds": (_whole(0, 3600), 300),
    "deadline_seconds": (_whole(5, 3600), 120),
    "growth_table": (_any_text, ""),
    "growth_count": (_count, "estimate"),
    "growth_timeout_seconds": (_whole(1, 3600), 30),
    "statements_limit": (_whole(1, 5000), 100),
    "keep_days": (_whole(1, 36500), 800),
    "keep_captures_days": (_whole(1, 60), 2),
    "max_bytes": (_whole(1 << 20, 1 << 50), 1_000_000_000),
    "thresholds": (_thresholds, []),
    "repeat_seconds": (_whole(0, 366 * _DAY_SECONDS), _DAY_SECONDS),
    "digest_from": (_whole(2, 1000), 4),
    "channels": (_channels, []),
    "probes": (_probes, []),
    "backup_files": (_glob, ""),
    "minmax_reset": (_switch, False),
}
DEFAULTS: Json = {name: default for name, (_reader, default) in _FIELDS.items() if default is not _REQUIRED}
