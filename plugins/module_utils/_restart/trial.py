# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which settings a trial start takes over: what can keep a server from starting, not what names its own places."""

from __future__ import annotations

from typing import List

from ansible_collections.midi.capacity.plugins.module_utils._restart.auto_conf import lines
from ansible_collections.midi.capacity.plugins.module_utils._settings import values
from ansible_collections.midi.capacity.plugins.module_utils._settings.plan import Facts

# Files, addresses and names of the real server, which still runs, and what another cluster cannot have.
_OWN = (
    "allow_alter_system",
    "archive_mode",
    "bonjour",
    "bonjour_name",
    "cluster_name",
    "config_file",
    "data_directory",
    "data_sync_retry",
    "event_source",
    "external_pid_file",
    "hba_file",
    "hot_standby",
    "huge_pages",
    "ident_file",
    "listen_addresses",
    "logging_collector",
    "port",
    "primary_conninfo",
    "primary_slot_name",
    "ssl",
    "summarize_wal",
    "unix_socket_directories",
    "unix_socket_group",
    "unix_socket_permissions",
)


def conf(facts: Facts) -> str:
    """The configuration file of the trial: every other setting that is fixed at the start and is not at its default."""
    return lines(facts, _names(facts))


def _names(facts: Facts) -> List[str]:
    return [
        name
        for name, definition in sorted(facts.definitions.items())
        if definition.needs_restart
        and name not in _OWN
        and not name.startswith(("recovery_", "restore_"))
        and not values.shows(definition, facts.at_next_start(definition), definition.boot_val or "")
    ]
