# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The agent's program: its command line."""

from __future__ import annotations

import argparse
import json
import os
import re
import sys

from ansible_collections.midi.capacity.plugins.module_utils import (
    _agent_command,
    _agent_doctor,
    _agent_look,
    _agent_silence,
    _agent_snapshot,
)
from ansible_collections.midi.capacity.plugins.module_utils._agent import config as configuration
from ansible_collections.midi.capacity.plugins.module_utils._agent_run import alone
from ansible_collections.midi.capacity.plugins.module_utils._alerts import plugin_output
from ansible_collections.midi.capacity.plugins.module_utils._errors import OperatorError

# As monitoring plugins have it: what could not be found out is unknown.
UNKNOWN = 3
_VERSION = re.compile(r"[0-9a-f]{16}\Z")


def main(argv, default_config: str) -> int:
    """Runs one command; gives its exit status."""
    options = _parser(default_config).parse_args(argv)
    if options.command == "version":
        sys.stdout.write(_version(os.path.abspath(__file__)) + "\n")
        return 0
    try:
        return options.run(_config(options.config), options)
    except OperatorError as error:
        if options.command == "check":
            status, text = plugin_output.unknown(str(error))
            sys.stdout.write(text)
            return status
        sys.stderr.write(f"{_agent_command.name()}: {error}\n")
        return UNKNOWN
    except BrokenPipeError:
        # Whoever read the output has enough of it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _version(path: str) -> str:
    """An installed program stands in a directory of its version's name, as the role tells it."""
    name = os.path.basename(path.partition(f"{os.sep}ansible_collections{os.sep}")[0])
    return f"{name if _VERSION.match(name) else 'not installed'} ({path})"


def _config(path: str) -> configuration.Config:
    try:
        with open(path, encoding="utf-8") as file:
            document = json.load(file)
    except OSError as error:
        remedy = "run as the account that the agent runs as, or install the agent with the role monitoring_cron"
        raise OperatorError(f"the configuration cannot be read: {error.strerror}", path, remedy) from None
    except ValueError as error:
        raise OperatorError(f"the configuration is no JSON: {error}", path, "install the agent again") from None
    found, problems = configuration.read(document)
    if found is None:
        raise OperatorError("the configuration cannot be used", path, "install the agent again", items=problems)
    return found


def _parser(default_config: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=_agent_command.name(),
        description="Keeps the history of a PostgreSQL server's capacity, and tells what is wrong.",
    )
    parser.add_argument(
        "--config", default=default_config, metavar="FILE", help=f"the configuration ({default_config})"
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    _command(commands, "version", None, "the version of this program, and where it is")
    _command(commands, "snapshot", _snapshot, "take a snapshot, keep it, and send what there is to say")
    _command(commands, "capture", _capture, "read the statements only, for percentiles of the next snapshot")
    _command(commands, "deadman", _deadman, "say so if there are no snapshots any more")
    _command(commands, "prune", _prune, "remove what is older or more than it may be")
    _command(
        commands, "check", _agent_look.check, "the states, as a monitoring plugin says them: exit status 0, 1, 2 or 3"
    )
    status = _command(commands, "status", _agent_look.status, "where it stands: last snapshot, history, alerts")
    status.add_argument("--json", action="store_true", help="as JSON")
    history = _command(commands, "history", _agent_look.history, "the history as a table")
    history.add_argument(
        "--since", default="", metavar="TIME", help="2026-11-24, 2026-11-24T12:00:00Z, or 7d, 12h before now"
    )
    shape = history.add_mutually_exclusive_group()
    shape.add_argument("--json", action="store_true", help="all readings as JSON")
    shape.add_argument("--csv", action="store_true", help="all readings as CSV")
    doctor = _command(commands, "doctor", _agent_doctor.doctor, "what is missing, and what to do about it")
    doctor.add_argument("--json", action="store_true", help="as JSON")
    silence = _command(
        commands, "silence", _agent_silence.silence, "send nothing for a while, or show what is silenced"
    )
    what = silence.add_mutually_exclusive_group()
    what.add_argument("--for", dest="duration", metavar="TIME", help="2h, 90m, 1d12h")
    what.add_argument("--lift", action="store_true", help="end it")
    silence.add_argument("--reason", help="why, for whoever looks next; with --for")
    silence.add_argument("--metric", help="of one metric only; with --for or --lift")
    _command(
        commands, "test-alert", _agent_silence.test_alert, "send a test by every channel, and say what became of it"
    )
    return parser


def _command(commands, name: str, run, text: str) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
    parser.set_defaults(run=run)
    return parser


def _snapshot(config, _options) -> int:
    return alone(config, "snapshot", _agent_snapshot.snapshot, _agent_snapshot.tell_trouble)


def _capture(config, _options) -> int:
    return alone(config, "capture", _agent_snapshot.capture, _agent_snapshot.tell_trouble)


def _deadman(config, _options) -> int:
    return alone(config, "deadman", _agent_snapshot.deadman, _agent_snapshot.tell_trouble)


def _prune(config, _options) -> int:
    def work(run) -> None:
        gone = _agent_snapshot.prune(run)
        run.end("done")
        sys.stdout.write(f"{gone} snapshots removed; the history has {run.store.bytes()} bytes\n")

    return alone(config, "prune", work)
