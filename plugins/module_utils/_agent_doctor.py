# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command doctor: tries everything that the agent needs, and says what is missing and what to do about it."""

from __future__ import annotations

import glob
import json
import os
import pwd
import shutil
import stat
import sys
import time

from ansible_collections.midi.capacity.plugins.module_utils import (
    _agent_clock,
    _agent_command,
    _agent_take,
    _postgres,
    _redis_facts,
)
from ansible_collections.midi.capacity.plugins.module_utils import _snapshot_parts as parts
from ansible_collections.midi.capacity.plugins.module_utils._agent import shown
from ansible_collections.midi.capacity.plugins.module_utils._agent.age import age_intervals
from ansible_collections.midi.capacity.plugins.module_utils._agent.config import Config
from ansible_collections.midi.capacity.plugins.module_utils._agent_probes import measured
from ansible_collections.midi.capacity.plugins.module_utils._agent_snapshot import BACKUP_REMEDY
from ansible_collections.midi.capacity.plugins.module_utils._agent_store import FULL, Store
from ansible_collections.midi.capacity.plugins.module_utils._errors import OperatorError
from ansible_collections.midi.capacity.plugins.module_utils._postgres import Server
from ansible_collections.midi.capacity.plugins.module_utils._report import human
from ansible_collections.midi.capacity.plugins.module_utils._snapshot import Snapshot

# Snapshots are that late when something is wrong with the schedule.
_LATE_INTERVALS = 2.0
_PROBE_REMEDY = "correct monitoring_cron_probes and run the role monitoring_cron again"
_FREE_BYTES = 100 * 1024 * 1024


def doctor(config: Config, options) -> int:
    """0 when nothing is wrong, 2 otherwise."""
    _postgres.give_up_at(time.monotonic() + config.deadline_seconds)
    findings = [
        *_of_files(config),
        *_of_history(config),
        *_of_postgres(config),
        *_of_redis(config),
        *_of_alerts(config),
    ]
    if options.json:
        sys.stdout.write(json.dumps(findings, indent=2) + "\n")
    else:
        sys.stdout.write(shown.doctor(findings))
    return 2 if any(entry["ok"] is False for entry in findings) else 0


def _finding(what: str, ok, text: str, remedy: str = "") -> dict:
    return {"what": what, "ok": ok, "text": text, "remedy": remedy}


def _of_files(config: Config) -> list:
    account = pwd.getpwuid(os.geteuid()).pw_name
    found = [_finding("account", True, f"{account}, with Python {sys.version.split()[0]} at {sys.executable}")]
    if config.pgservicefile:
        found.append(_private("service file", config.pgservicefile))
    found.append(_writable("state directory", config.directory))
    for what, path in (("log", config.log_file), ("textfile", config.textfile)):
        if path is not None:
            found.append(_writable(f"directory of the {what}", os.path.dirname(path)))
    found.append(_writable("directory for a full disk", config.runtime_dir))
    if os.path.isdir(config.directory):
        free = shutil.disk_usage(config.directory).free
        told = f"{human.size(free)} free for the history, which may have {human.size(config.max_bytes)}"
        found.append(_finding("disk", free > _FREE_BYTES, told, "free room on it, or lower monitoring_cron_max_bytes"))
    return found


def _private(what: str, path: str) -> dict:
    try:
        mode = stat.S_IMODE(os.stat(path).st_mode)
        with open(path, encoding="utf-8"):
            pass
    except OSError as error:
        return _finding(what, False, f"{path}: {error.strerror}", "run the role monitoring_cron again")
    ok = not mode & 0o077
    return _finding(what, ok, f"{path}, mode {mode:04o}", f"run chmod 600 {path}")


def _writable(what: str, path: str) -> dict:
    if not os.path.isdir(path):
        return _finding(what, False, f"{path} is not there", "run the role monitoring_cron again")
    ok = os.access(path, os.W_OK | os.X_OK)
    return _finding(
        what, ok, f"{path} {'can' if ok else 'cannot'} be written to", "give it to the account of the agent"
    )


def _of_history(config: Config) -> list:
    try:
        with Store.open(config.history, create=False) as store:
            problems = store.problems()
            last = store.last_head(FULL)
            size = human.size(store.bytes())
    except OperatorError as error:
        return [_finding("history", False, error.what, error.remedy)]
    damage = "; ".join(problems[:3])
    remedy = "move the file out of the way: the next snapshot begins a new history"
    found = [_finding("history", not problems, damage or f"{config.history}, {size}, whole", remedy)]
    age = age_intervals(last, _agent_clock.head(), config.interval_seconds)
    remedy = f"look whether cron or the timers run; by hand: {_agent_command.name()} snapshot"
    if age.value is None:
        found.append(_finding("schedule", False, "there is no snapshot yet", remedy))
    else:
        told = f"the last snapshot is {human.seconds(age.value * config.interval_seconds)} old"
        found.append(_finding("schedule", age.value <= _LATE_INTERVALS, told, remedy))
    return found


def _of_postgres(config: Config) -> list:
    try:
        server = _agent_take.connect(config)
    except OperatorError as error:
        return [_finding("PostgreSQL", False, error.what, error.remedy)]
    try:
        return [*_tried(config, server), *_of_probes(config, server)]
    except OperatorError as error:
        return [_finding("PostgreSQL", False, error.what, error.remedy)]
    finally:
        server.close()


def _tried(config: Config, server: Server) -> list:
    found = [_finding("PostgreSQL", True, f"{server.version}, database {server.database}, role {server.user}")]
    snapshot = Snapshot(server)
    rights = {
        "settings": parts.settings,
        "connections": parts.connections,
        "pg_stat_statements": parts.all_statements,
        "replication": parts.replication,
        "transactions": parts.oldest_transaction_seconds,
    }
    for name, read in rights.items():
        snapshot.part(name, read)
    if config.growth_table:
        snapshot.part("growth table", parts.growth_estimate, config.growth_table, None)
    missing = {entry["part"]: entry for entry in snapshot.missing}
    for name in [*rights, *(["growth table"] if config.growth_table else [])]:
        entry = missing.get(name)
        found.append(
            _finding(name, entry is None, entry["reason"] if entry else "can be read", entry["remedy"] if entry else "")
        )
    return found


def _of_probes(config: Config, server: Server) -> list:
    """Each run once, bounded and read-only as in a snapshot."""
    found = []
    for probe in config.probes:
        try:
            [reason] = [once["reason"] for once in measured(server, [probe._replace(runs=1)])]
        except OperatorError as error:
            # The connection is gone, and with it the others.
            return [*found, _finding(f"probe {probe.name}", False, error.what, _PROBE_REMEDY)]
        found.append(_finding(f"probe {probe.name}", reason is None, reason or "runs", _PROBE_REMEDY))
    return found


def _of_redis(config: Config) -> list:
    if config.redis is None:
        return []
    try:
        facts = _redis_facts.read(config.redis)
    except OperatorError as error:
        return [_finding("Redis", False, error.what, error.remedy)]
    return [_finding("Redis", True, f"{facts['version']}, answers")]


def _of_alerts(config: Config) -> list:
    if not config.channels:
        command = _agent_command.name()
        remedy = f"set monitoring_cron_channels; until then alerts stand in the agent's log and in {command} check"
        found = [_finding("alerts", None, "no channel is set up", remedy)]
    else:
        found = [
            _finding(
                "alerts",
                True,
                f"{human.plural(len(config.channels), 'channel')}; {_agent_command.name()} test-alert proves them",
            )
        ]
    if config.backup_files:
        there = bool(glob.glob(config.backup_files))
        told = f"{config.backup_files}: {'there are files' if there else 'no such file can be seen'}"
        found.append(_finding("backup", there, told, BACKUP_REMEDY))
    return found
