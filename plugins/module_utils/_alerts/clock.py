# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Moments as texts in UTC, 2026-11-24T00:10:00.000Z, as snapshots have them."""

from __future__ import annotations

import datetime

_FORMAT = "%Y-%m-%dT%H:%M:%S.%f"


def parsed(moment: str) -> datetime.datetime:
    """The moment with its zone. A text without a fraction is read as well."""
    text = moment[:-1] if moment.endswith("Z") else moment
    found = datetime.datetime.strptime(text if "." in text else text + ".0", _FORMAT)
    return found.replace(tzinfo=datetime.timezone.utc)


def written(moment: datetime.datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def after(moment: str, seconds: float) -> str:
    """So many seconds later; negative is earlier."""
    return written(parsed(moment) + datetime.timedelta(seconds=seconds))


def elapsed(earlier: str, later: str) -> float:
    """Seconds between the two."""
    return (parsed(later) - parsed(earlier)).total_seconds()


def earliest(one: str, other: str) -> str:
    return one if parsed(one) <= parsed(other) else other
