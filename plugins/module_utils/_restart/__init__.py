# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Around a restart of PostgreSQL: when, in which order, what to go back to. Pure: no Ansible, no I/O."""
