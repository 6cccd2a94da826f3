# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Redis settings: what is wanted, what is there, what to do. Pure: no Ansible, no I/O."""
