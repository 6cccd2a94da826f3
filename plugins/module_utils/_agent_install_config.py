# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The agent's configuration as a file: what is wrong with it, its text, and what of it may be seen."""

from __future__ import annotations

import json

from ansible_collections.midi.capacity.plugins.module_utils._agent.files import is_plain_path

SCHEMA_VERSION = 1
MODE = 0o600
# A webhook's address is a secret as a rule, and connections may have passwords.
_HIDDEN = ("channels", "postgres", "redis")
_PATHS = ("state_dir", "runtime_dir", "log_file", "textfile")
_REQUIRED = ("state_dir", "runtime_dir")
_DEFAULTS = {"state_dir": "/var/lib/midi-capacity", "runtime_dir": "/run/midi-capacity", "deadline_seconds": 120}
_SCHEDULE = {"interval_seconds": "interval_minutes", "capture_seconds": "capture_minutes"}


def document(options: dict) -> dict:
    """The configuration that is wanted: the schedule's numbers come from the module's options."""
    found = {"schema_version": SCHEMA_VERSION, **_DEFAULTS, **(options["config"] or {})}
    for name, option in _SCHEDULE.items():
        found.setdefault(name, 60 * options[option])
    return found


def problems(options: dict) -> list:
    """Everything that is wrong, a sentence each."""
    wanted = document(options)
    found = _program_s(wanted)
    for name in _PATHS:
        value = wanted.get(name)
        if name not in _REQUIRED and value is None:
            continue
        if not isinstance(value, str) or not is_plain_path(value):
            found.append(f"config: {name} is {value!r}: write an absolute path of letters, digits and _.,+@:=-")
    for name, option in _SCHEDULE.items():
        if wanted[name] != 60 * options[option]:
            found.append(f"config: {name} is {wanted[name]!r}, and {option} {options[option]}: leave {name} out")
    seconds = wanted["deadline_seconds"]
    if isinstance(seconds, bool) or not isinstance(seconds, int) or seconds < 1:
        found.append(f"config: deadline_seconds is {seconds!r}: write a number of seconds")
    return found


def _program_s(wanted: dict) -> list:
    """The hook for what the agent itself says of its configuration, a sentence each."""
    return []


def text(wanted: dict) -> str:
    return json.dumps(wanted, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def parsed(stored: str) -> dict:
    """What a stored text says; nothing where it is no configuration."""
    try:
        found = json.loads(stored)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


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
    for channel in channels if isinstance(channels, list) else []:
        if isinstance(channel, dict):
            headers = channel.get("headers")
            found += list(headers.values()) if isinstance(headers, dict) else []
            found += [channel.get("url"), *_passwords(channel)]
    for name in ("postgres", "redis"):
        found += _passwords(config.get(name))
    return found


def _passwords(tree) -> list:
    """Values of keys that end in password, at any depth; that of a file with one is no secret."""
    if not isinstance(tree, dict):
        return []
    found = [value for name, value in tree.items() if str(name).endswith("password") and isinstance(value, str)]
    return found + [value for part in tree.values() for value in _passwords(part)]
