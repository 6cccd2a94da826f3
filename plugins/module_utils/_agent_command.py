# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The name of the agent's command: of two agents on a host, each speaks of itself."""

from __future__ import annotations

import os
import sys

USUAL = "capacity-agent"


def name() -> str:
    """As it was called; the usual one where it is no command but a module or a script in Python that runs."""
    called = os.path.basename(sys.argv[0]) if sys.argv else ""
    return USUAL if not called or called.startswith("-") or called.endswith(".py") else called
