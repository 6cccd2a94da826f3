# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a phase's playbook says at its end: where things stand, and what to do next. Pure: no Ansible, no I/O."""
