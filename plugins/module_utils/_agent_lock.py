# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One run of the agent at a time: a lock that the kernel takes away from whoever ends, however that is."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time

from ansible_collections.midi.capacity.plugins.module_utils._errors import OperatorError

_STEP_SECONDS = 0.05


@contextlib.contextmanager
def held(path: str, wait_seconds: float = 0.0):
    """Yields whether the lock could be had. Raises OperatorError where there can be none."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise OperatorError(
            f"the lock cannot be opened: {error.strerror}", path, "run as the account that the agent runs as"
        ) from None
    try:
        yield _had(descriptor, time.monotonic() + wait_seconds)
    finally:
        os.close(descriptor)


def _had(descriptor: int, until: float) -> bool:
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            if time.monotonic() >= until:
                return False
            # The kernel wakes nobody who waits with an end.
            time.sleep(_STEP_SECONDS)
