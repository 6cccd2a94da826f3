# SPDX-License-Identifier: GPL-3.0-or-later
"""The demo: PostgreSQL 18 and Redis of one's own account, and a MIDI library to fill them."""
