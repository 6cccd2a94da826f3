# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command of a stress test: as people see it, and what is wrong with it."""

from __future__ import annotations

import re
import shlex
from typing import Any, Dict, List, Mapping, Sequence
from urllib.parse import unquote

from ansible_collections.midi.capacity.plugins.module_utils._query_text import without_secrets

_SHELL = "/bin/sh"
_SECRET_NAME = re.compile(r"passw|secret|token|credential|api_?key|(^|_)key$", re.IGNORECASE)
_IN_ADDRESS = re.compile(r"://[^\s:/@']*:([^\s@']+)@")
# PostgreSQL manual, 32.1.1.2 "Connection URIs"; SQLAlchemy writes the driver behind a plus.
_DATABASE_IN_ADDRESS = re.compile(r"\bpostgres(?:ql)?(?:\+\w+)?://[^/\s'\"?]*/([^\s'\"?]+)")
# Who reads the process list sees it.
_SEEN = "it has a password in it, which everybody on the host can see: put it in the command's environment"


def arguments(command: Any) -> List[str]:
    """The words that are run: a list as it is, a text by the shell. Raises ValueError with what is wrong."""
    if isinstance(command, str):
        words = [_SHELL, "-c", command] if command.strip() else []
    elif isinstance(command, list):
        words = [str(word) for word in command]
    else:
        raise ValueError("it has to be a list of words or a text for the shell")
    if not words or not words[0]:
        raise ValueError("it is empty")
    if any(_shows_secret(word) for word in words):
        raise ValueError(_SEEN)
    return words


def shown(command: Any) -> str:
    """The command on one line, for people."""
    text = command if isinstance(command, str) else " ".join(shlex.quote(str(word)) for word in command)
    return " ".join(text.split())


def secrets(environment: Mapping[str, Any]) -> List[str]:
    """The values that nobody may see: by their names, and the passwords of addresses."""
    found = [str(value) for name, value in environment.items() if _SECRET_NAME.search(str(name))]
    for value in environment.values():
        found += _IN_ADDRESS.findall(str(value))
    return found


def databases(command: Any, environment: Mapping[str, Any]) -> Dict[str, str]:
    """The databases that it is told to go to: {database: where that stands}, from PGDATABASE and addresses."""
    words = command if isinstance(command, list) else [command]
    found = {name: "the command" for word in words for name in _databases_in(str(word))}
    for variable, value in environment.items():
        names = [str(value)] if str(variable) == "PGDATABASE" else _databases_in(str(value))
        found.update({name: f"{variable} of its environment" for name in names if name})
    return found


def _databases_in(text: str) -> List[str]:
    return [unquote(name) for name in _DATABASE_IN_ADDRESS.findall(text)]


def texts(environment: Mapping[str, Any]) -> Dict[str, str]:
    """An environment as a process takes it."""
    return {str(name): str(value) for name, value in environment.items()}


def problems(environment: Mapping[str, Any]) -> List[str]:
    """What cannot be in a process' environment."""
    bad: Sequence[str] = [str(name) for name in environment if not str(name) or "=" in str(name)]
    return [f"{name!r} is no name of a variable" for name in bad]


def _shows_secret(text: str) -> bool:
    # Without quotes, or a text in them that comes after a word such as "password-file" would count.
    bare = text.replace("'", "").replace('"', "")
    return without_secrets(bare) != bare
