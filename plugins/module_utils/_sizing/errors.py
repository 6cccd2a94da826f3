# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What cannot be computed with."""

from __future__ import annotations


class SizingError(ValueError):
    """Something given cannot be used; the message says what, and what to give instead."""
