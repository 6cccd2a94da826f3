# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Moments as texts in UTC, 2026-11-24T00:10:00.000Z, as snapshots have them. Pure.

Always of the same width, so that texts sort as moments do.
"""

from __future__ import annotations

import datetime
import re

_USUAL = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\Z", re.ASCII)


def parsed(moment: str) -> datetime.datetime:
    """The moment with its zone; a text without a fraction is read as well. Raises ValueError."""
    if _USUAL.match(moment):
        # Some ten times as fast, and a history has many.
        return datetime.datetime.fromisoformat(moment[:-1]).replace(tzinfo=datetime.timezone.utc)
    form = "%Y-%m-%dT%H:%M:%S.%fZ" if "." in moment else "%Y-%m-%dT%H:%M:%SZ"
    return datetime.datetime.strptime(moment, form).replace(tzinfo=datetime.timezone.utc)


def written(moment: datetime.datetime) -> str:
    """Of any zone; what is less than a millisecond is left out."""
    moment = moment.astimezone(datetime.timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def after(moment: str, seconds: float) -> str:
    """So many seconds later; negative is earlier."""
    return written(parsed(moment) + datetime.timedelta(seconds=seconds))


def elapsed(earlier: str, later: str) -> float:
    """Seconds between the two."""
    return (parsed(later) - parsed(earlier)).total_seconds()


def earliest(one: str, other: str) -> str:
    return one if parsed(one) <= parsed(other) else other
