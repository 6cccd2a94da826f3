# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values of settings: what people write -> what pg_settings shows -> what people read."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from typing import Any, Dict, List, Mapping, Tuple

from ansible_collections.midi.capacity.plugins.module_utils._query_text import without_secrets
from ansible_collections.midi.capacity.plugins.module_utils._settings import lists
from ansible_collections.midi.capacity.plugins.module_utils._settings.model import Definition

# PostgreSQL manual, 19.1.1 "Parameter Names and Values": the multiplier for memory is 1024; units are case-sensitive.
_MEMORY: Dict[str, float] = {"TB": 1024.0**4, "GB": 1024.0**3, "MB": 1024.0**2, "kB": 1024.0, "B": 1.0}
_TIME: Dict[str, float] = {"d": 86400e6, "h": 3600e6, "min": 60e6, "s": 1e6, "ms": 1e3, "us": 1.0}
_NUMBER = re.compile(r"\s*([+-]?(?:0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?))\s*([A-Za-z]*)\s*\Z")

_TRUE = ("on", "true", "yes", "1")
_FALSE = ("off", "false", "no", "0")
# Accepted spellings that pg_settings.enumvals does not list, from the enum tables of the server's source.
_ENUM_ALIASES: Dict[Tuple[str, str], str] = {
    ("wal_compression", "on"): "pglz",
    ("wal_level", "archive"): "replica",
    ("wal_level", "hot_standby"): "replica",
    ("client_min_messages", "debug"): "debug2",
    ("log_min_messages", "debug"): "debug2",
    ("log_min_error_statement", "debug"): "debug2",
}


class InvalidValue(ValueError):
    """The value is not one that the setting can take; the message says what it takes."""


# Their values can hold passwords: they are compared and written, and never shown.
_SECRET = ("primary_conninfo", "ssl_passphrase_command")
HIDDEN = "(hidden)"
# Shown with a leading zero, as chmod takes them; everything else about them is decimal.
_OCTAL = ("data_directory_mode", "log_file_mode", "unix_socket_permissions")


def as_read(definition: Definition) -> Definition:
    """A row as the view gives it, with its value as all others have theirs: file modes are shown in octal."""
    if definition.name not in _OCTAL:
        return definition
    return replace(definition, setting=str(int(definition.setting, 8)))


def canonical(definition: Definition, wanted: Any) -> str:
    """`wanted` (str, int, float, bool or list) as pg_settings.setting shows it: base units, on/off, lower-case enums.

    Raises InvalidValue for a wrong type, an unknown word or unit, and a number out of range.
    """
    if wanted is None:
        raise InvalidValue("has no value; to take a setting away use state=absent")
    if isinstance(wanted, dict):
        raise InvalidValue("takes a single value, not a mapping")
    if lists.is_list(definition.name):
        return lists.joined(lists.elements(wanted))
    if isinstance(wanted, (list, tuple)):
        raise InvalidValue("takes a single value, not a list")
    return _BY_TYPE[definition.vartype](definition, wanted)


def same(definition: Definition, left: str, right: str) -> bool:
    """Whether two canonical values mean the same."""
    if lists.is_list(definition.name):
        return lists.split(left) == lists.split(right)
    if definition.vartype == "real":
        return _close(float(left), float(right))
    return left == right


def shows(definition: Definition, shown: str, value: str) -> bool:
    """Whether a server that shows one value runs with the other: of real numbers it shows six digits."""
    if definition.vartype == "real":
        return same(definition, f"{float(shown):.6g}", f"{float(value):.6g}")
    return same(definition, shown, value)


def is_secret(name: str, value: Any) -> bool:
    """Whether a value is not to be seen: because of its setting, or because it has a password, as a command may."""
    return name.lower() in _SECRET or (isinstance(value, str) and without_secrets(value) != value)


def secrets(wanted: Mapping[str, Any]) -> List[str]:
    """The values among those that are wanted that are not to be seen."""
    return [str(value) for name, value in wanted.items() if is_secret(name, value)]


def shown(definition: Definition, value: str) -> str:
    """A canonical value as people may see it."""
    return HIDDEN if is_secret(definition.name, value) else rendered(definition, value)


def rendered(definition: Definition, value: str) -> str:
    """A canonical value as SHOW prints it: numbers in the largest unit that divides them evenly."""
    if definition.name in _OCTAL and value.isdigit():
        return f"{int(value):04o}"
    if lists.is_list(definition.name):
        return lists.joined(lists.split(value))
    if definition.vartype not in ("integer", "real") or not definition.unit:
        return value
    number = float(value)
    family, factor = _base(definition.unit)
    if number <= 0 or not math.isfinite(number):
        return value
    for unit, size in family.items():
        amount = number * factor / size
        if amount >= 1 and amount == int(amount):
            return f"{int(amount)}{unit}"
    smallest, size = next((unit, size) for unit, size in family.items() if size <= factor)
    return f"{number * factor / size:g}{smallest}"


def written(definition: Definition, value: str) -> str:
    """A canonical value as a file shall have it: with its unit only where that is exact, because the server rounds
    a fraction of a unit, and not a number without one."""
    text = rendered(definition, value)
    return text if canonical(definition, text) == value else value


def _boolean(definition: Definition, wanted: Any) -> str:
    word = _word(wanted)
    # PostgreSQL takes any unambiguous beginning of these words; "o" could be both.
    for result, words in (("on", _TRUE), ("off", _FALSE)):
        if any(candidate.startswith(word) for candidate in words) and word not in ("", "o"):
            return result
    raise InvalidValue(f"takes on or off, not {wanted!r}")


def _enumeration(definition: Definition, wanted: Any) -> str:
    word = _word(wanted)
    known = {candidate.lower(): candidate for candidate in definition.enumvals}
    alias = _ENUM_ALIASES.get((definition.name, word))
    if alias in known:
        return alias
    if word in known:
        return known[word]
    for result, words in (("on", _TRUE), ("off", _FALSE)):
        if word in words and result in known:
            return _ENUM_ALIASES.get((definition.name, result), result)
    raise InvalidValue(f"takes one of {', '.join(definition.enumvals)}, not {wanted!r}")


def _integer(definition: Definition, wanted: Any) -> str:
    number = _number(definition, wanted)
    whole = round(number)
    unit_given = (
        isinstance(wanted, str) and wanted.strip()[-1:].isalpha() and not wanted.strip().lower().startswith("0x")
    )
    if not unit_given and whole != number:
        raise InvalidValue(f"takes a whole number, not {wanted!r}")
    _check_range(definition, float(whole), wanted)
    return str(whole)


def _real(definition: Definition, wanted: Any) -> str:
    number = _number(definition, wanted)
    _check_range(definition, number, wanted)
    return f"{number:.15g}"


def _string(definition: Definition, wanted: Any) -> str:
    if isinstance(wanted, bool):
        return "on" if wanted else "off"
    text = str(wanted)
    if "\n" in text or "\r" in text or "\0" in text:
        raise InvalidValue("must not contain a line break or a zero byte")
    return text


_BY_TYPE = {"bool": _boolean, "enum": _enumeration, "integer": _integer, "real": _real, "string": _string}


def _word(wanted: Any) -> str:
    if isinstance(wanted, bool):
        return "on" if wanted else "off"
    return str(wanted).strip().lower()


def _number(definition: Definition, wanted: Any) -> float:
    """The number in the setting's base unit."""
    if isinstance(wanted, bool):
        raise InvalidValue(f"takes a number, not {wanted!r}")
    if isinstance(wanted, (int, float)):
        if not math.isfinite(wanted):
            raise InvalidValue(f"takes a number, not {wanted!r}")
        return float(wanted)
    match = _NUMBER.match(str(wanted))
    if not match:
        raise InvalidValue(f"takes a number{_unit_hint(definition)}, not {wanted!r}")
    digits, unit = match.groups()
    number = _parsed(definition, digits, wanted)
    return _converted(definition, number, unit, wanted) if unit else number


def _parsed(definition: Definition, digits: str, wanted: Any) -> float:
    """As the server reads them: integers as C does, where a leading 0 means octal, and others as decimals."""
    whole = digits.lower().lstrip("+-")
    if whole.startswith("0x"):
        return float(int(digits, 16))
    if definition.vartype == "integer" and re.match(r"0\d+\Z", whole):
        try:
            return float(int(digits, 8))
        except ValueError:
            raise InvalidValue(
                f"takes digits from 0 to 7 after a leading 0, which means octal, not {wanted!r}"
            ) from None
    return float(digits)


def _converted(definition: Definition, number: float, unit: str, wanted: Any) -> float:
    if not definition.unit:
        raise InvalidValue(f"takes a number without a unit, not {wanted!r}")
    family, factor = _base(definition.unit)
    if unit not in family:
        hint = next((known for known in family if known.lower() == unit.lower()), None)
        spelt = f": write {hint}, units are case-sensitive" if hint else _unit_hint(definition)
        raise InvalidValue(f"does not know the unit {unit!r}{spelt}")
    amount = number * family[unit] / factor
    smaller = _next_smaller(family, unit)
    # As the server does: "30.1GB" is rounded to whole MB, the next smaller unit, before it is put in base units.
    if smaller is not None:
        step = family[smaller] / factor
        amount = round(amount / step) * step
    return amount


def _base(unit: str) -> Tuple[Dict[str, float], float]:
    """The family of a base unit such as 8kB or ms, and how much of the family's smallest unit one of it is."""
    match = re.match(r"(\d*)([A-Za-z]+)\Z", unit)
    if match:
        count, word = float(match.group(1) or 1), match.group(2)
        for family in (_MEMORY, _TIME):
            if word in family:
                return family, count * family[word]
    raise ValueError(f"pg_settings has a unit that is not known here: {unit}")


def _next_smaller(family: Dict[str, float], unit: str) -> Any:
    units = list(family)
    position = units.index(unit) + 1
    return units[position] if position < len(units) else None


def _unit_hint(definition: Definition) -> str:
    if not definition.unit:
        return ""
    family, _factor = _base(definition.unit)
    return f" with a unit of {', '.join(reversed(list(family)))}"


def _check_range(definition: Definition, number: float, wanted: Any) -> None:
    low, high = float(definition.min_val or "-inf"), float(definition.max_val or "inf")
    if low <= number <= high:
        return
    shown = f" {definition.unit}" if definition.unit else ""
    raise InvalidValue(f"takes {definition.min_val} to {definition.max_val}{shown}, not {wanted!r}")


def _close(left: float, right: float) -> bool:
    return math.isclose(left, right, rel_tol=1e-12, abs_tol=0.0)
