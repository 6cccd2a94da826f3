# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What has to hold before the agent is installed: all that does not is told at once, and nothing is touched."""

from __future__ import annotations

import os
import pwd

from ansible_collections.midi.capacity.plugins.module_utils import _agent_install_config as agent_config
from ansible_collections.midi.capacity.plugins.module_utils import _agent_program
from ansible_collections.midi.capacity.plugins.module_utils._account import Account
from ansible_collections.midi.capacity.plugins.module_utils._agent import files
from ansible_collections.midi.capacity.plugins.module_utils._agent.schedule import schedule
from ansible_collections.midi.capacity.plugins.module_utils._agent_place import Owner
from ansible_collections.midi.capacity.plugins.module_utils._agent_timers import RUNS, Timers
from ansible_collections.midi.capacity.plugins.module_utils._errors import OperatorError

_PLACES = ("prefix", "command", "cron_dir", "units_dir", "logrotate_dir", "tmpfiles_dir")
_MAY_BE_EMPTY = ("cron_dir", "units_dir", "logrotate_dir", "tmpfiles_dir")


def owner_of(account: str | None) -> Owner:
    """Raises OperatorError where there is no such account, or it takes root to give something to it."""
    Account(account)
    entry = pwd.getpwnam(account) if account else pwd.getpwuid(os.geteuid())
    return Owner(entry.pw_uid, entry.pw_gid)


def refuse(problems: list) -> None:
    if problems:
        raise OperatorError("the agent cannot be installed, and nothing was touched", items=problems)


def prepared(options: dict, timers: Timers) -> tuple:
    """What is wanted, the configuration and its owner. Raises OperatorError with everything that is in the way."""
    problems = agent_config.problems(options) + _odd_options(options) + _agent_program.python_problems()
    owner = Owner(os.geteuid(), os.getegid())
    try:
        owner = owner_of(options["account"])
    except OperatorError as error:
        problems.append(f"account: {error}")
    refuse(problems)
    config = agent_config.document(options)
    has_cron = bool(options["cron_dir"]) and os.path.isdir(options["cron_dir"])
    has_timers = bool(options["units_dir"]) and os.path.isdir(options["units_dir"]) and timers.usable()
    installation = files.Installation(
        account=owner.account,
        group=owner.group,
        command=options["command"],
        schedule=schedule(options["interval_minutes"], options["capture_minutes"], config["host"]),
        schedule_by=options["schedule"],
        deadman_by=files.deadman_by(options["deadman"], options["schedule"], has_cron, has_timers),
        mailto=options["mailto"],
        deadline_seconds=config["deadline_seconds"],
        state_dir=config["state_dir"],
        runtime_dir=config["runtime_dir"],
        log_file=config.get("log_file"),
        textfile=config.get("textfile"),
    )
    refuse(_missing(options, installation, timers) + _not_writable(installation, Account(options["account"])))
    return installation, config, owner


def odd_paths(options: dict) -> list:
    found = []
    for name in _PLACES:
        value = options[name]
        if not (files.is_plain_path(value) or (not value and name in _MAY_BE_EMPTY)):
            found.append(f"{name} is {value!r}: write an absolute path of letters, digits and _.,+@:=-")
    if files.is_plain_path(options["command"]) and not files.is_name(files.name_of(options["command"])):
        # run-parts(8) and cron pass over files of other names.
        found.append(f"command is {options['command']!r}: call it by letters, digits, _ and -")
    return found


def _odd_options(options: dict) -> list:
    found = odd_paths(options) + agent_config.odd_schedule(options)
    if not files.is_mailto(options["mailto"]):
        found.append(f"mailto is {options['mailto']!r}: write addresses with commas between them, or nothing")
    return found


def _missing(options: dict, installation: files.Installation, timers: Timers) -> list:
    """Directories and services that the host has not."""
    found = []
    used = {installation.schedule_by, installation.deadman_by}
    needed = {
        "the directory of command": os.path.dirname(options["command"]),
        "the directory above prefix": os.path.dirname(options["prefix"]),
    }
    if files.CRON in used:
        needed["cron_dir, which schedule or deadman needs,"] = options["cron_dir"]
    if files.TIMER in used:
        needed["units_dir, which schedule or deadman needs,"] = options["units_dir"]
        if not timers.usable():
            found.append(f"systemd does not run here ({RUNS} is not there): choose cron for schedule and deadman")
    if installation.log_file and options["logrotate_dir"]:
        needed["logrotate_dir"] = options["logrotate_dir"]
    if options["tmpfiles_dir"]:
        needed["tmpfiles_dir"] = options["tmpfiles_dir"]
    if installation.textfile:
        needed["the directory of config's textfile"] = os.path.dirname(installation.textfile)
    for name, path in needed.items():
        if not path:
            found.append(f"{name} is empty: give it")
        elif not os.path.isdir(path) and not _is_made(path, installation.state_dir):
            found.append(f"{name} is not there: {path}: {_remedy(name)}")
    return found


def _not_writable(installation: files.Installation, account: Account) -> list:
    """The textfile is written beside its place and moved there, so its directory counts."""
    path = installation.textfile and os.path.dirname(installation.textfile)
    own = {f"{installation.state_dir}/agent", f"{installation.state_dir}/conf", installation.runtime_dir}
    if not path or path in own or not os.path.isdir(path) or _may_write(path, account):
        return []
    return [
        f"the directory of config's textfile, {path}, cannot be written to by account {installation.account}: let it"
        f" (chgrp {installation.group} and chmod g+w), or leave textfile out"
    ]


def _may_write(path: str, account: Account) -> bool:
    """As the kernel sees it, with all groups and lists of the account: in a process that becomes it."""
    process = os.fork()
    if process == 0:
        status = 2
        try:
            account.become()
            status = 0 if os.access(path, os.W_OK | os.X_OK) else 1
        finally:
            os._exit(status)
    return os.WEXITSTATUS(os.waitpid(process, 0)[1]) == 0


def _is_made(path: str, state_dir: str) -> bool:
    """Whether it is the state directory or below it, which the agent gets anyway."""
    return f"{path}/".startswith(f"{state_dir}/")


def _remedy(name: str) -> str:
    if name.startswith("cron_dir"):
        return "install cron, or choose timer"
    if name.endswith("textfile"):
        return "install what reads it, or leave textfile out"
    if name in ("logrotate_dir", "tmpfiles_dir"):
        return "make it, or leave it out by an empty text"
    return "make it, or correct the path"
