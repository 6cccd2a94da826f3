# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stress test: what its log, its samples and its counts say, and the report. Pure: no Ansible, no I/O."""
