# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What reports are made of: numbers for people, a document as data, and how it is written. Pure: no Ansible, no I/O."""
