# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One value of the agent's configuration: read, or refused with what to write instead. All raise Fault."""

from __future__ import annotations

from typing import Any, Callable, Dict, Iterable, Mapping

from ansible_collections.midi.capacity.plugins.module_utils._thresholds.fields import Fault, shown

Reader = Callable[[Any], Any]


def text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise Fault(f"is {shown(value)}: write a text that is not empty")
    return value


def any_text(value: Any) -> str:
    if not isinstance(value, str):
        raise Fault(f"is {shown(value)}: write a text, or leave it out")
    return value


def secret(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise Fault("is no text: write it in quotes, or leave it out")
    return value


def path(value: Any) -> str:
    if not isinstance(value, str) or not value.startswith("/") or "\0" in value:
        raise Fault(f"is {shown(value)}: write an absolute path")
    return value.rstrip("/") or "/"


def glob(value: Any) -> str:
    return path(value) if any_text(value) else ""


def mapping(value: Any) -> Dict[Any, Any]:
    if not isinstance(value, Mapping):
        # A connection string may have a password in it.
        raise Fault("is no mapping: write each option by its name, or leave it out")
    return dict(value)


def switch(value: Any) -> bool:
    if not isinstance(value, bool):
        raise Fault(f"is {shown(value)}: write true or false")
    return value


def or_none(reader: Reader) -> Reader:
    """The same, and nothing or an empty text for None."""

    def read(value: Any) -> Any:
        return None if value is None or value == "" else reader(value)

    return read


def whole(least: int, most: int) -> Callable[[Any], int]:
    def read(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise Fault(f"is {shown(value)}: write a whole number from {least} to {most}")
        return value

    return read


def one_of(choices: Iterable[str]) -> Callable[[Any], str]:
    known = tuple(choices)

    def read(value: Any) -> str:
        if not isinstance(value, str) or value not in known:
            raise Fault(f"is {shown(value)}: write one of {', '.join(known)}")
        return value

    return read
