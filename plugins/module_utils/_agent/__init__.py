# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the agent decides and computes. Pure: no Ansible, no I/O.

schema      the tables of its history
counters    counters of statements: their columns, and which of them a snapshot keeps a row of
schedule    when it runs: minutes of the day, as cron's fields and as systemd's OnCalendar
files       what cron, systemd, logrotate and systemd-tmpfiles are told of it, as text
"""
