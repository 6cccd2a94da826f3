# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the append-only file is on, which it is only once a background rewrite has written all data into it."""

from __future__ import annotations

from typing import Mapping, Sequence

from ansible_collections.midi.capacity.plugins.module_utils._redis_settings.plan import SettingPlan

ON, WRITING, FAILED = "on", "writing", "failed"


def is_switched_on(plans: Sequence[SettingPlan]) -> bool:
    return any(found.name == "appendonly" and found.changes and found.desired == "yes" for found in plans)


def progress(persistence: Mapping[str, str], rewrite_status_before: str) -> str:
    """ON, WRITING or FAILED, from INFO persistence.

    rewrite_status_before: aof_last_bgrewrite_status before it was switched on. An "err" from then proves nothing, and
    the server tries again by itself.
    """
    status = persistence.get("aof_last_bgrewrite_status", "")
    if status == "err" and rewrite_status_before != "err":
        return FAILED
    busy = "1" in (persistence.get("aof_rewrite_in_progress"), persistence.get("aof_rewrite_scheduled"))
    return ON if persistence.get("aof_enabled") == "1" and not busy and status == "ok" else WRITING
