# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings that shape capacity, with where their values come from."""

from __future__ import annotations

from ansible_collections.midi.capacity.plugins.module_utils._baseline.view import Json, View, ended, sentence
from ansible_collections.midi.capacity.plugins.module_utils._report.document import LEFT, RIGHT, Section, Table, section
from ansible_collections.midi.capacity.plugins.module_utils._settings.model import Definition
from ansible_collections.midi.capacity.plugins.module_utils._settings.values import rendered

# Shown even at their defaults; of the others those that are not.
ALWAYS_SHOWN = (
    "autovacuum",
    "effective_cache_size",
    "fsync",
    "maintenance_work_mem",
    "max_connections",
    "max_parallel_workers",
    "max_parallel_workers_per_gather",
    "max_worker_processes",
    "shared_buffers",
    "shared_preload_libraries",
    "track_io_timing",
    "work_mem",
)


def settings(view: View) -> Section:
    found = view.snapshot["settings"]
    if found is None:
        return section("Settings", sentence(view.how("settings", "")))
    shown = {name: row for name, row in found.items() if name in ALWAYS_SHOWN or row["source"] != "default"}
    rows = [
        [name, value(name, row), row["source"], "yes" if row["pending_restart"] else ""]
        for name, row in sorted(shown.items())
    ]
    partial = view.reason("settings")
    return section(
        "Settings",
        "Read from the running server.",
        Table([("Setting", LEFT), ("Value", RIGHT), ("Source", LEFT), ("Waits for a restart", LEFT)], rows),
        _at_defaults(len(found) - len(shown)),
        f"Not all of them: {ended(partial)}" if partial else "",
    )


def _at_defaults(number: int) -> str:
    if not number:
        return ""
    return f"{number} more are at their defaults." if number > 1 else "One more is at its default."


def value(name: str, row: Json) -> str:
    """As SHOW prints it: 128MB rather than 16384 of 8kB."""
    definition = Definition(name, row["setting"], row["unit"], "integer", context="", source=row["source"])
    return rendered(definition, row["setting"]) if row["unit"] else row["setting"] or "(empty)"
