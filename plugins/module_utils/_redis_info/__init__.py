# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Redis says about itself, from its text to the facts of module redis_cache_info. Pure: no Ansible, no I/O."""
