# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A realistic MIDI library of any size, as rows to load. Pure: no Ansible, no I/O.

The same size, seed and end give the same rows, with every version of Python.
"""
