# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Linux says of a host, from text to figures. Pure: no I/O, nothing of Ansible; bad text raises ValueError."""
