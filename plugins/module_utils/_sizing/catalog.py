# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings that sizing reads or computes: type, unit, range and default, as pg_settings has them."""

from __future__ import annotations

from typing import Dict, Optional, Tuple

from ansible_collections.midi.capacity.plugins.module_utils._settings.model import Definition

_Row = Tuple[str, Optional[str], str, str, str]

# name: type, unit, least, greatest, default. Where versions differ, the wider range and the newer default.
_NUMBERS: Dict[str, _Row] = {
    "autovacuum_max_workers": ("integer", None, "1", "262143", "3"),
    "autovacuum_work_mem": ("integer", "kB", "-1", "2147483647", "-1"),
    "checkpoint_completion_target": ("real", None, "0", "1", "0.9"),
    "effective_cache_size": ("integer", "8kB", "1", "2147483647", "524288"),
    "effective_io_concurrency": ("integer", None, "0", "1000", "16"),
    "hash_mem_multiplier": ("real", None, "1", "1000", "2"),
    "io_workers": ("integer", None, "1", "32", "3"),
    "maintenance_work_mem": ("integer", "kB", "64", "2147483647", "65536"),
    "max_connections": ("integer", None, "1", "262143", "100"),
    "max_parallel_maintenance_workers": ("integer", None, "0", "1024", "2"),
    "max_parallel_workers": ("integer", None, "0", "1024", "8"),
    "max_parallel_workers_per_gather": ("integer", None, "0", "1024", "2"),
    "max_wal_senders": ("integer", None, "0", "262143", "10"),
    "max_wal_size": ("integer", "MB", "2", "2147483647", "1024"),
    "max_worker_processes": ("integer", None, "0", "262143", "8"),
    "min_wal_size": ("integer", "MB", "2", "2147483647", "80"),
    "random_page_cost": ("real", None, "0", "1.79769e+308", "4"),
    "reserved_connections": ("integer", None, "0", "262143", "0"),
    "shared_buffers": ("integer", "8kB", "16", "1073741823", "16384"),
    "superuser_reserved_connections": ("integer", None, "0", "262143", "3"),
    "wal_buffers": ("integer", "8kB", "-1", "262143", "-1"),
    "work_mem": ("integer", "kB", "64", "2147483647", "4096"),
}
_WORDS: Dict[str, Tuple[str, str, Tuple[str, ...]]] = {
    "dynamic_shared_memory_type": ("enum", "posix", ("posix", "sysv", "windows", "mmap")),
    "huge_pages": ("enum", "try", ("off", "on", "try")),
    "io_method": ("enum", "worker", ("sync", "worker", "io_uring")),
    "jit": ("bool", "on", ()),
}

DEFINITIONS: Dict[str, Definition] = {
    **{
        name: Definition(name, default, unit, vartype, "", "default", min_val=least, max_val=greatest, boot_val=default)
        for name, (vartype, unit, least, greatest, default) in _NUMBERS.items()
    },
    **{
        name: Definition(name, default, None, vartype, "", "default", enumvals=words, boot_val=default)
        for name, (vartype, default, words) in _WORDS.items()
    },
}

# What the budget is made of and the profile starts from: what has to be known of a server.
NEEDED = (
    "autovacuum_max_workers",
    "autovacuum_work_mem",
    "dynamic_shared_memory_type",
    "hash_mem_multiplier",
    "maintenance_work_mem",
    "max_connections",
    "max_parallel_maintenance_workers",
    "max_parallel_workers",
    "max_parallel_workers_per_gather",
    "max_wal_senders",
    "max_worker_processes",
    "reserved_connections",
    "shared_buffers",
    "superuser_reserved_connections",
    "wal_buffers",
    "work_mem",
)
