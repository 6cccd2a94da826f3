# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The keys of a cache as data: templates, who drops them when, what an audit finds. Pure: no Ansible, no I/O."""
