# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the append-only file is on, which it is only once a background rewrite has written all data into it."""

from __future__ import annotations

from typing import Mapping, Sequence

from ansible_collections.midi.capacity.plugins.module_utils._redis_settings.plan import SettingPlan

ON, WRITING, FAILED = "on", "writing", "failed"


def has_to_be_awaited(plans: Sequence[SettingPlan], persistence: Mapping[str, str]) -> bool:
    """Whether it is wanted and is switched on now, or is still being written since somebody did that.

    persistence: INFO persistence from before.
    """
    wanted = [found for found in plans if found.name == "appendonly" and found.desired == "yes"]
    return any(found.changes or _is_busy(persistence) for found in wanted)


def progress(persistence: Mapping[str, str], rewrite_status_before: str) -> str:
    """ON, WRITING or FAILED, from INFO persistence.

    rewrite_status_before: aof_last_bgrewrite_status before it was switched on. An "err" from then proves nothing, and
    the server tries again by itself.
    """
    status = persistence.get("aof_last_bgrewrite_status", "")
    if status == "err" and rewrite_status_before != "err":
        return FAILED
    done = persistence.get("aof_enabled") == "1" and not _is_busy(persistence) and status == "ok"
    return ON if done else WRITING


def _is_busy(persistence: Mapping[str, str]) -> bool:
    return "1" in (persistence.get("aof_rewrite_in_progress"), persistence.get("aof_rewrite_scheduled"))
