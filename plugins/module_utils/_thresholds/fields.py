# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One value of a threshold as people write it: read, or refused with what to write instead."""

from __future__ import annotations

import math
import re
from typing import Any, Optional

LONGEST_TEXT = 500
MOST_SAMPLES = 1000

# Jinja hands over a text where people wrote a number.
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?\Z", re.ASCII)
_WHOLE = re.compile(r"\d+\Z", re.ASCII)
_BOOLS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


class Fault(ValueError):
    """The value is none that the field takes; the message follows the field's name."""


def number(value: Any) -> float:
    """A finite number. Raises Fault."""
    if isinstance(value, str) and _NUMBER.match(value.strip()):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise Fault(f"is {shown(value)}, which is no number: write one without its unit")
    try:
        found = float(value)
    except OverflowError:
        found = math.inf
    if not math.isfinite(found):
        raise Fault("is not finite: write a number")
    return found


def limit(value: Any) -> Optional[float]:
    """A number, or None for no limit. Raises Fault."""
    return None if value is None else number(value)


def at_least_zero(value: Any) -> float:
    """Raises Fault."""
    found = number(value)
    if found < 0:
        raise Fault(f"is {found:g}: write 0 or more")
    return found


def samples(value: Any) -> int:
    """How many in a row, at least 1. Raises Fault."""
    if isinstance(value, str) and _WHOLE.match(value.strip()):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MOST_SAMPLES:
        raise Fault(f"is {shown(value)}: write a whole number of samples from 1 to {MOST_SAMPLES}")
    return value


def text(value: Any) -> str:
    """A text of one line that is not empty. Raises Fault."""
    if not isinstance(value, str) or not value.strip():
        raise Fault(f"is {shown(value)}: write a text, or leave it out")
    if len(value) > LONGEST_TEXT:
        raise Fault(f"has {len(value)} characters: write {LONGEST_TEXT} at most")
    return " ".join(value.split())


def switch(value: Any) -> bool:
    """Raises Fault."""
    if isinstance(value, str):
        value = _BOOLS.get(value.strip().lower(), value)
    if not isinstance(value, bool):
        raise Fault(f"is {shown(value)}: write true or false")
    return value


def shown(value: Any) -> str:
    """What people wrote, as a message may have it."""
    found = repr(value)
    return found if len(found) <= 40 else found[:37] + "..."
