# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the monitoring role logs in: its files and the hash of its password. Pure: no Ansible, no I/O."""
