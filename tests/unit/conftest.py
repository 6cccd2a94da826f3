# SPDX-License-Identifier: GPL-3.0-or-later
"""How many examples hypothesis tries."""

from __future__ import annotations

from hypothesis import settings

from tests.scale import scaled

# No deadline: how fast an example is depends on what else the machine does.
settings.register_profile("midi.capacity", max_examples=scaled(100, 3000), deadline=None)
settings.load_profile("midi.capacity")
