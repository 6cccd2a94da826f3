# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values of a database driver as values of JSON. Pure."""

from __future__ import annotations

import datetime
import decimal

from ansible_collections.midi.capacity.plugins.module_utils import _moments


def plain(value):
    """dicts and lists all the way down; whole decimals as int, others as float; times in UTC, durations in seconds."""
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(inner) for inner in value]
    if isinstance(value, decimal.Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, datetime.datetime):
        return _moments.written(value)
    if isinstance(value, datetime.timedelta):
        return value.total_seconds()
    return value
