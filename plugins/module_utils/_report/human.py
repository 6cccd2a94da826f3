# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Numbers for people. Inside, bytes are integers and times are milliseconds or seconds; here they become text, once."""

from __future__ import annotations

from typing import Tuple, Union

Number = Union[int, float]

_BYTE_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
# A unit of time with its seconds, and the smaller one that is shown beside it.
_TIME_UNITS: Tuple[Tuple[str, int, str, int], ...] = (
    ("d", 86400, "h", 3600),
    ("h", 3600, "min", 60),
    ("min", 60, "s", 1),
)


def size(number_bytes: Number, units: Tuple[str, ...] = _BYTE_UNITS) -> str:
    """Three digits and a binary unit: 512 B, 1.41 MiB, 128 GiB. units: other names for these, smallest first."""
    amount, unit = float(number_bytes), units[0]
    for unit in units:
        # What would be rounded to 1024 belongs to the next unit.
        if abs(amount) < 1023.5 or unit == units[-1]:
            break
        amount /= 1024
    return f"{significant(amount)} {unit}"


def count(number: Number) -> str:
    """Whole, with thousands set apart: 1,720,000."""
    return f"{round(number):,}"


def plural(number: Number, thing: str) -> str:
    """1 error, 1,200 errors."""
    return f"{count(number)} {thing}{'' if number == 1 else 's'}"


def times(number: int) -> str:
    """once, 2 times, 1,200 times."""
    return "once" if number == 1 else f"{count(number)} times"


def percent(part: Number, whole: Number) -> str:
    """One decimal below ten: 4.3 %, 94 %; a trace is not nothing and almost all is not all."""
    if whole == 0:
        return "n/a"
    value = 100 * part / whole
    if 0 < value < 0.1:
        return "< 0.1 %"
    if 99.5 <= value < 100:
        return "> 99 %"
    return f"{value:.1f} %" if 0 < value < 9.95 else f"{value:.0f} %"


def milliseconds(number: Number) -> str:
    """Down to microseconds: 0.042 ms, 51.1 ms; from a second on as seconds() does."""
    if abs(number) >= 999.5:
        return seconds(number / 1000)
    return f"{significant(number)} ms" if abs(number) >= 1 or number == 0 else f"{number:.2g} ms"


def seconds(number: Number) -> str:
    """1.3 s, 2 min 5 s, 3 h 12 min, 11 d 21 h."""
    if abs(number) < 59.95:
        return f"{significant(number)} s"
    left = round(abs(number))
    unit, length, smaller, smaller_length = next(entry for entry in _TIME_UNITS if left >= entry[1])
    shown = f"{'-' if number < 0 else ''}{left // length} {unit}"
    rest = left % length // smaller_length
    return f"{shown} {rest} {smaller}" if rest else shown


def moment(text: str) -> str:
    """An ISO 8601 time in UTC as people write it: 2026-11-24 00:29:41 UTC."""
    return f"{text[:10]} {text[11:19]} UTC"


def significant(number: Number) -> str:
    """Three digits at most, without trailing zeros: 1.41, 12.5, 128, 4."""
    decimals = 2 if abs(number) < 9.995 else 1 if abs(number) < 99.95 else 0
    text = f"{number:.{decimals}f}"
    return text.rstrip("0").rstrip(".") if decimals else text
