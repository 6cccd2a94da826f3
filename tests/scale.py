# SPDX-License-Identifier: GPL-3.0-or-later
"""How long the long loops are: short in `make test`, full in `make soak`, which sets SOAK."""

from __future__ import annotations

import os

SOAK = bool(os.environ.get("SOAK"))


def scaled(usual: int, full: int) -> int:
    """The first number in a usual run, the second in a soak."""
    return full if SOAK else usual
