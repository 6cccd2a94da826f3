# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values of settings: what people write -> what CONFIG GET shows -> what redis.conf writes."""

from __future__ import annotations

import re
from typing import Any, Dict, FrozenSet, List

from ansible_collections.midi.capacity.plugins.module_utils._redis_settings import catalog

# As redis.conf says: k, m and g count in thousands, kb, mb and gb in 1024; upper or lower case is the same.
_UNITS: Dict[str, int] = {
    "": 1,
    "b": 1,
    "k": 1000,
    "kb": 1024,
    "m": 1000**2,
    "mb": 1024**2,
    "g": 1000**3,
    "gb": 1024**3,
}
_MEMORY = re.compile(r"([0-9]+)([a-z]*)\Z")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)\Z")
_SWITCH = {"yes": "yes", "true": "yes", "on": "yes", "no": "no", "false": "no", "off": "no"}
# client-output-buffer-limit has groups of four: a class of clients, two limits, seconds.
_LIMITS = 4
_CLIENT_CLASSES = {"normal": "normal", "slave": "slave", "replica": "slave", "pubsub": "pubsub"}
# What the letter A of notify-keyspace-events stands for.
_ALL_EVENTS = "g$lshzxetd"


class InvalidValue(ValueError):
    """The value is not one that the setting can take; the message says what it takes."""


def canonical(name: str, wanted: Any, current: str, closed: bool = True) -> str:
    """`wanted` (str, int, float, bool or list) as CONFIG GET shows it: bytes, yes and no, words in lower case.

    current: what CONFIG GET shows now; it tells the type of settings that the catalog does not have.
    closed: whether the catalog has all words that the server takes. Raises InvalidValue.
    """
    if wanted is None:
        raise InvalidValue('has no value; an empty text is written ""')
    if isinstance(wanted, dict):
        raise InvalidValue("takes a value, not a mapping")
    if name == "save":
        return _save_points(wanted)
    if name == "client-output-buffer-limit":
        return _client_limits(wanted, current)
    if name in catalog.ROWS:
        return _row(name, wanted, closed)
    if isinstance(wanted, (list, tuple)):
        raise InvalidValue("takes a single value, not a list")
    return _single(name, wanted, current, closed)


def same(name: str, left: str, right: str) -> bool:
    """Whether two values, each as CONFIG GET shows it or canonical, mean the same."""
    if name == "notify-keyspace-events":
        return _events(left) == _events(right)
    return left == right


def rendered(name: str, value: str) -> str:
    """A canonical value as CONFIG REWRITE writes it: 10gb rather than 10737418240."""
    if name in (*catalog.MEMORY, *catalog.MEMORY_OR_PERCENT) and _NUMBER.match(value):
        return memory_text(int(value))
    return value or '""'


def memory_text(number_bytes: int) -> str:
    """In the largest unit that divides it evenly."""
    for unit in ("gb", "mb", "kb"):
        if number_bytes and number_bytes % _UNITS[unit] == 0:
            return f"{number_bytes // _UNITS[unit]}{unit}"
    return str(number_bytes)


def memory_bytes(wanted: Any) -> int:
    """Bytes of 10gb, 512mb, 64k or a plain number, by Redis' own rules. Raises InvalidValue."""
    match = None if isinstance(wanted, bool) else _MEMORY.match(str(wanted).strip().lower())
    if not match or match.group(2) not in _UNITS:
        units = ", ".join(unit for unit in _UNITS if unit)
        raise InvalidValue(f"takes whole bytes, or a whole number with one of {units}, not {wanted!r}")
    return int(match.group(1)) * _UNITS[match.group(2)]


def _single(name: str, wanted: Any, current: str, closed: bool) -> str:
    if name in catalog.WORDS:
        return _word(name, wanted, closed)
    if name in catalog.MEMORY:
        return str(memory_bytes(wanted))
    if name in catalog.MEMORY_OR_PERCENT:
        return _memory_or_percent(wanted)
    if name not in catalog.TEXTS and current in ("yes", "no"):
        return _switch(wanted)
    if name not in catalog.TEXTS and _NUMBER.match(current):
        return _whole_number(wanted)
    return _text(wanted)


def _word(name: str, wanted: Any, closed: bool) -> str:
    word = _text(wanted).strip().lower()
    known = catalog.WORDS[name]
    if word not in known and closed:
        raise InvalidValue(f"takes one of {', '.join(known)}, not {wanted!r}")
    return catalog.SAME_WORD.get((name, word), word)


def _memory_or_percent(wanted: Any) -> str:
    match = re.match(r"\s*([0-9]+)\s*%\s*\Z", str(wanted))
    return f"{int(match.group(1))}%" if match else str(memory_bytes(wanted))


def _switch(wanted: Any) -> str:
    word = _text(wanted).strip().lower()
    if word not in _SWITCH:
        raise InvalidValue(f"takes yes or no, not {wanted!r}")
    return _SWITCH[word]


def _whole_number(wanted: Any) -> str:
    text = str(int(wanted)) if isinstance(wanted, float) and wanted.is_integer() else str(wanted).strip()
    if isinstance(wanted, bool) or not _NUMBER.match(text):
        raise InvalidValue(f"takes a whole number, not {wanted!r}")
    return text


def _text(wanted: Any) -> str:
    if isinstance(wanted, bool):
        return "yes" if wanted else "no"
    return str(wanted)


def _row(name: str, wanted: Any, closed: bool) -> str:
    parts = _parts(wanted)
    if name in catalog.WORDS:
        parts = [_word(name, part, closed) for part in parts]
        # The server shows the words in an order of its own.
        parts.sort(key=lambda word: catalog.WORDS[name].index(word) if word in catalog.WORDS[name] else len(word))
    return " ".join(parts)


def _save_points(wanted: Any) -> str:
    parts = _parts(wanted)
    # The only way to write "no save points" in redis.conf.
    if parts == ['""']:
        return ""
    if len(parts) % 2 or not all(_NUMBER.match(part) for part in parts):
        raise InvalidValue(f'takes pairs of seconds and changes, such as "3600 1 300 100", not {wanted!r}')
    pairs = [(int(seconds), int(changes)) for seconds, changes in _in_groups(parts, 2)]
    if any(seconds < 1 or changes < 0 for seconds, changes in pairs):
        raise InvalidValue(f"takes seconds of 1 or more and changes of 0 or more, not {wanted!r}")
    return " ".join(parts)


def _client_limits(wanted: Any, current: str) -> str:
    """All classes, those of `wanted` in place of the current ones, as the server does it."""
    parts = _parts(wanted)
    limits = {client_class: numbers for client_class, *numbers in _in_groups(current.split(), _LIMITS)}
    if not parts or len(parts) % _LIMITS:
        raise InvalidValue(f'takes a class and three numbers each, such as "replica 256mb 64mb 60", not {wanted!r}')
    for client_class, hard, soft, seconds in _in_groups(parts, _LIMITS):
        known = _CLIENT_CLASSES.get(client_class.lower())
        if known is None:
            raise InvalidValue(f"knows the classes normal, replica and pubsub, not {client_class!r}")
        limits[known] = [str(memory_bytes(hard)), str(memory_bytes(soft)), _whole_number(seconds)]
    return " ".join(" ".join([client_class, *numbers]) for client_class, numbers in limits.items())


def _in_groups(parts: List[str], size: int) -> List[List[str]]:
    return [parts[at : at + size] for at in range(0, len(parts), size)]


def _parts(wanted: Any) -> List[str]:
    """The words of a text, or of all elements of a list, however deep."""
    if isinstance(wanted, (list, tuple)):
        return [part for element in wanted for part in _parts(element)]
    return _text(wanted).split()


def _events(value: str) -> FrozenSet[str]:
    return frozenset(value.replace("A", _ALL_EVENTS))
