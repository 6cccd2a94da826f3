# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The clocks of the host: the one that people set, and the one that only a reboot begins anew."""

from __future__ import annotations

import datetime
import time

from ansible_collections.midi.capacity.plugins.module_utils import _moments

_BOOT_ID = "/proc/sys/kernel/random/boot_id"


def now() -> str:
    return _moments.written(datetime.datetime.now(datetime.timezone.utc))


def head() -> dict:
    """{taken_at, boot_id, monotonic_seconds} of this moment; boot_id is empty where the kernel does not tell it."""
    try:
        with open(_BOOT_ID, encoding="ascii") as file:
            boot_id = file.read().strip()
    except OSError:
        boot_id = ""
    # CLOCK_BOOTTIME goes on while the host sleeps.
    return {"taken_at": now(), "boot_id": boot_id, "monotonic_seconds": time.clock_gettime(time.CLOCK_BOOTTIME)}
