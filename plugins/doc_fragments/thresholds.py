# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every filter takes that makes something of the thresholds."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  _input:
    description:
      - The thresholds, each with C(metric) and what is other than that metric's default.
      - An empty list gives all defaults.
    type: list
    elements: dict
    required: true
  interval_minutes:
    description:
      - How far snapshots are apart.
    type: int
    required: true
"""
