# SPDX-License-Identifier: GPL-3.0-or-later
"""The demo: PostgreSQL 18 and Redis of one's own account, and a MIDI library to fill them."""

import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]

# The collection under its own name, as `make setup` links it, so that the demo uses the code that it shows.
if str(CHECKOUT / ".collections") not in sys.path:
    sys.path.append(str(CHECKOUT / ".collections"))
