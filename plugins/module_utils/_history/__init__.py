# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was stored by ALTER SYSTEM before and after each run, and the way back. Pure: no Ansible, no I/O."""
