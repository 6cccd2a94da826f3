# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The flows of the modules around a restart: what has to be known, the drain, and the interruption."""

from __future__ import annotations

import os
import time

from ansible_collections.midi.capacity.plugins.module_utils._account import Account
from ansible_collections.midi.capacity.plugins.module_utils._errors import OperatorError
from ansible_collections.midi.capacity.plugins.module_utils._postgres import QUERY_CANCELED, PostgresError, Server
from ansible_collections.midi.capacity.plugins.module_utils._restart import auto_conf, trial
from ansible_collections.midi.capacity.plugins.module_utils._restart.interruption import Interruption
from ansible_collections.midi.capacity.plugins.module_utils._restart.order import AT_LEAST_ON_STANDBYS
from ansible_collections.midi.capacity.plugins.module_utils._settings import values
from ansible_collections.midi.capacity.plugins.module_utils._settings_server import identity, read_facts

DRAIN_INTERVAL_SECONDS = 0.2
# Another checkpoint is worth it when this much time has passed, and is not waited for any longer than that.
CHECKPOINT_AGAIN_SECONDS = 10
CHEAP_CHECKPOINT_SECONDS = 0.5
SHOWN_SESSIONS = 20
PROBE_INTERVAL_SECONDS = 0.02
PROBE_CONNECT_SECONDS = 2
# What a drain waits for is somebody's work: not this collection's own sessions, nor what only idles.
_SESSIONS = """
SELECT pid, usename AS user, datname AS database, application_name AS application, state,
       round(extract(epoch FROM clock_timestamp() - xact_start))::float8 AS transaction_seconds
FROM pg_stat_activity
WHERE backend_type = 'client backend' AND application_name NOT LIKE 'midi.capacity%%'
ORDER BY xact_start NULLS LAST, pid
"""
# Receivers of WAL that are no standby say who they are; logical ones hold a slot.
_STANDBYS = """
SELECT count(*) FROM pg_stat_replication
WHERE application_name NOT IN ('pg_basebackup', 'pg_receivewal', 'barman_receive_wal')
      AND pid NOT IN (SELECT active_pid FROM pg_replication_slots
                      WHERE slot_type = 'logical' AND active_pid IS NOT NULL)
"""
_SERVER = """
SELECT (SELECT setting FROM pg_config() WHERE name = 'BINDIR') AS bin_directory,
       pg_postmaster_start_time()::text AS started_at,
       (CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END)::text AS wal_lsn
"""


def known(options: dict) -> dict:
    """The result of module pg_restart_info."""
    server = Server.connect(options)
    try:
        facts = read_facts(server)
        waiting = [found for found in facts.definitions.values() if auto_conf.waits(facts, found)]
        result = {
            "server": {**identity(server, facts), **server.rows(_SERVER)[0]},
            "pending": {found.name: _change(found, facts, values.shown) for found in waiting},
            "required": {
                name: _change(facts.definitions[name], facts, lambda _definition, value: value)
                for name in AT_LEAST_ON_STANDBYS
            },
            "standbys": server.value(_STANDBYS),
            "trial_conf": trial.conf(facts),
        }
        if options["auto_conf"]:
            text = server.value("SELECT pg_read_file('postgresql.auto.conf')")
            result["auto_conf"] = auto_conf.pinned(text, auto_conf.pins(facts))
            result["auto_conf_now"] = text
        return result
    finally:
        server.close()


def _change(definition, facts, shown) -> dict:
    return {
        "live": shown(definition, definition.setting),
        "next_start": shown(definition, facts.at_next_start(definition)),
    }


def drain(options: dict) -> dict:
    """The result of module pg_drain: waits until no session is at work, at most as long as the options say.

    The last thing it does is to look, so that nothing is begun unseen while a checkpoint is written.
    """
    server = Server.connect(options)
    try:
        begun = time.monotonic()
        done = _checkpoint(server, options["checkpoint_limit_seconds"]) if options["checkpoint"] else False
        checkpoint_seconds = time.monotonic() - begun
        begun = last = time.monotonic()
        while True:
            sessions = server.rows(_SESSIONS)
            at_work = [session for session in sessions if session["state"] != "idle"]
            waited = time.monotonic() - begun
            if not at_work or waited >= options["limit_seconds"]:
                break
            if done and time.monotonic() - last >= CHECKPOINT_AGAIN_SECONDS:
                _checkpoint(server, CHEAP_CHECKPOINT_SECONDS)
                last = time.monotonic()
            time.sleep(DRAIN_INTERVAL_SECONDS)
        if at_work and options["on_limit"] == "fail":
            raise OperatorError(
                f"{len(at_work)} sessions are still at work after {waited:.0f} s",
                server.where,
                "end them (pg_terminate_backend), wait longer, or go on all the same, which cuts them off",
                {"at_work": at_work[:SHOWN_SESSIONS]},
                [_told(session) for session in at_work[:SHOWN_SESSIONS]],
            )
        return {
            "drained": not at_work,
            "checkpoint_done": done,
            "checkpoint_seconds": round(checkpoint_seconds, 1),
            "waited_seconds": round(waited, 1),
            "sessions": len(sessions),
            "at_work": at_work[:SHOWN_SESSIONS],
        }
    finally:
        server.close()


def _checkpoint(server: Server, limit_seconds: float) -> bool:
    """Whether it was done in time. One that is not goes on without us: the server's own process writes it."""
    server.execute("SELECT set_config('statement_timeout', %s, false)", [str(max(1, round(limit_seconds * 1000)))])
    try:
        server.execute("CHECKPOINT")
    except PostgresError as error:
        if error.sqlstate != QUERY_CANCELED:
            raise
        return False
    finally:
        server.execute("RESET statement_timeout")
    return True


def _told(session: dict) -> str:
    seconds = session["transaction_seconds"]
    since = "" if seconds is None else f", in a transaction for {seconds:.0f} s"
    who = f"{session['user']} in {session['database']}"
    return (
        f"process {session['pid']}: {who}, {session['application'] or 'no application name'}, {session['state']}{since}"
    )


def watch(options: dict) -> dict:
    """The result of module pg_interruption_info: asks again and again until a restarted server has answered.

    Ends without that when the file of the options is gone, or the time is up.
    """
    arguments = {
        **options,
        "connect_params": {
            "connect_timeout": PROBE_CONNECT_SECONDS,
            **options["connect_params"],
            "application_name": "midi.capacity probe",
        },
    }
    account = Account(options["account"])
    server = _connected(arguments, account)
    found = Interruption()
    started_at, restarted, begun = _ask(server), False, time.monotonic()
    found.answered(begun)
    _write_ready(options["while_file"])
    while not restarted and _goes_on(options, begun):
        try:
            server = server or _connected(arguments, account)
            restarted = _ask(server) != started_at
            found.answered(time.monotonic())
        except PostgresError:
            _close(server)
            server = None
        time.sleep(PROBE_INTERVAL_SECONDS)
    found.ended(time.monotonic())
    _close(server)
    return {
        "restarted": restarted,
        "answers": found.answers,
        "interruption_seconds": round(found.longest_seconds, 2),
        "watched_seconds": round(time.monotonic() - begun, 2),
    }


def _ask(server: Server) -> str:
    return server.value("SELECT pg_postmaster_start_time()::text")


def _goes_on(options: dict, begun: float) -> bool:
    return os.path.exists(options["while_file"]) and time.monotonic() - begun < options["limit_seconds"]


def _connected(options: dict, account: Account) -> Server:
    """The server takes the account from the socket, and only when it is opened."""
    with account.effective():
        return Server.connect(options)


def _write_ready(path: str) -> None:
    try:
        with open(path, "a", encoding="utf-8") as file:
            file.write("ready\n")
    except OSError as error:
        raise OperatorError(
            f"the file that says how long to watch cannot be written: {error.strerror}",
            path,
            "name a file that exists and that the user who runs the module may write",
        ) from None


def _close(server) -> None:
    if server is not None:
        server.close()
