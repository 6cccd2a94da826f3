# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The agent's configuration as a file: what is wrong with it, its text, and what of it may be seen."""

from __future__ import annotations

import json

from ansible_collections.midi.capacity.plugins.module_utils._agent import config as configuration
from ansible_collections.midi.capacity.plugins.module_utils._agent.files import is_plain_path
from ansible_collections.midi.capacity.plugins.module_utils._agent.schedule import CAPTURES, INTERVALS

MODE = 0o600
# A webhook's address is a secret as a rule, and connections may have passwords.
_HIDDEN = ("channels", "postgres", "redis")
PATHS = ("state_dir", "runtime_dir", "log_file", "textfile")
# What others go by as well, so it is written down though it is the default.
_WRITTEN = ("state_dir", "runtime_dir", "deadline_seconds")
_SCHEDULE = {"interval_seconds": "interval_minutes", "capture_seconds": "capture_minutes"}
_KNOWN = {"interval_minutes": INTERVALS, "capture_minutes": CAPTURES}


def document(options: dict) -> dict:
    """The configuration that is wanted: the schedule's numbers come from the module's options."""
    found = {"schema_version": configuration.SCHEMA_VERSION, **(options["config"] or {})}
    for name in _WRITTEN:
        found.setdefault(name, configuration.DEFAULTS[name])
    return {**_of_schedule(options), **found}


def odd_schedule(options: dict) -> list:
    """What is wrong with the options that the schedule's numbers come from, a sentence each."""
    return [
        f"{name} is {options[name]}: write one of {', '.join(map(str, known))}"
        for name, known in _KNOWN.items()
        if options[name] not in known
    ]


def problems(options: dict) -> list:
    """Everything that is wrong, a sentence each."""
    wanted = document(options)
    # Options and numbers that do not fit are told once, and not again by what comes of them.
    known = {**options, **{name: places[-1] for name, places in _KNOWN.items() if options[name] not in places}}
    read, wrong = configuration.read({**wanted, **_of_schedule(known)})
    for name, option in _SCHEDULE.items():
        if wanted[name] != 60 * options[option]:
            wrong.append(f"{name} is {wanted[name]!r}, and {option} {options[option]}: leave {name} out")
    told = {sentence.split(" ", 1)[0] for sentence in wrong}
    for name in PATHS:
        # cron, systemd and logrotate take fewer of them than the agent.
        value = wanted.get(name)
        if value and name not in told and not is_plain_path(value):
            wrong.append(f"{name} is {value!r}: write an absolute path of letters, digits and _.,+@:=-")
    return [f"config: {sentence}" for sentence in wrong]


def _of_schedule(options: dict) -> dict:
    return {name: 60 * options[option] for name, option in _SCHEDULE.items()}


def another_s(stored: dict, wanted: dict) -> list:
    """What speaks against it: several servers and databases of a host may be meant to share a directory by mistake."""
    before, after = ([found.get(name) for name in ("host", "database")] for found in (stored, wanted))
    if not stored or before == after:
        return []
    return [
        f"the agent here looks after database {before[1]} of {before[0]}, and this one would after {after[1]} of"
        f" {after[0]}: give it a state_dir, a prefix and a command of its own; or, if it is the same one under another"
        " name, remove that agent first (state absent), which leaves its history"
    ]


def text(wanted: dict) -> str:
    return json.dumps(wanted, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def parsed(stored: str) -> dict:
    """What a stored text says; nothing where it is no configuration."""
    try:
        found = json.loads(stored)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def textfile_of(stored: dict) -> str | None:
    """Where the agent that has it writes its textfile; None for nowhere, or what is no path."""
    path = stored.get("textfile")
    return path if isinstance(path, str) and is_plain_path(path) else None


def compare(change, path: str, before: dict | None, after: dict) -> None:
    """Record every key on both sides, so that a diff shows those that differ; before: None where there is none."""
    for name in sorted({*(before or {}), *after}):
        one = _shown(name, before[name]) if before and name in before else None
        other = _shown(name, after[name]) if name in after else None
        if name in _HIDDEN and before and name in before and name in after and before[name] != after[name]:
            other = "another value, hidden"
        change.add(f"{path}: {name}", one, other)


def _shown(name: str, value) -> str:
    return "hidden" if name in _HIDDEN else json.dumps(value, sort_keys=True, ensure_ascii=False)


def secrets(options: dict) -> list:
    """What must be in no output and no log, wherever in the options it is. Bad options have not been refused yet."""
    config = options["config"] if isinstance(options["config"], dict) else {}
    found: list = []
    channels = config.get("channels")
    for channel in channels if isinstance(channels, list) else [channels]:
        found += _as_text(channel)
        if isinstance(channel, dict):
            headers = channel.get("headers")
            found += list(headers.values()) if isinstance(headers, dict) else []
            found += [channel.get("url"), *_passwords(channel)]
    for name in ("postgres", "redis"):
        found += [*_as_text(config.get(name)), *_passwords(config.get(name))]
    return found


def _as_text(value) -> list:
    """An address or a connection string where a mapping is wanted: whatever is secret in it, all of it is."""
    return [value] if isinstance(value, str) else []


def _passwords(tree) -> list:
    """Values of keys that end in password, at any depth; that of a file with one is no secret."""
    if not isinstance(tree, dict):
        return []
    found = [value for name, value in tree.items() if str(name).endswith("password") and isinstance(value, str)]
    return found + [value for part in tree.values() for value in _passwords(part)]
