# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The agent's configuration as a file: what is wrong with it, its text, and what of it may be seen."""

from __future__ import annotations

import json

from ansible_collections.midi.capacity.plugins.module_utils._agent import config as configuration
from ansible_collections.midi.capacity.plugins.module_utils._agent.files import is_plain_path
from ansible_collections.midi.capacity.plugins.module_utils._agent.schedule import CAPTURES, INTERVALS
from ansible_collections.midi.capacity.plugins.module_utils._alerts.channels import TYPES

MODE = 0o600
# A webhook's address is a secret as a rule, and connections may have passwords.
_HIDDEN = ("channels", "postgres", "redis")
# Fields of channels that may be seen, as long as nobody writes an address of a web server there.
_HARMLESS = {"name", "to", "from", "sendmail", "ca_certs", "format", "facility", "timeout_seconds", "attempts"}
_HARMLESS |= {"smtp_host", "smtp_port", "smtp_tls", "smtp_user", "smtp_password_file"}
_SHORTEST = 4
# So much of the beginning of a secret is still no part of it.
_LEAST = 9
PATHS = ("state_dir", "runtime_dir", "log_file", "textfile")
# What others go by as well, so it is written down though it is the default.
_WRITTEN = ("state_dir", "runtime_dir", "deadline_seconds")
_SCHEDULE = {"interval_seconds": "interval_minutes", "capture_seconds": "capture_minutes"}
_KNOWN = {"interval_minutes": INTERVALS, "capture_minutes": CAPTURES}


# By which an agent is told from another.
WHOSE = ("host", "database")


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
    hidden = secrets(options)
    return [f"config: {_without(sentence, hidden)}" for sentence in wrong]


def _of_schedule(options: dict) -> dict:
    return {name: 60 * options[option] for name, option in _SCHEDULE.items()}


def another_s(path: str, stored: dict, wanted: dict) -> list:
    """What the configuration at this path has against it: databases may be meant to share a directory by mistake."""
    before, after = ([found.get(name) for name in WHOSE] for found in (stored, wanted))
    if not stored or before == after:
        return []
    return [
        f"the agent here looks after database {before[1]} of {before[0]}, and this one would after {after[1]} of"
        f" {after[0]}: give each a state_dir, a prefix and a command of its own; or, if it is the same one under"
        f" another name, remove {path} and run this again, which goes on with its history"
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
    found = _anywhere(config)
    channels = config.get("channels")
    for channel in channels if isinstance(channels, list) else [channels]:
        found += _of_channel(channel) if isinstance(channel, dict) else _texts(channel)
    for name in ("postgres", "redis"):
        # A connection string where a mapping is wanted: whatever is secret in it, all of it is.
        found += [] if isinstance(config.get(name), dict) else _texts(config.get(name))
    return list(dict.fromkeys(str(value) for value in found))


def _anywhere(tree) -> list:
    """Addresses, and values of keys that end in password; that of a file with one is no secret."""
    if isinstance(tree, dict):
        found = [name for name in tree if _is_address(name)]
        for name, value in tree.items():
            found += _texts(value) if str(name).endswith("password") else _anywhere(value)
        return found
    if isinstance(tree, list):
        return [value for part in tree for value in _anywhere(part)]
    return [tree] if _is_address(tree) else []


def _of_channel(channel: dict) -> list:
    """All but what is known to be none: what stands under a misspelt key may be a secret as well."""
    found = []
    for name, value in channel.items():
        if name == "headers":
            found += _texts(value)
        elif name == "argv" and isinstance(value, list):
            found += [text for text in _texts(value[1:]) if not text.startswith("-") or "=" in text]
        elif name not in _HARMLESS and not (name == "type" and value in TYPES):
            # What is shorter is no secret, and would be hidden in every other word.
            found += [text for text in _texts(value) if len(text) >= _SHORTEST]
    return found


def _texts(tree) -> list:
    """Every text and number in it, as text."""
    if isinstance(tree, dict):
        return [value for part in tree.values() for value in _texts(part)]
    if isinstance(tree, list):
        return [value for part in tree for value in _texts(part)]
    return [str(tree)] if isinstance(tree, (str, int, float)) and not isinstance(tree, bool) else []


def _is_address(value) -> bool:
    return isinstance(value, str) and "://" in value


def _without(sentence: str, hidden: list) -> str:
    """Messages cut long values off, and Ansible finds only whole ones in them."""
    for text in sorted(hidden, key=len, reverse=True):
        for length in range(min(len(text), len(sentence)), _LEAST - 1, -1):
            if text[:length] in sentence:
                sentence = sentence.replace(text[:length], "hidden")
                break
    return sentence
