# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the agent decides and computes. Pure: no Ansible, no I/O.

config      what people configure, read as a whole; config_fields: one value; connections: how it gets to servers
schema      the tables of its history
counters    counters of statements: their columns, and which of them a snapshot keeps a row of
bounded     a snapshot no larger than the history should have it
window      what happened between two snapshots, by a clock that nobody sets
latency     percentiles of that time, from captures
age         how old the last snapshot is
readings    from a snapshot and its window to a reading of every metric
standing    how everything stands between two snapshots
shown       what people read: history, status, doctor
schedule    when it runs: minutes of the day, as cron's fields and as systemd's OnCalendar
files       what cron, systemd, logrotate and systemd-tmpfiles are told of it, as text
"""
